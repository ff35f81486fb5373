"""Does once what may be sent only once: claimed, marked, sent, and looked for where no answer comes.

The ledger's effects of one work order: one process at a time, each action once.
"""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any, Protocol, TypeVar

import anyio

from connectors.errors import ConnectorError, RejectedError, RetryableError, StopError, UnclearOutcomeError
from connectors.ledger.models import Claimed, Effect, SyncedNote
from tasks.dispatch.run import DispatchRun
from tasks.dispatch.state import outliving
from tasks.shared.progress import run_logger

MOST_REFUSALS = 3
"""So often something that the vendor refuses is sent; then a person must look."""
NOT_FOUND = "sent, and not found afterwards"


class Fate(StrEnum):
    """What became of one action."""

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


SETTLED = frozenset({Fate.DONE, Fate.FOUND, Fate.BEFORE, Fate.GIVEN_UP})


@dataclass(frozen=True, slots=True)
class Done:
    """How an action ended; ``retry_after`` in seconds where it is to be tried again."""

    fate: Fate
    result_id: str | None = None
    message: str = ""
    retry_after: float | None = None

    @property
    def settled(self) -> bool:
        """Nothing is left to do about it."""
        return self.fate in SETTLED


class Steps(Protocol):
    """The steps of ``connectors.ledger.claims``."""

    async def mark_sent(self, row_id: int, holder: str, *, seconds: float) -> None: ...

    async def refused(self, row_id: int, holder: str, message: str) -> None: ...

    async def unresolved(self, row_id: int, holder: str, message: str) -> None: ...

    async def release(self, row_id: int, holder: str) -> None: ...


@dataclass(frozen=True, slots=True)
class Job:
    """One action.

    Attributes:
        claim: the ledger's row for a holder.
        done: notes what was made, None where it makes no record.
        send: sends it; the id of what it made.
        find: looks for what an unanswered request may have made; its id.
        look_first: look even if nothing was sent as far as is known.
    """

    claim: Callable[[str], Awaitable[Claimed[Any]]]
    steps: Steps
    done: Callable[[int, str | None], Awaitable[Any]]
    send: Callable[[], Awaitable[str | None]]
    find: Callable[[], Awaitable[str | None]]
    look_first: bool = False


async def do_once(run: DispatchRun, job: Job) -> Done:
    """Does it, unless it was done before.

    Raises:
        StopError: a person must act: credentials, rights.
        ConnectorError: looking for it failed; nothing was sent.
    """
    holder = str(uuid.uuid4())
    claimed = await job.claim(holder)
    row: Effect | SyncedNote = claimed.row
    if row.state == "done":
        return Done(Fate.BEFORE)
    if not claimed.ours:
        return Done(
            Fate.BUSY, message="another process does it", retry_after=run.settings.waiting.busy_seconds
        )
    if row.state == "refused" and row.attempts >= MOST_REFUSALS:
        await job.steps.release(row.id, holder)
        return Done(Fate.GIVEN_UP, message=row.message or "")
    if job.look_first or row.state in ("sent", "unresolved"):
        settled = await _looked_for(run, job, row, holder)
        if settled is not None:
            return settled
    return await _send(run, job, row.id, holder)


async def _looked_for(run: DispatchRun, job: Job, row: Effect | SyncedNote, holder: str) -> Done | None:
    """What is found ends it; None: it may be sent, since the request that began it has had its time."""
    try:
        found = await job.find()
    except ConnectorError:
        await job.steps.release(row.id, holder)
        raise
    if found is not None:
        await job.done(row.id, found)
        return Done(Fate.FOUND, found)
    if row.state != "sent":
        return None
    # By the ledger's clock, which wrote it; twice, since it counts from before the request, which may last.
    age = timedelta(0) if row.sent_at is None else await run.ledger.now() - row.sent_at
    left = 2 * run.settings.waiting.settle_seconds - age.total_seconds()
    if left > 0:
        await job.steps.release(row.id, holder)
        return Done(Fate.UNCLEAR, message="sent before, and not answered", retry_after=left)
    await job.steps.unresolved(row.id, holder, NOT_FOUND)
    return None if (await job.claim(holder)).ours else Done(Fate.BUSY, message="another process does it")


async def _send(run: DispatchRun, job: Job, row_id: int, holder: str) -> Done:
    longest = run.settings.waiting.creation_seconds
    await job.steps.mark_sent(row_id, holder, seconds=outliving(longest))
    try:
        with anyio.fail_after(longest):
            made = await job.send()
    except (UnclearOutcomeError, TimeoutError) as error:
        return await _unanswered(run, job, row_id, holder, error)
    except RetryableError as error:
        # Nothing was done. It is no refusal either, so it does not count as one.
        await job.steps.unresolved(row_id, holder, str(error))
        pause = error.retry_after if error.retry_after is not None else run.settings.waiting.pause_seconds
        return Done(Fate.LATER, message=str(error), retry_after=pause)
    except RejectedError as error:
        await job.steps.refused(row_id, holder, str(error))
        return Done(Fate.REFUSED, message=str(error))
    except StopError as error:
        await job.steps.unresolved(row_id, holder, str(error))
        raise
    await job.done(row_id, made)
    return Done(Fate.DONE, made)


async def _unanswered(run: DispatchRun, job: Job, row_id: int, holder: str, error: Exception) -> Done:
    """Looked for at once, since most answers are lost after the work; whoever comes later looks again."""
    run_logger().warning("No answer, so it is looked for before anything is repeated: %s", error)
    try:
        found = None if job.look_first else await job.find()
    except ConnectorError:
        found = None
    if found is not None:
        await job.done(row_id, found)
        return Done(Fate.FOUND, found)
    await job.steps.release(row_id, holder)
    return Done(Fate.UNCLEAR, message=str(error), retry_after=run.settings.waiting.pause_seconds)


T = TypeVar("T")


def effect_job(
    run: DispatchRun,
    work_order_id: int,
    name: str,
    send: Callable[[], Awaitable[str | None]],
    find: Callable[[], Awaitable[str | None]],
    look_first: bool = False,
) -> Job:
    """An action of one work order, by its name; ``look_first``: the ledger may have forgotten it."""
    effects = run.ledger.effects
    seconds = run.settings.waiting.hold_seconds

    async def claim(holder: str) -> Claimed[Effect]:
        return await effects.claim(run.tenant, work_order_id, name, holder=holder, seconds=seconds)

    return Job(claim, effects, effects.done, send, find, look_first)


async def alone(
    run: DispatchRun, work_order_id: int, what: str, work: Callable[[], Awaitable[T]]
) -> T | None:
    """Works while no other process does ``what`` for this work order; None: another does.

    A killed process loses it after a while. Nothing is tidied up on the way out of a kill.
    """
    effects, holder = run.ledger.effects, str(uuid.uuid4())
    seconds = run.settings.waiting.hold_seconds
    claimed = await effects.claim(run.tenant, work_order_id, what, holder=holder, seconds=seconds)
    if not claimed.ours:
        return None
    try:
        answer = await work()
    except Exception:
        await effects.release(claimed.row.id, holder)
        raise
    await effects.release(claimed.row.id, holder)
    return answer
