"""A person reviews a plan: the run pauses with a form in the Prefect UI, and goes on with what is approved.

A paused run holds no lease, no connection and no write: only its process, and with it a place at its worker.
Prefect is asked every few seconds whether somebody resumed it. A process that is killed meanwhile has written
nothing; the plan stays in the ledger, and can be applied by its id.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Protocol, Self, TypeVar

import anyio
from prefect.flow_runs import apause_flow_run
from prefect.input import RunInput
from pydantic import Field, create_model

from tasks.rules.isolation import bounded
from tasks.rules.modes import RunMode
from tasks.rules.stored_plans.approval import Approval, ReviewAnswer
from tasks.rules.stored_plans.entries import entry_of
from tasks.rules.stored_plans.summary import KindNumbers, PlanTally, show_command
from tasks.shared.connections import open_ledger, shared_connections
from tasks.shared.progress import run_logger
from tasks.shared.results import cancelled_state
from tasks.shared.stored_plans import PlanRefusedError, find_plan

DEFAULT_REVIEW_HOURS = 24.0
MOST_REVIEW_HOURS = 24.0 * 14
MOST_KINDS = 200
"""Kinds of change that the form offers to leave out: the most frequent fields come first."""
LOOK_SECONDS = 5
_LATER_SECONDS = 900
"""So much later than this run Prefect ends the pause, as failed: for a run whose process is gone."""


class ReviewEndedError(RuntimeError):
    """The review ended without an approval; nothing was written."""


class ReviewedSettings(Protocol):
    """Settings of a run whose plan can be reviewed."""

    review_hours: float

    def in_mode(self, mode: RunMode, plan: str | None = None) -> Self: ...


class ReviewedPlan(Protocol):
    """What a run that only plans returns: the id of its plan, and how many records that writes."""

    plan_id: str

    @property
    def planned(self) -> int: ...


S = TypeVar("S", bound=ReviewedSettings)
RunPart = Callable[[S, bool, Approval | None], Awaitable[Any]]
"""Runs a flow with settings; ``True``: a person is asked about its plan; what a person approved."""


async def run_with_review(settings: S, run: RunPart[S], *, ledger: str) -> Any:
    """Plan without writing, wait for a person, and apply what is approved, by the rule of stored plans.

    A plan without anything to write asks nobody. Returns what the last part returned.

    Raises:
        PlanRefusedError: the ledger could not keep the plan.
    """
    planned: Any = await run(settings.in_mode(RunMode.PLAN), True, None)
    if not planned.planned:
        run_logger().info("Nothing is to be written, so nobody is asked.")
        return planned
    if not planned.plan_id:
        raise PlanRefusedError("The ledger could not keep the plan for a review. Nothing was written.")
    try:
        approval = await ask(planned.plan_id, await kinds_of(planned.plan_id, ledger), settings.review_hours)
    except ReviewEndedError as error:
        return cancelled_state(error)
    return await run(settings.in_mode(RunMode.APPLY, planned.plan_id), False, approval)


async def kinds_of(plan_id: str, ledger: str) -> KindNumbers:
    """The kinds of change of a stored plan, numbered as its page numbers them."""
    tally = PlanTally()
    async with shared_connections(read_only=True, ledger=ledger), open_ledger() as database:
        async for each in database.plans.entries(await find_plan(database, plan_id)):
            tally.entry(entry_of(each))
    return KindNumbers(tally)


async def ask(plan_id: str, numbers: KindNumbers, hours: float) -> Approval:
    """Pause until a person answers.

    Raises:
        ReviewEndedError: the answer was to cancel, or nobody answered in time.
    """
    form, kinds = review_form(plan_id, numbers, hours)
    seconds = hours * 3600
    run_logger().warning("%s waits for a person for %g hours: resume this run", plan_id, hours)
    answer: Any = None
    with anyio.move_on_after(seconds):
        answer = await apause_flow_run(
            form, timeout=int(seconds) + _LATER_SECONDS, poll_interval=LOOK_SECONDS, key="review"
        )
    if answer is None:
        raise ReviewEndedError(
            f"Nobody reviewed {plan_id} within {hours:g} hours. Nothing was written; the plan can still be "
            "applied by its id."
        )
    if answer.answer == ReviewAnswer.CANCEL:
        raise ReviewEndedError(f"{plan_id} was turned down in the review. Nothing was written.")
    return Approval(ReviewAnswer(answer.answer), numbers, frozenset(kinds[each] for each in answer.leave_out))


def review_form(plan_id: str, numbers: KindNumbers, hours: float) -> tuple[type[RunInput], Mapping[str, int]]:
    """The form of the resume dialog, and the number of each kind of change that it offers."""
    offered = range(1, min(len(numbers.lines), MOST_KINDS) + 1)
    kinds = {bounded(f"{number}. {numbers.words(number)}", 200): number for number in offered}
    answers: dict[str, Any] = {"enum": [each.value for each in ReviewAnswer]}
    left_out: dict[str, Any] = {"items": {"type": "string", "enum": list(kinds)}, "uniqueItems": True}
    made = create_model(
        "PlanReview",
        __base__=RunInput,
        answer=(
            str,
            Field(title="Answer", description="What of the plan is written.", json_schema_extra=answers),
        ),
        leave_out=(
            list[str],
            Field(
                default=[],
                title="Kinds of change to leave out",
                description="Numbered as in the plan; the other changes of a record are written.",
                json_schema_extra=left_out,
            ),
        ),
    )
    description = (
        f"{plan_id} is under Artifacts; every record: `{show_command(plan_id)}`. Nothing is written before "
        f"you answer. Both sides are read again then. The run ends by itself after {hours:g} hours."
    )
    return made.with_initial_data(description=description), kinds
