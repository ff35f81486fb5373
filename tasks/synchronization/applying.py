"""Carries a plan out: creations, modifications, type changes, and one check for doubled records."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from connectors.connectwise.conditions import equals
from connectors.errors import ConnectorError
from tasks.progress import run_logger
from tasks.rules.plan import Plan
from tasks.rules.references import TYPE, ReferencePlan
from tasks.synchronization.creating import FOUND, create_configurations
from tasks.synchronization.modifying import modify_configurations
from tasks.synchronization.retyping import retype_configurations
from tasks.synchronization.run import SyncRun, WriteResult
from tasks.synchronization.settling import find_created


@dataclass
class Applied:
    """What became of every creation and modification of a plan, by asset key."""

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
        applied.created = await create_configurations(run, [each.asset for each in plan.creations])
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
        count = await run.client.count_configurations(conditions=equals("company/id", run.company.id))
        if count == existing + created and not unclear:
            return []
        found = await find_created(run, run.highest_id)
    except ConnectorError as error:
        note = f"Whether an asset has two configurations now could not be checked: {error}"
        run.notes.append(note)
        run_logger().warning("%s", note)
        return []
    return sorted(key for key, ids in found.items() if key and len(ids) > 1)
