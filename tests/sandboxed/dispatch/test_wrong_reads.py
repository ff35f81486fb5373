"""Answers that are wrong and look right: nothing is cancelled in mass, nothing is made a second time."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import anyio
import pytest

from connectors.errors import RetryableError
from tasks.dispatch.notes import copy_notes
from tasks.dispatch.reconcile import dispatch_record
from tasks.dispatch.sweep import sweep, sweep_notes, sweep_work_orders
from tasks.dispatch.work_order_events import sync_events
from tasks.rules.dispatch.result import DispatchStatus
from tests.support.dispatch import DISPATCH, OPEN, SERVICE, Board, rules
from tests.support.work_orders import FieldDesk

pytestmark = pytest.mark.anyio
ORDERS = {"system": "field_nation", "method": "GET", "path": "/workorders"}
TICKETS = {"system": "connectwise", "method": "GET", "path": "/service/tickets"}


def wrong(path: dict[str, Any], how: str) -> list[dict[str, Any]]:
    return [{**path, "share": 1.0, "fault": {"kind": "wrong_read", "how": how}}]


async def test_an_empty_or_short_list_loses_no_ticket_and_cancels_nothing(board: Board) -> None:
    first = board.ticket("First")
    async with board.run(rules(on_leave="cancel")) as run:
        await sweep(run)
        await anyio.sleep(1.1)
        second, third = board.ticket("Second"), board.ticket("Third")
        for how in ("empty", "half"):
            board.sandbox.faults(wrong(TICKETS, how))
            swept = await sweep(run)
            assert DispatchStatus.CANCELLED not in swept.counts()
        assert "its answer was not whole" in " ".join(swept.doubts)
        board.sandbox.faults([])
        await sweep(run)
    assert [len(board.living(f"CW-S-{each}")) for each in (first, second, third)] == [1, 1, 1]


async def test_tickets_that_leave_in_mass_wait_for_a_person(board: Board) -> None:
    tickets = [board.ticket(f"Ticket {number}") for number in range(4)]
    settings = rules(on_leave="cancel", cancellations_a_day=1)
    async with board.run(settings) as run:
        await sweep(run)
        await anyio.sleep(1.1)
        for each in tickets:
            board.move(each, OPEN)
        counts = (await sweep(run)).counts()
        assert counts == {DispatchStatus.CANCELLED: 1, DispatchStatus.REFUSED: 3}
    async with board.run(settings, later=300) as run:
        # They have not changed since, and are asked about again all the same.
        held = await sweep(run)
        assert held.counts()[DispatchStatus.REFUSED] == 3
        assert "run dispatch-sweep with Accept cancellations" in str(held.results[0])
        board.move(tickets[-1], DISPATCH)
        run.accept_cancellations = 3
        assert (await sweep(run)).counts()[DispatchStatus.CANCELLED] == 2
    assert len(board.living(f"CW-S-{tickets[-1]}")) == 1


async def test_a_ticket_without_its_board_has_not_left(board: Board) -> None:
    ticket = board.ticket()
    async with board.run(rules(on_leave="cancel")) as run:
        await dispatch_record(run, SERVICE, ticket)
        record = await run.client.tickets("service").get(ticket)
        del record["board"]
        real = run.client.tickets

        class Boardless:
            async def get(self, *_: Any) -> dict[str, Any]:
                return record

        run.client.tickets = lambda kind: Boardless()  # type: ignore[method-assign, assignment, return-value]
        result = await dispatch_record(run, SERVICE, ticket)
        run.client.tickets = real  # type: ignore[method-assign]
    assert result.status is DispatchStatus.UNCHANGED
    assert len(board.living(f"CW-S-{ticket}")) == 1


async def test_a_ticket_that_is_hidden_for_a_while_gets_no_second_work_order(board: Board) -> None:
    """Its work order is over; to see the ticket again is no coming back into the trigger."""
    ticket = board.ticket()
    path = {"system": "connectwise", "method": "GET", "path": f"/service/tickets/{ticket}"}
    async with board.run() as run:
        number = (await dispatch_record(run, SERVICE, ticket)).work_order_id or 0
        await run.field_nation.cancel_work_order(number, "by hand")
        board.sandbox.faults([{**path, "fault": {"kind": "status", "status": 404}}])
        await dispatch_record(run, SERVICE, ticket)
        board.sandbox.faults([])
        again = await dispatch_record(run, SERVICE, ticket)
    assert again.work_order_id == number
    assert len(board.orders(f"CW-S-{ticket}")) == 1


async def test_where_known_work_orders_are_not_found_none_is_made(board: Board) -> None:
    known, ticket = board.ticket("Known"), board.ticket("Of a lost ledger")
    async with board.run() as run:
        await dispatch_record(run, SERVICE, known)
    # The ledger is used again after a while, so it may have forgotten the second ticket: it looks first.
    async with board.run(later=7200) as run:
        real = run.field_nation.search_work_orders, run.field_nation.work_orders_created

        async def nothing(*_: Any, **__: Any) -> list[dict[str, Any]]:
            return []

        run.field_nation.search_work_orders = run.field_nation.work_orders_created = nothing  # type: ignore[method-assign, assignment]
        with pytest.raises(RetryableError, match="although it exists"):
            await dispatch_record(run, SERVICE, ticket)
        run.field_nation.search_work_orders, run.field_nation.work_orders_created = real  # type: ignore[method-assign]
        assert (await dispatch_record(run, SERVICE, ticket)).status is DispatchStatus.CREATED
    assert len(board.orders()) == 2


async def test_a_ticket_that_bears_a_number_gets_no_other_work_order(board: Board) -> None:
    ticket = board.ticket()
    async with board.run() as run:
        record = await run.client.tickets("service").get(ticket)
        record["customFields"] = [{"id": 1, "caption": "FN Work Order", "value": "410777"}]
        result = await dispatch_record(run, SERVICE, ticket, record=record)
    assert result.status is DispatchStatus.REPORTED
    assert "it bears work order 410777, which Field Nation does not show" in result.message
    assert board.orders() == []


@pytest.mark.parametrize("how", ["empty", "half", "cut", "repeat"])
async def test_wrong_lists_of_work_orders_cancel_close_and_double_nothing(board: Board, how: str) -> None:
    tickets = [board.ticket(f"Ticket {number}") for number in range(3)]
    async with board.run(rules(on_leave="cancel")) as run:
        await sweep(run)
    later = board.ticket("Later")
    async with board.run(rules(on_leave="cancel"), later=60) as run:
        board.sandbox.faults(wrong(ORDERS, how))
        for _ in range(2):
            for look in (sweep, sweep_work_orders):
                try:
                    swept = await look(run)
                except RetryableError:
                    # Fewer work orders than Field Nation counts: nothing is believed.
                    continue
                assert DispatchStatus.CANCELLED not in swept.counts()
        board.sandbox.faults([])
        await sweep(run)
        back = await sweep_work_orders(run)
    assert DispatchStatus.REPORTED not in back.counts()
    assert [len(board.orders(f"CW-S-{each}")) for each in (*tickets, later)] == [1, 1, 1, 1]
    assert {each["status"]["name"] for each in board.orders()} == {"Draft"}


@pytest.mark.parametrize("search_is_wrong", [False, True])
async def test_a_lost_ledger_makes_nothing_twice_whatever_the_title_or_the_search(
    board: Board, tmp_path: Path, search_is_wrong: bool
) -> None:
    """No number stands on the ticket, so that the Incident ID alone leads to its work order."""
    tickets = [board.ticket(f"Ticket {number}") for number in range(2)]
    async with board.run() as run:
        await sweep(run)
        for order in board.orders()[:1]:
            await run.field_nation.update_work_order(order["id"], {"title": "Radio, second floor"})
    async with board.run(ledger=tmp_path / "new.db") as run:
        if search_is_wrong:
            # The list of the last days is right, every search after it finds nothing.
            limited = [{**each, "nth": list(range(2, 9))} for each in wrong(ORDERS, "empty")]
            board.sandbox.faults([{name: value for name, value in limited[0].items() if name != "share"}])
        first = await sweep(run)
        board.sandbox.faults([])
        assert first.counts() == {DispatchStatus.ADOPTED: 2}
        assert (await sweep(run)).doubles == []
    assert [len(board.orders(f"CW-S-{each}")) for each in tickets] == [1, 1]


@pytest.mark.parametrize("what", ["deleted", "merged", "company merged", "hidden"])
async def test_a_ticket_that_is_gone_or_merged_cancels_and_doubles_nothing(
    board: Board, tmp_path: Path, what: str
) -> None:
    ticket, other = board.ticket("One"), board.ticket("Another", status=OPEN)
    reference = f"CW-S-{ticket}"
    async with board.run(rules(on_leave="cancel")) as run:
        await sweep(run)
        [number] = board.living(reference)
        if what == "deleted":
            board.sandbox.delete("service/tickets", ticket)
        elif what == "merged":
            board.sandbox.merge("service/tickets", other, [ticket])
        elif what == "company merged":
            spare = next(
                each["id"]
                for each in board.sandbox.state("company/companies")
                if each["id"] != board.sandbox.company_id
            )
            board.sandbox.merge("company/companies", spare, [board.sandbox.company_id])
        else:
            path = {"system": "connectwise", "method": "GET", "path": f"/service/tickets/{ticket}"}
            board.sandbox.faults([{**path, "fault": {"kind": "status", "status": 404}}])
        results = [await dispatch_record(run, SERVICE, ticket) for _ in range(2)]
        board.sandbox.faults([])
    assert board.living(reference) == [number]
    if what != "company merged":
        assert results[0].status is DispatchStatus.REPORTED
    async with board.run(rules(on_leave="cancel"), ledger=tmp_path / "new.db", later=60) as run:
        for _ in range(2):
            await sweep(run)
    assert len(board.orders(reference)) == 1


@pytest.mark.parametrize("how", ["empty", "half", "repeat"])
async def test_wrong_lists_of_notes_and_messages_copy_nothing_twice(desk: FieldDesk, how: str) -> None:
    async with desk.run() as run:
        ticket, number = await desk.dispatched(run)

        async def counted() -> tuple[int, int, int]:
            messages = await run.field_nation.list_messages(number)
            return len(desk.notes(ticket)), len(messages), len(desk.times(ticket))

        desk.whole_life(number)
        for place in range(3):
            desk.provider(number, "message", message=f"message {place}")
            note = {"text": f"note {place}", "detailDescriptionFlag": True, "member": {"id": 1}}
            desk.sandbox.add("service/tickets/notes", {"ticketId": ticket, **note})
        await sync_events(run, number)
        await copy_notes(run, number)
        before = await counted()
        lists = (
            {**ORDERS, "path": f"/workorders/{number}/messages"},
            {**TICKETS, "path": f"/service/tickets/{ticket}/notes"},
            {**TICKETS, "path": "/time/entries"},
        )
        wrong_lists = [rule for each in lists for rule in wrong(each, how)]
        for faults in (wrong_lists, wrong_lists, []):
            desk.sandbox.faults(faults)
            await sync_events(run, number)
            await sweep_notes(run)
        assert await counted() == before
