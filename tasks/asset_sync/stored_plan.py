"""The stored plan of asset-synchronization: what is kept of it, and what is left of one that is applied."""

from __future__ import annotations

from connectors.ledger.models import PlanHead
from tasks.asset_sync.run import SyncRun
from tasks.rules.asset_sync.approval import approved_plan
from tasks.rules.asset_sync.drift import compared_with, narrowed
from tasks.rules.asset_sync.matching.result import MatchResult
from tasks.rules.asset_sync.plan import Plan
from tasks.rules.asset_sync.plan_entries import plan_entries
from tasks.rules.text import counted
from tasks.shared.stored_plans import PlanOwner, check_applicable, compare_stored, store_plan

STORED_FEATURE = "asset-synchronization"
"""Whose stored plans these are."""


async def keep_plan(run: SyncRun, plan: Plan) -> None:
    """Store the plan as ``run.plan_id``, unless the run applies one that is stored."""
    days = run.settings.plan_days
    await store_plan(run, _head(run, plan), plan_entries(plan), days=days)


async def check_stored(run: SyncRun) -> None:
    """PlanRefusedError: the plan to apply is not this company's, has expired, or was applied."""
    await check_applicable(run, _owner(run))


async def only_stored(run: SyncRun, plan: Plan, matched: MatchResult) -> tuple[Plan, list[str]]:
    """What of the plan the stored one has and is still decided so, and why all is refused, if it is.

    The plan itself where the run applies none. The run's notes have the numbers and what drifted.

    Raises:
        StopError: the stored entries can't be read whole.
    """
    if run.stored is None:
        return plan, []
    settings, comparison = run.settings, compared_with(plan, matched, run.mapping)
    refused = await compare_stored(run, run.stored, comparison, settings.drift)
    left = comparison.why_left(run.stored.id)
    plan = narrowed(plan, left, batch_size=settings.batch_size, mode=settings.write_mode)
    return _only_approved(run, plan), refused


def _only_approved(run: SyncRun, plan: Plan) -> Plan:
    """What of the plan a person approved; the plan itself where nobody was asked."""
    if run.approval is None:
        return plan
    batch_size, mode = run.settings.batch_size, run.settings.write_mode
    plan, run.withheld = approved_plan(plan, run.approval, batch_size=batch_size, mode=mode)
    run.notes += run.approval.words()
    if run.withheld:
        run.notes.append(
            f"{counted(len(run.withheld), 'configuration')} written without the fields that were left out."
        )
    return plan


def _owner(run: SyncRun) -> PlanOwner:
    return PlanOwner(STORED_FEATURE, run.tenant, run.company.id, run.company.identifier)


def _head(run: SyncRun, plan: Plan) -> PlanHead:
    details = {
        "company": run.company.name or run.company.identifier,
        "site": run.site,
        "references": plan.reference_creations,
        "requests": plan.predicted.total,
        "writes": plan.predicted.writes,
    }
    settings = run.settings.model_dump(mode="json")
    counts = plan.counts.as_dict()
    return _owner(run).head(run.run_id, settings, counts, details, checksum=plan.checksum)
