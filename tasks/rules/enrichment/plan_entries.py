"""The entries of an enrichment's plan: the assets whose texts change, then what is left alone."""

from __future__ import annotations

from collections.abc import Iterator

from tasks.rules.enrichment.plan import (
    AssetUpdate,
    ConfigurationName,
    Contest,
    EnrichmentPlan,
    SkippedConfiguration,
)
from tasks.rules.enrichment.texts import AssetState
from tasks.rules.stored_plans.entries import (
    EntryKind,
    PlanEntry,
    digest_of,
    encodable_text,
    entries_of,
    json_value,
)
from tasks.rules.stored_plans.summary import PlanTally
from tasks.rules.values import FieldChange


def text_plan_entries(plan: EnrichmentPlan) -> Iterator[PlanEntry]:
    """Every entry of a plan, one after the other: what is written first, then what is left alone."""
    yield from entries_of(plan.updates, update_entry, EntryKind.MODIFY)
    yield from entries_of(plan.contested, _contested, EntryKind.AMBIGUOUS)
    yield from entries_of(plan.skipped, _skipped, EntryKind.SKIPPED)
    yield from entries_of(plan.asset_gone, lambda each: _named(each, EntryKind.GONE), EntryKind.GONE)
    yield from entries_of(plan.no_asset_id, lambda each: _named(each, EntryKind.UNLINKED), EntryKind.UNLINKED)
    yield from entries_of(plan.left_behind, _left_behind, EntryKind.ORPHANED)


def update_entry(update: AssetUpdate) -> PlanEntry:
    """The entry of an asset whose texts change."""
    key, number = encodable_text(update.asset.key), update.configuration.id
    changes = tuple(
        FieldChange(each.field, json_value(each.current), json_value(each.wanted)) for each in update.changes
    )
    digest = digest_of(["update", key, number], changes)
    name = encodable_text(update.name)
    return PlanEntry(EntryKind.MODIFY, key, number, name, changes, digest=digest)


def tally_of_texts(plan: EnrichmentPlan) -> PlanTally:
    """The kinds of change of a plan that was just made."""
    tally = PlanTally()
    for update in plan.updates:
        for change in update.changes:
            tally.change(change)
    return tally


def _contested(each: Contest) -> PlanEntry:
    claimants = [*each.configurations, *filter(None, [each.elsewhere])]
    notes = tuple(encodable_text(f"claimed by configuration {one.name} ({one.id})") for one in claimants)
    name = encodable_text(each.asset.name or each.asset.key)
    return PlanEntry(EntryKind.AMBIGUOUS, encodable_text(each.asset.key), None, name, notes=notes)


def _skipped(each: SkippedConfiguration) -> PlanEntry:
    return _named(each.configuration, EntryKind.SKIPPED, each.reason)


def _named(each: ConfigurationName, kind: EntryKind, *notes: str) -> PlanEntry:
    name = encodable_text(each.name or each.id)
    told = tuple(map(encodable_text, notes))
    return PlanEntry(kind, encodable_text(each.asset_key or ""), each.id, name, notes=told)


def _left_behind(each: AssetState) -> PlanEntry:
    key = encodable_text(each.key)
    return PlanEntry(EntryKind.ORPHANED, key, None, encodable_text(each.name or key))
