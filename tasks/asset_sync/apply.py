"""Apply a plan: creations, modifications, type changes, and one check for assets with two configurations.

A type is changed by a request of its own, since the old type's questions are dropped.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from connectors.connectwise.conditions import equals
from connectors.errors import ConnectorError, RejectedError, StopError
from connectors.ledger.models import WriteEntry
from tasks.asset_sync.create import FOUND, create_configurations, find_created
from tasks.asset_sync.modify import modify_configurations
from tasks.asset_sync.run import Record, SyncRun
from tasks.connectwise.bulk_modify_configurations import change_type
from tasks.rules.asset_sync.plan import Modification, Plan
from tasks.rules.asset_sync.references import TYPE, ReferencePlan
from tasks.rules.quarantine import is_lasting
from tasks.rules.values import folded
from tasks.shared.journalled import WriteResult
from tasks.shared.progress import run_logger
from tasks.shared.retry import retry

_FIELDS = "id,type/id,type/name,company/id,customFields"


@dataclass
class Applied:
    """The results of a plan's creations and modifications, and assets with two configurations, by key."""

    created: dict[str, WriteResult] = field(default_factory=dict)
    modified: dict[str, WriteResult] = field(default_factory=dict)
    duplicates: list[str] = field(default_factory=list)


async def apply_plan(
    run: SyncRun, plan: Plan, references: Mapping[str, ReferencePlan], existing: int
) -> Applied:
    """Write everything that the plan holds; a record that fails does not stop the others.

    Args:
        references: per target path the ids, those of created records included.
        existing: configurations of the company before the run.
    """
    run.references = {path: found.ids for path, found in references.items()}
    applied = Applied()
    if plan.creations:
        applied.created = await create_configurations(run, plan.creations)
    if plan.field_modifications:
        applied.modified = await modify_configurations(run, plan.field_modifications)
    if plan.type_changes:
        await retype_configurations(run, plan.type_changes, references[TYPE.path], applied.modified)
    if applied.created:
        applied.duplicates = await _held_twice(run, existing, applied)
    return applied


async def _held_twice(run: SyncRun, existing: int, applied: Applied) -> list[str]:
    """Asset keys that more than one configuration holds.

    In a calm run one count tells that there are none; after an unclear outcome the new records are read.
    """
    created = sum(result.ok for result in applied.created.values())
    unclear = any(result.message == FOUND for result in applied.created.values())
    try:
        count = await run.client.configurations.count(conditions=equals("company/id", run.company.id))
        if count == existing + created and not unclear:
            return []
        found = await find_created(run, run.highest_id)
    except ConnectorError as error:
        note = f"Whether an asset has two configurations now could not be checked: {error}"
        run.notes.append(note)
        run_logger().warning("%s", note)
        return []
    return sorted(key for key, ids in found.items() if key and len(ids) > 1)


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
            results[key] = await _retype(run, each, types, before)
        except ConnectorError as error:
            refused = isinstance(error, RejectedError) and is_lasting(error.status)
            results[key] = WriteResult(key, False, record_id, str(error), refused=refused)
            stopped = error if isinstance(error, StopError) else None


async def _retype(run: SyncRun, each: Modification, types: ReferencePlan, before: WriteResult) -> WriteResult:
    """Read the record and change its type; what had no answer is read again, a few times."""
    key, record_id = each.asset.key, each.configuration.id
    sent = False

    async def attempt() -> WriteResult:
        nonlocal sent
        fresh = await run.client.configurations.get(record_id, fields=_FIELDS)
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

    return await retry(attempt, run.settings.waiting)


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
    async with run.journal.write(entry):
        await change_type(run.client, record_id, type_id)
    run.bases.wrote(each.asset, each.configuration, [each.type_change] if each.type_change else [])
    return WriteResult(key, True, record_id)


def _type_name(record: Record) -> str:
    return folded(str((record.get("type") or {}).get("name") or ""))


def _wanted(each: Modification) -> str:
    return folded(str(each.type_change.wanted)) if each.type_change else ""
