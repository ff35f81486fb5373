"""The plan of a run in the ledger: kept whole, under an id by which it is shown and applied.

A run that applies a stored plan reads everything anew, makes the plan anew, and writes of it only what the
stored plan has and is still decided so. It has the settings that made the stored plan.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, Self, TypeVar

from pydantic import Field, ValidationError

from connectors.errors import StopError
from connectors.ledger.models import PlanHead, StoredPlan
from connectors.ledger.store import Ledger
from tasks.rules.isolation import problem_words
from tasks.rules.stored_plans.drift import (
    DriftRule,
    PlanComparison,
    comparison_words,
    drift_lines,
    drift_refusal,
)
from tasks.rules.stored_plans.entries import PlanEntry, entry_of
from tasks.shared.next_run import keep_or_note
from tasks.shared.progress import run_logger

PLAN_TO_APPLY = Field(
    default="",
    max_length=60,
    title="Plan to apply",
    description="Id of a stored plan, or its beginning: only its records are written, each only if it is "
    "decided as it was. What shapes a plan is then taken from it.",
    examples=["plan-1a2b3c4d5e6f"],
)
DRIFT = Field(
    default=DriftRule.REFUSE,
    title="Drift",
    description="Where records of the plan changed since it was made: refuse writes nothing and names "
    "them, rest writes the others.",
)
PLAN_DAYS = Field(
    default=30,
    ge=1,
    le=3650,
    title="Days that plans are kept",
    description="So long the plan of this run can be shown whole, and applied by its id.",
)


class PlanRefusedError(RuntimeError):
    """The stored plan can't be applied, or not as it was shown; nothing was written."""


@dataclass(frozen=True, slots=True)
class PlanOwner:
    """Whose a stored plan is. ``company`` is the identifier in ConnectWise, ``tenant`` the company's tenant.

    ``site``: the key of the Lansweeper site that is written to; empty where none is.
    """

    feature: str
    tenant: str
    company_id: int
    company: str
    site: str = ""

    def head(
        self,
        run_id: str,
        settings: dict[str, Any],
        counts: dict[str, int],
        details: dict[str, Any],
        *,
        checksum: str = "",
    ) -> PlanHead:
        """The head of a plan to store; without a ``checksum`` the ledger takes that of the entries."""
        details = {"site": self.site, **details}
        owner = (self.feature, self.tenant, self.company_id, self.company)
        return PlanHead(*owner, run_id, checksum, settings, counts, details)


class PlanningRun(Protocol):
    """A run that keeps its plan as ``plan_id``, or applies the ``stored`` one."""

    ledger: Ledger
    run_id: str
    notes: list[str]
    plan_id: str
    stored: StoredPlan | None


class PlanSettings(Protocol):
    """Settings of a run that can apply a stored plan."""

    plan: str

    @classmethod
    def model_validate(cls, obj: Any) -> Self: ...

    def with_plan(self, stored: Self) -> Self: ...


S = TypeVar("S", bound=PlanSettings)


async def store_plan(run: PlanningRun, head: PlanHead, entries: Iterable[PlanEntry], *, days: int) -> None:
    """Store the plan as ``run.plan_id``, unless the run applies one that is stored.

    A ledger that can't costs the id and a note, and no run.
    """
    if run.stored is not None:
        return
    async with keep_or_note("The plan", run.notes):
        stored = await run.ledger.plans.keep(head, (each.as_dict() for each in entries), days=days)
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


async def settings_of_plan(settings: S, ledger: Ledger, feature: str) -> tuple[S, StoredPlan | None]:
    """The settings to run with, and the stored plan to apply; None where none is named.

    Raises:
        StopError: no such plan is stored.
        PlanRefusedError: another ``feature`` made it, or an older version with settings that this one does
            not have.
    """
    if not settings.plan.strip():
        return settings, None
    stored = await find_plan(ledger, settings.plan)
    check_feature(stored, feature)
    try:
        made_with = type(settings).model_validate(stored.head.settings)
    except ValidationError as error:
        raise PlanRefusedError(
            f"{stored.id} was made by another version of this program, with settings that this one does not "
            f"take: {problem_words(error)}. Make a new plan. Nothing was written."
        ) from error
    return settings.with_plan(made_with), stored


def check_feature(stored: StoredPlan, feature: str) -> None:
    """PlanRefusedError: the plan is of another flow."""
    if stored.head.feature != feature:
        raise PlanRefusedError(
            f"{stored.id} is a plan of {stored.head.feature}, not of {feature}: apply it with that flow. "
            "Nothing was written."
        )


async def check_applicable(run: PlanningRun, owner: PlanOwner) -> None:
    """See that the plan to apply is this company's, still kept, and not applied; to be called in the lease.

    Raises:
        PlanRefusedError: it is not.
    """
    if run.stored is None:
        return
    run.stored = stored = await find_plan(run.ledger, run.stored.id)
    run.plan_id, head = stored.id, stored.head
    check_feature(stored, owner.feature)
    why = ""
    if head.tenant != owner.tenant:
        why = f"is of another tenant ({head.tenant}), not of {owner.tenant}"
    elif head.company_id != owner.company_id:
        why = f"is of the company {head.company}, not of {owner.company}"
    elif owner.site and head.details.get("site") != owner.site:
        why = f"is of another Lansweeper site ({head.details.get('site')}), not of {owner.site}"
    elif stored.applied_at is not None:
        why = f"was applied already, by run {stored.applied_by} at {stored.applied_at:%Y-%m-%d %H:%M} UTC"
    elif stored.expires_at <= await run.ledger.now():
        why = f"expired at {stored.expires_at:%Y-%m-%d %H:%M} UTC"
    if why:
        raise PlanRefusedError(f"{stored.id} {why}. Make a new plan. Nothing was written.")


async def compare_stored(
    run: PlanningRun, stored: StoredPlan, comparison: PlanComparison, rule: DriftRule
) -> list[str]:
    """Hold the stored entries against the plan of now; why all is refused, if it is.

    The run's notes have the numbers and what drifted.

    Raises:
        StopError: the stored entries can't be read whole.
    """
    async for each in run.ledger.plans.entries(stored):
        comparison.take(entry_of(each))
    words = comparison_words(stored.id, comparison)
    run_logger().info("%s", words)
    refused = drift_refusal(stored.id, comparison, rule)
    run.notes.append(words)
    if not refused:
        run.notes += drift_lines(comparison.drifted)
    return refused


def refuse_drifted(refused: Sequence[str]) -> None:
    """PlanRefusedError with all that drifted, if the whole is refused for it."""
    if refused:
        raise PlanRefusedError(" ".join(refused) + " Nothing was written.")


async def note_begun(run: PlanningRun) -> None:
    """Note that the run begins to write its plan."""
    if run.plan_id:
        async with keep_or_note("That the plan is begun", run.notes):
            await run.ledger.plans.note_begun(run.plan_id, run.run_id)


async def note_applied(run: PlanningRun, *, failed: bool) -> None:
    """Note that the plan is written. One of which records failed can be applied again, for those."""
    if run.plan_id and not failed:
        async with keep_or_note("That the plan is applied", run.notes):
            await run.ledger.plans.note_applied(run.plan_id, run.run_id)
