"""Stays with one record until it is done, where nobody comes back later: a run by hand."""

from __future__ import annotations

from functools import partial

from tasks.dispatch.dispatching import dispatch_record
from tasks.dispatch.judging import NO_WORD, Word
from tasks.dispatch.refusals import forget_refusals
from tasks.dispatch.run import DispatchRun, Outcome, Result
from tasks.rules.dispatch_reference import RecordKind
from tasks.synchronization.patience import patiently


async def dispatch_patiently(
    run: DispatchRun, kind: RecordKind, record_id: int, word: Word = NO_WORD
) -> Outcome:
    """As ``dispatch_record``; waits for vendors that ask for it and for another process, within its patience.

    A person asks for it, so what was refused before is sent once more.

    Raises:
        RetryableError: a vendor was away for too long.
    """
    waiting = run.settings.waiting
    left = waiting.patience_seconds
    await forget_refusals(run, kind, record_id)
    while True:
        outcome = await patiently(partial(dispatch_record, run, kind, record_id, word=word), waiting)
        passing = outcome.result is Result.BUSY or (
            outcome.result is Result.FAILED and outcome.retry_after is not None
        )
        pause = outcome.retry_after or waiting.busy_seconds
        left -= pause
        if not passing or left < 0:
            return outcome
        await run.sleep(pause)
