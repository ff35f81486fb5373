"""What became of an entry of a stored plan by the plan of now, and the plan that is left of both.

Of a record whose fields a killed run wrote and whose type it did not, the rest is still the same decision.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial

from tasks.rules.asset_sync.matching.result import Match, MatchResult
from tasks.rules.asset_sync.plan import Creation, Modification, Plan, PlanOptions, Skipped
from tasks.rules.asset_sync.plan_entries import creation_entry, modification_entry
from tasks.rules.asset_sync.references import referred_names
from tasks.rules.asset_sync.safety import WriteMode
from tasks.rules.mapping.comparison import same
from tasks.rules.mapping.compile import CompiledMapping
from tasks.rules.stored_plans.drift import (
    DONE,
    SAME,
    WARNED,
    PlanComparison,
    difference,
    done_or_given_up,
    same_changes,
)
from tasks.rules.stored_plans.entries import EntryKind, PlanEntry
from tasks.rules.values import ConfigurationRecord, FieldChange


def compared_with(current: Plan, result: MatchResult, mapping: CompiledMapping) -> PlanComparison:
    """Compares stored entries with the plan of now; ``result``: what was matched for it."""
    judge = _PlanJudge(
        current,
        mapping,
        {each.asset.key: each for each in result.matched},
        {each.asset.key: each for each in current.creations},
        {each.asset.key: each for each in current.modifications},
        {each.asset.key: each.reason for each in current.ambiguous}
        | {each.asset_key: each.reason for each in current.skipped},
    )
    return PlanComparison(judge.judge, judge.creations.keys() | judge.modifications.keys())


@dataclass(slots=True)
class _PlanJudge:
    """Says what became of a stored entry, by the plan as it is now (``current``)."""

    current: Plan
    mapping: CompiledMapping
    matched: dict[str, Match]
    creations: dict[str, Creation]
    modifications: dict[str, Modification]
    left: dict[str, str]

    def judge(self, entry: PlanEntry) -> str:
        key = entry.asset_key
        if key in self.creations:
            return self._as_creation(entry, self.creations[key])
        if key in self.modifications:
            return self._as_modification(entry, self.modifications[key])
        if key in self.left:
            return f"it is left alone now: {self.left[key]}"
        match = self.matched.get(key)
        if match is None:
            return "Lansweeper does not give the asset any more, or it is not among those of this run"
        return self._as_matched(entry, match.configuration)

    def _as_creation(self, entry: PlanEntry, creation: Creation) -> str:
        if entry.kind is not EntryKind.CREATE:
            return f"configuration {entry.configuration_id} is not matched any more; it would be created"
        now = creation_entry(creation, self.current.paths)
        if entry.digest and now.digest == entry.digest:
            return SAME if now.notes == entry.notes else WARNED
        return difference(entry, now)

    def _as_modification(self, entry: PlanEntry, modification: Modification) -> str:
        configuration = modification.configuration
        if entry.kind is EntryKind.CREATE or configuration.id != entry.configuration_id:
            return self._as_matched(entry, configuration)
        return same_changes(entry, modification_entry(modification), partial(self._holds, configuration))

    def _as_matched(self, entry: PlanEntry, configuration: ConfigurationRecord) -> str:
        if entry.kind is EntryKind.CREATE:
            linked = (configuration.asset_key or "").strip() == entry.asset_key.strip()
            return DONE if linked else f"it is matched to configuration {configuration.id} now"
        if configuration.id != entry.configuration_id:
            return f"it is matched to configuration {configuration.id} now, not {entry.configuration_id}"
        return done_or_given_up(entry, partial(self._holds, configuration))

    def _holds(self, configuration: ConfigurationRecord, change: FieldChange) -> bool:
        """Whether the configuration already has what the change wants."""
        position = self.mapping.position(change.field)
        if position is None:
            return False
        kind = self.mapping.fields[position].target.kind
        return same(kind, configuration.current[position], change.wanted)


def narrowed(plan: Plan, left: Mapping[str, str], *, batch_size: int, mode: WriteMode) -> Plan:
    """The plan without the assets of ``left`` (key -> why), which are skipped; its counts add up.

    Of the reference records only those are created that the rest refers to.
    """
    creations = [each for each in plan.creations if each.asset.key not in left]
    modifications = [each for each in plan.modifications if each.asset.key not in left]
    planned = [*(each.asset for each in plan.creations), *(each.asset for each in plan.modifications)]
    without = [Skipped(each, left[each.key]) for each in planned if each.key in left]
    changes = (change for each in modifications for change in each.all_changes)
    created = [each.values for each in creations]
    references = referred_names(plan.reference_creations, plan.paths, created, changes)
    options = PlanOptions(batch_size=batch_size, mode=mode, reads_done=plan.predicted.reads_done)
    counts = replace(
        plan.counts,
        created=len(creations),
        modified=len(modifications),
        skipped=plan.counts.skipped + len(without),
    )
    return replace(
        plan,
        counts=counts.check(),
        creations=creations,
        modifications=modifications,
        skipped=sorted([*plan.skipped, *without], key=lambda each: (each.name, each.asset_key)),
        reference_creations=references,
        predicted=options.prediction(references, len(creations), modifications),
    )
