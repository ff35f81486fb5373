"""What a vendor's answer holds at a place may be of any kind: it is read as nothing, and the rest goes on."""

from __future__ import annotations

from typing import Any

import pytest

from connectors.errors import RejectedError
from connectors.field_nation.models import Status, status_of, sub_status_of
from tasks.dispatch.ticket_writes import field_operations, has_value, operations_for
from tasks.rules.dispatch.decision import doubles
from tasks.rules.dispatch.events import NoteSettings, WorkOrderState, events_of
from tasks.rules.dispatch.mapping import outbound_source
from tasks.rules.dispatch.notes import Conversation, copies_due, opportunity_note, order_message, ticket_note
from tasks.rules.dispatch.outbound import ValueWanted
from tasks.rules.dispatch.reference import RecordKind, reference_carried
from tasks.rules.dispatch.registration import EntryStep, callback_moves, wanted_callbacks, webhook_moves
from tasks.rules.dispatch.sources import dispatch_source


def deep(levels: int = 1000) -> Any:
    """As deep as a parser lets through: such a list has no text."""
    nested: Any = []
    for _ in range(levels):
        nested = [nested]
    return nested


SHALLOW = [None, True, 0, 1.5, "", "text", [], [1], {}, {"results": 1}, {"results": ["x", None]}]
ODD = [*SHALLOW, deep()]


@pytest.mark.parametrize("odd", SHALLOW)
def test_a_ticket_is_read_whatever_its_members_are(odd: Any) -> None:
    for name in ("company", "contact", "site", "board", "owner", "primarySalesRep", "customFields"):
        document = dispatch_source(RecordKind.SERVICE_TICKET, {"id": 7, "summary": "No link", name: odd})
        assert (document["reference"], document["summary"]) == ("CW-S-7", "No link")


@pytest.mark.parametrize("odd", SHALLOW)
def test_a_work_order_is_read_whatever_its_members_are(odd: Any) -> None:
    for name in ("custom_fields", "assignee", "time_logs", "milestones"):
        order = {"id": 1, "status": {"id": 3, "name": "Assigned"}, name: odd}
        assert outbound_source(order)["provider"]["name"] == ""
        assert [each.event.value for each in events_of(order, WorkOrderState())] == ["assigned"]


@pytest.mark.parametrize("odd", ODD)
def test_what_is_asked_of_every_listed_work_order_ends_no_sweep(odd: Any) -> None:
    """These stand outside of the looks at single work orders."""
    for name in ("incident_id", "title", "status"):
        order = {"id": 1, "incident_id": "CW-S-7", "title": "x", "status": {"id": 3}, name: odd}
        assert reference_carried(order) in ("CW-S-7", "")
        assert doubles([order, {**order, "id": 2}], "CW") in ({}, {"CW-S-7": [1, 2]})
    for name in ("id", "name", "code", "sub_status"):
        order = {"id": 1, "status": {"id": 3, name: odd}}
        assert status_of(order) in Status
        assert isinstance(sub_status_of(order), str)


@pytest.mark.parametrize("odd", ODD)
def test_a_note_without_a_readable_id_is_one_that_is_not_copied(odd: Any) -> None:
    number = odd if isinstance(odd, int) and not isinstance(odd, bool) else None
    for show, name in ((ticket_note, "id"), (opportunity_note, "id"), (order_message, "msg_id")):
        record = {name: odd, "text": "Ask for Mia", "message": "Ask for Mia", "detailDescriptionFlag": True}
        note = show(record)
        assert note.id == ("text" if odd == "text" else "" if number is None else str(number))
        assert show({each: record[each] for each in record if each != name}).id == ""
    notes = [order_message({"msg_id": odd, "message": "Ask"}), order_message({"msg_id": 2, "message": "Go"})]
    due = copies_due(Conversation(7, "CW-S-5", [], notes), [], NoteSettings())
    assert "2" in [each.note.id for each in due]
    assert "" not in [each.note.id for each in due]


@pytest.mark.parametrize("odd", ODD)
def test_what_is_asked_of_a_ticket_that_is_written_takes_any_shape(odd: Any) -> None:
    value = ValueWanted("a", "a", "status.name", "Assigned")
    field = ValueWanted("b", "b", "customFields.FN", "7")
    for name in ("status", "customFields", "board", "company", "type", "stage"):
        ticket = {"id": 7, "status": {"name": "New"}, name: odd}
        assert has_value(ticket, value) is False
        assert has_value(ticket, field) is False
        assert operations_for(ticket, [value])
        assert field_operations({**ticket, "customFields": [odd, {"caption": "FN"}]}, {"FN": "7"}) == []
        with pytest.raises(RejectedError, match="has no custom field 'FN'"):
            operations_for(ticket, [field])


@pytest.mark.parametrize("odd", ODD)
def test_registered_entries_of_any_shape_are_of_another_receiver(odd: Any) -> None:
    there = [{"id": 1, "url": odd, "objectId": odd, "type": odd, "level": odd, "events": odd, "status": odd}]
    wanted = wanted_callbacks([RecordKind.SERVICE_TICKET], "https://here")
    try:
        moves = [*callback_moves(there, wanted, "https://here"), *webhook_moves(there, ["a"], "https://here")]
    except RecursionError:
        # Shown to a person as they are, such entries are told by the flow's own error.
        assert isinstance(odd, list)
        return
    assert {each.step for each in moves} == {EntryStep.LEAVE, EntryStep.CREATE}
    own = webhook_moves([{"url": "https://here", "events": odd}], ["a"], "https://here")
    assert [each.step for each in own] == [EntryStep.CHANGE]
