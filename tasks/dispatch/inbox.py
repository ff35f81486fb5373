"""Drains the ledger's inbox: takes messages in batches and looks once at each record that they are about.

    drain_once     claims one batch, and renews the claim while it works; groups it by record or work order
    drain_all      batches until no message is due
    serve_inbox    batches until it is told to stop: the long-lived drain

A message that can't be handled now is handed out again after a pause, and given up after so many attempts.
What is in the way but not the message's own fault, such as an outage, never gives a message up.
"""

from __future__ import annotations

import signal
import threading
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

import anyio

from connectors.errors import ConnectorError, RetryableError, StopError
from connectors.ledger.models import InboxMessage
from tasks.dispatch.notes import copy_notes
from tasks.dispatch.reconcile import dispatch_record
from tasks.dispatch.records import read_record
from tasks.dispatch.report import log_result
from tasks.dispatch.run import DispatchRun
from tasks.dispatch.work_order_events import sync_events
from tasks.rules.dispatch.messages import TICKET, WORK_ORDER, About, about
from tasks.rules.dispatch.reference import RecordKind
from tasks.rules.dispatch.result import DispatchResult, DispatchStatus
from tasks.shared.concurrency import map_bounded
from tasks.shared.isolation import record_problem
from tasks.shared.progress import run_logger
from tasks.shared.run_metrics import note_records

FIRST_REQUEUE = 2.0
LONGEST_REQUEUE = 600.0
OUTAGE_PAUSE = 60.0
"""Seconds before messages are tried again that wait for a person, for instance for new credentials."""
LEDGER_PAUSE = 5.0
"""Seconds of rest where the ledger itself is away; more each time."""
LONGEST_REST = 60.0
_MAY_TALK = (DispatchStatus.UNCHANGED, DispatchStatus.UPDATED, DispatchStatus.REPORTED)
"""A work order that was only just made has nothing to be told."""


@dataclass
class InboxDrain:
    """How the messages of one or more batches ended, and the results of the records that they were about."""

    messages: int = 0
    done: int = 0
    again: int = 0
    failed: int = 0
    results: list[DispatchResult] = field(default_factory=list)

    def counts(self) -> Counter[str]:
        return Counter(str(each.status) for each in self.results)

    def add(self, other: InboxDrain) -> None:
        self.messages += other.messages
        self.done += other.done
        self.again += other.again
        self.failed += other.failed
        self.results += other.results


@dataclass(frozen=True, slots=True)
class HandledMessage:
    """How the messages about one record or work order ended.

    Attributes:
        done: they are acknowledged; otherwise they are handed out again.
        after: seconds until then; None: a pause that grows with the attempts.
        passing: what is in the way is not the messages' own, so that they are never given up for it.
        busy: another process had the record, so nothing was tried, and it is no attempt.
    """

    done: bool
    message: str = ""
    after: float | None = None
    result: DispatchResult | None = None
    passing: bool = False
    busy: bool = False


WorkOrderHandler = Callable[[DispatchRun, int], Awaitable[HandledMessage]]
"""Acts on one work order, by its number."""


async def drain_once(
    run: DispatchRun, work_orders: WorkOrderHandler | None = None, notes: WorkOrderHandler | None = None
) -> InboxDrain:
    """Takes one batch and acknowledges what is done; records are worked on a few at a time.

    Args:
        work_orders: handles messages about work orders; without it they stay in the inbox.
        notes: copies the notes of a record that has a work order, since a callback does not say whether it
            is about a note.
    """
    polling = run.settings.polling
    holder = str(uuid.uuid4())
    source = None if work_orders is not None else "connectwise"
    hold = run.settings.waiting.hold_seconds
    batch = await run.ledger.inbox.claim(holder, limit=polling.inbox_batch, seconds=hold, source=source)
    drained = InboxDrain(messages=len(batch))

    async def one(group: tuple[About | None, list[InboxMessage]]) -> None:
        handled = await _handle(run, group[0], work_orders, notes)
        await _acknowledge(run, holder, group[1], handled, drained)

    async with claim_renewal(run, [each.id for each in batch], holder):
        await map_bounded(_by_record(batch).items(), one, polling.at_once, on_error="finish_running")
    # A run that serves the inbox may last for weeks.
    run.refusals.announce()
    return drained


async def drain_all(
    run: DispatchRun, work_orders: WorkOrderHandler | None = None, notes: WorkOrderHandler | None = None
) -> InboxDrain:
    """Batches until no message is due; those that were put off stay for later."""
    drained = InboxDrain()
    while True:
        batch = await drain_once(run, work_orders, notes)
        drained.add(batch)
        if not batch.messages:
            return drained


def _by_record(batch: Sequence[InboxMessage]) -> dict[About | None, list[InboxMessage]]:
    """One entry a record, in the order in which the first message about each came."""
    groups: dict[About | None, list[InboxMessage]] = {}
    for message in batch:
        groups.setdefault(_about(message), []).append(message)
    return groups


def _about(message: InboxMessage) -> About | None:
    """What a message is about; one that can't be read is about nothing, and the sweep finds its record."""
    try:
        return about(message.source, message.body)
    except Exception as error:
        run_logger().warning("Message %s can't be read: %s", message.message_id, record_problem(error))
        return None


async def _handle(
    run: DispatchRun, what: About | None, work_orders: WorkOrderHandler | None, notes: WorkOrderHandler | None
) -> HandledMessage:
    if what is None:
        return HandledMessage(True, "nothing that dispatch has to do with")
    try:
        if what.what == WORK_ORDER:
            if work_orders is None:
                return HandledMessage(False, "nobody handles work orders here", passing=True)
            return await work_orders(run, what.number)
        kind = await _kind_of(run, what)
        result = await dispatch_record(run, kind, what.number, wait=False)
        if notes is not None and result.work_order_id and result.status in _MAY_TALK:
            copied = await notes(run, result.work_order_id)
            if not copied.done:
                return replace(copied, result=result, passing=True)
    except RetryableError as error:
        return HandledMessage(False, str(error), error.retry_after, passing=True)
    except StopError as error:
        return HandledMessage(False, str(error), OUTAGE_PAUSE, passing=True)
    except Exception as error:
        # One message must not end a drain that serves for weeks; it is tried again and then given up.
        if not isinstance(error, ConnectorError):
            run_logger().exception("A message about %s could not be handled", what)
        return HandledMessage(False, record_problem(error))
    handled = _handled(result)
    passing = result.status is not DispatchStatus.FAILED or result.retry_after is not None
    return replace(handled, result=result, passing=passing)


async def _kind_of(run: DispatchRun, what: About) -> RecordKind:
    """A callback says "ticket" for both kinds; where it tells no more, the ledger or a read does."""
    if what.what != TICKET:
        return RecordKind(what.what)
    for kind in (RecordKind.SERVICE_TICKET, RecordKind.PROJECT_TICKET):
        if await run.state.intent(kind, what.number) is not None:
            return kind
    record = await read_record(run.client, RecordKind.SERVICE_TICKET, what.number)
    if record is None or str(record.get("recordType") or "").startswith("Project"):
        return RecordKind.PROJECT_TICKET
    return RecordKind.SERVICE_TICKET


async def _acknowledge(
    run: DispatchRun,
    holder: str,
    messages: Sequence[InboxMessage],
    handled: HandledMessage,
    drained: InboxDrain,
) -> None:
    inbox, ids = run.ledger.inbox, [message.id for message in messages]
    if handled.result is not None:
        drained.results.append(handled.result)
        log_result(handled.result)
    if handled.done:
        drained.done += len(ids)
        await inbox.acknowledge(ids, holder)
        return
    spent = [each for each in messages if each.attempts >= run.settings.polling.inbox_attempts]
    if spent and not handled.passing:
        drained.failed += len(spent)
        await inbox.reject([each.id for each in spent], holder, handled.message)
        run_logger().error("Given up after %d tries: %s", spent[0].attempts, handled.message)
        ids = [each.id for each in messages if each not in spent]
    if ids:
        drained.again += len(ids)
        growing = float(min(LONGEST_REQUEUE, FIRST_REQUEUE * 2 ** max(0, messages[0].attempts - 1)))
        pause = handled.after if handled.after is not None else growing
        await inbox.requeue(ids, holder, after=pause, message=handled.message, tried=not handled.busy)


async def handle_work_order(run: DispatchRun, work_order_id: int) -> HandledMessage:
    """Applies a work order's events, and copies notes if it has other messages than at the last copying.

    Raises:
        ConnectorError: as ``sync_events``.
    """
    result = await sync_events(run, work_order_id)
    log_result(result)
    if result.retryable or result.status is DispatchStatus.OUTSIDE or not await _has_talked(run, result):
        return _handled(result)
    return await handle_notes(run, work_order_id)


async def handle_notes(run: DispatchRun, work_order_id: int) -> HandledMessage:
    """Copies the notes of a work order and its record."""
    result = await copy_notes(run, work_order_id)
    log_result(result)
    return _handled(result)


async def _has_talked(run: DispatchRun, result: DispatchResult) -> bool:
    if not run.settings.notes.to_connectwise:
        return False
    return result.messages is None or result.messages != await run.state.messages(result.work_order_id or 0)


def _handled(result: DispatchResult) -> HandledMessage:
    return HandledMessage(
        not result.retryable,
        result.message,
        result.retry_after,
        passing=result.retryable,
        busy=result.status is DispatchStatus.BUSY,
    )


@asynccontextmanager
async def claim_renewal(run: DispatchRun, ids: Sequence[int], holder: str) -> AsyncIterator[None]:
    """Within this block the claim on these messages is renewed three times in the time that it lasts.

    An error within comes out as itself.
    """
    failed: list[Exception] = []
    async with anyio.create_task_group() as group:
        if ids:
            group.start_soon(_renew, run, ids, holder)
        try:
            yield
        except Exception as error:
            failed.append(error)
        group.cancel_scope.cancel()
    if failed:
        raise failed[0]


async def _renew(run: DispatchRun, ids: Sequence[int], holder: str) -> None:
    seconds = run.settings.waiting.hold_seconds
    while True:
        await anyio.sleep(seconds / 3)
        try:
            await run.ledger.inbox.extend(ids, holder, seconds=seconds)
        except ConnectorError as error:
            # Whoever takes them over looks at the same records once more, which does no harm.
            run_logger().warning("Messages could not be kept: %s", error)


@dataclass
class InboxTotals:
    """All that one drain did: messages by how they ended, records by result."""

    messages: int = 0
    done: int = 0
    again: int = 0
    failed: int = 0
    results: dict[str, int] = field(default_factory=dict)


async def serve_inbox(
    run: DispatchRun,
    *,
    seconds: float | None = None,
    work_orders: WorkOrderHandler | None = None,
    notes: WorkOrderHandler | None = None,
    stop: anyio.Event | None = None,
) -> InboxTotals:
    """Drains until ``stop`` is set, ``seconds`` are over, or SIGTERM or SIGINT comes.

    A batch that is under way is finished before it ends: what was sent must be accounted for.
    """
    served, ends = InboxTotals(), stop or anyio.Event()
    async with anyio.create_task_group() as group:
        if threading.current_thread() is threading.main_thread():
            group.start_soon(_stop_on_signal, ends)
        if seconds is not None:
            group.start_soon(_stop_after, ends, seconds)
        await _drain_until(run, ends, served, work_orders, notes)
        group.cancel_scope.cancel()
    run_logger().info("Inbox: %d messages, %s", served.messages, served.results or "nothing to do")
    return served


async def _drain_until(
    run: DispatchRun,
    ends: anyio.Event,
    served: InboxTotals,
    work_orders: WorkOrderHandler | None,
    notes: WorkOrderHandler | None,
) -> None:
    outages = 0
    while not ends.is_set():
        try:
            await run.heartbeat()
            drained = await drain_once(run, work_orders, notes)
        except ConnectorError as error:
            run_logger().error("The inbox can't be read now: %s", error)
            outages += 1
            await _rest(ends, min(LONGEST_REST, LEDGER_PAUSE * outages))
            continue
        outages = 0
        served.messages += drained.messages
        served.done += drained.done
        served.again += drained.again
        served.failed += drained.failed
        served.results = dict(Counter(served.results) + drained.counts())
        note_records(drained.counts())
        if drained.messages:
            run_logger().info(
                "Inbox: %d messages taken, %s", drained.messages, dict(drained.counts()) or "done"
            )
        else:
            await _rest(ends, run.settings.polling.inbox_seconds)


async def _rest(ends: anyio.Event, seconds: float) -> None:
    with anyio.move_on_after(seconds):
        await ends.wait()


async def _stop_after(ends: anyio.Event, seconds: float) -> None:
    await anyio.sleep(seconds)
    ends.set()


async def _stop_on_signal(ends: anyio.Event) -> None:
    with anyio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
        async for number in signals:
            run_logger().info("Told to stop (%s): the batch under way is finished first", number.name)
            ends.set()
