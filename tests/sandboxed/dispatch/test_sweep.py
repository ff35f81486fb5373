"""The sweeps over tickets and over work orders: what messages missed, what is over, two of one record."""

from __future__ import annotations

from typing import Any

import anyio
import pytest

from connectors.errors import RejectedError, StopError
from connectors.retry import RequestKind
from tasks.dispatch.inbox import handle_notes, handle_work_order
from tasks.dispatch.notes import preview_copies
from tasks.dispatch.reconcile import dispatch_record
from tasks.dispatch.sweep import sweep, sweep_notes, sweep_work_orders
from tasks.dispatch.work_order_events import preview_events
from tasks.rules.dispatch.result import DispatchStatus
from tasks.rules.dispatch.triggers import Trigger, TriggerCondition
from tests.support.dispatch import DISPATCH, OPEN, QUICK, SERVICE, Board, rules
from tests.support.work_orders import FieldDesk

pytestmark = pytest.mark.anyio


async def test_a_sweep_makes_what_callbacks_missed_and_then_has_nothing_to_do(board: Board) -> None:
    tickets = [board.ticket(f"Ticket {number}") for number in range(3)]
    outside = board.ticket(status=OPEN)
    async with board.run() as run:
        first = await sweep(run)
        assert first.counts() == {DispatchStatus.CREATED: 3}
        assert first.passed == first.read - 3
        board.move(outside, DISPATCH)
        board.change(tickets[0], summary="Another summary")
        second = await sweep(run)
        assert second.counts()[DispatchStatus.CREATED] == 1
        assert second.counts()[DispatchStatus.UPDATED] == 1
        board.sandbox.clear_requests()
        third = await sweep(run)
    assert set(third.counts()) <= {DispatchStatus.UNCHANGED}
    writes = [name for name in board.sent("field_nation") if not name.startswith("GET")]
    assert writes == []
    assert len(board.orders()) == 4


async def test_a_second_sweep_later_asks_for_no_record_again(board: Board) -> None:
    for number in range(3):
        board.ticket(f"Ticket {number}")
    async with board.run() as run:
        await sweep(run)
    async with board.run(later=60) as run:
        await run.client.company_info()
        board.sandbox.clear_requests()
        swept = await sweep(run)
    assert (swept.results, swept.reopened) == ([], 0)
    assert sum(board.sent("connectwise").values()) == 1
    # The look for two work orders of one record.
    assert sum(board.sent("field_nation").values()) == 1


async def test_an_old_change_is_not_dispatched_by_the_first_sweep(board: Board) -> None:
    old = {"lastUpdated": "2020-01-01T00:00:00Z", "dateEntered": "2020-01-01T00:00:00Z"}
    board.ticket("Long ago", _info=old)
    async with board.run() as run:
        assert (await sweep(run)).results == []


async def test_what_failed_is_seen_again(board: Board) -> None:
    board.ticket(stateIdentifier="ZZ")
    rule = {"system": "field_nation", "method": "POST", "path": "/workorders", "nth": [1]}
    board.sandbox.faults([{**rule, "fault": {"kind": "drop_after"}}])
    settings = rules(polling={"at_once": 1})
    async with board.run(settings) as run:
        lost = board.ticket("Its answer is lost")
        first = await sweep(run)
        assert first.counts() == {DispatchStatus.REFUSED: 1, DispatchStatus.UNCLEAR: 1}
        second = await sweep(run)
    assert second.counts() == {DispatchStatus.REFUSED: 1, DispatchStatus.ADOPTED: 1}
    assert len(board.living(f"CW-S-{lost}")) == 1


async def test_a_half_finished_creation_is_finished(board: Board) -> None:
    """Killed after the creation: its record did not change since."""
    ticket = board.ticket()
    async with board.run() as run:
        await dispatch_record(run, SERVICE, ticket)
        [link] = await run.ledger.links.of_kind(run.tenant, "field_nation/work_order")
        details = {**link.details, "published": False}
        await run.ledger.links.set_details(link.id, details)
    async with board.run(rules(create_state="publish"), later=60) as run:
        await sweep(run)
    assert board.orders()[0]["status"]["name"] == "Published"


async def test_a_draft_whose_record_closed_is_read_no_more(board: Board) -> None:
    """Publishing was refused, and then it was over: nothing is finished of it until it is opened again."""
    refusal = {"kind": "status", "status": 400, "body": {"message": "not so"}}
    path = {"system": "field_nation", "method": "POST", "path": "/workorders/*/publish"}
    board.sandbox.faults([{**path, "fault": refusal}])
    ticket = board.ticket()
    settings = rules(create_state="publish")
    async with board.run(settings) as run:
        await sweep(run)
        board.move(ticket, "Completed")
        assert (await sweep(run)).counts() == {DispatchStatus.REPORTED: 1}
    async with board.run(settings, later=60) as run:
        swept = await sweep(run)
        assert (swept.results, swept.reopened) == ([], 0)
        # Times count by the second.
        await anyio.sleep(1.1)
        board.move(ticket, DISPATCH)
        board.sandbox.faults([])
        assert [each.work_order_id for each in (await sweep(run)).results] == [board.orders()[0]["id"]]


async def test_a_change_that_could_not_be_sent_is_not_taken_for_known(board: Board) -> None:
    ticket = board.ticket()
    async with board.run() as run:
        await dispatch_record(run, SERVICE, ticket)
        # Times count by the second.
        await anyio.sleep(1.1)
        board.change(ticket, summary="Another summary")
        rule = {"system": "field_nation", "method": "PUT", "path": "/workorders/*"}
        board.sandbox.faults([{**rule, "fault": {"kind": "status", "status": 403}}])
        with pytest.raises(StopError):
            await sweep(run)
    board.sandbox.faults([])
    async with board.run(later=60) as run:
        assert (await sweep(run)).counts() == {DispatchStatus.UPDATED: 1}
    assert board.orders()[0]["title"].endswith("Another summary")


async def test_a_record_that_left_before_anything_was_made_is_read_no_more(board: Board) -> None:
    """Killed between the intent and the creation, and nothing newer moves the watermark on."""
    ticket = board.ticket()
    async with board.run() as run:
        name = run.state.ref(SERVICE, ticket).reference
        await run.ledger.intents.claim(run.tenant, SERVICE.value, ticket, name, holder="killed", seconds=0.01)
        board.move(ticket, OPEN)
        assert (await sweep(run)).counts() == {DispatchStatus.OUTSIDE: 1}
        board.sandbox.clear_requests()
        swept = await sweep(run)
        assert (swept.read, swept.passed, swept.results) == (1, 1, [])
        assert board.sent("connectwise") == {"GET /service/tickets": 1}
        board.move(ticket, DISPATCH)
        assert (await sweep(run)).counts() == {DispatchStatus.CREATED: 1}


async def test_two_living_work_orders_are_reported(board: Board) -> None:
    ticket = board.ticket()
    async with board.run() as run:
        await dispatch_record(run, SERVICE, ticket)
        copy = {"title": f"[CW-S-{ticket}] copied"}
        await run.field_nation.create_work_order(copy)
        [problem] = (await sweep(run)).doubles
    assert problem.startswith(f"CW-S-{ticket} has 2 living work orders")


async def test_a_dry_run_writes_nothing_anywhere(board: Board) -> None:
    ticket = board.ticket()
    async with board.run() as run:
        swept = await sweep(run, dry_run=True)
        assert await run.ledger.intents.count(run.tenant) == {}
        assert await run.ledger.state.get(run.tenant, "dispatch-sweep-service") is None
    [preview] = swept.previews
    assert (preview.ref.reference, preview.step) == (f"CW-S-{ticket}", "create")
    body: dict[str, Any] = preview.body or {}
    assert body["incident_id"] == f"CW-S-{ticket}"
    assert [name for name in board.sent("field_nation") if not name.startswith("GET")] == []
    assert board.orders() == []


async def test_unresolved_creations_are_reopened(board: Board) -> None:
    rule = {"system": "field_nation", "method": "POST", "path": "/workorders", "nth": [1]}
    board.sandbox.faults([{**rule, "fault": {"kind": "drop_before"}}])
    ticket = board.ticket()
    async with board.run() as run:
        assert (await dispatch_record(run, SERVICE, ticket)).status is DispatchStatus.UNRESOLVED
    async with board.run(later=QUICK.unresolved_seconds + 60) as run:
        assert (await sweep(run)).counts() == {DispatchStatus.CREATED: 1}
    assert len(board.orders()) == 1


async def test_rules_that_name_what_does_not_exist_are_told_once_a_run_and_looked_up_once_a_day(
    board: Board,
) -> None:
    wrong = Trigger(kind=SERVICE, conditions=(TriggerCondition(field="board", values=("Help Dsk",)),))
    settings = rules(triggers=[*rules().triggers, wrong])
    ticket = board.ticket()
    async with board.run(settings) as run:
        first = await sweep(run)
        [told] = [each for each in first.doubts if "names the board" in each]
        assert told.endswith("'Help Dsk', which does not exist. Did you mean 'Help Desk'?")
        assert first.counts() == {DispatchStatus.CREATED: 1}
        board.sandbox.clear_requests()
        assert told in (await sweep(run)).doubts
        assert "GET /service/boards" not in board.sent("connectwise")
        preview = await sweep(run, dry_run=True)
        assert told in preview.doubts
    assert len(board.living(f"CW-S-{ticket}")) == 1


async def test_a_sweep_brings_back_what_is_new_and_then_only_lists(desk: FieldDesk) -> None:
    async with desk.run() as run:
        ticket, number = await desk.dispatched(run)
        _, quiet = await desk.dispatched(run, place=1)
        await run.field_nation.create_work_order({"title": "Of somebody else"})
        desk.whole_life(number)
        first = await sweep_work_orders(run)
        assert (first.listed, first.strangers, first.unlisted) == (3, 1, 0)
        assert {back.work_order_id: back.status for back in first.results} == {
            number: DispatchStatus.UPDATED,
            quiet: DispatchStatus.UNCHANGED,
        }
        desk.sandbox.clear_requests()
        second = await sweep_work_orders(run)
    assert (second.passed, second.results, second.doubles) == (2, [], [])
    assert desk.sent() == {"connectwise": {}, "field_nation": {"GET /workorders": 3}}
    assert desk.status(ticket) == "Assigned"


async def test_a_dry_sweep_says_what_it_would_do_and_writes_nothing(desk: FieldDesk) -> None:
    async with desk.run() as run:
        ticket, number = await desk.dispatched(run)
        desk.whole_life(number)
        desk.provider(number, "message", message="Done")
        before = desk.status(ticket)
        dry = await sweep_work_orders(run, dry_run=True)
        notes = await sweep_notes(run, dry_run=True)
        assert [name for sent in desk.sent().values() for name in sent if not name.startswith("GET")] == []
        wet = await sweep_work_orders(run)
    assert (before, desk.status(ticket)) == ("New", "Assigned")
    assert sorted(words.removeprefix("would: ") for words in dry.results[0].did) == sorted(wet.results[0].did)
    assert [back.did for back in notes] == [("would: copy message 2 to ConnectWise",)]


async def test_what_no_list_holds_is_read_until_it_is_over(desk: FieldDesk) -> None:
    """Paid and cancelled ones leave the lists."""
    async with desk.run() as run:
        _, number = await desk.dispatched(run)
        _, deleted = await desk.dispatched(run, place=1)
        await run.field_nation.send(RequestKind.MODIFY, "DELETE", f"/workorders/{deleted}/publish", str)
        await run.field_nation.cancel_work_order(deleted, "not wanted")
        first = await sweep_work_orders(run)
        assert (first.unlisted, len(first.results)) == (1, 2)
        desk.sandbox.clear_requests()
        second = await sweep_work_orders(run)
    assert (second.unlisted, second.passed) == (0, 1)
    assert desk.sent()["field_nation"] == {"GET /workorders": 3}
    assert number != deleted


async def test_two_living_work_orders_of_one_record_are_reported(desk: FieldDesk) -> None:
    async with desk.run() as run:
        ticket, number = await desk.dispatched(run)
        twin = (await run.field_nation.create_work_order({"title": f"[CW-S-{ticket}] Again"}))["id"]
        swept = await sweep_work_orders(run)
    [words] = swept.doubles
    assert f"CW-S-{ticket} has 2 living work orders, {number} and {twin}" in words
    assert [back.work_order_id for back in swept.results if back.status is DispatchStatus.REPORTED] == [twin]


async def test_one_that_fails_does_not_keep_the_others(desk: FieldDesk) -> None:
    async with desk.run() as run:
        pairs = [await desk.dispatched(run, place=place) for place in range(3)]
        for _, number in pairs:
            desk.provider(number, "accept")
        path = f"/workorders/{pairs[1][1]}"
        status = {"kind": "status", "status": 500}
        rule = {"system": "field_nation", "method": "GET", "path": path, "share": 1.0, "fault": status}
        desk.sandbox.faults([rule])
        swept = await sweep_work_orders(run)
        desk.sandbox.faults([])
        again = await sweep_work_orders(run)
    assert swept.counts() == {DispatchStatus.UPDATED: 2, DispatchStatus.FAILED: 1}
    assert again.counts() == {DispatchStatus.UPDATED: 1}


@pytest.mark.slow
async def test_wrong_credentials_end_the_sweep(desk: FieldDesk) -> None:
    async with desk.run() as run:
        _, number = await desk.dispatched(run)
        desk.provider(number, "accept")
        status = {"kind": "status", "status": 401}
        rule = {"system": "connectwise", "path": "/service/tickets/*", "share": 1.0, "fault": status}
        desk.sandbox.faults([rule])
        with pytest.raises(StopError):
            await sweep_work_orders(run)
        desk.sandbox.faults([])
        assert (await sweep_work_orders(run)).counts() == {DispatchStatus.UPDATED: 1}


async def test_a_message_about_a_work_order_copies_notes_only_where_there_are_messages(
    desk: FieldDesk,
) -> None:
    async with desk.run() as run:
        ticket, number = await desk.dispatched(run)
        desk.provider(number, "accept")
        assert (await handle_work_order(run, number)).done
        assert "GET /workorders/{id}/messages" not in desk.sent()["field_nation"]
        desk.provider(number, "message", message="Which gate?")
        for _ in range(2):
            assert (await handle_work_order(run, number)).done
        assert desk.sent()["field_nation"]["GET /workorders/{id}/messages"] == 1
        note = {"ticketId": ticket, "text": "Gate 3", "detailDescriptionFlag": True, "member": {"id": 1}}
        desk.sandbox.add("service/tickets/notes", note)
        assert (await handle_notes(run, number)).done
        assert (await handle_work_order(run, 5)).done
        assert [one["message"].partition(" ")[0] for one in await run.field_nation.list_messages(number)] == [
            "Which",
            "Ada",
        ]
    assert sum("Which gate?" in one["text"] for one in desk.notes(ticket)) == 1


@pytest.mark.slow
async def test_previews_of_strangers_say_so(desk: FieldDesk) -> None:
    async with desk.run() as run:
        alone = (await run.field_nation.create_work_order({"title": "Mine"}))["id"]
        assert (await preview_events(run, alone)).status is DispatchStatus.OUTSIDE
        assert (await preview_copies(run, alone)).status is DispatchStatus.OUTSIDE
        with pytest.raises(RejectedError):
            await run.field_nation.get_work_order(5)
