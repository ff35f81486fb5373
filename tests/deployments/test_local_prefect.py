"""The local server's SQLite transactions wait for each other, where Prefect's own would fail."""

from __future__ import annotations

import inspect
import os
import sqlite3
import subprocess
import sys
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import pytest
import sqlalchemy as sa
from prefect.server.database.configurations import AioSqliteConfiguration
from sqlalchemy.ext.asyncio import AsyncSession

from deployments import ROOT
from deployments.local.prefect import begin_immediate

pytestmark = pytest.mark.anyio


class Waiting(AioSqliteConfiguration):
    begin_transaction = begin_immediate  # type: ignore[assignment]


@asynccontextmanager
async def session_of(configuration: AioSqliteConfiguration) -> AsyncIterator[AsyncSession]:
    async with opened(configuration) as session:
        yield session
    await (await configuration.engine()).dispose()


@pytest.fixture
async def configuration(tmp_path: Path) -> AsyncIterator[Waiting]:
    made = Waiting(f"sqlite+aiosqlite:///{tmp_path / 'x.db'}")
    yield made
    await (await made.engine()).dispose()


@asynccontextmanager
async def opened(configuration: AioSqliteConfiguration) -> AsyncIterator[AsyncSession]:
    async with await configuration.session(await configuration.engine()) as session:
        yield session


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


async def test_writers_wait_without_a_connection(configuration: Waiting) -> None:
    begun: list[str] = []

    async def write(name: str) -> None:
        async with opened(configuration) as session, configuration.begin_transaction(session):
            begun.append(name)
            await anyio.sleep(0.2)

    async with anyio.create_task_group() as group:
        for name in ("first", "second", "third"):
            group.start_soon(write, name)
            await anyio.sleep(0.05)
        engine = await configuration.engine()
        assert begun == ["first"]
        assert isinstance(engine.pool, sa.pool.QueuePool)
        assert engine.pool.checkedout() == 1
    assert begun == ["first", "second", "third"]


async def test_a_session_that_reads_within_a_transaction_waits_for_nobody(configuration: Waiting) -> None:
    with anyio.fail_after(5):
        async with opened(configuration) as session, configuration.begin_transaction(session):
            await session.execute(sa.text("CREATE TABLE counts (n INTEGER)"))
            async with opened(configuration) as reading:
                await reading.execute(sa.text("SELECT 1"))


async def test_a_writer_that_fails_lets_the_next_one_begin(configuration: Waiting) -> None:
    with pytest.raises(ZeroDivisionError):
        async with opened(configuration) as session, configuration.begin_transaction(session):
            raise ZeroDivisionError
    with anyio.fail_after(5):
        async with opened(configuration) as session, configuration.begin_transaction(session):
            await session.execute(sa.text("SELECT 1"))


def test_prefect_still_begins_transactions_where_it_is_changed() -> None:
    ours, theirs = (
        list(inspect.signature(each).parameters)[1:]
        for each in (begin_immediate, AioSqliteConfiguration.begin_transaction)
    )
    assert ours == theirs


def test_a_process_speaks_to_its_own_server_though_prefect_is_imported_already(tmp_path: Path) -> None:
    """Else Prefect starts a temporary server beside it, on the same database."""
    program = (
        "import sys, pathlib; from deployments.local.prefect import *; "
        "from prefect.settings import PREFECT_API_URL as address; "
        "speak_to(LocalPrefect(9, prefect_environment(pathlib.Path(sys.argv[1]), 9))); print(address.value())"
    )
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")}
    command = [sys.executable, "-c", program, str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, env=clean, capture_output=True, text=True)
    assert done.stdout.strip() == "http://127.0.0.1:9/api", done.stderr
