"""The documentation as a site: it builds without a warning, is complete, and fetches nothing from elsewhere.

Run by ``make test-docs``, which installs the generator. Without it every test is skipped, and says so.
"""

from __future__ import annotations

import importlib.util
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.pages import PAGES, ROOT

NEEDED = ("mkdocs", "material", "mkdocstrings", "griffe_pydantic")
pytestmark = pytest.mark.skipif(
    any(importlib.util.find_spec(name) is None for name in NEEDED),
    reason="the extra docs is not installed: pip install --constraint constraints.txt --editable '.[docs]'",
)
PACKAGES = ("connectors", "tasks", "flows")
NO_PAGE = {"__init__", "env"}
FETCHED = re.compile(
    r"<(?:script|img|iframe)[^>]*\ssrc=\"?(?:https?:)?//|<link[^>]*rel=\"?stylesheet\"?[^>]*//"
)


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built as ``make docs`` builds it: a warning ends the build with an error."""
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(folder)]
    quiet = os.environ | {"NO_MKDOCS_2_WARNING": "1"}
    done = subprocess.run(command, cwd=ROOT, env=quiet, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def test_every_page_and_every_module_has_a_page(site: Path) -> None:
    pages = {path.parent.relative_to(site).as_posix() for path in site.rglob("index.html")}
    assert {path.removeprefix("docs/").removesuffix(".md") for path in PAGES if path[:5] == "docs/"} <= {
        *pages,
        "adr/index",
    }
    modules = [path for package in PACKAGES for path in (ROOT / package).rglob("*.py")]
    wanted = {
        f"api/{path.relative_to(ROOT).with_suffix('').as_posix()}"
        for path in modules
        if path.stem not in NO_PAGE and "migrations" not in path.parts
    }
    assert wanted - pages == set()


def test_search_finds_pages_settings_and_functions(site: Path) -> None:
    index = json.loads((site / "search" / "search_index.json").read_text(encoding="utf-8"))
    places = {each["location"]: each["text"] for each in index["docs"]}
    assert "case_sensitive_match" in places["flows/#asset-synchronization"]
    assert any("canary" in text for place, text in places.items() if place.startswith("decisions/"))
    wanted = (
        "api/tasks/connectwise/list_manufacturers/#tasks.connectwise.list_manufacturers.list_manufacturers"
    )
    assert wanted in places
    field = "api/tasks/dispatch/settings/#tasks.dispatch.settings.DispatchSettings.on_leave"
    assert "Before a provider is assigned" in places[field]


def test_nothing_is_fetched_from_elsewhere(site: Path) -> None:
    pages = list(site.rglob("*.html"))
    assert pages
    assert [path.name for path in pages if FETCHED.search(path.read_text(encoding="utf-8"))] == []
