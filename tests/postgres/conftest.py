"""A Prefect server on PostgreSQL, started as compose and systemd start it: its secrets come from files."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import asyncpg
import pytest

from deployments.local.postgres import TEST_SERVER
from deployments.local.prefect import LocalPrefect
from tests.postgres.prefect_server import prefect_on, private_home
from tests.support.ledger import place

__all__ = ["place"]


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
def postgres() -> str:
    """The address of the session's PostgreSQL server."""
    address = os.environ.get(TEST_SERVER)
    if not address:
        pytest.skip(f"{TEST_SERVER} names no PostgreSQL server, and none could be started")
    return address


@pytest.fixture
async def database(postgres: str) -> AsyncIterator[str]:
    """The address of a new database for a Prefect server."""
    connection = await asyncpg.connect(postgres)
    await connection.execute("CREATE DATABASE prefect_test")
    yield postgres.rpartition("/")[0] + "/prefect_test"
    await connection.execute("DROP DATABASE prefect_test WITH (FORCE)")
    await connection.close()


@pytest.fixture
def prefect(database: str, tmp_path: Path) -> Iterator[LocalPrefect]:
    """A Prefect server on that database whose encryption key lies in a file."""
    with prefect_on(database, private_home(tmp_path / "prefect")) as server:
        yield server
