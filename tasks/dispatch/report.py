"""Shows what became of records as artifacts of the run, with links to both sides.

Shows what came back from work orders as artifacts of the run, with links to both sides.

How a run of dispatch over several records ends.

Tells of single records in the log.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from prefect.artifacts import acreate_markdown_artifact

from tasks.dispatch.reconcile import Preview
from tasks.dispatch.run import Back, DispatchRun, Outcome, Result
from tasks.rules.dispatch.render import Line, dispatch_markdown, preview_markdown
from tasks.shared.progress import run_logger
from tasks.shared.results import NAMED, failures_name, finished_state

NOTEWORTHY = (Result.REPORTED, Result.REFUSED, Result.UNRESOLVED, Result.FAILED, Result.UNCLEAR)
"""Results that a person should see."""
FAILURES = (Result.REFUSED, Result.UNRESOLVED, Result.FAILED)
"""Results that end a run as failed, with everything else done."""


def say(outcome: Outcome) -> None:
    """One line: a warning where a person should look, none where nothing happened."""
    if (outcome.result in NOTEWORTHY and outcome.result is not Result.UNCLEAR) or outcome.warnings:
        run_logger().warning("%s%s", outcome, "".join(f"; {each}" for each in outcome.warnings))
    elif outcome.result not in (Result.OUTSIDE, Result.UNCHANGED):
        run_logger().info("%s", outcome)


REPORT_KEY = "dispatch-report"
PREVIEW_KEY = "dispatch-preview"


async def publish_outcomes(
    run: DispatchRun,
    title: str,
    outcomes: Sequence[Outcome],
    *,
    counts: dict[str, int] | None = None,
    notes: Sequence[str] = (),
) -> None:
    """The report of a real run."""
    lines = [outcome_line(run, each) for each in _in_order(outcomes)]
    warnings = [f"{each.reference}: {warning}" for each in outcomes for warning in each.warnings]
    text = dispatch_markdown(title, (counts or {}) | _counted(outcomes), lines, notes=[*notes, *warnings])
    await acreate_markdown_artifact(text, key=REPORT_KEY, description=title)


async def publish_previews(
    run: DispatchRun, title: str, previews: Sequence[Preview], *, counts: dict[str, int], notes: Sequence[str]
) -> None:
    """The report of a dry run."""
    lines = [preview_line(run, each) for each in previews]
    found = Counter(line.result for line in lines)
    text = dispatch_markdown(title, counts | dict(found), lines, notes=notes, looked_at=True)
    await acreate_markdown_artifact(text, key=REPORT_KEY, description=title)


async def publish_preview(run: DispatchRun, preview: Preview) -> None:
    """One record and the work order that it would become."""
    text = preview_markdown(
        preview_line(run, preview),
        preview.body,
        preview.changes,
        refusal=preview.refusal,
        warnings=preview.warnings,
    )
    description = f"What {preview.reference} would become"
    await acreate_markdown_artifact(text, key=PREVIEW_KEY, description=description)


def outcome_line(run: DispatchRun, outcome: Outcome) -> Line:
    """An outcome with the addresses of both pages."""
    number = outcome.work_order_id
    return Line(
        outcome.reference,
        run.record_url(outcome.kind, outcome.record_id),
        str(outcome.result),
        number,
        run.work_order_url(number) if number else None,
        outcome.message,
    )


def preview_line(run: DispatchRun, preview: Preview) -> Line:
    """A preview with the addresses of both pages; a creation that would be refused says so."""
    number = preview.work_order_id
    return Line(
        preview.reference,
        run.record_url(preview.kind, preview.record_id),
        f"would {preview.step}" if preview.step != "nothing" else "nothing to do",
        number,
        run.work_order_url(number) if number else None,
        preview.reason or preview.refusal,
    )


def _in_order(outcomes: Sequence[Outcome]) -> list[Outcome]:
    quiet = (Result.OUTSIDE, Result.UNCHANGED)
    return sorted(
        outcomes, key=lambda each: (each.result not in NOTEWORTHY, each.result in quiet, each.record_id)
    )


def _counted(outcomes: Sequence[Outcome]) -> dict[str, int]:
    found = Counter(str(each.result) for each in outcomes)
    return {name: found[name] for name in Result if found[name]}


QUIET = (Result.OUTSIDE, Result.UNCHANGED)
LOUD = (Result.REPORTED, Result.REFUSED, Result.FAILED, Result.UNCLEAR)


async def publish_backs(
    run: DispatchRun,
    key: str,
    title: str,
    backs: Sequence[Back],
    *,
    counts: dict[str, int] | None = None,
    notes: Sequence[str] = (),
    dry_run: bool = False,
) -> None:
    """One artifact: counts, what a person should look at, and each work order."""
    ordered = sorted(backs, key=lambda each: (each.result not in LOUD, not each.did, each.work_order_id))
    warnings = [f"Work order {each.work_order_id}: {text}" for each in ordered for text in each.warnings]
    found = Counter(str(each.result) for each in backs)
    results = {} if dry_run else {str(name): found[name] for name in Result if found[name]}
    text = dispatch_markdown(
        title,
        (counts or {}) | results,
        [back_line(run, each) for each in ordered],
        notes=[*notes, *warnings],
        looked_at=dry_run,
    )
    await acreate_markdown_artifact(text, key=key, description=title)


def back_line(run: DispatchRun, back: Back) -> Line:
    """A work order with the addresses of both pages; one without a record leads to itself only."""
    address = run.work_order_url(back.work_order_id)
    kind, number = back.kind, back.record_id
    reference, page = "none", ""
    if kind is not None and number is not None:
        reference, page = run.reference(kind, number), run.record_url(kind, number)
    return Line(
        reference,
        page,
        str(back.result),
        back.work_order_id,
        address,
        "; ".join(each for each in (back.status, *back.did, back.message) if each),
    )


def ended(data: Any, failed: Sequence[object], doubles: Sequence[str] = ()) -> Any:
    """``data`` as it is, or the state Failed with it, named by how many failures and double work orders."""
    name = failures_name(len(failed) + len(doubles))
    return finished_state(name, [*map(str, failed[:NAMED]), *doubles[:NAMED]], data)
