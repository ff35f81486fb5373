"""What time it is for the ledger: one clock that all its processes share.

A SQLite file is shared by processes of one machine, so the machine's clock serves. Processes on several
machines share a PostgreSQL database, and only its clock is the same for all of them.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime

import anyio
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection


@dataclass(frozen=True, slots=True)
class Clock:
    """Times in seconds. ``now`` None: the database's clock on PostgreSQL, the machine's on SQLite."""

    now: Callable[[], float] | None = None
    monotonic: Callable[[], float] = time.monotonic
    sleep: Callable[[float], Awaitable[None]] = anyio.sleep

    async def now_of(self, connection: AsyncConnection) -> float:
        """Seconds since 1970 UTC by the shared clock: this moment, not the transaction's start."""
        if self.now is not None:
            return self.now()
        if connection.dialect.name == "sqlite":
            return time.time()
        seconds = await connection.execute(text("SELECT extract(epoch FROM clock_timestamp())::float8"))
        return float(seconds.scalar_one())


def moment(seconds: float) -> datetime:
    """A stored time as a datetime in UTC."""
    return datetime.fromtimestamp(seconds, UTC)


def moment_or_none(seconds: float | None) -> datetime | None:
    """As ``moment``, None where none is stored."""
    return None if seconds is None else moment(seconds)
