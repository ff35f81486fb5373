"""Which related records are fetched: only what the mapping reads and the record lacks."""

from __future__ import annotations

from typing import Any

import pytest

from tasks.rules.dispatch.mapping_model import DispatchMapping, MappingAction, default_dispatch_mappings
from tasks.rules.dispatch.reference import RecordKind
from tasks.rules.dispatch.sources import dispatch_source, reads_description, related_needed

SERVICE = RecordKind.SERVICE_TICKET
BARE: dict[str, Any] = {
    "id": 5,
    "summary": "x",
    "company": {"id": 6, "name": "Blue Light"},
    "site": {"id": 3, "name": "Main"},
    "contact": {"id": 4, "name": "Anna"},
    "board": {"id": 1, "name": "Help Desk"},
}
WHOLE = {
    **BARE,
    "addressLine1": "1 Harbour Street",
    "city": "Tampa",
    "contactName": "Anna",
    "contactPhoneNumber": "555",
}
DEFAULTS = default_dispatch_mappings(SERVICE).inbound


def script(text: str) -> DispatchMapping:
    return DispatchMapping(target="title", action=MappingAction.CUSTOM, script=text)


def needed(record: dict[str, Any], *lines: DispatchMapping, fetched: tuple[str, ...] = ()) -> list[str]:
    return related_needed(lines or DEFAULTS, dispatch_source(SERVICE, record), fetched)


def test_a_record_that_has_it_all_needs_nothing() -> None:
    assert needed(WHOLE) == []


def test_the_default_mapping_needs_at_most_two_more() -> None:
    assert needed(BARE) == ["contact", "site"]
    assert needed(BARE, fetched=("contact", "site")) == ["company"]
    assert needed(BARE, fetched=("contact", "site", "company")) == []


def test_a_record_without_a_site_takes_its_companys_address() -> None:
    assert needed({**BARE, "site": None, "contactPhoneNumber": "5", "contactPhoneExtension": "1"}) == [
        "company"
    ]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (DispatchMapping(target="title", source="company.name"), []),
        (DispatchMapping(target="title", source="company.phoneNumber"), ["company"]),
        (DispatchMapping(target="title", source="member.officePhone"), []),
        (DispatchMapping(target="title", source="board.location"), ["board"]),
        (script("summary || company.phoneNumber"), []),
        (script("missing || company.phoneNumber"), ["company"]),
        (script("join(' ', [company.name, contact.title])"), ["contact"]),
        (script("company.phoneNumber && summary"), ["company"]),
        (script("!summary && company.phoneNumber"), []),
        (
            DispatchMapping(
                target="title",
                action=MappingAction.CONCAT,
                parts=[{"type": "static", "value": "x"}, {"type": "field", "value": "site.phoneNumber"}],
            ),
            ["site"],
        ),
    ],
)
def test_by_line(line: DispatchMapping, expected: list[str]) -> None:
    assert needed(BARE, line) == expected


def test_the_description_is_read_only_where_a_line_names_it() -> None:
    document = dispatch_source(SERVICE, BARE)
    assert reads_description(DEFAULTS, document)
    assert reads_description([script("description || summary")], document)
    assert not reads_description([script("summary || description")], document)
    assert not reads_description([DispatchMapping(target="description", source="summary")], document)
