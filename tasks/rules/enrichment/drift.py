"""What became of an entry of a stored plan by the enrichment's plan of now, and what is left of both."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import partial

from tasks.rules.enrichment.plan import AssetUpdate, EnrichmentPlan, SkippedConfiguration
from tasks.rules.enrichment.plan_entries import update_entry
from tasks.rules.enrichment.texts import AssetState, same_text
from tasks.rules.stored_plans.drift import PlanComparison, done_or_given_up, same_changes
from tasks.rules.stored_plans.entries import PlanEntry
from tasks.rules.values import FieldChange


def texts_compared_with(
    current: EnrichmentPlan, assets: Iterable[AssetState], claims: Mapping[str, int]
) -> PlanComparison:
    """Compares stored entries with the plan of now.

    ``assets``: all that were read. ``claims``: the configuration that claims an asset, by its key.
    """
    left = {each.asset.key: "several configurations claim it" for each in current.contested}
    left |= {each.configuration.asset_key or "": each.reason for each in current.skipped}
    judge = _TextJudge(
        {each.key: each for each in assets},
        claims,
        {each.asset.key: each for each in current.updates},
        left,
    )
    return PlanComparison(judge.judge, judge.updates.keys())


@dataclass(slots=True)
class _TextJudge:
    """Says what became of a stored entry, by what was read and planned now."""

    assets: Mapping[str, AssetState]
    claims: Mapping[str, int]
    updates: dict[str, AssetUpdate]
    left: Mapping[str, str]

    def judge(self, entry: PlanEntry) -> str:
        key = entry.asset_key
        asset = self.assets.get(key)
        if asset is None:
            return "Lansweeper does not give the asset any more"
        if key in self.left:
            return f"it is left alone now: {self.left[key]}"
        claimant = self.claims.get(key)
        if claimant is None:
            return "no configuration of the company claims it any more, or it is not among those of this run"
        if claimant != entry.configuration_id:
            return f"it is the asset of configuration {claimant} now, not {entry.configuration_id}"
        if key in self.updates:
            return same_changes(entry, update_entry(self.updates[key]), partial(_holds, asset))
        return done_or_given_up(entry, partial(_holds, asset))


def _holds(asset: AssetState, change: FieldChange) -> bool:
    """Whether the asset already has the text that the change wants."""
    return same_text(change.field, asset.values.get(change.field), change.wanted)


def narrowed_texts(plan: EnrichmentPlan, left: Mapping[str, str]) -> EnrichmentPlan:
    """The plan without the assets of ``left`` (key -> why), whose configurations are skipped."""
    without = [
        SkippedConfiguration(each.configuration, left[each.asset.key])
        for each in plan.updates
        if each.asset.key in left
    ]
    updates = [each for each in plan.updates if each.asset.key not in left]
    return replace(plan, updates=updates, skipped=[*plan.skipped, *without])
