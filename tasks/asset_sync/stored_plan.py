"""The plan of a run in the ledger: kept whole, under an id by which it is shown and applied.

A run that applies a stored plan reads everything anew, makes the plan anew, and writes of it only what the
stored plan has and is still decided so. It has the settings that made the stored plan.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pydantic import ValidationError

from connectors.errors import StopError
from connectors.ledger.models import PlanHead, StoredPlan
from connectors.ledger.store import Ledger
from tasks.asset_sync.run import SyncRun
from tasks.asset_sync.settings import AssetSynchronizationSettings
from tasks.rules.asset_sync.drift import (
    PlanComparison,
    comparison_words,
    drift_lines,
    drift_refusal,
    narrowed,
)
from tasks.rules.asset_sync.matching.result import MatchResult
from tasks.rules.asset_sync.plan import Plan
from tasks.rules.asset_sync.plan_entries import entry_of, plan_entries
from tasks.rules.isolation import problem_words
from tasks.shared.next_run import keep_or_note
from tasks.shared.progress import run_logger

STORED_FEATURE = "asset-synchronization"
"""Whose stored plans these are."""


class PlanRefusedError(RuntimeError):
    """The stored plan can't be applied, or not as it was shown; nothing was written."""


async def keep_plan(run: SyncRun, plan: Plan) -> None:
    """Store the plan as ``run.plan_id``, unless the run applies one that is stored.

    A ledger that can't costs the id and a note, and no run.
    """
    if run.stored is not None:
        return
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


async def settings_of_plan(
    settings: AssetSynchronizationSettings, ledger: Ledger
) -> tuple[AssetSynchronizationSettings, StoredPlan | None]:
    """The settings to run with, and the stored plan to apply; None where none is named.

    Raises:
        StopError: no such plan is stored.
        PlanRefusedError: an older version made it, with settings that this one does not have.
    """
    if not settings.plan.strip():
        return settings, None
    stored = await find_plan(ledger, settings.plan)
    try:
        made_with = AssetSynchronizationSettings.model_validate(stored.head.settings)
    except ValidationError as error:
        raise PlanRefusedError(
            f"{stored.id} was made by another version of this program, with settings that this one does not "
            f"take: {problem_words(error)}. Make a new plan. Nothing was written."
        ) from error
    return settings.with_plan(made_with), stored


async def check_stored(run: SyncRun) -> None:
    """See that the plan to apply is this company's, still kept, and not applied; to be called in the lease.

    Raises:
        PlanRefusedError: it is not.
    """
    if run.stored is None:
        return
    run.stored = stored = await find_plan(run.ledger, run.stored.id)
    run.plan_id, head = stored.id, stored.head
    why = ""
    if head.tenant != run.tenant or head.feature != STORED_FEATURE:
        why = f"is of another tenant ({head.tenant}), not of {run.tenant}"
    elif head.company_id != run.company.id:
        why = f"is of the company {head.company}, not of {run.company.identifier}"
    elif stored.applied_at is not None:
        why = f"was applied already, by run {stored.applied_by} at {stored.applied_at:%Y-%m-%d %H:%M} UTC"
    elif stored.expires_at <= await run.ledger.now():
        why = f"expired at {stored.expires_at:%Y-%m-%d %H:%M} UTC"
    if why:
        raise PlanRefusedError(f"{stored.id} {why}. Make a new plan. Nothing was written.")


async def only_stored(run: SyncRun, plan: Plan, matched: MatchResult) -> tuple[Plan, list[str]]:
    """What of the plan the stored one has and is still decided so, and why all is refused, if it is.

    The plan itself where the run applies none. The run's notes have the numbers and what drifted.

    Raises:
        StopError: the stored entries can't be read whole.
    """
    if run.stored is None:
        return plan, []
    comparison = PlanComparison.start(plan, matched, run.mapping)
    async for each in run.ledger.plans.entries(run.stored):
        comparison.take(entry_of(each))
    words, settings = comparison_words(run.stored.id, comparison), run.settings
    run_logger().info("%s", words)
    refused = drift_refusal(run.stored.id, comparison, settings.drift)
    run.notes.append(words)
    if not refused:
        run.notes += drift_lines(comparison.drifted)
    left = comparison.why_left(run.stored.id)
    return narrowed(plan, left, batch_size=settings.batch_size, mode=settings.write_mode), refused


async def note_begun(run: SyncRun) -> None:
    """Note that the run begins to write its plan."""
    if run.plan_id:
        async with keep_or_note("That the plan is begun", run.notes):
            await run.ledger.plans.note_begun(run.plan_id, run.run_id)


async def note_applied(run: SyncRun, *, failed: bool) -> None:
    """Note that the plan is written. One of which records failed can be applied again, for those."""
    if run.plan_id and not failed:
        async with keep_or_note("That the plan is applied", run.notes):
            await run.ledger.plans.note_applied(run.plan_id, run.run_id)


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
