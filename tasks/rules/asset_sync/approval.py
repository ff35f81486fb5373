"""The part of a plan that a person approved: creations, and of modifications the approved fields."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from tasks.rules.asset_sync.drift import narrowed
from tasks.rules.asset_sync.plan import Modification, Plan
from tasks.rules.asset_sync.plan_entries import creation_entry, modification_entry
from tasks.rules.asset_sync.safety import WriteMode
from tasks.rules.stored_plans.approval import Approval


def approved_plan(
    plan: Plan, approval: Approval, *, batch_size: int, mode: WriteMode
) -> tuple[Plan, dict[str, frozenset[str]]]:
    """The plan without what was not approved, and the fields that are withheld, by asset key.

    What is left out whole is skipped, with the reason; the counts add up. Of the reference records only those
    are created that the rest refers to.
    """
    left: dict[str, str] = {}
    withheld: dict[str, frozenset[str]] = {}
    modifications = []
    for creation in plan.creations:
        if why := approval.why_left(creation_entry(creation, plan.paths)):
            left[creation.asset.key] = why
    for each in plan.modifications:
        entry = modification_entry(each)
        if why := approval.why_left(entry):
            left[each.asset.key] = why
        elif fields := approval.withheld(entry):
            withheld[each.asset.key] = fields
            each = _without(each, fields)
        modifications.append(each)
    rest = replace(plan, modifications=modifications)
    return narrowed(rest, left, batch_size=batch_size, mode=mode), withheld


def _without(modification: Modification, fields: Collection[str]) -> Modification:
    changed, retyped = modification.changes, modification.type_change
    return replace(
        modification,
        changes=tuple(each for each in changed if each.field not in fields),
        type_change=None if retyped is not None and retyped.field in fields else retyped,
    )
