"""Every link, anchor, picture, path and dotted name in the docs leads somewhere; the site has every page."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest
import yaml

from tests.docs.pages import PAGES, ROOT, named

FOLDERS = "connectors|tasks|flows|deployments|sandbox|benchmarks|tests|docs"
PATH = re.compile(rf"(?:{FOLDERS})/[\w./-]*(?::\w+(?:\.\w+)?)?")
DOTTED = re.compile(r"(?:connectors|tasks|flows|deployments|sandbox|benchmarks|tests)(?:\.\w+)+")
MADE = {"deployments/compose/secrets/"}
"""Made on the machine, and never in the repository."""
PLACEHOLDER = re.compile(r"\b(?:VENDOR|ACTION|NAME)\b")
LINK = re.compile(r"\]\(([^()\s]+)\)")


def without_code(text: str) -> str:
    return re.sub(r"`[^`\n]+`", "`code`", re.sub(r"^ *```.*?^ *```", "", text, flags=re.M | re.S))


def anchors(text: str) -> set[str]:
    """The anchors of a page's headings, made as MkDocs and git hosts make them."""
    plain = re.sub(r"^ *```.*?^ *```", "", text, flags=re.M | re.S)
    found = re.findall(r"^#+ (.*)$", plain, re.M)
    slugs = (re.sub(r"[^\w\s-]", "", heading).strip().lower() for heading in found)
    return {re.sub(r"[-\s]+", "-", slug) for slug in slugs} | set(re.findall(r'<a id="([\w.-]+)">', plain))


def broken_links(page: str, text: str) -> list[str]:
    return [link for link in LINK.findall(without_code(text)) if not leads_somewhere(page, link)]


def leads_somewhere(page: str, link: str) -> bool:
    if re.match(r"https?://|mailto:", link):
        return True
    target, _, anchor = link.partition("#")
    path = (ROOT / page).parent / target if target else ROOT / page
    if not path.exists():
        return False
    name = path.resolve().relative_to(ROOT).as_posix()
    return not anchor or anchor in anchors(PAGES.get(name, ""))


@cache
def names_in(module: Path) -> set[str]:
    """What a module defines at its top, and ``Class.method``."""
    found: set[str] = set()
    for node in ast.parse(module.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            found.add(node.name)
        if isinstance(node, ast.ClassDef):
            below = (each for each in node.body if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef))
            found |= {f"{node.name}.{each.name}" for each in below}
        targets = node.targets if isinstance(node, ast.Assign) else []
        targets = [node.target] if isinstance(node, ast.AnnAssign) else targets
        found |= {each.id for each in targets if isinstance(each, ast.Name)}
    return found


def exists(path: str) -> bool:
    """Whether a path of the repository exists, and in its module the name after the colon."""
    file, _, name = path.partition(":")
    place = ROOT / file
    if name:
        return place.is_file() and name in names_in(place)
    return place.is_dir() if file.endswith("/") else place.exists()


def resolves(dotted: str) -> bool:
    """Whether a dotted name is a package, a module, or something that a module defines."""
    parts = dotted.split(".")
    for count in range(len(parts), 0, -1):
        place = ROOT.joinpath(*parts[:count])
        rest = ".".join(parts[count:])
        if place.is_dir():
            return not rest
        if place.with_suffix(".py").is_file():
            return not rest or rest in names_in(place.with_suffix(".py"))
    return False


def missing_paths(text: str) -> list[str]:
    words = [word for each in named(text) for word in each.split()]
    found = [each for each in words if PATH.fullmatch(each) and not PLACEHOLDER.search(each)]
    return [each for each in found if each not in MADE and not exists(each)]


def missing_names(text: str) -> list[str]:
    return [each for each in named(text) if DOTTED.fullmatch(each) and not resolves(each)]


@pytest.mark.parametrize("page", PAGES)
def test_every_link_and_anchor_leads_somewhere(page: str) -> None:
    assert broken_links(page, PAGES[page]) == []


@pytest.mark.parametrize("page", PAGES)
def test_every_path_and_dotted_name_exists(page: str) -> None:
    assert missing_paths(PAGES[page]) + missing_names(PAGES[page]) == []


def test_what_is_broken_is_caught() -> None:
    text = "[a](no.md) [b](../README.md#no-such-heading) [c](../README.md#try-it-two-commands) [d](api/no.md)"
    assert broken_links("docs/setup.md", text) == ["no.md", "../README.md#no-such-heading", "api/no.md"]
    text = "`tasks/no.py` `flows/undo_run.py:no` `flows/undo_run.py:undo_run` `docs/` `tasks/rules/no/`"
    assert missing_paths(text) == ["tasks/no.py", "flows/undo_run.py:no", "tasks/rules/no/"]
    text = "`tasks.rules` `tasks.rules.no` `flows.undo_run.undo_run` `flows.undo_run.no`"
    assert missing_names(text) == ["tasks.rules.no", "flows.undo_run.no"]


def test_every_picture_is_shown() -> None:
    shown = {Path(link).name for text in PAGES.values() for link in LINK.findall(text) if "images/" in link}
    assert {path.name for path in (ROOT / "docs" / "images").iterdir()} == shown


def test_every_page_is_in_the_navigation_and_in_the_readmes_map() -> None:
    navigation = (ROOT / "mkdocs.yml").read_text(encoding="utf-8").partition("\nnav:\n")[2]
    assert yaml.safe_load(navigation)
    pages = [path for path in PAGES if path.startswith("docs/") and not path.startswith("docs/adr/0")]
    assert [path for path in pages if path.removeprefix("docs/") not in navigation] == []
    assert [path for path in pages if f"]({path})" not in PAGES["README.md"]] == []


def test_every_decision_record_is_listed_and_has_the_form_of_the_others() -> None:
    records = [path for path in PAGES if path.startswith("docs/adr/0")]
    listed = re.findall(r"\]\((0\d{3}-[\w-]+\.md)\)", PAGES["docs/adr/index.md"])
    assert [f"docs/adr/{name}" for name in listed] == records
    assert [int(Path(path).name[:4]) for path in records] == list(range(1, len(records) + 1))
    wanted = ["Context", "Decision", "Weighed", "Consequences"]
    assert {path for path in records if re.findall(r"^## (.+)$", PAGES[path], re.M) != wanted} == set()


@pytest.mark.parametrize("page", PAGES)
def test_blocks_in_lists_are_indented_so_that_every_reader_of_markdown_nests_them(page: str) -> None:
    """Git hosts nest what is indented by two or three; the site's generator wants four."""
    assert re.findall(r"^ {1,3}(?:```|\|).*", PAGES[page], re.M) == []


def test_the_readme_is_short() -> None:
    assert 100 <= len(PAGES["README.md"].splitlines()) <= 150
