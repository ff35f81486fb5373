"""Finds out what an unanswered creation made: looks several times, with growing pauses, then gives up."""

from __future__ import annotations

from datetime import timedelta

from tasks.dispatch.creating import adopt, create, wanted_work_order
from tasks.dispatch.intents import Held, hold_again, release
from tasks.dispatch.outcomes import Told
from tasks.dispatch.related import Source, with_related
from tasks.dispatch.run import DispatchRun, Outcome, Result
from tasks.progress import run_logger
from tasks.rules.dispatch_decision import may_create_again, next_look
from tasks.rules.dispatch_triggers import Seen


async def settle(
    run: DispatchRun, held: Held, source: Source, seen: Seen, *, wait: bool, by_hand: bool = False
) -> Outcome:
    """Adopts what is found; else leaves the creation unresolved, or makes it once more when that is due.

    Args:
        wait: stay until it is settled; otherwise one look, and the outcome says when to come back.
        by_hand: a person has seen that nothing was made, so the long pause is not waited for.
    """
    told = Told(run, source.kind, source.record_id)
    wanted_now = seen.inside and source.record is not None
    related = await with_related(run, source) if wanted_now else source
    wanted = wanted_work_order(run, related) if wanted_now else None
    late = False
    while True:
        adopted = await adopt(run, held, source, seen, wanted)
        if adopted is not None:
            return adopted
        pause = _pause(run, held)
        if pause is None and late:
            break
        if pause is None:
            # Whoever sent it may have looked just now or never: one look alone proves too little.
            late, pause = True, min(run.settings.waiting.pause_seconds, 2.0)
        elif not wait:
            await release(run, held)
            return told.outcome(Result.UNCLEAR, message="not found yet", retry_after=pause)
        run_logger().info("%s: not found yet, looking again in %.0f s", held.intent.reference, pause)
        await run.sleep(pause)
        again = await hold_again(run, held)
        if again is None:
            return told.outcome(
                Result.BUSY,
                message="another process took over",
                retry_after=run.settings.waiting.busy_seconds,
            )
        held = again
    return await _nothing_found(run, held, related, seen, by_hand=by_hand)


async def _nothing_found(
    run: DispatchRun, held: Held, source: Source, seen: Seen, *, by_hand: bool
) -> Outcome:
    intent, waiting = held.intent, run.settings.waiting
    age = timedelta(seconds=_age(run, held))
    again = may_create_again(
        intent.attempts,
        age,
        timedelta(seconds=waiting.unresolved_seconds),
        wanted=seen.inside and source.record is not None,
        by_hand=by_hand,
    )
    message = (
        f"Its creation was not answered and nothing was found {age.total_seconds():.0f} s later. Look in "
        f"Field Nation for {intent.reference}; if there is none, run Work Order Creation with Again."
    )
    await run.ledger.intents.unresolved(intent.id, held.holder, message)
    told = Told(run, source.kind, source.record_id)
    if not again:
        return told.outcome(Result.UNRESOLVED, message=message)
    held_again = await hold_again(run, held)
    if held_again is None:
        return told.outcome(Result.BUSY, retry_after=waiting.busy_seconds)
    return await create(run, held_again, source, seen, look_first=False)


def _pause(run: DispatchRun, held: Held) -> float | None:
    waiting = run.settings.waiting
    return next_look(_age(run, held), waiting.settle_seconds, waiting.pause_seconds)


def _age(run: DispatchRun, held: Held) -> float:
    """Seconds since the creation was sent."""
    sent = held.intent.sent_at
    return max(0.0, (run.now() - sent).total_seconds()) if sent else float("inf")
