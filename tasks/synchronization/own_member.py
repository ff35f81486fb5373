"""Under which member this run writes, as ConnectWise names it in ``_info.updatedBy``.

ConnectWise documents no request that tells it, and the answer of a bulk PUT names nobody. The answer of a
PATCH is the record as that PATCH left it, so it names who sent it, whoever edits the record before or after.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from connectors.errors import ConnectorError, RetryableError
from connectors.ledger.models import Outcome, WriteEntry, WriteOutcome
from tasks.progress import run_logger
from tasks.rules.deciding import redecide
from tasks.rules.journal_values import journal_values, value_operations
from tasks.synchronization.run import Ready, Record, SyncRun


async def own_member(run: SyncRun, written: Sequence[tuple[Ready, Record]]) -> str | None:
    """The member of this run's writes; None if it can't be known for sure.

    ``written`` are records that this run wrote, as read since. The first one that is still as this run wants
    it is sent one PATCH with the mapped values that it has anyway. No task run of its own repeats
    it later: that could overwrite what somebody typed in between.
    """
    for ready, record in written:
        if _as_wanted(run, ready, record):
            return await _writer_of_a_patch(run, ready, record)
    return None


def updated_by(record: Record) -> str | None:
    """Who wrote the record last, None if it does not say."""
    return (record.get("_info") or {}).get("updatedBy") or None


def _as_wanted(run: SyncRun, ready: Ready, record: Record) -> bool:
    modification = ready.modification
    decided = redecide(
        modification.asset,
        modification.changes,
        record,
        run.mapping,
        run.references,
        company_id=run.company.id,
        reactivate=run.settings.reactivate,
    )
    return not decided.refused and not decided.changes


async def _writer_of_a_patch(run: SyncRun, ready: Ready, record: Record) -> str | None:
    modification = ready.modification
    record_id = modification.configuration.id
    values = journal_values(record, ready.changes, run.mapping)
    entry = _entry(ready, values)
    (write_id,) = await run.ledger.begin_writes(run.run_id, run.connectwise, run.company.id, [entry])
    try:
        answer = await run.client.patch_configuration(record_id, value_operations(values))
    except ConnectorError as error:
        run_logger().warning("Who writes for this run is not known: %s", error)
        outcome: Outcome = "unclear" if isinstance(error, RetryableError) else "failed"
        await run.ledger.settle_writes([WriteOutcome(write_id, outcome, record_id, str(error))])
        return None
    await run.ledger.settle_writes([WriteOutcome(write_id, "done", record_id, "same values again")])
    return updated_by(answer)


def _entry(ready: Ready, values: dict[str, Any]) -> WriteEntry:
    each = ready.modification
    return WriteEntry(
        "modify", "configuration", each.configuration.id, each.asset.key, each.name, values, values
    )
