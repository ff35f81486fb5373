"""Finds out what an unanswered creation made: looks several times, with growing pauses, then gives up."""

from __future__ import annotations

from datetime import timedelta

from tasks.dispatch.creating import adopt, create, wanted_work_order
from tasks.dispatch.intents import Held, hold_again, release
from tasks.dispatch.outcomes import Told
from tasks.dispatch.related import Source, with_related
from tasks.dispatch.run import DispatchRun, Outcome, Result
from tasks.rules.dispatch_decision import may_create_again, next_look
from tasks.rules.dispatch_triggers import Seen

SECOND_LOOK = 2.0
"""Seconds from the last look to one more: one alone, by whoever takes over late, proves too little."""


async def settle(
    run: DispatchRun, held: Held, source: Source, seen: Seen, *, wanted: bool, again: bool = False
) -> Outcome:
    """Adopts what is found; else says when to look again, leaves it unresolved, or makes it once more.

    Args:
        wanted: the record still wants a work order.
        again: a person has seen that nothing was made, so the long pause is not waited for.
    """
    told = Told(run, source.kind, source.record_id)
    related = await with_related(run, source) if wanted else source
    body = wanted_work_order(run, related) if wanted else None
    adopted = await adopt(run, held, source, seen, body)
    if adopted is not None:
        return adopted
    waiting = run.settings.waiting
    pause = next_look(await _age(run, held), waiting.settle_seconds, waiting.pause_seconds)
    if pause is not None:
        await release(run, held)
        return told.outcome(Result.UNCLEAR, message="not found yet", retry_after=pause)
    await run.sleep(min(waiting.pause_seconds, SECOND_LOOK))
    taken = await hold_again(run, held)
    if taken is None:
        return told.busy()
    adopted = await adopt(run, taken, source, seen, body)
    return adopted or await _nothing_found(run, taken, related, seen, wanted=wanted, again=again)


async def _nothing_found(
    run: DispatchRun, held: Held, source: Source, seen: Seen, *, wanted: bool, again: bool
) -> Outcome:
    """Unresolved, and made once more where that is due."""
    intent, told = held.intent, Told(run, source.kind, source.record_id)
    unanswered = await _unanswered(run, held)
    age = timedelta(seconds=await _age(run, held))
    once_more = may_create_again(
        unanswered,
        age,
        timedelta(seconds=run.settings.waiting.unresolved_seconds),
        most=run.settings.waiting.unanswered_creations,
        wanted=wanted,
        by_hand=again,
    )
    message = (
        f"Its creation was not answered and nothing was found {age.total_seconds():.0f} s later. Look in "
        f"Field Nation for {intent.reference}; if there is none, run Work Order Creation with Again."
    )
    await run.ledger.intents.unresolved(intent.id, held.holder, message)
    if not once_more:
        return told.outcome(Result.UNRESOLVED, message=message)
    taken = await hold_again(run, held)
    return told.busy() if taken is None else await create(run, taken, source, seen, look_first=False)


async def _unanswered(run: DispatchRun, held: Held) -> int:
    """How many creations of this intent were never answered and found; those refused do not count."""
    name = f"dispatch-unanswered-{held.intent.id}"
    known = await run.ledger.watermark(run.tenant, name) or {}
    count = int(known.get("count") or 0)
    if held.intent.state == "sent":
        count += 1
        await run.ledger.set_watermark(run.tenant, name, {"count": count})
    return count


async def _age(run: DispatchRun, held: Held) -> float:
    """Seconds since the creation was sent, by the ledger's clock, which wrote it."""
    sent = held.intent.sent_at
    return max(0.0, (await run.ledger.now() - sent).total_seconds()) if sent else float("inf")
