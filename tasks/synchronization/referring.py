"""What configurations refer to: the ids of the names that assets give, and records for those missing."""

from __future__ import annotations

from tasks.rules.plan import Plan
from tasks.rules.planning import needed_names
from tasks.rules.references import ReferencePlan, plan_references
from tasks.synchronization.lookups import look_up_others
from tasks.synchronization.reading import Read
from tasks.synchronization.references import create_missing
from tasks.synchronization.run import SyncRun
from tasks.synchronization.together import all_together


async def find_references(run: SyncRun, read: Read) -> dict[str, ReferencePlan]:
    """What became of every name that any asset gives, by target path; nothing is created yet."""
    names = needed_names(read.assets, [], run.mapping)
    plans = {
        path: plan_references(actions.kind, names[path], read.references[path], create=actions.may_create)
        for path, actions in run.reference_actions.items()
        if path in read.references
    }
    return plans | await look_up_others(run, names)


async def create_references(
    run: SyncRun, plan: Plan, references: dict[str, ReferencePlan]
) -> dict[str, list[str]]:
    """Create the missing names that the plan uses; returns those that were created, by target path."""
    waiting = run.settings.waiting
    made = await all_together(
        *(
            create_missing(run.reference_actions[path], names, waiting)
            for path, names in plan.reference_creations.items()
        )
    )
    created: dict[str, list[str]] = {}
    for path, found in zip(plan.reference_creations, made, strict=True):
        references[path].ids |= found.ids
        references[path].refused |= found.refused
        label = references[path].kind.label
        run.notes += [f"{label} {name!r} could not be created: {why}" for name, why in found.refused.items()]
        created[path] = [name for name in plan.reference_creations[path] if references[path].id_of(name)]
    return created
