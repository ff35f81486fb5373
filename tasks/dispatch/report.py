"""What a run tells: log lines, an artifact with links to both sides, its last state, an action's answer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import partial
from typing import Any

from prefect.artifacts import acreate_markdown_artifact

from connectors.errors import RejectedError, RetryableError
from tasks.dispatch.reconcile import Preview
from tasks.dispatch.run import DispatchRun
from tasks.rules.dispatch.result import (
    NOTEWORTHY,
    QUIET,
    DispatchResult,
    DispatchStatus,
    ReportLine,
    dispatch_markdown,
    preview_markdown,
)
from tasks.rules.isolation import convert_all_or, problem_words
from tasks.rules.report import failures_name
from tasks.shared.progress import run_logger
from tasks.shared.results import NAMED, finished_state

REPORT_KEY = "dispatch-report"
PREVIEW_KEY = "dispatch-preview"
_REFUSED = (DispatchStatus.REFUSED, DispatchStatus.UNRESOLVED, DispatchStatus.OUTSIDE)
_NO_RECORD = "Only work orders that dispatch has made come back."


def log_result(result: DispatchResult) -> None:
    """One line: a warning where a person should look, none where nothing happened."""
    if result.outbound:
        # Its warnings were logged when they came up.
        if result.status not in QUIET | {DispatchStatus.BUSY}:
            run_logger().info("%s", result)
    elif result.status in NOTEWORTHY - {DispatchStatus.UNCLEAR} or result.warnings:
        run_logger().warning("%s%s", result, "".join(f"; {each}" for each in result.warnings))
    elif result.status not in QUIET:
        run_logger().info("%s", result)


async def publish_results(
    run: DispatchRun,
    title: str,
    results: Sequence[DispatchResult],
    *,
    key: str = REPORT_KEY,
    counts: dict[str, int] | None = None,
    notes: Sequence[str] = (),
    dry_run: bool = False,
) -> None:
    """One artifact: counts, what a person should look at first, and each record or work order.

    Args:
        key: the artifact's.
        counts: come before the numbers of results by status.
        notes: sentences that come before the warnings of results.
    """
    ordered = sorted(results, key=_place)
    warnings = [f"{each.subject}: {text}" for each in ordered for text in each.warnings]
    found = Counter(each.status for each in results)
    statuses = {} if dry_run else {str(name): found[name] for name in DispatchStatus if found[name]}
    lines = convert_all_or(ordered, partial(_line, run), _unshown_line)
    text = dispatch_markdown(
        title, (counts or {}) | statuses, lines, notes=[*notes, *warnings], looked_at=dry_run
    )
    await acreate_markdown_artifact(text, key=key, description=title)


async def publish_previews(
    run: DispatchRun, title: str, previews: Sequence[Preview], *, counts: dict[str, int], notes: Sequence[str]
) -> None:
    """The report of a dry run over records."""
    lines = convert_all_or(previews, partial(_preview_line, run), _unshown_line)
    found = Counter(line.result for line in lines)
    text = dispatch_markdown(title, counts | dict(found), lines, notes=notes, looked_at=True)
    await acreate_markdown_artifact(text, key=REPORT_KEY, description=title)


async def publish_preview(run: DispatchRun, preview: Preview) -> None:
    """One record and the work order that it would become."""
    text = preview_markdown(
        _preview_line(run, preview),
        preview.body,
        preview.changes,
        refusal=preview.refusal,
        warnings=preview.warnings,
        rule_problems=preview.rule_problems,
    )
    description = f"What {preview.ref.reference} would become"
    await acreate_markdown_artifact(text, key=PREVIEW_KEY, description=description)


def sweep_state(data: Any, results: Sequence[DispatchResult], doubles: Sequence[str] = ()) -> Any:
    """``data``, or the state Failed with it: named by how many results failed and work orders are double."""
    failed = [str(each) for each in results if each.failed]
    words = [*failed[:NAMED], *doubles[:NAMED]]
    outcomes = Counter(str(each.status) for each in results)
    return finished_state(failures_name(len(failed) + len(doubles)), words, data, outcomes)


def single_state(result: DispatchResult) -> Any:
    """The result of a run about one record or work order, or the state Failed, named by its status."""
    failed = result.failed or (result.outbound and result.retryable)
    name = str(result.status)
    return finished_state(name.capitalize(), [str(result)] if failed else [], result, {name: 1})


def answer_of(run: DispatchRun, result: DispatchResult) -> dict[str, Any]:
    """Reference, result, work order, what was done, message, warnings, and both addresses.

    Raises:
        RejectedError: it was refused, its creation is unresolved, or there is no such record.
        RetryableError: another process works on it, or a vendor is away.
    """
    record, number = result.record, result.work_order_id
    if record is None:
        text = f"Work order {number} belongs to no record that is known"
        raise RejectedError(text, remedy=result.message or _NO_RECORD)
    text = str(result) if result.outbound else f"{record.reference}: {result.message or result.status}"
    if result.retryable:
        raise RetryableError(text, retry_after=result.retry_after)
    if result.status in _REFUSED:
        raise RejectedError(text)
    reference = {"reference": record.reference, "result": str(result.status)}
    outbound = {"status": result.work_order_status, "did": list(result.did)}
    # In the order of the columns that a person sees.
    first = {"work_order_id": number, **reference, **outbound} if result.outbound else reference
    return {
        **first,
        "work_order_id": number,
        "message": result.message,
        "warnings": list(result.warnings),
        "record_url": run.record_url(record),
        "work_order_url": run.work_order_url(number) if number else None,
    }


def _unshown_line(each: DispatchResult | Preview, error: Exception) -> ReportLine:
    reference = each.subject if isinstance(each, DispatchResult) else each.ref.reference
    return ReportLine(reference, "", "can't be shown", message=problem_words(error))


def _place(result: DispatchResult) -> tuple[bool, bool, int]:
    number = result.work_order_id if result.outbound or result.record is None else result.record.id
    return result.status not in NOTEWORTHY, result.quiet, number or 0


def _line(run: DispatchRun, result: DispatchResult) -> ReportLine:
    """A result with the addresses of both pages; a work order without a record leads to itself only."""
    number, record = result.work_order_id, result.record
    return ReportLine(
        record.reference if record else "none",
        run.record_url(record) if record else "",
        str(result.status),
        number,
        run.work_order_url(number) if number else None,
        "; ".join(each for each in (result.work_order_status, *result.did, result.message) if each),
    )


def _preview_line(run: DispatchRun, preview: Preview) -> ReportLine:
    """A preview with the addresses of both pages; a creation that would be refused says so."""
    number = preview.work_order_id
    return ReportLine(
        preview.ref.reference,
        run.record_url(preview.ref),
        f"would {preview.step}" if preview.step != "nothing" else "nothing to do",
        number,
        run.work_order_url(number) if number else None,
        preview.reason or preview.refusal,
    )
