"""What the provider does comes back to the ticket: status, internal note, custom field, time entry."""

from __future__ import annotations

import anyio
import pytest

from connectors.retry import RequestKind
from tasks.dispatch.settings import RecordMappings
from tasks.dispatch.ticket_writes import LinkedTicket, set_values
from tasks.dispatch.work_order_events import sync_events
from tasks.rules.dispatch.events import OutboundAction, OutboundRule, TimeEntrySettings, WorkOrderEvent
from tasks.rules.dispatch.mapping_model import DispatchMapping, DispatchMappings
from tasks.rules.dispatch.outbound import ValueWanted
from tasks.rules.dispatch.result import DispatchStatus
from tests.support.work_orders import ALL_FOUR, OPPORTUNITY, PROJECT, SERVICE, FieldDesk, event_rules

pytestmark = pytest.mark.anyio


async def test_every_step_of_the_provider_comes_back_once(desk: FieldDesk) -> None:
    async with desk.run() as run:
        ticket, number = await desk.dispatched(run)
        desk.provider(number, "accept")
        assert (await sync_events(run, number)).did == ("status.name = Assigned",)
        assert desk.status(ticket) == "Assigned"
        desk.provider(number, "check-in", at="2026-12-01T14:00:00+00:00")
        assert (await sync_events(run, number)).status is DispatchStatus.UPDATED
        desk.provider(number, "check-out", hours=2.5)
        desk.provider(number, "work-done", closing_notes="Swapped the radio")
        assert len((await sync_events(run, number)).did) == 2
        await run.field_nation.approve_work_order(number)
        assert (await sync_events(run, number)).did == ("status.name = Completed",)
        assert [(await sync_events(run, number)).status for _ in range(2)] == [DispatchStatus.UNCHANGED] * 2
    assert desk.status(ticket) == "Completed"
    assert desk.field(ticket, "FN check-in") == "2026-12-01 14:00:00"
    [note] = desk.notes(ticket)
    assert note["text"].startswith(f"Work order {number} is complete. Swapped the radio")
    assert note["text"].endswith(f"[FN-{number}-completed]")
    assert (note["internalAnalysisFlag"], note["detailDescriptionFlag"]) == (True, False)
    [entry] = desk.times(ticket)
    assert (entry["timeStart"], entry["timeEnd"]) == ("2026-12-01T14:00:00Z", "2026-12-01T16:30:00Z")
    assert (entry["chargeToType"], entry["billableOption"]) == ("ServiceTicket", "DoNotBill")


async def test_what_each_costs(desk: FieldDesk) -> None:
    """Two requests each way for a change of status; one more for each note and time entry."""
    async with desk.run() as run:
        _, number = await desk.dispatched(run)
        desk.provider(number, "accept")
        await sync_events(run, number)
        assert desk.sent() == {
            "connectwise": {"GET /service/tickets/{id}": 1, "PATCH /service/tickets/{id}": 1},
            "field_nation": {"GET /workorders/{id}": 1},
        }
        desk.sandbox.clear_requests()
        await sync_events(run, number)
        assert desk.sent() == {"connectwise": {}, "field_nation": {"GET /workorders/{id}": 1}}
        desk.provider(number, "check-in", at="2026-12-01T14:00:00+00:00")
        desk.provider(number, "check-out", hours=1)
        desk.provider(number, "work-done", closing_notes="Done")
        desk.sandbox.clear_requests()
        await sync_events(run, number)
        assert desk.sent() == {
            "connectwise": {
                "GET /service/tickets/{id}": 1,
                "POST /service/tickets/{id}/notes": 1,
                "POST /time/entries": 1,
                "PATCH /service/tickets/{id}": 1,
            },
            "field_nation": {"GET /workorders/{id}": 1},
        }


async def test_a_whole_life_seen_at_once_goes_to_the_last_status(desk: FieldDesk) -> None:
    async with desk.run() as run:
        ticket, number = await desk.dispatched(run)
        desk.whole_life(number)
        await run.field_nation.approve_work_order(number)
        back = await sync_events(run, number)
    assert (back.status, back.work_order_status) == (DispatchStatus.UPDATED, "approved")
    assert "status.name = Assigned" not in back.did
    assert desk.status(ticket) == "Completed"
    assert (len(desk.notes(ticket)), len(desk.times(ticket))) == (1, 1)


@pytest.mark.slow
async def test_work_that_was_sent_back_is_told_again(desk: FieldDesk) -> None:
    async with desk.run() as run:
        ticket, number = await desk.dispatched(run)
        desk.whole_life(number)
        await sync_events(run, number)
        reason = {"reason": "Photos are missing", "reason_id": 1}
        await run.field_nation.send(
            RequestKind.MODIFY, "DELETE", f"/workorders/{number}/complete", str, params=reason
        )
        # The vendor's moments are whole seconds.
        await anyio.sleep(1.05)
        desk.provider(number, "work-done", closing_notes="With photos")
        await sync_events(run, number)
    texts = [each["text"] for each in desk.notes(ticket)]
    assert [text.rpartition("\n")[2] for text in texts] == [
        f"[FN-{number}-completed]",
        f"[FN-{number}-completed-2]",
    ]


async def test_project_tickets_and_opportunities_come_back_too(desk: FieldDesk) -> None:
    async with desk.run() as run:
        project, first = await desk.dispatched(run, PROJECT)
        opportunity, second = await desk.dispatched(run, OPPORTUNITY)
        for number in (first, second):
            desk.whole_life(number)
        one, other = await sync_events(run, first), await sync_events(run, second)
    assert one.status is DispatchStatus.UPDATED
    assert desk.status(project, PROJECT) == "Assigned"
    assert [each["text"][:10] for each in desk.notes(project, PROJECT)] == ["Work order"]
    assert [each["chargeToType"] for each in desk.times(project)] == ["ProjectTicket"]
    assert len(desk.notes(opportunity, OPPORTUNITY)) == 1
    assert other.status is DispatchStatus.REPORTED
    assert "No time can be entered for an opportunity" in " ".join(other.warnings)


async def test_a_status_that_the_board_lacks_is_told_with_its_names(desk: FieldDesk) -> None:
    wrong = OutboundRule(event=WorkOrderEvent.ASSIGNED, action=OutboundAction.SET_STATUS, value="Asigned")
    field = OutboundRule(
        event=WorkOrderEvent.ASSIGNED,
        action=OutboundAction.SET_CUSTOM_FIELD,
        custom_field="FN check-in",
        value="by {{provider.name}}",
    )
    lacking = field.model_copy(update={"custom_field": "Nowhere"})
    async with desk.run(event_rules(outbound_rules=[wrong, field, lacking])) as run:
        ticket, number = await desk.dispatched(run)
        desk.provider(number, "accept")
        back = await sync_events(run, number)
        for _ in range(4):
            last = await sync_events(run, number)
    words = " ".join(back.warnings)
    assert back.status is DispatchStatus.REPORTED
    assert "no status 'Asigned'; it has" in words
    assert "Assigned, " in words
    assert "no custom field 'Nowhere'" in words
    assert desk.field(ticket, "FN check-in").startswith("by ")
    assert last.status in (DispatchStatus.UNCHANGED, DispatchStatus.REPORTED)
    assert desk.sent()["connectwise"]["PATCH /service/tickets/{id}"] < 8
    async with desk.run() as run:
        corrected = await sync_events(run, number)
    assert corrected.status in (DispatchStatus.UPDATED, DispatchStatus.UNCHANGED)


@pytest.mark.parametrize("how", ["deleted", "closed"])
async def test_a_ticket_that_is_gone_or_closed_is_reported(desk: FieldDesk, how: str) -> None:
    async with desk.run() as run:
        ticket, number = await desk.dispatched(run)
        if how == "deleted":
            desk.sandbox.delete("service/tickets", ticket)
        else:
            closed = next(
                each["id"]
                for each in desk.sandbox.state("service/boards/statuses")
                if each["name"] == "Closed" and each["board"]["id"] == desk.record(ticket)["board"]["id"]
            )
            desk.sandbox.edit("service/tickets", ticket, {"status": {"id": closed}})
        desk.whole_life(number)
        first, second = await sync_events(run, number), await sync_events(run, number)
    assert (first.status, second.status) == (DispatchStatus.REPORTED, DispatchStatus.UNCHANGED)
    assert how in " ".join((first.message, *first.warnings))
    if how == "closed":
        assert desk.status(ticket) == "Closed"
        assert len(desk.notes(ticket)) == 1


async def test_a_work_order_of_nobody_is_left_alone_and_one_with_our_reference_reported(
    desk: FieldDesk,
) -> None:
    async with desk.run() as run:
        ticket, number = await desk.dispatched(run)
        found = await run.field_nation.get_work_order(number)
        other = {"title": "Mine alone"}
        alone = (await run.field_nation.create_work_order(other))["id"]
        twin = (await run.field_nation.create_work_order({"title": found["title"]}))["id"]
        backs = [await sync_events(run, one) for one in (alone, twin, 5)]
        await run.ledger.intents.claim(run.tenant, "service", 9, "CW-S-9", holder="t", seconds=60)
        making = (await run.field_nation.create_work_order({"title": "[CW-S-9] New"}))["id"]
        just_made = await sync_events(run, making)
    assert [back.status for back in backs] == [
        DispatchStatus.OUTSIDE,
        DispatchStatus.REPORTED,
        DispatchStatus.OUTSIDE,
    ]
    assert f"CW-S-{ticket}, which has work order {number}" in backs[1].message
    assert (just_made.status, just_made.retryable) == (DispatchStatus.BUSY, True)


async def test_a_new_rule_does_nothing_for_what_happened_before(desk: FieldDesk) -> None:
    async with desk.run(event_rules(outbound_rules=[])) as run:
        ticket, number = await desk.dispatched(run)
        desk.whole_life(number)
        assert (await sync_events(run, number)).status is DispatchStatus.UNCHANGED
    async with desk.run() as run:
        before = desk.status(ticket)
        back = await sync_events(run, number)
    assert desk.status(ticket) == before
    assert desk.notes(ticket) == []
    assert desk.times(ticket) == []
    assert back.status is DispatchStatus.UNCHANGED


async def test_ones_own_outbound_mapping_writes_what_changed(desk: FieldDesk) -> None:
    lines = (
        DispatchMapping(target="customFields.FN check-in", source="provider.name"),
        DispatchMapping(target="internalNote", source="closing_notes"),
    )
    mappings = RecordMappings(service=DispatchMappings(outbound=lines))
    async with desk.run(event_rules(outbound_rules=[], mappings=mappings)) as run:
        ticket, number = await desk.dispatched(run)
        desk.whole_life(number)
        await sync_events(run, number)
        name = desk.field(ticket, "FN check-in")
        desk.sandbox.clear_requests()
        assert (await sync_events(run, number)).status is DispatchStatus.UNCHANGED
        assert desk.sent()["connectwise"] == {}
    assert " " in name
    assert [each["text"].partition("\n")[0] for each in desk.notes(ticket)] == ["Swapped the radio"]


async def test_a_status_goes_last_where_values_are_sent_one_by_one(desk: FieldDesk) -> None:
    """It may close the ticket; so it must not go before a value of one's own mapping."""
    values = [
        ValueWanted("", "a mapping", "customFields.FN check-in", "by hand"),
        ValueWanted("approved/status", "a status", "status.name", "Assigned"),
    ]
    refusal = {"kind": "status", "status": 400, "body": {"code": "X", "message": "not together"}}
    rule = {"system": "connectwise", "method": "PATCH", "path": "*/service/tickets/*", "fault": refusal}
    async with desk.run(event_rules(outbound_rules=[])) as run:
        ticket, number = await desk.dispatched(run)
        record = desk.record(ticket)
        desk.sandbox.faults([rule | {"nth": [1]}])
        linked = LinkedTicket(number, run.state.ref(SERVICE, ticket), record)
        results = await set_values(run, linked, values)
    assert [value.target for value, _ in results] == ["customFields.FN check-in", "status.name"]
    assert (desk.field(ticket, "FN check-in"), desk.status(ticket)) == ("by hand", "Assigned")


async def test_a_refused_value_of_ones_own_mapping_is_told_each_time_and_sent_once(desk: FieldDesk) -> None:
    lines = (DispatchMapping(target="customFields.FN check-in", source="title"),)
    mappings = RecordMappings(service=DispatchMappings(outbound=lines))
    refusal = {"kind": "status", "status": 400, "body": {"code": "X", "message": "not so"}}
    rule = {"system": "connectwise", "method": "PATCH", "path": "*/service/tickets/*", "fault": refusal}
    async with desk.run(event_rules(outbound_rules=[], mappings=mappings)) as run:
        ticket, number = await desk.dispatched(run)
        desk.sandbox.faults([rule])
        for wanted in (1, 0, 0):
            desk.sandbox.clear_requests()
            back = await sync_events(run, number)
            assert (back.status, "not so" in " ".join(back.warnings)) == (DispatchStatus.REPORTED, True)
            sent = desk.sent()["connectwise"]
            assert sum(count for name, count in sent.items() if name.startswith("PATCH")) == wanted
        desk.sandbox.faults([])
        await run.refusals.forget(run.state.ref(SERVICE, ticket))
        assert (await sync_events(run, number)).status is DispatchStatus.UPDATED
    assert desk.field(ticket, "FN check-in")


@pytest.mark.slow
async def test_time_is_entered_for_the_member_and_as_billed_as_set(desk: FieldDesk) -> None:
    times = TimeEntrySettings(member="admin", billable="Billable")
    async with desk.run(event_rules(outbound_rules=ALL_FOUR, time_entries=times)) as run:
        ticket, number = await desk.dispatched(run)
        desk.whole_life(number)
        await sync_events(run, number)
    [entry] = desk.times(ticket)
    assert (entry["member"]["identifier"], entry["billableOption"]) == ("admin", "Billable")
