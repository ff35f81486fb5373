"""Reconciles one record with its work order: fetch, decide, and do what was decided.

    1. ``state.record``      what the ledger knows; a record outside of all triggers ends here
    2. ``state.claim``       the record for this process alone
    3. ``fetch_record``      the record as it is now
    4. ``decide``            the next step, with one look at the work order where that depends on it
    5. ``create``, ``recover``, ``update`` or ``cancel``, which release the record

``preview_record`` goes the same way without a claim, and writes nothing, to the ledger neither.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from connectors.errors import ConnectorError
from connectors.ledger.claims import ClaimLostError
from tasks.dispatch.create import busy, create, recover, written_number
from tasks.dispatch.look import unhandled_words
from tasks.dispatch.records import (
    NO_OVERRIDE,
    FetchedRecord,
    Override,
    cancels_on_leave,
    fetch_record,
    is_wanted,
    observe_record,
    read_work_order,
    record_facts,
    status_and_assigned,
    with_related,
)
from tasks.dispatch.run import DispatchRun, Record
from tasks.dispatch.state import ClaimedRecord, RecordState
from tasks.dispatch.update import cancel, held_back_words, update, wanted_work_order
from tasks.rules.dispatch.decision import (
    CLOCK_SKEW,
    DispatchDecision,
    DispatchStep,
    RecordFacts,
    WorkOrderFacts,
    changed_sections,
    decide,
)
from tasks.rules.dispatch.paths import read_path
from tasks.rules.dispatch.reference import RecordKind
from tasks.rules.dispatch.result import DispatchResult, DispatchStatus, RecordRef
from tasks.rules.dispatch.triggers import RecordChange, Seen, triggers_mark
from tasks.rules.values import read_date_time
from tasks.shared.progress import run_logger
from tasks.shared.retry import retry_result


async def dispatch_record(
    run: DispatchRun,
    kind: RecordKind,
    record_id: int,
    *,
    record: Record | None = None,
    wait: bool = True,
    override: Override = NO_OVERRIDE,
) -> DispatchResult:
    """Create, update or leave alone the work order of one record; at most one living one comes of it.

    Args:
        record: the whole record if the caller has just read it.
        wait: stay until an unanswered creation is accounted for, which can take a minute; otherwise the
            result is UNCLEAR and the caller comes back.
        override: what a person asks for beyond the rules.

    Raises:
        RetryableError: a vendor is away; nothing is lost by trying the record again later.
        StopError: a person must act: credentials, rights, the ledger.
    """
    ref = run.state.ref(kind, record_id)
    while True:
        try:
            result = await _reconcile(run, ref, record, override)
        except ClaimLostError:
            return busy(run, ref)
        if not wait or result.status is not DispatchStatus.UNCLEAR:
            return result
        pause = result.retry_after or run.settings.waiting.pause_seconds
        run_logger().info("%s: looking again in %.0f s", ref.reference, pause)
        await run.sleep(pause)
        record = None


async def _reconcile(
    run: DispatchRun, ref: RecordRef, record: Record | None, override: Override
) -> DispatchResult:
    fetched = None
    if await run.state.intent(ref.kind, ref.id) is None:
        fetched = await fetch_record(run, ref, record)
        if fetched.record is None:
            return ref.result(DispatchStatus.OUTSIDE, message="ConnectWise has no such record")
        if not (override.outside_trigger or observe_record(run, fetched, None)[1].inside):
            return ref.result(DispatchStatus.OUTSIDE)
    claimed = await run.state.claim(ref)
    if claimed is None:
        return busy(run, ref)
    try:
        intent = claimed.intent
        if fetched is None or intent.state != "intent" or intent.attempts > 0:
            # Another process may have been here between the look at the ledger and the claim: only what is
            # read while the record is ours is sure to be newer than what was sent before.
            fetched = await fetch_record(run, ref)
        return await _step(run, claimed, fetched, override)
    except Exception:
        await run.state.release(claimed)
        raise


async def _step(
    run: DispatchRun, claimed: ClaimedRecord, fetched: FetchedRecord, override: Override
) -> DispatchResult:
    memory, kind = claimed.memory, claimed.ref.kind
    change, seen = observe_record(run, fetched, memory if claimed.link else None)
    facts = record_facts(run, memory, fetched, change, seen, override)
    decision = await _decide(run, kind, RecordState(claimed.intent, claimed.link, memory), facts)
    now_known = replace(
        memory,
        seen=seen,
        closed=facts.closed or facts.gone,
        triggers=triggers_mark(run.settings.triggers, kind),
        cancelling=False,
    )
    if decision.step is DispatchStep.CANCEL:
        # Remembered afterwards: who takes over after a kill must see that it left, too.
        claimed = await run.state.remember(claimed, replace(memory, cancelling=True))
        result = await cancel(run, claimed, decision.reason)
        if result is None:
            # It stays remembered as one to be cancelled, so that every sweep asks again.
            await run.state.release(claimed)
            message = held_back_words(run, decision.reason)
            return claimed.ref.result(DispatchStatus.REFUSED, claimed.work_order_id, message=message)
        await run.state.remember(claimed, now_known)
        return result
    if decision.step is DispatchStep.UPDATE:
        # Remembered afterwards too: what could not be sent must not count as known.
        return await update(run, claimed, fetched, now_known)
    remembers = change is not RecordChange.STALE and decision.step is not DispatchStep.NEW_GENERATION
    if claimed.link is not None and remembers:
        claimed = await run.state.remember(claimed, now_known)
    if decision.step is DispatchStep.RECOVER:
        wanted = is_wanted(fetched, seen, override)
        again = override.retry_creation
        return await recover(run, claimed, fetched, seen, wanted=wanted, retry_creation=again)
    if decision.step is DispatchStep.CREATE:
        return await _create(run, claimed, fetched, seen)
    if decision.step is DispatchStep.NEW_GENERATION:
        return await _next_generation(run, claimed, fetched, seen)
    return await _leave(run, claimed, decision)


async def _decide(
    run: DispatchRun, kind: RecordKind, known: RecordState, facts: RecordFacts
) -> DispatchDecision:
    """The step; the work order is read only where it depends on that: one request."""
    cancels = cancels_on_leave(run, kind, known.memory)
    order = WorkOrderFacts(known.intent.state if known.intent else "")
    decision = decide(facts, order, cancel_on_leave=cancels)
    if decision.step is not DispatchStep.LOOK:
        return decision
    number = known.intent.work_order_id if known.intent else None
    status, assigned = status_and_assigned(await read_work_order(run, number or 0))
    return decide(facts, WorkOrderFacts(order.intent, status, assigned), cancel_on_leave=cancels)


async def _leave(run: DispatchRun, claimed: ClaimedRecord, decision: DispatchDecision) -> DispatchResult:
    """Nothing is to be done, or a person is to be told."""
    if claimed.intent.state in ("intent", "refused"):
        # Nothing was made, and none is wanted any more: no sweep has to look at it again.
        await run.ledger.intents.cancel(claimed.intent.id, "the record wants no work order any more")
    await run.state.release(claimed)
    status = DispatchStatus.UNCHANGED if claimed.work_order_id else DispatchStatus.OUTSIDE
    if decision.step is DispatchStep.REPORT:
        status = DispatchStatus.REPORTED
    return claimed.ref.result(status, claimed.work_order_id, message=decision.reason)


async def _create(
    run: DispatchRun, claimed: ClaimedRecord, fetched: FetchedRecord, seen: Seen
) -> DispatchResult:
    """Create the record's work order, after a search where one may be there that the ledger does not know.

    That is so for a record that is older than what the ledger knows, or bears a number, or whose earlier work
    order a person may have copied.
    """
    intent = claimed.intent
    known = intent.generation == 1 and written_number(run, fetched.record) is None
    look_first = intent.attempts == 0 and (not known or await _may_be_forgotten(run, fetched))
    return await create(run, claimed, await with_related(run, fetched), seen, look_first=look_first)


async def _may_be_forgotten(run: DispatchRun, fetched: FetchedRecord) -> bool:
    """Whether the record was there before the ledger knew all of dispatch, or may have been.

    Only then is Field Nation searched before a first creation: it costs one request, and after the loss of a
    ledger it is what keeps tickets from getting a second work order.
    """
    covered = await run.heartbeat()
    entered = read_date_time(read_path(fetched.document, "_info.dateEntered"))
    return covered is None or entered is None or entered <= covered + CLOCK_SKEW


async def _next_generation(
    run: DispatchRun, claimed: ClaimedRecord, fetched: FetchedRecord, seen: Seen
) -> DispatchResult:
    """The old work order is over: its intent is closed, and the next one begun."""
    if claimed.intent.state != "cancelled":
        await run.ledger.intents.cancel(claimed.intent.id, "its work order is over")
    again = await run.state.claim(claimed.ref, new_generation=True)
    if again is None:
        return busy(run, claimed.ref)
    if again.intent.attempts:
        # Another process began this generation after we had decided.
        await run.state.release(again)
        return busy(run, claimed.ref)
    return await _create(run, again, fetched, seen)


@dataclass(frozen=True, slots=True)
class Preview:
    """The step that would be taken, and the work order that the record would become.

    Attributes:
        changes: what an update would send; empty for other steps.
        refusal: why it would be refused before anything is sent: all fields that are missing.
        warnings: values that do not fit and would be left out.
        rule_problems: what the rules name and does not exist, whatever the record is.
    """

    ref: RecordRef
    step: DispatchStep
    inside: bool
    work_order_id: int | None = None
    reason: str = ""
    body: dict[str, Any] | None = None
    changes: dict[str, Any] | None = None
    refusal: str = ""
    warnings: tuple[str, ...] = ()
    rule_problems: tuple[str, ...] = ()


async def preview_record(
    run: DispatchRun,
    kind: RecordKind,
    record_id: int,
    *,
    record: Record | None = None,
    override: Override = NO_OVERRIDE,
) -> Preview:
    """Says what ``dispatch_record`` would do now, with the work order that the record would become.

    Reads the record with what its mapping needs, and its work order where the decision depends on it.
    """
    ref = run.state.ref(kind, record_id)
    try:
        return await _preview(run, ref, record, override)
    except ConnectorError:
        raise
    except Exception as error:
        return Preview(ref, DispatchStep.NOTHING, False, None, unhandled_words(error))


async def _preview(run: DispatchRun, ref: RecordRef, record: Record | None, override: Override) -> Preview:
    kind, record_id = ref.kind, ref.id
    fetched = await fetch_record(run, ref, record)
    known = await run.state.record(kind, record_id)
    change, seen = observe_record(run, fetched, known.memory if known.link else None)
    facts = record_facts(run, known.memory, fetched, change, seen, override)
    decision = await _decide(run, kind, known, facts)
    number = known.intent.work_order_id if known.intent else None
    if fetched.record is None:
        return Preview(ref, decision.step, False, number, "the record does not exist")
    wanted = wanted_work_order(run, await with_related(run, fetched))
    step, changes = decision.step, dict[str, Any]()
    if step is DispatchStep.UPDATE:
        changes = changed_sections(known.memory.sent, wanted.body)
        step = step if changes else DispatchStep.NOTHING
    return Preview(
        ref, step, seen.inside, number, decision.reason, wanted.body, changes, wanted.refusal, wanted.warnings
    )


async def retry_dispatch(
    run: DispatchRun, kind: RecordKind, record_id: int, override: Override = NO_OVERRIDE
) -> DispatchResult:
    """Retries ``dispatch_record`` while a vendor or another process is in the way, within the patience set.

    A person asks for it, so what was refused before is sent once more.

    Raises:
        RetryableError: a vendor was away for too long.
    """
    waiting = run.settings.waiting
    await run.refusals.forget(run.state.ref(kind, record_id))

    def again(result: DispatchResult) -> float | None:
        passing = result.status is DispatchStatus.BUSY or (
            result.status is DispatchStatus.FAILED and result.retry_after is not None
        )
        return result.retry_after or waiting.busy_seconds if passing else None

    dispatch = partial(dispatch_record, run, kind, record_id, override=override)
    return await retry_result(dispatch, waiting, again=again, sleep=run.sleep)
