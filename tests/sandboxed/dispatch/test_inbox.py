"""The inbox: messages become looks at records, one for each, and none is lost.

The last test takes a ticket through its whole life, told by messages alone.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import anyio
import pytest

from deployments.local.sandbox import Sandbox
from tasks.dispatch.inbox import (
    HandledMessage,
    InboxDrain,
    drain_all,
    drain_once,
    handle_notes,
    handle_work_order,
    serve_inbox,
)
from tasks.dispatch.run import DispatchRun
from tasks.dispatch.settings import CreateState, WorkOrderDefaults
from tasks.rules.dispatch.result import DispatchStatus
from tests.support.dispatch import OPEN, SERVICE, Board, rules
from tests.support.work_orders import FieldDesk, event_rules

pytestmark = pytest.mark.anyio

DAY = 86_400.0


def callback(ticket: int, **more: Any) -> dict[str, Any]:
    return {"Type": "ticket", "Action": "updated", "ID": ticket, "Entity": None, **more}


async def put(run: DispatchRun, *bodies: dict[str, Any], source: str = "connectwise") -> None:
    for number, body in enumerate(bodies):
        await run.ledger.inbox.put(source, f"{number}", body)


async def test_many_messages_about_one_record_are_one_look(board: Board) -> None:
    first, second, outside = board.ticket(), board.ticket("Another"), board.ticket(status=OPEN)
    async with board.run() as run:
        await put(
            run, *([callback(first)] * 5), callback(second), callback(outside), {"Type": "company", "ID": 1}
        )
        drained = await drain_once(run)
        assert await run.ledger.inbox.count() == {"done": 8}
    assert drained.counts() == {DispatchStatus.CREATED: 2, DispatchStatus.OUTSIDE: 1}
    assert len(board.orders()) == 2


async def test_a_project_ticket_is_told_by_its_message_or_by_a_read(board: Board) -> None:
    phase = board.sandbox.state("project/phases")[0]["id"]
    boards = {each["name"]: each["id"] for each in board.sandbox.state("service/boards")}
    ticket = board.sandbox.add(
        "project/tickets",
        {"summary": "Roll out", "phase": {"id": phase}, "board": {"id": boards["Projects"]}},
    )
    async with board.run() as run:
        await put(run, callback(ticket))
        [outcome] = (await drain_once(run)).results
    assert (outcome.subject, outcome.status) == (f"CW-P-{ticket}", DispatchStatus.OUTSIDE)


async def test_a_vendor_that_is_away_costs_no_message(board: Board) -> None:
    board.sandbox.faults(
        [{"system": "field_nation", "path": "/workorders*", "fault": {"kind": "status", "status": 401}}]
    )
    ticket = board.ticket()
    settings = rules(polling={"inbox_attempts": 1})
    async with board.run(settings) as run:
        await put(run, callback(ticket))
        assert (await drain_once(run)).again == 1
        assert (await drain_once(run)).messages == 0
    board.sandbox.faults([])
    async with board.run(settings, later=120) as run:
        assert (await drain_once(run)).counts() == {DispatchStatus.CREATED: 1}
    assert len(board.orders()) == 1


async def test_a_record_that_another_process_has_is_no_try(board: Board) -> None:
    ticket = board.ticket()
    async with board.run() as run:
        about = (run.tenant, SERVICE.value, ticket, run.state.ref(SERVICE, ticket).reference)
        await run.ledger.intents.claim(*about, holder="another", seconds=60)
        await put(run, callback(ticket))
        for _ in range(3):
            assert (await drain_once(run)).counts() == {DispatchStatus.BUSY: 1}
            await anyio.sleep(run.settings.waiting.busy_seconds + 0.05)
        [message] = await run.ledger.inbox.claim("test", limit=1, seconds=60)
    assert message.attempts == 1


async def test_messages_of_work_orders_wait_for_their_handler(board: Board) -> None:
    seen: list[int] = []

    async def handler(run: DispatchRun, number: int) -> HandledMessage:
        seen.append(number)
        return HandledMessage(True)

    async with board.run() as run:
        await put(run, {"event": {"name": "x"}, "workorder": {"id": 7}}, source="field_nation")
        assert (await drain_all(run)).messages == 0
        assert (await drain_all(run, handler)).done == 1
    assert seen == [7]


async def test_a_killed_drain_loses_nothing(board: Board) -> None:
    ticket = board.ticket()
    async with board.run() as run:
        await put(run, callback(ticket))
        await run.ledger.inbox.claim("killed", limit=10, seconds=60)
        assert (await drain_once(run)).messages == 0
    async with board.run(later=61) as run:
        assert (await drain_once(run)).counts() == {DispatchStatus.CREATED: 1}


async def test_it_serves_until_it_is_told_to_stop_and_finishes_what_it_took(board: Board) -> None:
    ticket, stop = board.ticket(), anyio.Event()
    async with board.run(rules(polling={"inbox_seconds": 0.05})) as run, anyio.create_task_group() as group:

        async def tell() -> None:
            await put(run, callback(ticket))
            for _ in range(200):
                if board.orders():
                    break
                await anyio.sleep(0.05)
            stop.set()

        group.start_soon(tell)
        served = await serve_inbox(run, stop=stop)
        assert await run.ledger.inbox.count() == {"done": 1}
    assert (served.messages, served.done, served.results) == (1, 1, {"created": 1})


OURS = WorkOrderDefaults(type_of_work_id=103, pay_type="fixed", pay_amount=150, pay_units=1)


class Teller:
    """Puts messages into the inbox, each twice and under another id, and drains it."""

    def __init__(self, run: DispatchRun) -> None:
        self.run = run
        self.told = 0

    async def ticket(self, number: int) -> InboxDrain:
        return await self._tell("connectwise", {"Type": "ticket", "ID": number})

    async def work_order(self, number: int) -> InboxDrain:
        return await self._tell("field_nation", {"workorder": {"id": number}})

    async def _tell(self, source: str, body: dict[str, object]) -> InboxDrain:
        for _ in range(2):
            self.told += 1
            await self.run.ledger.inbox.put(source, f"m-{self.told}", body)
        drained = await drain_all(self.run, handle_work_order, handle_notes)
        assert (drained.messages, drained.failed) == (2, 0), drained
        return drained


async def test_from_dispatch_to_completed_by_messages(sandbox: Sandbox, ledger_file: Path) -> None:
    desk = FieldDesk(sandbox, ledger_file)
    settings = event_rules(work_orders=OURS, create_state=CreateState.PUBLISH)
    async with desk.run(settings) as run:
        tell = Teller(run)
        ticket = next(
            one["id"] for one in sandbox.state("service/tickets") if one["board"]["name"] == "Field Services"
        )
        known = sandbox.state("service/boards/statuses")
        board = desk.record(ticket)["board"]["id"]
        dispatch = next(one for one in known if one["name"] == "Dispatch" and one["board"]["id"] == board)
        change = {"status": {"id": dispatch["id"]}, "requiredDate": "2026-12-01T14:00:00Z"}
        sandbox.edit("service/tickets", ticket, change)
        await tell.ticket(ticket)
        [order] = sandbox.state("field_nation/work_orders")
        number = order["id"]
        assert order["status"]["name"] == "Published"
        desk.provider(number, "accept")
        await tell.work_order(number)
        assert desk.status(ticket) == "Assigned"
        await tell.ticket(ticket)
        desk.provider(number, "check-in", at="2026-12-01T14:00:00+00:00")
        desk.provider(number, "message", message="Which gate?")
        await tell.work_order(number)
        note = {"ticketId": ticket, "text": "Gate 3", "detailDescriptionFlag": True, "member": {"id": 1}}
        sandbox.add("service/tickets/notes", note)
        await tell.ticket(ticket)
        desk.provider(number, "check-out", hours=2)
        desk.provider(number, "work-done", closing_notes="Swapped")
        await run.field_nation.approve_work_order(number)
        await tell.work_order(number)
        await tell.ticket(ticket)
        said = [one["message"] for one in await run.field_nation.list_messages(number)]
    assert desk.status(ticket) == "Completed"
    assert desk.field(ticket, "FN check-in") == "2026-12-01 14:00:00"
    assert [entry["actualHours"] for entry in desk.times(ticket)] == [2]
    assert [sum(words in text for text in said) for words in ("Which gate?", "Gate 3")] == [1, 1]
    assert len(said) == 2
    notes = [one["text"] for one in desk.notes(ticket)]
    assert len(notes) == 3
    assert sum("Which gate?" in text for text in notes) == 1
    [final] = sandbox.state("field_nation/work_orders")
    assert final["status"]["name"] == "Approved"
