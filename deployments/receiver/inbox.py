"""Writes messages into the ledger's inbox in batches, within a time limit: group commit.

A write that takes longer goes on: the repeated message is then a duplicate. While one transaction is under
way the messages that come wait, and the next one takes them all. A ledger that can't be opened at the start
is tried again when a message comes, so the receiver may start before its database.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

from connectors.errors import StopError
from connectors.ledger.inbox import NewMessage
from connectors.ledger.store import Ledger
from deployments.receiver.messages import PutOffError

BUSY_SECONDS = 5.0
BATCH_SIZE = 50
"""Messages in one transaction."""
REOPEN_SECONDS = 1.0
"""After a ledger that could not be opened, before it is tried again."""
T = TypeVar("T")


class InboxWriter:
    """Writes into the ledger's inbox: group commit, with a time limit for each caller."""

    def __init__(self, place: str | Path, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._place = place
        self._monotonic = monotonic
        self._ledger: Ledger | None = None
        self._opening = asyncio.Lock()
        self._writing = asyncio.Lock()
        self._waiting: list[tuple[NewMessage, str, asyncio.Future[bool]]] = []
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
            ledger = await self._opened()
            outcomes = await ledger.inbox.put_all(
                [message for message, _, _ in batch], [digest for _, digest, _ in batch]
            )
        except Exception as error:
            for _, _, kept in batch:
                kept.set_exception(error)
            return
        for (_, _, kept), is_new in zip(batch, outcomes, strict=True):
            kept.set_result(is_new)

    async def _counts(self) -> dict[str, int]:
        return await (await self._opened()).inbox.count()

    async def _opened(self) -> Ledger:
        if self._ledger is not None:
            return self._ledger
        async with self._opening:
            if self._ledger is None:
                self._ledger = await self._open()
            return self._ledger

    async def _open(self) -> Ledger:
        if self._monotonic() - self._failed_at < REOPEN_SECONDS:
            raise StopError("The ledger could not be opened a moment ago", system="ledger")
        try:
            return await Ledger.open(self._place, busy_seconds=BUSY_SECONDS)
        except StopError:
            self._failed_at = self._monotonic()
            raise
