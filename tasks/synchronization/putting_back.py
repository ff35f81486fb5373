"""Writes the steps of an undo, a few records at a time, each journalled like any write."""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus

from connectors.errors import ConnectorError, RejectedError, RetryableError, StopError
from connectors.ledger.models import Outcome, WriteEntry, WriteOutcome
from tasks.connections import current_run_id
from tasks.progress import Progress
from tasks.rules.batching import batches
from tasks.rules.journal_values import kept_value, value_of, value_operations
from tasks.rules.undo import UndoStep, plan_undo
from tasks.synchronization.patience import patiently
from tasks.synchronization.undoing import Record, Undo


async def apply_undo(undo: Undo) -> list[str]:
    """Write the reverse; returns what failed, in words. ``undo.plan.steps`` becomes what was done.

    The records are read again, 50 at a time, right before they are written: the undo of thousands of them
    takes long, and a field that somebody changed meanwhile is refused too.
    """
    ids = list(dict.fromkeys(step.record_id for step in undo.plan.steps))
    undo.plan.steps = []
    progress = Progress("records put back", len(ids))
    failed: list[str] = []
    for chunk in batches(ids):
        if await _apply_chunk(undo, chunk, failed):
            failed.append("What followed was not tried.")
            break
        progress.advance(len(chunk))
    return failed


async def _apply_chunk(undo: Undo, ids: Sequence[int], failed: list[str]) -> bool:
    """Plan these records anew and write them; True when nothing more will work until a person acts."""
    try:
        records = await undo.read_records(ids)
    except ConnectorError as error:
        failed.append(str(error))
        return True
    plan = plan_undo(undo.writes_of(ids), records)
    undo.plan.refused += [each for each in plan.refused if each not in undo.plan.refused]
    write_ids = await _journal(undo, plan.steps, records)
    for position, (step, write_id) in enumerate(zip(plan.steps, write_ids, strict=True)):
        refusal = await _write(undo, step)
        await undo.ledger.settle_writes([_outcome(step, write_id, refusal)])
        if refusal is None:
            undo.plan.steps.append(step)
            continue
        failed.append(f"{step.name}: {refusal}")
        if isinstance(refusal, StopError):
            left = write_ids[position + 1 :]
            await undo.ledger.settle_writes([WriteOutcome(each, "not_sent") for each in left])
            return True
    return False


async def _write(undo: Undo, step: UndoStep) -> ConnectorError | None:
    try:
        await patiently(lambda: _send(undo, step), undo.waiting)
    except ConnectorError as error:
        return error
    return None


async def _send(undo: Undo, step: UndoStep) -> None:
    if step.action == "change_type":
        await undo.client.change_configuration_type(step.record_id, int(step.values["type"]["id"]))
    elif step.action == "modify":
        await undo.client.patch_configuration(step.record_id, value_operations(step.values))
    else:
        await _delete(undo, step.record_id)


async def _delete(undo: Undo, record_id: int) -> None:
    """A record that was read a moment ago and is gone was deleted by a try whose answer got lost."""
    try:
        await undo.client.delete_configuration(record_id)
    except RejectedError as error:
        if error.status != HTTPStatus.NOT_FOUND:
            raise


def _outcome(step: UndoStep, write_id: int, error: ConnectorError | None) -> WriteOutcome:
    """A write that was tried several times without an answer may have been done after all."""
    failed: Outcome = "unclear" if isinstance(error, RetryableError) else "failed"
    return WriteOutcome(write_id, failed if error else "done", step.record_id, str(error) if error else None)


async def _journal(undo: Undo, steps: Sequence[UndoStep], records: dict[int, Record]) -> list[int]:
    entries = [_entry(step, records[step.record_id]) for step in steps]
    return await undo.ledger.begin_writes(current_run_id(), undo.connectwise, undo.company_id, entries)


def _entry(step: UndoStep, record: Record) -> WriteEntry:
    before = {key: kept_value(value_of(record, key)) for key in step.values} or None
    after = dict(step.values) or None
    return WriteEntry(step.action, "configuration", step.record_id, step.asset_key, step.name, before, after)
