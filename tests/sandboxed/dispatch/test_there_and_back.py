"""A ticket of the documented trigger through its whole life, told by the inbox's messages alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from deployments.local.sandbox import Sandbox
from tasks.dispatch.inbox import Drained, drain_all, handle_notes, handle_work_order
from tasks.dispatch.run import DispatchRun
from tasks.dispatch.settings import CreateState, WorkOrderDefaults
from tests.support.work_orders import BackWorld, back_rules

pytestmark = pytest.mark.anyio
OURS = WorkOrderDefaults(type_of_work_id=103, pay_type="fixed", pay_amount=150, pay_units=1)


class Teller:
    """Puts messages into the inbox, each twice and under another id, and drains it."""

    def __init__(self, run: DispatchRun) -> None:
        self.run = run
        self.told = 0

    async def ticket(self, number: int) -> Drained:
        return await self._tell("connectwise", {"Type": "ticket", "ID": number})

    async def work_order(self, number: int) -> Drained:
        return await self._tell("field_nation", {"workorder": {"id": number}})

    async def _tell(self, source: str, body: dict[str, object]) -> Drained:
        for _ in range(2):
            self.told += 1
            await self.run.ledger.inbox.put(source, f"m-{self.told}", body)
        drained = await drain_all(self.run, handle_work_order, handle_notes)
        assert (drained.messages, drained.failed) == (2, 0), drained
        return drained


async def test_from_dispatch_to_completed_by_messages(sandbox: Sandbox, tmp_path: Path) -> None:
    desk = BackWorld(sandbox, tmp_path / "ledger.db")
    settings = back_rules(work_orders=OURS, create_state=CreateState.PUBLISH)
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
