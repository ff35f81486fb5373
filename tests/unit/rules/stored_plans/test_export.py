"""A whole plan as table, CSV, JSON and HTML: every record is there, and no value is more than a value."""

from __future__ import annotations

import csv
import html.parser
import io
import json
from datetime import UTC, datetime, timedelta

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.ledger.models import PlanHead, StoredPlan
from tasks.rules.stored_plans.entries import EntryKind, PlanEntry
from tasks.rules.stored_plans.export import COLUMNS, FORMATS, plan_state, spreadsheet_value
from tasks.rules.stored_plans.summary import PlanTally
from tasks.rules.values import FieldChange

NOW = datetime(2026, 11, 1, tzinfo=UTC)
HOSTILE = "=HYPERLINK(\"http://x.example\")<script src='http://x.example'></script>\x1b[31m\u202e|"
ENTRIES = [
    PlanEntry(
        EntryKind.MODIFY,
        "k1",
        101,
        HOSTILE,
        (FieldChange("serialNumber", HOSTILE, "-2+3"), FieldChange("ram", 8, None)),
        (HOSTILE,),
        "link",
        "d1",
    ),
    PlanEntry(
        EntryKind.CREATE, "@k2", None, "PC 2", (FieldChange("type.name", None, "ls_Windows"),), digest="d2"
    ),
    PlanEntry(EntryKind.SKIPPED, "k3", None, "PC 3", notes=("+no type",)),
]


def stored(**changes: object) -> StoredPlan:
    head = PlanHead(
        "asset-synchronization", "t", 7, HOSTILE, "run", "c0ffee", {"prefix": "ls_"}, {"read": 3}, {}
    )
    values = {"id": "plan-1a2b3c4d5e6f", "head": head, "entries": 3, "made_at": NOW}
    return StoredPlan(**(values | {"expires_at": NOW + timedelta(days=30)} | changes))  # type: ignore[arg-type]


def written(name: str, entries: list[PlanEntry] = ENTRIES) -> str:
    tally, form = PlanTally(), FORMATS[name]()
    for each in entries:
        tally.entry(each)
    return form.head(stored(), tally, NOW) + "".join(map(form.entry, entries)) + form.end()


def test_the_csv_has_a_row_a_field_and_no_formula() -> None:
    first, *rows = csv.reader(io.StringIO(written("csv")))
    assert tuple(first) == COLUMNS
    assert [(row[0], row[3], row[4]) for row in rows] == [
        ("modify", "k1", "serialNumber"),
        ("modify", "k1", "ram"),
        ("create", "'@k2", "type.name"),
        ("skipped", "k3", ""),
    ]
    assert [row[7][:3] for row in rows] == ["'=H", "", "", "'+n"]
    assert not any(each.startswith(("=", "+", "-", "@")) for row in rows for each in row)


@given(st.text(max_size=40))
def test_no_text_of_a_spreadsheet_begins_as_a_formula(text: str) -> None:
    shown = spreadsheet_value(text)
    assert not shown.lstrip(" \xa0").startswith(("=", "+", "-", "@", "\t", "\r", "\n"))
    assert shown.removeprefix("'") == text.replace("\x00", "").removeprefix("'")
    assert spreadsheet_value(-5) == -5


class Page(html.parser.HTMLParser):
    """What a browser makes of the page: its tags with their attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def test_the_page_loads_nothing_and_shows_every_record() -> None:
    text = written("html")
    page = Page(text)
    names = {tag for tag, _ in page.tags}
    assert names.isdisjoint({"script", "img", "link", "iframe", "object", "form"})
    links = [attributes.get("href") or "" for tag, attributes in page.tags if "href" in attributes]
    assert links
    assert all(each.startswith("#") for each in links)
    assert not any({"src", "onclick", "onload"} & attributes.keys() for _, attributes in page.tags)
    assert any("default-src 'none'" in (attributes.get("content") or "") for _, attributes in page.tags)
    assert {"k1", "@k2", "k3", "ls_Windows", "+no type"} <= set(page.texts)
    assert "\x1b" not in text
    assert "\u202e" not in text


def test_each_kind_of_change_of_the_page_leads_to_its_records() -> None:
    page = Page(written("html"))
    links = {attributes["href"] for tag, attributes in page.tags if tag == "a"}
    places = {attributes["id"] for _, attributes in page.tags if "id" in attributes}
    rows = [
        set((attributes["class"] or "").split())
        for tag, attributes in page.tags
        if tag == "tr" and "class" in attributes
    ]
    assert links == {f"#{each}" for each in places} | {"#all"}
    assert rows == [{"k1", "k2"}, {"k3"}, set()]
    assert all(f"#{each}:target~table tbody tr:not(.{each})" in written("html") for each in places)


def test_the_json_has_facts_settings_and_entries() -> None:
    document = json.loads(written("json"))
    assert document["plan"]["settings"] == {"prefix": "ls_"}
    assert document["entries"] == json.loads(orjson.dumps(ENTRIES))
    assert json.loads(written("json", []))["entries"] == []


def test_the_table_steers_no_terminal() -> None:
    text = written("table")
    assert not {"\x1b", "\u202e"} & set(text)
    assert [line.split()[0] for line in text.splitlines()[-4:]] == ["modify", "modify", "create", "skipped"]
    assert "type.name" in text


@pytest.mark.parametrize(
    ("changes", "wanted"),
    [
        ({}, "open"),
        ({"begun_by": "r"}, "begun"),
        ({"expires_at": NOW}, "expired"),
        ({"expires_at": NOW, "applied_at": NOW}, "applied"),
    ],
)
def test_what_became_of_a_plan_is_told(changes: dict[str, object], wanted: str) -> None:
    assert plan_state(stored(**changes), NOW) == wanted
