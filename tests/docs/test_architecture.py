"""The page for newcomers is true: tables of the ledger, state entries and modules of features stand there."""

from __future__ import annotations

import re

import pytest

from connectors.ledger.schema import metadata
from tests.docs.pages import ROOT, named, page, rows, section

TABLES = rows(section("The ledger", page("architecture")).partition("###")[0])
ENTRIES = rows(section("Where state lives", page("architecture")).partition("Other state:")[0])
FEATURES = ("tasks/asset_sync", "tasks/enrichment", "tasks/dispatch")
"""Folders whose modules all stand on the page."""


def source(path: str) -> str:
    return (ROOT / path).read_text(encoding="utf-8")


def test_every_table_of_the_ledger_stands_there() -> None:
    assert sorted(cells[0] for cells in TABLES) == sorted(f"`{name}`" for name in metadata.tables)


@pytest.mark.parametrize("cells", TABLES, ids=lambda cells: cells[0].strip("`"))
def test_the_module_of_a_table_works_on_it(cells: list[str]) -> None:
    assert re.search(rf"\b{cells[0].strip('`')}\b", source(cells[2].strip("`")))


@pytest.mark.parametrize("cells", ENTRIES, ids=lambda cells: cells[0].strip("`"))
def test_the_owner_of_a_state_entry_builds_its_name(cells: list[str]) -> None:
    fixed = re.sub(r"[- ]?\b(?:N|KIND|INTENT)\b.*", "", cells[0].strip("`"))
    assert re.search(rf'"{re.escape(fixed)}[-" ]', source(cells[2].strip("`")))


def test_every_module_of_a_feature_stands_there() -> None:
    text = page("architecture")
    modules = [path for folder in FEATURES for path in (ROOT / folder).glob("*.py") if path.stem[:2] != "__"]
    paths = [path.relative_to(ROOT).as_posix() for path in modules]
    assert [path for path in sorted(paths) if path not in named(text)] == []


def test_at_least_fifteen_questions_are_answered() -> None:
    assert len(rows(section("Where do I find ...", page("architecture")))) >= 15
