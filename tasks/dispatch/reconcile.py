"""One record: fetch it, decide, and do what was decided. The heart of every dispatch flow.

What would become of one record now, without writing anything, to the ledger neither.

Stays with one record until it is done, where nobody comes back later: a run by hand.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

from connectors.ledger.claims import ClaimLostError
from connectors.ledger.models import Intent
from connectors.ledger.outbox import WORK_ORDER
from tasks.dispatch.create import create, number_on, settle, wanted_work_order
from tasks.dispatch.records import Source, read_source, read_work_order, standing_of, with_related
from tasks.dispatch.run import DispatchRun, Outcome, Record, Result, Told
from tasks.dispatch.state import (
    NO_WORD,
    Held,
    Word,
    cancels_on_leave,
    forget_refusals,
    hold,
    is_older_than_ledger,
    is_wanted,
    record_side,
    release,
    remember,
    seen_now,
    state_of,
)
from tasks.dispatch.update import cancel, update
from tasks.rules.dispatch.decision import Decision, Standing, Step, changed_sections, decide
from tasks.rules.dispatch.reference import RecordKind
from tasks.rules.dispatch.triggers import CANCELLING, RULES, Change, Seen, memory_of, triggers_mark
from tasks.shared.progress import run_logger
from tasks.shared.retry import retry_result


async def dispatch_record(
    run: DispatchRun,
    kind: RecordKind,
    record_id: int,
    *,
    record: Record | None = None,
    wait: bool = True,
    word: Word = NO_WORD,
) -> Outcome:
    """Create, update or leave alone the work order of one record; at most one living one comes of it.

    Args:
        record: the whole record if the caller has just read it.
        wait: stay until an unanswered creation is settled, which can take a minute; otherwise the outcome
            is UNCLEAR and the caller comes back.
        word: what a person asks for beyond the rules.

    Raises:
        RetryableError: a vendor is away; nothing is lost by trying the record again later.
        StopError: a person must act: credentials, rights, the ledger.
    """
    told = Told(run, kind, record_id)
    while True:
        try:
            outcome = await _dispatch(run, told, record, word=word)
        except ClaimLostError:
            return told.busy()
        if not wait or outcome.result is not Result.UNCLEAR:
            return outcome
        pause = outcome.retry_after or run.settings.waiting.pause_seconds
        run_logger().info("%s: looking again in %.0f s", told.reference, pause)
        await run.sleep(pause)
        record = None


async def _dispatch(run: DispatchRun, told: Told, record: Record | None, *, word: Word) -> Outcome:
    kind, number = told.kind, told.record_id
    known = await run.ledger.intents.newest(run.tenant, kind.value, number)
    source = None
    if known is None:
        source = await read_source(run, kind, number, record)
        if source.record is None:
            return told.outcome(Result.OUTSIDE, message="ConnectWise has no such record")
        if not (word.outside or seen_now(run, source, None)[1].inside):
            return told.outcome(Result.OUTSIDE)
    held = await hold(run, kind, number)
    if held is None:
        return told.busy()
    try:
        if source is None or _moved_on(held.intent):
            # Only what is read while the record is ours is sure to be newer than what was sent before.
            source = await read_source(run, kind, number)
        return await _with_record(run, held, source, word=word)
    except Exception:
        await release(run, held)
        raise


async def _with_record(run: DispatchRun, held: Held, source: Source, *, word: Word) -> Outcome:
    change, seen = seen_now(run, source, held.memory if held.link else None)
    state = state_of(run, held.memory, source, change, seen, word)
    leaving = cancels_on_leave(run, source.kind, held.memory)
    decision = decide(state, Standing(held.intent.state), cancel_on_leave=leaving)
    if decision.step is Step.LOOK:
        status, assigned = standing_of(await read_work_order(run, held.work_order_id or 0))
        decision = decide(state, Standing(held.intent.state, status, assigned), cancel_on_leave=leaving)
    more = {**held.memory.more, RULES: triggers_mark(run.settings.triggers, source.kind)}
    more.pop(CANCELLING, None)
    now_known = held.memory.but(seen=seen, closed=state.closed or source.record is None, more=more)
    if decision.step is Step.CANCEL:
        # Remembered afterwards: who takes over after a kill must see that it left, too.
        cancelling = held.memory.but(more={**held.memory.more, CANCELLING: True})
        held = await remember(run, held, cancelling)
        outcome = await cancel(run, held, source, decision.reason)
        await remember(run, held, now_known)
        return outcome
    if decision.step is Step.UPDATE:
        # Remembered afterwards too: what could not be sent must not count as known.
        return await update(run, held, source, now_known)
    if held.link is not None and change is not Change.STALE and decision.step is not Step.NEW_GENERATION:
        held = await remember(run, held, now_known)
    return await _do(run, held, source, seen, decision, word=word)


async def _do(
    run: DispatchRun, held: Held, source: Source, seen: Seen, decision: Decision, *, word: Word
) -> Outcome:
    if decision.step is Step.SETTLE:
        return await settle(run, held, source, seen, wanted=is_wanted(source, seen, word), again=word.again)
    if decision.step is Step.CREATE:
        return await _create(run, held, source, seen)
    if decision.step is Step.NEW_GENERATION:
        return await _next_generation(run, held, source, seen)
    if held.intent.state in ("intent", "refused"):
        # Nothing was made, and none is wanted any more: no sweep has to look at it again.
        await run.ledger.intents.cancel(held.intent.id, "the record wants no work order any more")
    await release(run, held)
    quiet = Result.UNCHANGED if held.work_order_id else Result.OUTSIDE
    result = Result.REPORTED if decision.step is Step.REPORT else quiet
    told = Told(run, source.kind, source.record_id)
    return told.outcome(result, held.work_order_id, message=decision.reason)


async def _create(run: DispatchRun, held: Held, source: Source, seen: Seen) -> Outcome:
    """Looked for first where a work order may be there that the ledger does not know: of a record that is
    older than what it knows, or bears a number, or whose earlier work order a person may have copied.
    """
    intent = held.intent
    known = intent.generation == 1 and number_on(run, source.record) is None
    look_first = intent.attempts == 0 and (not known or await is_older_than_ledger(run, source))
    return await create(run, held, await with_related(run, source), seen, look_first=look_first)


async def _next_generation(run: DispatchRun, held: Held, source: Source, seen: Seen) -> Outcome:
    """The old work order is over: its intent is closed, and the next one begun."""
    if held.intent.state != "cancelled":
        await run.ledger.intents.cancel(held.intent.id, "its work order is over")
    again = await hold(run, source.kind, source.record_id, new_generation=True)
    if again is None:
        return Told(run, source.kind, source.record_id).busy()
    if again.intent.attempts:
        # Another process began this generation after we had decided.
        await release(run, again)
        return Told(run, source.kind, source.record_id).busy()
    return await _create(run, again, source, seen)


def _moved_on(intent: Intent) -> bool:
    """Another process was here between our look at the ledger and the claim."""
    return intent.state != "intent" or intent.attempts > 0


@dataclass(frozen=True, slots=True)
class Preview:
    """The step that would be taken, and the work order that the record would become.

    Attributes:
        inside: the record is in a trigger now.
        changes: what an update would send; empty for other steps.
        refusal: why it would be refused before anything is sent: all fields that are missing.
        warnings: values that do not fit and would be left out.
    """

    kind: RecordKind
    record_id: int
    reference: str
    step: Step
    inside: bool
    work_order_id: int | None = None
    reason: str = ""
    body: dict[str, Any] | None = None
    changes: dict[str, Any] | None = None
    refusal: str = ""
    warnings: tuple[str, ...] = ()


async def preview_record(
    run: DispatchRun, kind: RecordKind, record_id: int, *, record: Record | None = None, word: Word = NO_WORD
) -> Preview:
    """Reads the record with what its mapping needs, and its work order where the decision depends on it."""
    reference = run.reference(kind, record_id)
    source = await read_source(run, kind, record_id, record)
    intent = await run.ledger.intents.newest(run.tenant, kind.value, record_id)
    link = await run.ledger.links.from_left(run.tenant, record_side(kind, record_id), WORK_ORDER)
    memory = memory_of(link.details if link else {})
    change, seen = seen_now(run, source, memory if link else None)
    number = intent.work_order_id if intent else None
    state = state_of(run, memory, source, change, seen, word)
    leaving = cancels_on_leave(run, kind, memory)
    standing = Standing(intent.state if intent else "")
    decision = decide(state, standing, cancel_on_leave=leaving)
    if decision.step is Step.LOOK:
        status, assigned = standing_of(await read_work_order(run, number or 0))
        decision = decide(state, Standing(standing.intent, status, assigned), cancel_on_leave=leaving)
    if source.record is None:
        return Preview(kind, record_id, reference, decision.step, False, number, "the record does not exist")
    wanted = wanted_work_order(run, await with_related(run, source))
    changes = changed_sections(memory.sent, wanted.body) if decision.step is Step.UPDATE else {}
    step = Step.NOTHING if decision.step is Step.UPDATE and not changes else decision.step
    return Preview(
        kind,
        record_id,
        reference,
        step,
        seen.inside,
        number,
        decision.reason,
        wanted.body,
        changes,
        wanted.refusal,
        wanted.warnings,
    )


async def dispatch_patiently(
    run: DispatchRun, kind: RecordKind, record_id: int, word: Word = NO_WORD
) -> Outcome:
    """As ``dispatch_record``; waits for vendors that ask for it and for another process, within its patience.

    A person asks for it, so what was refused before is sent once more.

    Raises:
        RetryableError: a vendor was away for too long.
    """
    waiting = run.settings.waiting
    await forget_refusals(run, kind, record_id)

    def again(outcome: Outcome) -> float | None:
        passing = outcome.result is Result.BUSY or (
            outcome.result is Result.FAILED and outcome.retry_after is not None
        )
        return outcome.retry_after or waiting.busy_seconds if passing else None

    dispatch = partial(dispatch_record, run, kind, record_id, word=word)
    return await retry_result(dispatch, waiting, again=again, sleep=run.sleep)
