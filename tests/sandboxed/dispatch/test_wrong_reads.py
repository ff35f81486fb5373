"""Answers that are wrong and look right: nothing is cancelled in mass, nothing is made a second time."""

from __future__ import annotations

from typing import Any

import anyio
import pytest

from connectors.errors import RetryableError
from tasks.dispatch.reconcile import dispatch_record
from tasks.dispatch.sweep import sweep
from tasks.rules.dispatch.result import DispatchStatus
from tests.support.dispatch import DISPATCH, OPEN, SERVICE, Board, rules

pytestmark = pytest.mark.anyio
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
