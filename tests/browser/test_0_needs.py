"""Says what is missing on a machine where the browser's tests can't run."""

from __future__ import annotations

import pytest

from tests.browser.needs import missing


def test_browser_and_playwright_are_installed() -> None:
    if missing():
        pytest.skip(" ".join(missing()))
