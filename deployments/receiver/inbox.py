"""Writes messages into the ledger's inbox in batches, within a time limit: group commit.

A write that takes longer goes on: the repeated message is then a duplicate. While one transaction is under
way the messages that come wait, and the next one takes them all. A ledger that can't be opened at the start
is tried again when a message comes, so the receiver may start before its database.

A SQLite file that was deleted, moved or replaced still takes everything through an open handle, and it is
lost with the handle. So a message counts as kept only while the files that were opened lie in their place
(``LedgerFiles``). Once there was a ledger, no new one is made in its place: its intents and links would be
missing there. Whoever brings it back, or starts a run that makes a new one, ends the refusal.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

from connectors.errors import StopError
from connectors.ledger.database import database_url
from connectors.ledger.inbox import NewMessage
from connectors.ledger.request_history import DayOfRequests
from connectors.ledger.store import Ledger
from deployments.receiver.messages import PutOffError

BUSY_SECONDS = 5.0
BATCH_SIZE = 50
"""Messages in one transaction."""
REOPEN_SECONDS = 1.0
"""After a ledger that could not be opened, before it is tried again."""
T = TypeVar("T")
_Waiting = tuple[NewMessage, str, asyncio.Future[bool]]
"""A message, what it also counts once by, and whether it was kept."""
logger = logging.getLogger(__name__)


class LedgerFiles:
    """The files of a SQLite ledger as they were when it was opened; of another database nothing."""

    def __init__(self, place: str | Path) -> None:
        url = database_url(place)
        self.path = Path(url.database or "") if url.drivername.startswith("sqlite") else None
        self._seen = self._now()

    @property
    def is_gone(self) -> bool:
        """Whether there is no such file now."""
        return self.path is not None and not self.path.exists()

    def remember(self) -> None:
        """What lies there now is what was opened."""
        self._seen = self._now()

    def check(self) -> None:
        """StopError: what was opened is not what lies there any more."""
        if self._now() != self._seen:
            raise StopError("The ledger's file was deleted, moved or replaced", system="ledger")

    def _now(self) -> tuple[tuple[int, int] | None, ...]:
        if self.path is None:
            return ()
        # What is written last lies in the write-ahead log: without it the file alone is an old state.
        return tuple(_identity(path) for path in (self.path, self.path.with_name(f"{self.path.name}-wal")))


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


class InboxWriter:
    """Writes into the ledger's inbox: group commit, with a time limit for each caller."""

    def __init__(self, place: str | Path, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._place = place
        self._monotonic = monotonic
        self._ledger: Ledger | None = None
        self._files: LedgerFiles | None = None
        self._opening = asyncio.Lock()
        self._writing = asyncio.Lock()
        self._waiting: list[_Waiting] = []
        self._tasks: set[asyncio.Future[Any]] = set()
        self._failed_at = -REOPEN_SECONDS

    def prepare(self) -> None:
        """Begins to open the ledger, so that the first message need not wait for it."""
        self._start(self._opened())

    async def put(
        self, source: str, message_id: str, body: dict[str, Any], *, seconds: float, digest: str = ""
    ) -> bool:
        """Keeps a message; False if its id or digest is kept already. PutOffError: nobody knows if it is."""
        return await self._within(seconds, self._put((source, message_id, body), digest))

    async def counts(self, *, seconds: float) -> dict[str, int]:
        """The messages in the inbox by state; PutOffError if the ledger does not answer in time."""
        return await self._within(seconds, self._counts())

    async def requests(self, *, seconds: float) -> dict[str, DayOfRequests]:
        """The requests to the vendors of the last day by budget; PutOffError as ``counts``."""
        return await self._within(seconds, self._requests())

    async def recall(self, owner: str, name: str, *, seconds: float) -> dict[str, Any]:
        """A state entry of the ledger, empty if there is none; PutOffError as ``counts``."""
        return await self._within(seconds, self._recalled(owner, name))

    def remember(self, owner: str, name: str, value: dict[str, Any]) -> None:
        """Begins to store a state entry; nobody waits for it, and a failure is logged."""
        self._start(self._remembered(owner, name, value))

    async def check(self, *, seconds: float) -> None:
        """Proves by a write that a message could be kept now; PutOffError if not, or not in time."""
        await self._within(seconds, self._check())

    async def close(self) -> None:
        """Lets what was begun end, then closes the ledger."""
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._ledger is not None:
            await self._ledger.close()

    async def _within(self, seconds: float, work: Awaitable[T]) -> T:
        task = self._start(work)
        done, _ = await asyncio.wait({task}, timeout=max(0.0, seconds))
        if not done:
            raise PutOffError("ledger is slow")
        try:
            return task.result()
        except StopError as error:
            raise PutOffError("ledger", str(error)) from error
        except Exception as error:
            logger.exception("The ledger ended in an error that is none of its own")
            raise PutOffError("ledger", type(error).__name__) from error

    def _start(self, work: Awaitable[T]) -> asyncio.Future[T]:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._forget)
        return task

    def _forget(self, task: asyncio.Future[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            task.exception()

    async def _put(self, message: NewMessage, digest: str) -> bool:
        kept: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._waiting.append((message, digest, kept))
        async with self._writing:
            if not kept.done():
                await self._write_batch()
        return await kept

    async def _write_batch(self) -> None:
        """Writes the oldest messages that wait; each learns how it went."""
        batch, self._waiting = self._waiting[:BATCH_SIZE], self._waiting[BATCH_SIZE:]
        try:
            await self._write(batch)
        except Exception as error:
            await self._write_singly(batch, error)

    async def _write(self, batch: Sequence[_Waiting]) -> None:
        ledger = await self._opened()
        outcomes = await ledger.inbox.put_all(
            [message for message, _, _ in batch], [digest for _, digest, _ in batch]
        )
        await self._check_files()
        for (_, _, kept), is_new in zip(batch, outcomes, strict=True):
            kept.set_result(is_new)

    async def _write_singly(self, batch: Sequence[_Waiting], error: Exception) -> None:
        """After a failure: where the ledger does take messages, one is at fault and the others are kept."""
        one_at_fault = len(batch) > 1
        if one_at_fault:
            try:
                await self._check()
            except Exception:
                one_at_fault = False
        for each in batch:
            if not one_at_fault:
                each[2].set_exception(error)
                continue
            try:
                await self._write([each])
            except Exception as its_own:
                each[2].set_exception(its_own)

    async def _requests(self) -> dict[str, DayOfRequests]:
        return await (await self._opened()).request_history.last_day()

    async def _recalled(self, owner: str, name: str) -> dict[str, Any]:
        return await (await self._opened()).state.get(owner, name) or {}

    async def _remembered(self, owner: str, name: str, value: dict[str, Any]) -> None:
        try:
            await (await self._opened()).state.set(owner, name, value)
        except StopError as error:
            logger.warning("The receiver could not note %s: %s", name, error)

    async def _counts(self) -> dict[str, int]:
        return await (await self._opened()).inbox.count()

    async def _check(self) -> None:
        await (await self._opened()).inbox.prove_writable()
        await self._check_files()

    async def _check_files(self) -> None:
        """Gives a ledger up whose files are not those in its place any more, and raises StopError."""
        if self._files is None:
            return
        try:
            self._files.check()
        except StopError:
            ledger, self._ledger = self._ledger, None
            if ledger is not None:
                await ledger.close()
            raise

    async def _opened(self) -> Ledger:
        if self._ledger is not None:
            await self._check_files()
        async with self._opening:
            if self._ledger is None:
                self._ledger = await self._open()
            return self._ledger

    async def _open(self) -> Ledger:
        if self._monotonic() - self._failed_at < REOPEN_SECONDS:
            raise StopError("The ledger could not be opened a moment ago", system="ledger")
        if self._files is not None and self._files.is_gone:
            raise StopError("The ledger's file is gone", system="ledger", path=str(self._files.path))
        try:
            ledger = await Ledger.open(self._place, busy_seconds=BUSY_SECONDS)
            if self._files is None:
                self._files = LedgerFiles(self._place)
            self._files.remember()
            return ledger
        except StopError:
            self._failed_at = self._monotonic()
            raise
