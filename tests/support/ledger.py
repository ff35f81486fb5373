"""Ledgers for tests: a new SQLite file or PostgreSQL database; time stands still until a test moves it."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from subprocess import PIPE, Popen
from typing import Any

import pytest

from connectors.ledger.database import Clock
from connectors.ledger.store import Ledger
from deployments.local.postgres import TEST_SERVER, new_database

ROOT = Path(__file__).parents[2]


@pytest.fixture(params=["sqlite", "postgresql"])
async def place(request: pytest.FixtureRequest, ledger_file: Path) -> AsyncIterator[str]:
    """The address of an empty ledger; PostgreSQL only where the environment names a server."""
    if request.param == "sqlite":
        yield str(ledger_file)
        return
    async with database_on_server() as address:
        yield address


@pytest.fixture(params=["sqlite", "postgresql"])
async def new_place(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[str]:
    """As ``place``, where no tables are yet."""
    if request.param == "sqlite":
        yield str(tmp_path / "ledger.db")
        return
    async with database_on_server() as address:
        yield address


@asynccontextmanager
async def database_on_server() -> AsyncIterator[str]:
    """The address of a new PostgreSQL database without tables, where the environment names a server."""
    server = os.environ.get(TEST_SERVER)
    if not server:
        pytest.skip(f"{TEST_SERVER} names no PostgreSQL server")
    async with new_database(server) as address:
        yield address


def start_python(*arguments: str) -> Popen[bytes]:
    """Another process of this interpreter, started in the project's folder."""
    return Popen([sys.executable, *arguments], cwd=ROOT, stdout=PIPE, stderr=PIPE)


def work_at_once(place: str, what: str, number: int, workers: int = 2) -> list[list[Any]]:
    """What each of several processes did that start on the same ledger together; see dispatch_worker."""
    program = ("-m", "tests.support.outbox_worker", place, what)
    started = [start_python(*program, str(me), str(workers), str(number)) for me in range(workers)]
    answers = [worker.communicate(timeout=60) for worker in started]
    assert [errors for _, errors in answers] == [b""] * workers
    return [json.loads(output) for output, _ in answers]


class Hand:
    """The hand of the ledger's clock, in seconds since 1970."""

    def __init__(self) -> None:
        self.now = 1_700_000_000.5

    def move(self, seconds: float) -> None:
        self.now += seconds

    @property
    def moment(self) -> datetime:
        return datetime.fromtimestamp(self.now, UTC)


@pytest.fixture
def hand() -> Hand:
    return Hand()


@pytest.fixture
async def ledger(place: str, hand: Hand) -> AsyncIterator[Ledger]:
    async with Ledger.open(place, clock=Clock(now=lambda: hand.now)) as ledger:
        yield ledger
