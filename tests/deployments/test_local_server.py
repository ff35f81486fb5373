"""The local server's SQLite transactions wait for each other, where Prefect's own would fail."""

from __future__ import annotations

import inspect
import sqlite3
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa
from prefect.server.database.configurations import AioSqliteConfiguration
from sqlalchemy.ext.asyncio import AsyncSession

from deployments.local_server import begin_immediate

pytestmark = pytest.mark.anyio


class Waiting(AioSqliteConfiguration):
    begin_transaction = begin_immediate  # type: ignore[assignment]


@asynccontextmanager
async def session_of(configuration: AioSqliteConfiguration) -> AsyncIterator[AsyncSession]:
    engine = await configuration.engine()
    async with await configuration.session(engine) as session:
        yield session
    await engine.dispose()


async def read_then_write(configuration: AioSqliteConfiguration, other: threading.Thread) -> None:
    """Read; let somebody else write, if he can; write."""
    async with session_of(configuration) as session, configuration.begin_transaction(session):
        await session.execute(sa.text("SELECT n FROM counts"))
        other.start()
        other.join(0.5)
        await session.execute(sa.text("UPDATE counts SET n = n + 1"))


@pytest.mark.parametrize("waiting", [True, False], ids=["ours", "prefect's"])
async def test_a_write_after_a_read_waits_its_turn(tmp_path: Path, waiting: bool) -> None:
    path = tmp_path / "x.db"
    with sqlite3.connect(path) as made:
        made.execute("PRAGMA journal_mode = WAL")
        made.execute("CREATE TABLE counts (n INTEGER)")
        made.execute("INSERT INTO counts VALUES (0)")
    made.close()

    def write() -> None:
        with sqlite3.connect(path, timeout=20) as connection:
            connection.execute("UPDATE counts SET n = n + 1")
        connection.close()

    other = threading.Thread(target=write)
    kind = Waiting if waiting else AioSqliteConfiguration
    configuration = kind(f"sqlite+aiosqlite:///{path}")
    if waiting:
        await read_then_write(configuration, other)
    else:
        with pytest.raises(sa.exc.OperationalError, match="locked"):
            await read_then_write(configuration, other)
    other.join(20)
    connection = sqlite3.connect(path)
    assert connection.execute("SELECT n FROM counts").fetchone() == (2 if waiting else 1,)
    connection.close()


def test_prefect_still_begins_transactions_where_it_is_changed() -> None:
    ours, theirs = (
        list(inspect.signature(each).parameters)[1:]
        for each in (begin_immediate, AioSqliteConfiguration.begin_transaction)
    )
    assert ours == theirs
