"""Plans of undo-run in the ledger: each is kept whole, and applied by its id step by step."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from connectors.ledger.models import StoredPlan
from connectors.ledger.store import Ledger
from tasks.rules.forecast import Forecast
from tasks.rules.stored_plans.drift import DriftRule
from tasks.rules.undo import UndoPlan
from tasks.rules.undo_entries import undo_compared_with, undo_entries
from tasks.shared.connections import current_run_id
from tasks.shared.stored_plans import (
    PlanOwner,
    PlanRefusedError,
    check_applicable,
    check_feature,
    compare_stored,
    find_plan,
    store_plan,
)

UNDO_FEATURE = "undo-run"
"""Whose stored plans these are."""


class Undo(Protocol):
    """The undo of one run, of whatever feature."""

    @property
    def plan(self) -> UndoPlan: ...

    async def owner(self) -> PlanOwner: ...

    def leave(self, left: Mapping[str, str]) -> None: ...


@dataclass(slots=True)
class UndoRun:
    """One run of undo-run: which run it undoes (``undone``), through which connections, and its plan."""

    ledger: Ledger
    undone: str
    connections: dict[str, str]
    drift: DriftRule
    days: int
    stored: StoredPlan | None = None
    plan_id: str = ""
    notes: list[str] = field(default_factory=list)
    run_id: str = field(default_factory=current_run_id)

    def settings(self) -> dict[str, Any]:
        """What a run that applies the plan needs."""
        return {"run_id": self.undone, **self.connections}


async def find_undo_plan(ledger: Ledger, run_id: str, typed: str) -> tuple[str, StoredPlan | None]:
    """The run to undo, and the stored plan to apply; None where none is named.

    Raises:
        StopError: no such plan is stored.
        PlanRefusedError: it undoes another run, or is a plan of another flow.
        ValueError: neither a run nor a plan is named.
    """
    if not typed.strip():
        if not run_id.strip():
            raise ValueError("Give the id of the run to undo, or of a stored plan that undoes one.")
        return run_id.strip(), None
    stored = await find_plan(ledger, typed)
    check_feature(stored, UNDO_FEATURE)
    undone = str(stored.head.settings["run_id"])
    if run_id.strip() not in ("", undone):
        raise PlanRefusedError(f"{stored.id} undoes run {undone}, not {run_id.strip()}. Nothing was written.")
    return undone, stored


async def only_stored_steps(run: UndoRun, undo: Undo) -> list[str]:
    """Leave of the undo's plan only what the stored one has; why all is refused, if it is.

    Nothing where the run applies none. The run's notes have the numbers and what drifted.

    Raises:
        PlanRefusedError: the stored plan is another company's, has expired, or was applied.
        StopError: the stored entries can't be read whole.
    """
    if run.stored is None:
        return []
    await check_applicable(run, await undo.owner())
    comparison = undo_compared_with(undo.plan)
    refused = await compare_stored(run, run.stored, comparison, run.drift)
    undo.leave(comparison.why_left(run.stored.id))
    return refused


async def keep_undo_plan(run: UndoRun, undo: Undo, forecast: Forecast) -> None:
    """Store the plan as ``run.plan_id``, unless the run applies one that is stored."""
    if run.stored is not None:
        return
    owner, plan = await undo.owner(), undo.plan
    details = {"company": owner.company, "requests": sum(forecast.requests.values())}
    head = owner.head(run.run_id, run.settings(), plan.counts(), details)
    await store_plan(run, head, undo_entries(plan), days=run.days)
