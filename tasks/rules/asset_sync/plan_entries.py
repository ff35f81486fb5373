"""The entries of a plan: what is created and modified, then what is left alone, one entry a record.

The kinds of change of a plan that was just made are counted without its entries (``tally_of``).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from tasks.rules.asset_sync.matching.result import Ambiguous
from tasks.rules.asset_sync.plan import Creation, Modification, Plan, Skipped
from tasks.rules.isolation import convert_all_or, problem_words
from tasks.rules.stored_plans.entries import (
    EntryKind,
    PlanEntry,
    digest_of,
    encodable_text,
    entries_of,
    json_value,
)
from tasks.rules.stored_plans.summary import NO_TYPE, TYPE_FIELD, PlanTally, shown_value
from tasks.rules.values import ConfigurationRecord, FieldChange


def plan_entries(plan: Plan) -> Iterator[PlanEntry]:
    """Every entry of a plan, one after the other: what is written first, then what is left alone."""
    yield from written_entries(plan)
    yield from entries_of(plan.ambiguous, _ambiguous, EntryKind.AMBIGUOUS)
    yield from entries_of(plan.skipped, _skipped, EntryKind.SKIPPED)
    yield from entries_of(plan.orphaned, _orphaned, EntryKind.ORPHANED)


def written_entries(plan: Plan) -> Iterator[PlanEntry]:
    """The entries of which something is written, creations first."""
    yield from entries_of(plan.creations, lambda each: creation_entry(each, plan.paths), EntryKind.CREATE)
    yield from entries_of(plan.modifications, modification_entry, EntryKind.MODIFY)


def creation_entry(creation: Creation, paths: Sequence[str]) -> PlanEntry:
    """The entry of a creation; ``paths`` are those of the plan.

    Warnings are no part of a decision: those of matching speak of other records, also of those that the same
    plan creates, and what is left out is not among the changes.
    """
    written = [
        FieldChange(path, None, json_value(value))
        for path, value in zip(paths, creation.values, strict=True)
        if value is not None
    ]
    notes = tuple(map(encodable_text, creation.warnings))
    key, name = encodable_text(creation.asset.key), encodable_text(creation.name)
    digest = digest_of(["create", key], written)
    return PlanEntry(EntryKind.CREATE, key, None, name, tuple(written), notes, digest=digest)


def modification_entry(modification: Modification) -> PlanEntry:
    """The entry of a modification, or of one that only changes the type."""
    changes = tuple(
        FieldChange(each.field, json_value(each.current), json_value(each.wanted))
        for each in modification.all_changes
    )
    key, number = encodable_text(modification.asset.key), modification.configuration.id
    return PlanEntry(
        EntryKind.MODIFY if modification.changes else EntryKind.CHANGE_TYPE,
        key,
        number,
        encodable_text(modification.name),
        changes,
        tuple(map(encodable_text, modification.warnings)),
        modification.matched_on,
        digest_of(["modify", key, number], changes),
    )


def _ambiguous(each: Ambiguous) -> PlanEntry:
    candidates = [f"candidate: {one.name or ''} ({one.id})" for one in each.candidates]
    notes = tuple(map(encodable_text, [each.reason, *candidates]))
    return PlanEntry(
        EntryKind.AMBIGUOUS,
        encodable_text(each.asset.key),
        None,
        encodable_text(each.asset.name or each.asset.key),
        notes=notes,
    )


def _skipped(each: Skipped) -> PlanEntry:
    key = encodable_text(each.asset_key)
    notes = (encodable_text(each.reason),)
    return PlanEntry(EntryKind.SKIPPED, key, None, encodable_text(each.name or key), notes=notes)


def _orphaned(each: ConfigurationRecord) -> PlanEntry:
    name = encodable_text(each.name or each.id)
    return PlanEntry(EntryKind.ORPHANED, encodable_text(each.asset_key or ""), each.id, name)


def tally_of(plan: Plan) -> PlanTally:
    """The kinds of change of a plan that was just made."""
    tally = PlanTally()
    for each in plan.modifications:
        for change in each.all_changes:
            tally.change(change)
    tally.types = Counter(_types(plan))
    return tally


def _types(plan: Plan) -> list[str]:
    """The type of each creation; of one that can't be told, why."""
    if TYPE_FIELD not in plan.paths:
        return [NO_TYPE] * len(plan.creations)
    position = plan.paths.index(TYPE_FIELD)
    return convert_all_or(
        plan.creations,
        lambda each: shown_value(each.asset.wanted[position]),
        lambda each, error: problem_words(error),
    )
