"""Matches both sides and makes the plan; the decisions themselves are in ``tasks.rules``."""

from __future__ import annotations

from collections.abc import Mapping

from tasks.actions import action
from tasks.inventory import Inventory
from tasks.progress import run_logger
from tasks.rules.matches import MatchOptions, MatchResult
from tasks.rules.matching import match
from tasks.rules.plan import Plan
from tasks.rules.planning import PlanOptions, build_plan, compare_matched
from tasks.rules.records import AssetRecord, ConfigurationRecord
from tasks.rules.references import ReferencePlan
from tasks.synchronization.run import SyncRun


class Matched:
    """The outcome of matching; ``any_linked``: whether any configuration has an asset key already."""

    def __init__(self, result: MatchResult, any_linked: bool) -> None:
        self.result = result
        self.any_linked = any_linked


@action("Match Configurations", key="matchConfigurationsAction")
async def match_inventories(
    run: SyncRun, assets: Inventory[AssetRecord], configurations: Inventory[ConfigurationRecord]
) -> Matched:
    """Link each asset to at most one configuration and each configuration to at most one asset.

    Whether an asset is gone can only be told from the whole site, so never from a filtered or cut read.
    """
    options = MatchOptions(case_sensitive=run.settings.case_sensitive_match, complete=run.whole_site)
    result = match(assets, configurations, options)
    run_logger().info(
        "%d assets matched, %d unmatched, %d ambiguous; %d configurations orphaned",
        len(result.matched),
        len(result.unmatched),
        len(result.ambiguous),
        len(result.orphaned),
    )
    return Matched(result, any(each.asset_key for each in configurations))


def make_plan(run: SyncRun, matched: Matched, references: Mapping[str, ReferencePlan]) -> Plan:
    """The plan of the run, with the requests that it will cost."""
    options = PlanOptions(
        batch_size=run.settings.batch_size,
        mode=run.settings.write_mode,
        reactivate=run.settings.reactivate,
        reads_done=run.client.session.requests,
    )
    compared = compare_matched(matched.result.matched, run.mapping)
    plan = build_plan(matched.result, compared, run.mapping, references, options)
    run_logger().info(
        "Plan: %s; %d requests predicted, %d of them writes",
        ", ".join(f"{name} {count}" for name, count in plan.counts.as_dict().items()),
        plan.predicted.total,
        plan.predicted.writes,
    )
    return plan
