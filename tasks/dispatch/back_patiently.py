"""Stays with one work order until it is settled, where nobody comes back later: a run by hand."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from tasks.dispatch.back import Back
from tasks.dispatch.run import DispatchRun
from tasks.synchronization.patience import patiently


async def back_patiently(run: DispatchRun, step: Callable[[], Awaitable[Back]]) -> Back:
    """Does a step again while it is to be tried again soon, within the patience that is set.

    What was done in earlier tries is told with the last one.

    Raises:
        RetryableError: a vendor was away for too long.
    """
    waiting = run.settings.waiting
    left = waiting.patience_seconds
    did: dict[str, None] = {}
    while True:
        back = await patiently(step, waiting)
        did |= dict.fromkeys(back.did)
        pause = max(back.retry_after or waiting.busy_seconds, waiting.pause_seconds)
        left -= pause
        if not back.again or left < 0:
            return back.including(tuple(did))
        await run.sleep(pause)
