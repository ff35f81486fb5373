"""Shows what came back from work orders as artifacts of the run, with links to both sides."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from prefect.artifacts import acreate_markdown_artifact

from tasks.dispatch.back import Back
from tasks.dispatch.run import DispatchRun, Result
from tasks.rules.dispatch_text import Line, dispatch_markdown

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
