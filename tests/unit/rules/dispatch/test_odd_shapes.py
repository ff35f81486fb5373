"""What a vendor's answer holds at a place may be of any kind: it is read as nothing, and the rest goes on."""

from __future__ import annotations

from typing import Any

import pytest

from tasks.rules.dispatch.events import WorkOrderState, events_of
from tasks.rules.dispatch.mapping import outbound_source
from tasks.rules.dispatch.reference import RecordKind
from tasks.rules.dispatch.sources import dispatch_source

ODD = [None, True, 0, 1.5, "", "text", [], [1], {}, {"results": 1}, {"results": ["x", None]}]


@pytest.mark.parametrize("odd", ODD)
def test_a_ticket_is_read_whatever_its_members_are(odd: Any) -> None:
    for name in ("company", "contact", "site", "board", "owner", "primarySalesRep", "customFields"):
        document = dispatch_source(RecordKind.SERVICE_TICKET, {"id": 7, "summary": "No link", name: odd})
        assert (document["reference"], document["summary"]) == ("CW-S-7", "No link")


@pytest.mark.parametrize("odd", ODD)
def test_a_work_order_is_read_whatever_its_members_are(odd: Any) -> None:
    for name in ("custom_fields", "assignee", "time_logs", "milestones"):
        order = {"id": 1, "status": {"id": 3, "name": "Assigned"}, name: odd}
        assert outbound_source(order)["provider"]["name"] == ""
        assert [each.event.value for each in events_of(order, WorkOrderState())] == ["assigned"]
