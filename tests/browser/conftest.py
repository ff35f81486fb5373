"""One stack, one browser for the session. Without a browser the tests are left out, and one says why."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from tests.browser.needs import browser_path, missing
from tests.browser.stack import OUTPUT, Stack, running_stack

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

collect_ignore_glob = ["test_[a-z]*.py"] if missing() else []

WIDTH, HEIGHT = 1280, 800
# As root, on machines without a screen and without a way to the world's networks.
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
PATIENCE_MILLISECONDS = 45_000


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    shutil.rmtree(OUTPUT, ignore_errors=True)
    with running_stack() as running:
        yield running


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=browser_path(), args=list(FLAGS))
        yield started
        started.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A new window of the size that a small laptop has."""
    context = browser.new_context(viewport={"width": WIDTH, "height": HEIGHT})
    context.set_default_timeout(PATIENCE_MILLISECONDS)
    yield context.new_page()
    context.close()
