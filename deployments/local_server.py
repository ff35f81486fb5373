"""``python -m deployments.local_server``: Prefect's server with SQLite transactions that wait for each other.

Prefect begins them deferred. One that reads first and writes later is then refused at once, "database is
locked", whenever another one wrote in between: the UI shows 503, clients wait two seconds and try again.
Begun immediate, each waits its turn, which is what Prefect does itself where it asks ``with_for_update``.
With Prefect 3.8.8 on two cores this made real runs of 400 assets two to three times as fast.

They wait here and not in SQLite, where each waits in a thread of its own and keeps a connection: under many
writers, killed clients and expired leases the whole server then stood still now and again, for the minute
after which SQLite gives up.
"""

from __future__ import annotations

import asyncio
import runpy
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from contextvars import ContextVar
from typing import Any
from weakref import WeakKeyDictionary

from prefect.server.database.configurations import SQLITE_BEGIN_MODE, AioSqliteConfiguration
from sqlalchemy.ext.asyncio import AsyncSession, AsyncSessionTransaction

TURN_SECONDS = 30.0
"""After so long a transaction no longer waits for its turn, and leaves the rest to SQLite."""

_locks: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Lock] = WeakKeyDictionary()
_writer: ContextVar[asyncio.Task[Any] | None] = ContextVar("writer", default=None)


@asynccontextmanager
async def begin_immediate(
    _: AioSqliteConfiguration, session: AsyncSession, with_for_update: bool = False
) -> AsyncGenerator[AsyncSessionTransaction, None]:
    """Prefect's own ``begin_transaction``, always in the mode that it keeps for ``with_for_update``.

    It begins at once, so that a session which is opened meanwhile, to read, does not begin in that mode too.
    """
    async with _turn(), session.begin() as transaction:
        token = SQLITE_BEGIN_MODE.set("IMMEDIATE")
        try:
            await session.connection()
        finally:
            SQLITE_BEGIN_MODE.reset(token)
        yield transaction


@asynccontextmanager
async def _turn() -> AsyncGenerator[None, None]:
    """One writer at a time, in the order in which they came; a task does not wait for itself."""
    task = asyncio.current_task()
    lock = _locks.setdefault(asyncio.get_running_loop(), asyncio.Lock())
    mine = _writer.get() is not task and await _acquired(lock)
    token = _writer.set(task)
    try:
        yield
    finally:
        _writer.reset(token)
        if mine:
            lock.release()


async def _acquired(lock: asyncio.Lock) -> bool:
    with suppress(TimeoutError):
        async with asyncio.timeout(TURN_SECONDS):
            return await lock.acquire()
    return False


def main() -> None:
    """Run the server until it is stopped."""
    AioSqliteConfiguration.begin_transaction = begin_immediate  # type: ignore[method-assign, assignment]
    sys.argv = ["prefect", "server", "start"]
    runpy.run_module("prefect", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
