"""The stored plan of the enrichment: what is kept of a plan, and what is left of one that is applied."""

from __future__ import annotations

from connectors.ledger.models import PlanHead
from tasks.enrichment.read import asset_key_of
from tasks.enrichment.run import EnrichmentRun, Record
from tasks.rules.enrichment.drift import narrowed_texts, texts_compared_with
from tasks.rules.enrichment.plan import EnrichmentPlan
from tasks.rules.enrichment.plan_entries import text_plan_entries
from tasks.rules.enrichment.texts import AssetState
from tasks.shared.action import Inventory
from tasks.shared.stored_plans import PlanOwner, check_applicable, compare_stored, store_plan

TEXTS_FEATURE = "tickets-agreements-sla-sync"
"""Whose stored plans these are."""
CUSTOM_FIELD = "Lansweeper custom field"


def plan_owner(run: EnrichmentRun) -> PlanOwner:
    """Whose stored plans these are."""
    company = run.company
    return PlanOwner(TEXTS_FEATURE, run.tenant, company.id, company.identifier, run.site_tenant)


async def keep_text_plan(run: EnrichmentRun, plan: EnrichmentPlan) -> None:
    """Store the plan as ``run.plan_id``, unless the run applies one that is stored."""
    await store_plan(run, _head(run, plan), text_plan_entries(plan), days=run.settings.plan_days)


async def check_text_plan(run: EnrichmentRun) -> None:
    """PlanRefusedError: the plan to apply is not of this company and site, has expired, or was applied."""
    await check_applicable(run, plan_owner(run))


async def only_stored_texts(
    run: EnrichmentRun,
    plan: EnrichmentPlan,
    configurations: Inventory[Record],
    assets: Inventory[AssetState],
) -> tuple[EnrichmentPlan, list[str]]:
    """What of the plan the stored one has and is still decided so, and why all is refused, if it is.

    The plan itself where the run applies none. A custom field that was deleted since refuses the whole: the
    plan says nothing of making it. The run's notes have the numbers and what drifted.

    Raises:
        StopError: the stored entries can't be read whole.
    """
    if run.stored is None:
        return plan, []
    claims = {
        key: int(each["id"]) for each in configurations if (key := asset_key_of(each)) and run.is_about(key)
    }
    comparison = texts_compared_with(plan, assets, claims)
    refused = await compare_stored(run, run.stored, comparison, run.settings.drift)
    known = run.stored.head.details.get("references", {}).get(CUSTOM_FIELD, [])
    if gone := [name for name in run.fields_missing if name not in known]:
        refused.append(
            f"Lansweeper had the custom field {', '.join(gone)} when {run.stored.id} was made, and has it no "
            "more. Make a new plan."
        )
    return narrowed_texts(plan, comparison.why_left(run.stored.id)), refused


def _head(run: EnrichmentRun, plan: EnrichmentPlan) -> PlanHead:
    owner, forecast = plan_owner(run), run.forecast
    details = {
        "company": run.company.name or owner.company,
        "references": {CUSTOM_FIELD: run.fields_missing} if run.fields_missing else {},
        "requests": sum(forecast.requests.values()),
    }
    return owner.head(run.run_id, run.settings.model_dump(mode="json"), plan.counts.as_dict(), details)
