"""The plan of a run in the ledger: kept whole, under an id by which it is shown and applied."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from connectors.errors import StopError
from connectors.ledger.models import PlanHead, StoredPlan
from connectors.ledger.store import Ledger
from tasks.asset_sync.run import SyncRun
from tasks.rules.asset_sync.plan import Plan
from tasks.rules.asset_sync.plan_entries import plan_entries
from tasks.shared.next_run import keep_or_note
from tasks.shared.progress import run_logger

STORED_FEATURE = "asset-synchronization"
"""Whose stored plans these are."""


async def keep_plan(run: SyncRun, plan: Plan) -> None:
    """Store the plan as ``run.plan_id``. A ledger that can't costs the id and a note, and no run."""
    async with keep_or_note("The plan", run.notes):
        stored = await run.ledger.plans.keep(_head(run, plan), _lines(plan), days=run.settings.plan_days)
        run.plan_id = stored.id
        run_logger().info("The plan is kept as %s until %s", stored.id, f"{stored.expires_at:%Y-%m-%d}")


async def find_plan(ledger: Ledger, typed: str) -> StoredPlan:
    """The stored plan of that id, or whose id begins so.

    Raises:
        StopError: the ledger keeps none, or several.
    """
    found = await ledger.plans.find(typed)
    if not found:
        raise StopError(
            f"The ledger keeps no plan {typed.strip()!r}: it was never made, or has expired",
            system="ledger",
            path=ledger.place,
            remedy="Copy the id from the plan, or make a new plan.",
        )
    if len(found) > 1:
        named = ", ".join(each.id for each in found)
        raise StopError(
            f"Several plans begin with {typed.strip()!r}: {named}, ...",
            system="ledger",
            remedy="Type more of the id.",
        )
    return found[0]


def _head(run: SyncRun, plan: Plan) -> PlanHead:
    return PlanHead(
        STORED_FEATURE,
        run.tenant,
        run.company.id,
        run.company.identifier,
        run.run_id,
        plan.checksum,
        run.settings.model_dump(mode="json"),
        plan.counts.as_dict(),
        {
            "company": run.company.name or run.company.identifier,
            "site": run.site,
            "references": plan.reference_creations,
            "requests": plan.predicted.total,
            "writes": plan.predicted.writes,
        },
    )


def _lines(plan: Plan) -> Iterator[dict[str, Any]]:
    return (each.as_dict() for each in plan_entries(plan))
