"""What goes wrong around dispatch: restored ledgers, edited titles, copied work orders, lost rights."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest

from deployments.local.sandbox import Sandbox
from tasks.dispatch.reconcile import _next_generation, dispatch_record
from tasks.dispatch.records import fetch_record, observe_record
from tasks.dispatch.run import DispatchRun
from tasks.dispatch.settings import WriteBack
from tasks.dispatch.sweep import sweep
from tasks.dispatch.work_order_events import sync_events
from tasks.rules.dispatch.result import DispatchStatus
from tasks.rules.dispatch.triggers import Trigger, TriggerCondition
from tests.support.dispatch import DISPATCH, OPEN, PLACE, QUICK, SERVICE, Board, rules
from tests.support.work_orders import FieldDesk, event_rules

pytestmark = pytest.mark.anyio


@pytest.fixture(autouse=True)
def no_limits(board: Board) -> None:
    board.sandbox.switch(field_nation_rate_limit=None)


@pytest.fixture
def desk(sandbox: Sandbox, tmp_path: Path) -> FieldDesk:
    return FieldDesk(sandbox, tmp_path / "desk.db")


def stamp(seconds: float) -> str:
    return (datetime.now(UTC) + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")


async def test_a_ledger_restored_from_a_backup_makes_no_second_work_order(
    board: Board, tmp_path: Path
) -> None:
    async with board.run(later=-3600) as run:
        await dispatch_record(run, SERVICE, board.ticket("Before the backup"))
    shutil.copy(board.ledger, tmp_path / "backup.db")
    ticket = board.ticket("After the backup")
    async with board.run() as run:
        assert (await dispatch_record(run, SERVICE, ticket)).status is DispatchStatus.CREATED
    async with board.run(ledger=tmp_path / "backup.db") as run:
        assert (await dispatch_record(run, SERVICE, ticket)).status is DispatchStatus.ADOPTED
    assert len(board.living(f"CW-S-{ticket}")) == 1


async def test_a_lost_ledger_and_an_edited_title_make_nothing_twice(desk: FieldDesk, tmp_path: Path) -> None:
    """The number on the ticket leads to the work order, and marks to its note and time entry."""
    field = WriteBack(custom_field="FN check-in")
    settings = event_rules(write_back=field, outbound_rules=NOTE_AND_TIME, work_orders=rules().work_orders)
    ticket = dispatchable(desk)
    async with desk.run(settings) as run:
        number = (await dispatch_record(run, SERVICE, ticket)).work_order_id or 0
        await run.field_nation.publish_work_order(number)
        desk.whole_life(number)
        await sync_events(run, number)
        await run.field_nation.update_work_order(number, {"title": "Radio, second floor"})
    assert (len(desk.notes(ticket)), len(desk.times(ticket))) == (1, 1)
    desk.ledger = tmp_path / "another.db"
    async with desk.run(settings) as run:
        assert (await dispatch_record(run, SERVICE, ticket)).status is DispatchStatus.ADOPTED
        await sync_events(run, number)
    assert (len(desk.notes(ticket)), len(desk.times(ticket))) == (1, 1)


NOTE_AND_TIME = [rule for rule in event_rules().outbound_rules if str(rule.event) == "completed"]


def dispatchable(desk: FieldDesk) -> int:
    """A ticket in the documented trigger, with all that its work order needs."""
    [status] = [
        each["id"]
        for each in desk.sandbox.state("service/boards/statuses")
        if each["name"] == "Dispatch" and each["board"]["id"] == field_services(desk)["board"]["id"]
    ]
    ticket = int(field_services(desk)["id"])
    more: dict[str, Any] = {"status": {"id": status}, "requiredDate": "2026-12-01T14:00:00Z", **PLACE}
    desk.sandbox.edit("service/tickets", ticket, more)
    return ticket


def field_services(desk: FieldDesk) -> dict[str, Any]:
    found = desk.sandbox.state("service/tickets")
    return next(each for each in found if each["board"]["name"] == "Field Services")


async def test_a_person_copied_the_cancelled_work_order(board: Board) -> None:
    ticket = board.ticket()
    async with board.run() as run:
        number = (await dispatch_record(run, SERVICE, ticket)).work_order_id or 0
        await run.field_nation.cancel_work_order(number, "wrong template")
        old = await run.field_nation.get_work_order(number)
        names = ("title", "incident_id", "description", "schedule", "location", "types_of_work", "pay")
        await run.field_nation.create_work_order({name: old[name] for name in names})
        board.move(ticket, OPEN)
        await dispatch_record(run, SERVICE, ticket)
        board.move(ticket, DISPATCH)
        assert (await dispatch_record(run, SERVICE, ticket)).status is DispatchStatus.ADOPTED
    assert len(board.living(f"CW-S-{ticket}")) == 1


async def test_who_was_stopped_before_a_next_generation_finds_it_begun(board: Board) -> None:
    ticket = board.ticket()
    async with board.run() as run:
        number = (await dispatch_record(run, SERVICE, ticket)).work_order_id or 0
        await run.field_nation.cancel_work_order(number, "x")
        board.move(ticket, OPEN)
        await dispatch_record(run, SERVICE, ticket)
        board.move(ticket, DISPATCH)
        stopped = await run.state.claim(run.state.ref(SERVICE, ticket))
        assert stopped is not None
        fetched = await fetch_record(run, stopped.ref)
        seen = observe_record(run, fetched, stopped.memory)[1]
    rule = {"system": "field_nation", "method": "POST", "path": "/workorders", "nth": [1]}
    board.sandbox.faults([{**rule, "fault": {"kind": "drop_before"}}])
    async with board.run(later=QUICK.hold_seconds + 1) as run:
        assert (await dispatch_record(run, SERVICE, ticket)).status is DispatchStatus.UNRESOLVED
        assert (await _next_generation(run, stopped, fetched, seen)).status is DispatchStatus.BUSY
    assert board.living(f"CW-S-{ticket}") == []


async def test_a_work_order_that_may_not_be_seen_any_more_gets_no_second(board: Board) -> None:
    ticket = board.ticket()
    async with board.run() as run:
        number = (await dispatch_record(run, SERVICE, ticket)).work_order_id or 0
        board.move(ticket, OPEN)
        await dispatch_record(run, SERVICE, ticket)
        board.move(ticket, DISPATCH)
        hidden = {"system": "field_nation", "path": f"/workorders/{number}"}
        board.sandbox.faults([{**hidden, "fault": {"kind": "status", "status": 401}}])
        await dispatch_record(run, SERVICE, ticket)
        board.sandbox.faults([])
    assert board.living(f"CW-S-{ticket}") == [number]


async def test_a_ticket_that_may_not_be_read_any_more_cancels_nothing(board: Board) -> None:
    ticket = board.ticket()
    async with board.run(rules(on_leave="cancel")) as run:
        await dispatch_record(run, SERVICE, ticket)
        hidden = {"system": "connectwise", "method": "GET", "path": f"/service/tickets/{ticket}"}
        board.sandbox.faults([{**hidden, "fault": {"kind": "status", "status": 404}}])
        assert (await dispatch_record(run, SERVICE, ticket)).status is DispatchStatus.REPORTED
        board.sandbox.faults([])
    assert len(board.living(f"CW-S-{ticket}")) == 1


async def test_other_triggers_cancel_nothing(board: Board) -> None:
    ticket = board.ticket()
    async with board.run(rules(on_leave="cancel")) as run:
        await dispatch_record(run, SERVICE, ticket)
    others = [Trigger(kind=SERVICE, conditions=(TriggerCondition(field="status", values=("Another",)),))]
    async with board.run(rules(on_leave="cancel", triggers=others)) as run:
        assert (await dispatch_record(run, SERVICE, ticket)).status is DispatchStatus.REPORTED
    assert len(board.living(f"CW-S-{ticket}")) == 1


async def test_what_a_person_changed_beside_a_changed_value_stays(board: Board) -> None:
    ticket = board.ticket()
    async with board.run() as run:
        number = (await dispatch_record(run, SERVICE, ticket)).work_order_id or 0
        place = (await run.field_nation.get_work_order(number))["location"]
        await run.field_nation.update_work_order(number, {"location": {**place, "address1": "Dock B"}})
        board.change(ticket, zip="33999")
        assert (await dispatch_record(run, SERVICE, ticket)).status is DispatchStatus.UPDATED
        place = (await run.field_nation.get_work_order(number))["location"]
    assert (place["address1"], place["zip"]) == ("Dock B", "33999")


async def test_a_refused_record_that_is_closed_is_not_looked_at_for_ever(board: Board) -> None:
    ticket = board.ticket(stateIdentifier="ZZ")
    async with board.run() as run:
        assert (await dispatch_record(run, SERVICE, ticket)).status is DispatchStatus.REFUSED
        board.change(ticket, closedFlag=True)
        assert (await dispatch_record(run, SERVICE, ticket)).status is DispatchStatus.OUTSIDE
        assert await run.ledger.intents.count(run.tenant) == {"cancelled": 1}
        board.change(ticket, closedFlag=False, stateIdentifier="FL")
        assert (await dispatch_record(run, SERVICE, ticket)).status is DispatchStatus.CREATED


async def test_a_change_during_a_long_sweep_is_seen_by_the_next(board: Board) -> None:
    """Its page was read before, and a later page holds a change that is newer still."""
    ticket, other = board.ticket(status=OPEN), board.ticket(status=OPEN)
    async with board.run() as run:
        tickets = run.client.tickets

        async def pages(kind: Any, *given: Any, **more: Any) -> AsyncIterator[list[dict[str, Any]]]:
            read = tickets(kind).pages
            found = {each["id"]: each async for page in read(*given, **more) for each in page}
            yield [found[ticket]]
            moved = {"id": board.statuses[DISPATCH]}
            board.change(ticket, status=moved, _info={"lastUpdated": stamp(60), "dateEntered": stamp(0)})
            yield [{**found[other], "_info": {"lastUpdated": stamp(600)}}]

        run.client.tickets = lambda kind: Mock(  # type: ignore[method-assign]
            pages=partial(pages, kind), count=tickets(kind).count
        )
        await sweep(run)
    async with board.run(later=700) as run:
        assert (await sweep(run)).counts() == {DispatchStatus.CREATED: 1}


async def test_a_time_to_come_does_not_stop_the_sweeps(board: Board) -> None:
    board.ticket("From the future", _info={"lastUpdated": "2099-01-01T00:00:00Z", "dateEntered": stamp(0)})
    async with board.run() as run:
        await sweep(run)
    ticket = board.ticket("Of today")
    async with board.run() as run:
        await sweep(run)
    assert len(board.living(f"CW-S-{ticket}")) == 1


async def test_put_back_right_after_our_own_status_it_enters_anew(desk: FieldDesk) -> None:
    """ConnectWise does not tell us of our own changes, and no sweep came in between."""
    ticket = dispatchable(desk)
    async with desk.run(event_rules(work_orders=rules().work_orders)) as run:
        number = (await dispatch_record(run, SERVICE, ticket)).work_order_id or 0
        await run.field_nation.publish_work_order(number)
        desk.provider(number, "accept")
        await sync_events(run, number)
        assert desk.status(ticket) == "Assigned"
        await run.field_nation.cancel_work_order(number, "the provider fell ill")
        dispatchable(desk)
        assert (await dispatch_record(run, SERVICE, ticket)).status is DispatchStatus.CREATED


async def test_a_clock_ahead_of_the_ledgers_posts_no_note_twice(desk: FieldDesk) -> None:
    """The note's first request has no answer, and its work is done late."""
    settings = event_rules(waiting=QUICK.model_copy(update={"settle_seconds": 60.0}))
    async with desk.run(settings) as run:
        ticket, number = await desk.dispatched(run)
        desk.whole_life(number)
        ahead = DispatchRun(
            settings,
            client=run.client,
            field_nation=run.field_nation,
            ledger=run.ledger,
            now=lambda: datetime.now(UTC) + timedelta(minutes=5),
        )
        desk.fault("connectwise", "POST", f"/service/tickets/{ticket}/notes", "drop_before")
        await sync_events(ahead, number)
        assert (await sync_events(ahead, number)).status is DispatchStatus.UNCLEAR
    assert desk.notes(ticket) == []


async def test_what_a_person_changed_stays_when_the_ledger_is_lost(board: Board, tmp_path: Path) -> None:
    ticket = board.ticket()
    async with board.run() as run:
        number = (await dispatch_record(run, SERVICE, ticket)).work_order_id or 0
        title = f"[CW-S-{ticket}] In a person's words"
        await run.field_nation.update_work_order(number, {"title": title})
    async with board.run(ledger=tmp_path / "new.db") as run:
        found = await dispatch_record(run, SERVICE, ticket)
        assert "title" in " ".join(found.warnings)
        await dispatch_record(run, SERVICE, ticket)
    assert [each["title"] for each in board.orders()] == [title]


async def test_an_unresolved_creation_is_looked_for_less_and_less(board: Board) -> None:
    ticket = board.ticket()
    rule = {"system": "field_nation", "method": "POST", "path": "/workorders"}
    board.sandbox.faults([{**rule, "fault": {"kind": "drop_before"}}])
    waiting = QUICK.model_copy(update={"unresolved_seconds": 86_400.0})
    settings = rules(waiting=waiting, polling={"first_look_hours": 0})
    async with board.run(settings) as run:
        assert (await dispatch_record(run, SERVICE, ticket)).status is DispatchStatus.UNRESOLVED
        board.change(ticket, closedFlag=True)
    looks = []
    for later in (600, 900, 1_000, 1_500):
        async with board.run(settings, later=later) as run:
            looks.append((await sweep(run)).reopened)
    assert looks == [1, 0, 0, 1]
