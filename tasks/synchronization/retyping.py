"""Changes the type of a configuration by a call of its own, since the old type's questions are dropped."""

from __future__ import annotations

from collections.abc import Mapping

from connectors.errors import ConnectorError
from connectors.ledger.models import WriteEntry, WriteOutcome
from tasks.rules.plan import Modification
from tasks.rules.records import FieldChange
from tasks.rules.references import ReferencePlan, folded
from tasks.synchronization.run import SyncRun, WriteResult


async def retype(
    run: SyncRun, each: Modification, types: ReferencePlan, results: Mapping[str, WriteResult]
) -> WriteResult:
    """Change the type as planned, unless the record's fields could not be written or a person was faster."""
    key, record_id, change = each.asset.key, each.configuration.id, each.type_change
    before = results.get(key, WriteResult(key, True, record_id, written=False))
    if change is None or not before.ok:
        return before
    type_id = types.id_of(str(change.wanted))
    if type_id is None:
        return WriteResult(key, False, record_id, f"The type {change.wanted!r} has no record in ConnectWise.")
    try:
        return await _retype(run, each, change, type_id)
    except ConnectorError as error:
        return WriteResult(key, False, record_id, str(error))


async def _retype(run: SyncRun, each: Modification, change: FieldChange, type_id: int) -> WriteResult:
    key, record_id = each.asset.key, each.configuration.id
    fresh = (await run.client.get_configuration(record_id, fields="id,type/id,type/name")).get("type") or {}
    if folded(str(fresh.get("name") or "")) != folded(str(change.current or "")):
        message = f"Its type is {fresh.get('name')!r} by now, no longer {change.current!r}; it is left alone."
        return WriteResult(key, False, record_id, message, written=False)
    entry = WriteEntry(
        "change_type",
        "configuration",
        record_id,
        key,
        each.name,
        {"type": {part: fresh.get(part) for part in ("id", "name")}},
        {"type": {"id": type_id, "name": change.wanted}},
    )
    (write_id,) = await run.ledger.begin_writes(run.run_id, run.connectwise, run.company.id, [entry])
    try:
        await run.client.change_configuration_type(record_id, type_id)
    except ConnectorError as error:
        await run.ledger.settle_writes([WriteOutcome(write_id, "failed", record_id, str(error))])
        raise
    await run.ledger.settle_writes([WriteOutcome(write_id, "done", record_id)])
    return WriteResult(key, True, record_id)
