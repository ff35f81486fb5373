"""Delivers each action of a work order once: a transactional outbox over the ledger.

Neither vendor takes an idempotency key. So an action is a row of the ledger, which is claimed by one
process, marked as sent before its request, and accounted for afterwards; ``connectors.ledger.claims`` draws
the states. Where no answer comes, what the request may have made is looked for before anything is repeated.

``deliver`` does so for one action with a request of its own. ``claim_repeatable`` claims one that may
be sent again without harm, so that several can share a request.
"""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, TypeVar

import anyio

from connectors.errors import ConnectorError, RejectedError, RetryableError, StopError, UnclearOutcomeError
from connectors.ledger.claims import OutboxTable
from connectors.ledger.models import Claimed, Effect, SyncedNote
from tasks.dispatch.run import DispatchRun
from tasks.dispatch.state import outliving
from tasks.rules.dispatch.result import DispatchResult, DispatchStatus
from tasks.shared.isolation import isolated, record_problem
from tasks.shared.progress import run_logger

T = TypeVar("T")
MOST_REFUSALS = 3
"""So often something that the vendor refuses is sent; then a person must look."""
NOT_FOUND = "sent, and not found afterwards"
REPEATABLE = "not known, and harmless to repeat"


class DeliveryStatus(StrEnum):
    """How one action ended."""

    DONE = "done"
    FOUND = "found"
    """An earlier, unanswered request had done it."""
    BEFORE = "done before"
    REFUSED = "refused"
    GIVEN_UP = "given up"
    """Refused several times; it is not sent any more."""
    UNCLEAR = "unclear"
    LATER = "later"
    """The vendor can't now; nothing was done."""
    BUSY = "busy"


_FINAL = {DeliveryStatus.DONE, DeliveryStatus.FOUND, DeliveryStatus.BEFORE, DeliveryStatus.GIVEN_UP}
_WAITING = {
    DeliveryStatus.UNCLEAR: DispatchStatus.UNCLEAR,
    DeliveryStatus.BUSY: DispatchStatus.BUSY,
    DeliveryStatus.LATER: DispatchStatus.FAILED,
}
"""Deliveries that must be tried again soon, worst first, and what the whole then is."""


@dataclass(frozen=True, slots=True)
class DeliveryResult:
    """How an action ended; ``retry_after`` in seconds where it is to be tried again."""

    status: DeliveryStatus
    result_id: str | None = None
    message: str = ""
    retry_after: float | None = None

    @property
    def final(self) -> bool:
        """Whether nothing is left to do about it."""
        return self.status in _FINAL

    @property
    def made(self) -> bool:
        """Whether this delivery made it, or found it made by an earlier one."""
        return self.status in (DeliveryStatus.DONE, DeliveryStatus.FOUND)

    @property
    def refused(self) -> bool:
        """Whether a person must look."""
        return self.status in (DeliveryStatus.REFUSED, DeliveryStatus.GIVEN_UP)


@dataclass(frozen=True, slots=True)
class OutboxRow:
    """An action's row in the ledger.

    Attributes:
        claim: claims it for a holder; it is made if there is none.
        rows: the part of the ledger that it belongs to.
        done: keeps the id of what was made, None where the action makes no record.
    """

    claim: Callable[[str], Awaitable[Claimed[Any]]]
    rows: OutboxTable[Any]
    done: Callable[[int, str | None], Awaitable[Any]]


@dataclass(frozen=True, slots=True)
class Delivery:
    """One action, with how it is sent and found.

    Attributes:
        send: sends it; the id of what it made.
        find: looks for what an unanswered request may have made; its id.
        look_first: look even if nothing was sent as far as the ledger knows, which may have forgotten it.
    """

    row: OutboxRow
    send: Callable[[], Awaitable[str | None]]
    find: Callable[[], Awaitable[str | None]]
    look_first: bool = False


@dataclass(slots=True)
class OutboxClaim:
    """A row that this process holds, as it was when it was claimed."""

    row: OutboxRow
    id: int
    holder: str
    state: str
    sent_at: datetime | None
    marked: bool = False

    async def mark_sent(self, longest: float) -> None:
        """To be called right before a request that lasts ``longest`` seconds at most; once is enough."""
        if not self.marked:
            await self.row.rows.mark_sent(self.id, self.holder, seconds=outliving(longest))
            self.marked = True

    async def done(
        self, made: str | None = None, status: DeliveryStatus = DeliveryStatus.DONE
    ) -> DeliveryResult:
        """Notes that it is done: it is never sent again."""
        await self.row.done(self.id, made)
        return DeliveryResult(status, made)

    async def refuse(self, message: str) -> DeliveryResult:
        """Notes that the vendor refused it: it is sent again a few times, at later looks."""
        await self.row.rows.refused(self.id, self.holder, message)
        return DeliveryResult(DeliveryStatus.REFUSED, message=message)

    async def postpone(self, error: ConnectorError, pause: float) -> DeliveryResult:
        """Notes that nothing was done, so that it may be sent at any time. It does not count as a refusal."""
        await self.row.rows.unresolved(self.id, self.holder, str(error))
        return postponed(error, pause)

    async def release(self) -> None:
        """Leaves it as it is to whoever comes next."""
        await self.row.rows.release(self.id, self.holder)


def postponed(error: ConnectorError, pause: float) -> DeliveryResult:
    """The vendor can't now: to be sent after the pause that the error names, else after ``pause`` seconds."""
    named = error.retry_after if isinstance(error, RetryableError) else None
    wait = pause if named is None else named
    return DeliveryResult(DeliveryStatus.LATER, message=str(error), retry_after=wait)


async def deliver(run: DispatchRun, delivery: Delivery) -> DeliveryResult:
    """Delivers one action, unless it was delivered before.

    Raises:
        StopError: a person must act: credentials, rights.
        ConnectorError: looking for it failed; nothing was sent.
    """
    claim = await _claim(run, delivery.row)
    if isinstance(claim, DeliveryResult):
        return claim
    if delivery.look_first or claim.state in ("sent", "unresolved"):
        ended = await _look(run, delivery, claim)
        if ended is not None:
            return ended
    return await _send(run, delivery, claim)


async def delivered_or_failed(delivery: Callable[[], Awaitable[DeliveryResult]]) -> DeliveryResult:
    """What a delivery ends with; an exception that nobody foresaw is that one's own.

    What had been marked as sent then is looked for before it is sent again.
    """

    def failed(error: Exception) -> DeliveryResult:
        if isinstance(error, ConnectorError):
            raise error
        return DeliveryResult(
            DeliveryStatus.REFUSED, message=f"it could not be done: {record_problem(error)}"
        )

    return await isolated(delivery, failed)


async def claim_repeatable(run: DispatchRun, row: OutboxRow) -> OutboxClaim | DeliveryResult:
    """Claims an action that is harmless to repeat, or says why it is not to be sent.

    What a killed process had sent is claimed at once, without looking for what came of it.
    """
    claim = await _claim(run, row)
    if isinstance(claim, DeliveryResult) or claim.state != "sent":
        return claim
    await row.rows.unresolved(claim.id, claim.holder, REPEATABLE)
    return claim if (await row.claim(claim.holder)).ours else _busy(run)


async def _claim(run: DispatchRun, row: OutboxRow) -> OutboxClaim | DeliveryResult:
    holder = str(uuid.uuid4())
    claimed = await row.claim(holder)
    known: Effect | SyncedNote = claimed.row
    if known.state == "done":
        return DeliveryResult(DeliveryStatus.BEFORE)
    if not claimed.ours:
        return _busy(run)
    if known.state == "refused" and known.attempts >= MOST_REFUSALS:
        await row.rows.release(known.id, holder)
        return DeliveryResult(DeliveryStatus.GIVEN_UP, message=known.message or "")
    return OutboxClaim(row, known.id, holder, known.state, known.sent_at)


def _busy(run: DispatchRun) -> DeliveryResult:
    busy = run.settings.waiting.busy_seconds
    return DeliveryResult(DeliveryStatus.BUSY, message="another process does it", retry_after=busy)


async def _look(run: DispatchRun, delivery: Delivery, claim: OutboxClaim) -> DeliveryResult | None:
    """What is found ends it; None: it may be sent, since the request that began it has had its time."""
    try:
        found = await delivery.find()
    except ConnectorError:
        await claim.release()
        raise
    if found is not None:
        return await claim.done(found, DeliveryStatus.FOUND)
    if claim.state != "sent":
        return None
    # By the ledger's clock, which wrote it; twice, since it counts from before the request, which may last.
    age = timedelta(0) if claim.sent_at is None else await run.ledger.now() - claim.sent_at
    left = 2 * run.settings.waiting.settle_seconds - age.total_seconds()
    if left > 0:
        await claim.release()
        return DeliveryResult(
            DeliveryStatus.UNCLEAR, message="sent before, and not answered", retry_after=left
        )
    await claim.row.rows.unresolved(claim.id, claim.holder, NOT_FOUND)
    if (await claim.row.claim(claim.holder)).ours:
        return None
    return DeliveryResult(DeliveryStatus.BUSY, message="another process does it")


async def _send(run: DispatchRun, delivery: Delivery, claim: OutboxClaim) -> DeliveryResult:
    waiting = run.settings.waiting
    await claim.mark_sent(waiting.creation_seconds)
    try:
        with anyio.fail_after(waiting.creation_seconds):
            made = await delivery.send()
    except (UnclearOutcomeError, TimeoutError) as error:
        return await _unanswered(run, delivery, claim, error)
    except RetryableError as error:
        return await claim.postpone(error, waiting.pause_seconds)
    except RejectedError as error:
        return await claim.refuse(str(error))
    except StopError as error:
        await claim.postpone(error, waiting.pause_seconds)
        raise
    return await claim.done(made)


async def _unanswered(
    run: DispatchRun, delivery: Delivery, claim: OutboxClaim, error: Exception
) -> DeliveryResult:
    """Looks for it at once, since most answers are lost after the work; whoever comes later looks again."""
    run_logger().warning("No answer, so it is looked for before anything is repeated: %s", error)
    try:
        found = None if delivery.look_first else await delivery.find()
    except ConnectorError:
        found = None
    if found is not None:
        return await claim.done(found, DeliveryStatus.FOUND)
    await claim.release()
    pause = run.settings.waiting.pause_seconds
    return DeliveryResult(DeliveryStatus.UNCLEAR, message=str(error), retry_after=pause)


def effect_row(run: DispatchRun, work_order_id: int, name: str) -> OutboxRow:
    """The row of an action of one work order, by the action's name."""
    effects, seconds = run.ledger.effects, run.settings.waiting.hold_seconds

    async def claim(holder: str) -> Claimed[Effect]:
        return await effects.claim(run.tenant, work_order_id, name, holder=holder, seconds=seconds)

    return OutboxRow(claim, effects, effects.done)


async def exclusive(
    run: DispatchRun, work_order_id: int, lock: str, work: Callable[[], Awaitable[T]]
) -> T | None:
    """Does ``work`` under a lock of one work order; None: another process has the lock.

    The lock is a lease in a row of ``ledger.effects``: a killed process loses it after a while. Nothing is
    tidied up on the way out of a kill.
    """
    effects, holder = run.ledger.effects, str(uuid.uuid4())
    seconds = run.settings.waiting.hold_seconds
    claimed = await effects.claim(run.tenant, work_order_id, lock, holder=holder, seconds=seconds)
    if not claimed.ours:
        return None
    try:
        answer = await work()
    except Exception:
        await effects.release(claimed.row.id, holder)
        raise
    await effects.release(claimed.row.id, holder)
    return answer


@dataclass
class DeliveryReport:
    """Gathers how the actions of one work order ended, into the one result that is told of them."""

    did: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    waiting: list[DeliveryResult] = field(default_factory=list)
    reported: bool = False

    def add(self, words: str, result: DeliveryResult) -> None:
        """Takes one action in; ``words`` say what it is, for a person."""
        if result.made:
            self.did.append(words)
            if result.message:
                self.warnings.append(result.message)
        elif result.refused:
            self.report(f"{words}: {result.message}")
        elif not result.final:
            self.waiting.append(result)

    def report(self, warning: str) -> None:
        """Adds a warning that a person should look at."""
        self.reported = True
        self.warnings.append(warning)

    def result(self, before: DispatchResult, problems: Sequence[str] = ()) -> DispatchResult:
        """The result to tell, worst first; ``problems`` are warnings that need nobody."""
        status = DispatchStatus.UPDATED if self.did else DispatchStatus.UNCHANGED
        if self.reported:
            status = DispatchStatus.REPORTED
        if self.waiting:
            waiting = {each.status for each in self.waiting}
            status = next(found for each, found in _WAITING.items() if each in waiting)
        warnings = (*before.warnings, *problems, *self.warnings)
        for warning in warnings:
            run_logger().warning("Work order %d: %s", before.work_order_id, warning)
        return replace(
            before,
            status=status,
            did=tuple(self.did),
            warnings=warnings,
            message=self.waiting[0].message if self.waiting else "",
            retry_after=max((each.retry_after or 0.0 for each in self.waiting), default=None),
        )
