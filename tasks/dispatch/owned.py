"""Works on one work order for the record that it belongs to, one process at a time."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace

from tasks.dispatch.back import Back
from tasks.dispatch.effects import alone
from tasks.dispatch.owners import Owner
from tasks.dispatch.run import DispatchRun, Result


async def for_owner(
    run: DispatchRun,
    work_order_id: int,
    owner: Owner,
    what: str,
    work: Callable[[Back], Awaitable[Back]],
) -> Back:
    """What became of ``work``; nothing is done if the record has another work order by now, or while
    another process does ``what`` for this one.
    """
    back = Back(work_order_id, Result.UNCHANGED, owner.kind, owner.record_id)
    if owner.newer is not None:
        message = f"its record has work order {owner.newer} by now"
        return replace(back, result=Result.OUTSIDE, message=message)
    found = await alone(run, work_order_id, what, lambda: work(back))
    if found is not None:
        return found
    busy = run.settings.waiting.busy_seconds
    return replace(back, result=Result.BUSY, message="another process has it", retry_after=busy)
