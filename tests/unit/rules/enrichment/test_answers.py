"""The answers of the two list actions have the members of the connector page's samples, in their order."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.rules.enrichment.answers import (
    agreement_answer,
    in_order,
    link_value,
    shown_agreement,
    sla_of,
    ticket_answer,
)

HREF = "https://api-staging.connectwisedev.com/v4_6_release/apis/3.0//"
CONFIGURATION: dict[str, Any] = {
    "id": 9015,
    "name": "109.164.219.139/1/5",
    "customFields": [
        {"id": 5, "caption": "ls_asset_id", "value": "01771f50-6a8c-325c-a3d6-bd2681282014"},
        {"id": 6, "caption": "ls_asset_url"},
    ],
}
PAGE_HEAD = {
    "id": 9015,
    "name": "109.164.219.139/1/5",
    "customFields": {"ls_asset_id": "01771f50-6a8c-325c-a3d6-bd2681282014"},
}
AGREEMENT: dict[str, Any] = {
    "id": 538,
    "name": "test",
    "startDate": "2000-09-29T00:00:00Z",
    "endDate": "2028-09-30T00:00:00Z",
    "agreementStatus": "Active",
    "type": {
        "id": 5,
        "name": "Block Time - One time",
        "_info": {"type_href": f"{HREF}finance/agreements/types/5"},
    },
}
PAGE_AGREEMENT = {
    "id": 538,
    "name": "test",
    "startDate": "29/09/2000",
    "endDate": "30/09/2028",
    "agreementStatus": "Active",
    "type": {
        "id": 5,
        "name": "Block Time - One time",
        "_info": {"type_href": f"{HREF}finance/agreements/types/5"},
    },
}
TICKET: dict[str, Any] = {
    "id": 538,
    "summary": "test",
    "recordType": "ServiceTicket",
    "status": {
        "id": 16,
        "name": "New (not responded)",
        "Sort": 0,
        "_info": {"status_href": f"{HREF}service/boards/0/statuses/16"},
    },
    "closedFlag": False,
}


def members(value: Any) -> Any:
    """Names in their order, all the way down."""
    if isinstance(value, dict):
        return [(name, members(each)) for name, each in value.items()]
    return [members(each) for each in value] if isinstance(value, list) else None


def test_agreements_are_those_of_the_pages_sample() -> None:
    answer = agreement_answer(CONFIGURATION, [shown_agreement(AGREEMENT)])
    wanted = PAGE_HEAD | {"sla": None, "agreements": [PAGE_AGREEMENT]}
    assert answer == wanted
    assert members(answer) == members(wanted)


def test_tickets_are_those_of_the_pages_sample() -> None:
    answer = ticket_answer(CONFIGURATION, [TICKET])
    totals = {"totalTickets": 1, "openTickets": 1, "closedTickets": 0}
    wanted = PAGE_HEAD | {"tickets": [TICKET], "ticketsInfo": totals}
    assert answer == wanted
    assert members(answer) == members(wanted)


def test_closed_is_what_the_flag_says_not_the_name_of_the_status() -> None:
    closed_by_name = TICKET | {"status": {"id": 1, "name": "Closed"}}
    closed = TICKET | {"closedFlag": True, "status": {"id": 1, "name": "In progress"}}
    totals = ticket_answer(CONFIGURATION, [closed_by_name, closed, closed_by_name])["ticketsInfo"]
    assert totals == {"totalTickets": 3, "openTickets": 2, "closedTickets": 1}


@pytest.mark.parametrize(
    "fields",
    [None, [], [{"caption": "ls_asset_id"}], [{"caption": "ls_asset_id", "value": None}], [{"caption": "x"}]],
)
def test_no_value_is_null(fields: Any) -> None:
    assert link_value({"customFields": fields}) is None


def test_an_agreement_without_end_has_no_end_date() -> None:
    assert shown_agreement(AGREEMENT | {"noEndingDateFlag": True})["endDate"] is None
    assert shown_agreement({"id": 1})["startDate"] is None


def test_sla_is_the_configurations_own_else_that_of_its_first_agreement_that_has_one() -> None:
    own, first, second = ({"id": each, "name": str(each)} for each in (1, 2, 3))
    agreements = [{"sla": None}, {"sla": first}, {"sla": second}]
    assert sla_of({"sla": own}, agreements) == own
    assert sla_of({}, agreements) == first
    assert sla_of({}, []) is None


def test_agreements_stand_active_first_then_newest_then_by_id() -> None:
    records = [
        {"id": 1, "agreementStatus": "Expired", "startDate": "2026-01-01T00:00:00Z"},
        {"id": 2, "agreementStatus": "Active"},
        {"id": 4, "agreementStatus": "Active", "startDate": "2020-01-01T00:00:00Z"},
        {"id": 3, "agreementStatus": "Active", "startDate": "2020-01-01T00:00:00Z"},
        {"id": 5, "agreementStatus": "active", "startDate": "2021-01-01T00:00:00Z"},
    ]
    assert [each["id"] for each in in_order(records)] == [5, 3, 4, 2, 1]


@given(st.lists(st.booleans()))
def test_totals_add_up(flags: list[bool]) -> None:
    totals = ticket_answer(CONFIGURATION, [TICKET | {"closedFlag": flag} for flag in flags])["ticketsInfo"]
    assert totals["totalTickets"] == totals["openTickets"] + totals["closedTickets"] == len(flags)
    assert totals["closedTickets"] == sum(flags)
