"""Shows what became of records as artifacts of the run, with links to both sides."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from prefect.artifacts import acreate_markdown_artifact

from tasks.dispatch.previewing import Preview
from tasks.dispatch.run import DispatchRun, Outcome, Result
from tasks.dispatch.saying import LOUD
from tasks.rules.dispatch_text import Line, dispatch_markdown, preview_markdown

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
    return sorted(outcomes, key=lambda each: (each.result not in LOUD, each.result in quiet, each.record_id))


def _counted(outcomes: Sequence[Outcome]) -> dict[str, int]:
    found = Counter(str(each.result) for each in outcomes)
    return {name: found[name] for name in Result if found[name]}
