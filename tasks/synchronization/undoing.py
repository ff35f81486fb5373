"""Reads what a run wrote and what is there now, and writes the reverse, journalled like any write."""

from __future__ import annotations

from typing import Any

from connectors.connectwise.client import ConnectWiseClient
from connectors.connectwise.conditions import split_in
from connectors.errors import ConnectorError
from connectors.ledger.models import Operation, WriteEntry, WriteOutcome
from connectors.ledger.store import Ledger
from tasks.connections import current_run_id
from tasks.progress import Progress
from tasks.rules.journal_values import value_of, value_operations
from tasks.rules.undo import UndoPlan, UndoStep, plan_undo, record_ids

Record = dict[str, Any]


class UnknownRunError(LookupError):
    """The journal holds no write of that run; the text says what to look at."""


class Undo:
    """The undo of one run: its plan, and the records as they were when it was planned."""

    def __init__(
        self,
        run_id: str,
        connectwise: str,
        company_id: int,
        plan: UndoPlan,
        records: dict[int, Record],
        client: ConnectWiseClient,
        ledger: Ledger,
    ) -> None:
        self.run_id = run_id
        self.connectwise = connectwise
        self.company_id = company_id
        self.plan = plan
        self.records = records
        self.client = client
        self.ledger = ledger

    def counts(self) -> dict[str, int]:
        """Steps, refusals, and what needs nothing."""
        plan = self.plan
        return {"steps": len(plan.steps), "refused": len(plan.refused), "undone_already": plan.undone_already}


async def prepare_undo(run_id: str, connectwise: str, client: ConnectWiseClient, ledger: Ledger) -> Undo:
    """Plan the reverse of a run.

    Raises:
        UnknownRunError: the run wrote nothing through this connection, or this ledger does not know it.
    """
    writes = [each for each in await ledger.writes_of_run(run_id) if each.connection == connectwise]
    if not writes:
        raise UnknownRunError(
            f"The ledger at {ledger.place} holds no writes of run {run_id!r} through {connectwise!r}. "
            "Give the id of a flow run that wrote, as its report shows it."
        )
    records: dict[int, Record] = {}
    for conditions in split_in("id", record_ids(writes)):
        found = await client.list_configurations(conditions=conditions)
        records |= {int(each["id"]): each for each in found}
    company_id = max(each.company_id for each in writes)
    return Undo(run_id, connectwise, company_id, plan_undo(writes, records), records, client, ledger)


async def apply_undo(undo: Undo) -> list[str]:
    """Write every step; returns what failed, in words."""
    progress = Progress("records put back", len(undo.plan.steps))
    failed = []
    for step in undo.plan.steps:
        write_id = await _journal(undo, step)
        try:
            await _write(undo, step)
        except ConnectorError as error:
            failed.append(f"{step.name}: {error}")
            await undo.ledger.settle_writes([WriteOutcome(write_id, "failed", step.record_id, str(error))])
        else:
            await undo.ledger.settle_writes([WriteOutcome(write_id, "done", step.record_id)])
        progress.advance(1)
    return failed


async def _write(undo: Undo, step: UndoStep) -> None:
    if step.action == "delete":
        await undo.client.delete_configuration(step.record_id)
    elif step.action == "change_type":
        await undo.client.change_configuration_type(step.record_id, int(step.values["type"]["id"]))
    else:
        await undo.client.patch_configuration(step.record_id, value_operations(step.values))


async def _journal(undo: Undo, step: UndoStep) -> int:
    operation: Operation = step.action
    record = undo.records.get(step.record_id, {})
    before = {key: value_of(record, key) for key in step.values} or None
    entry = WriteEntry(
        operation,
        "configuration",
        step.record_id,
        step.asset_key,
        step.name,
        before,
        dict(step.values) or None,
    )
    (write_id,) = await undo.ledger.begin_writes(current_run_id(), undo.connectwise, undo.company_id, [entry])
    return write_id
