"""Changes the type of configurations by a call of its own, since the old type's questions are dropped."""

from __future__ import annotations

from collections.abc import Sequence

from connectors.errors import ConnectorError, RetryableError, StopError
from connectors.ledger.models import Outcome, WriteEntry, WriteOutcome
from tasks.rules.plan import Modification
from tasks.rules.references import ReferencePlan, folded
from tasks.synchronization.patience import Patience
from tasks.synchronization.run import Record, SyncRun, WriteResult

FIELDS = "id,type/id,type/name,company/id,customFields"


async def retype_configurations(
    run: SyncRun, modifications: Sequence[Modification], types: ReferencePlan, results: dict[str, WriteResult]
) -> None:
    """Change the types as planned and lay the outcomes over ``results``, which hold those of the fields.

    A record whose fields could not be written keeps its type.
    """
    stopped: StopError | None = None
    for each in modifications:
        key, record_id = each.asset.key, each.configuration.id
        before = results.get(key, WriteResult(key, True, record_id, "already as wanted", written=False))
        if not before.ok:
            continue
        if stopped is not None:
            results[key] = WriteResult(key, False, record_id, f"Not sent: {stopped}", written=False)
            continue
        try:
            results[key] = await _retype_patiently(run, each, types, before)
        except ConnectorError as error:
            results[key] = WriteResult(key, False, record_id, str(error))
            stopped = error if isinstance(error, StopError) else None


async def _retype_patiently(
    run: SyncRun, each: Modification, types: ReferencePlan, before: WriteResult
) -> WriteResult:
    """Read the record and change its type; what had no answer is read again, a few times."""
    key, record_id = each.asset.key, each.configuration.id
    patience = Patience(run.settings.waiting)
    sent = False
    while True:
        try:
            fresh = await run.client.get_configuration(record_id, fields=FIELDS)
            if _type_name(fresh) == _wanted(each):
                return WriteResult(key, True, record_id) if sent else before
            if why := _obstacle(run, each, fresh):
                return WriteResult(key, False, record_id, why, written=False)
            type_id = types.id_of(_wanted(each))
            if type_id is None:
                why = f"The type {_wanted(each)!r} has no record in ConnectWise."
                return WriteResult(key, False, record_id, why, written=False)
            sent = True
            return await _change(run, each, fresh, type_id)
        except RetryableError as error:
            if not await patience.wait(error):
                raise


def _obstacle(run: SyncRun, each: Modification, fresh: Record) -> str | None:
    """Why the record must be left alone: a person was faster."""
    owner = (fresh.get("company") or {}).get("id")
    if owner != run.company.id:
        return f"The configuration was moved to the company with id {owner}."
    holder = run.mapping.read_configuration(fresh).asset_key
    if holder and holder.strip() != each.asset.key.strip():
        return f"The configuration is now linked to asset {holder}."
    planned = each.type_change.current if each.type_change else None
    if _type_name(fresh) != folded(str(planned or "")):
        now = (fresh.get("type") or {}).get("name")
        return f"Its type is {now!r} by now, no longer {planned!r}; it is left alone."
    return None


async def _change(run: SyncRun, each: Modification, fresh: Record, type_id: int) -> WriteResult:
    """One request, journalled before and after."""
    key, record_id, old = each.asset.key, each.configuration.id, fresh.get("type") or {}
    entry = WriteEntry(
        "change_type",
        "configuration",
        record_id,
        key,
        each.name,
        {"type": {part: old.get(part) for part in ("id", "name")}},
        {"type": {"id": type_id, "name": each.type_change.wanted if each.type_change else None}},
    )
    (write_id,) = await run.ledger.begin_writes(run.run_id, run.connectwise, run.company.id, [entry])
    try:
        await run.client.change_configuration_type(record_id, type_id)
    except ConnectorError as error:
        outcome: Outcome = "unclear" if isinstance(error, RetryableError) else "failed"
        await run.ledger.settle_writes([WriteOutcome(write_id, outcome, record_id, str(error))])
        raise
    await run.ledger.settle_writes([WriteOutcome(write_id, "done", record_id)])
    return WriteResult(key, True, record_id)


def _type_name(record: Record) -> str:
    return folded(str((record.get("type") or {}).get("name") or ""))


def _wanted(each: Modification) -> str:
    return folded(str(each.type_change.wanted)) if each.type_change else ""
