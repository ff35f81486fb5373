"""Records as ConnectWise gives them, for the dispatch rules."""

from __future__ import annotations

from typing import Any

from tasks.rules.dispatch.mapping import work_order_of
from tasks.rules.dispatch.mapping_model import DispatchMapping
from tasks.rules.dispatch.reference import RecordKind
from tasks.rules.dispatch.sources import dispatch_source

TICKET: dict[str, Any] = {
    "id": 101,
    "summary": "Replace the access point",
    "recordType": "ServiceTicket",
    "board": {"id": 3, "name": "Field Services"},
    "status": {"id": 40, "name": "Dispatch"},
    "type": {"id": 2, "name": "On-Site"},
    "priority": {"id": 1, "name": "Priority 1 - Critical"},
    "company": {"id": 6, "identifier": "BlueLightCo", "name": "Blue Light, Co."},
    "contact": {"id": 9, "name": "Anna Finch"},
    "contactName": "Anna Finch",
    "contactPhoneNumber": "5550101",
    "site": {"id": 4, "name": "Main"},
    "requiredDate": "2026-12-01T14:30:00Z",
    "closedFlag": False,
    "customFields": [
        {"id": 7, "caption": "Send to FN", "type": "Checkbox", "value": True},
        {"id": 8, "caption": "Rack no. 1", "value": None},
    ],
    "_info": {"lastUpdated": "2026-11-20T10:00:00Z"},
}
SITE: dict[str, Any] = {
    "id": 4,
    "name": "Main",
    "addressLine1": "1 Harbour Street",
    "city": "Tampa",
    "stateReference": {"id": 10, "identifier": "FL", "name": "Florida"},
    "zip": "33602",
    "country": {"id": 1, "name": "United States"},
}
COMPANY: dict[str, Any] = {
    "id": 6,
    "name": "Blue Light, Co.",
    "addressLine1": "9 Head Office Road",
    "city": "Miami",
    "state": "Florida",
    "zip": "33101",
}


def source(kind: RecordKind = RecordKind.SERVICE_TICKET, **changes: Any) -> dict[str, Any]:
    """The source document of the ticket above, with these members changed."""
    given = {"description": "Bring a ladder\nand <cable>", "company": COMPANY, "site": SITE}
    related = {name: changes.pop(name) for name in list(changes) if name in ("description", "member")}
    return dispatch_source(kind, {**TICKET, **changes}, **{**given, **related})


def line(**members: Any) -> DispatchMapping:
    """A line of a mapping, to the title unless a target is given."""
    return DispatchMapping.model_validate({"target": "title", **members})


def made(*lines: DispatchMapping, **changes: Any) -> dict[str, Any]:
    """The work order that lines make of a record; none of them has a problem."""
    mapped = work_order_of(lines, source(**changes))
    assert mapped.problems == ()
    return mapped.body
