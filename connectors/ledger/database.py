"""Connections and transactions of the ledger, and its failures as errors in words."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

import anyio
import orjson
from sqlalchemy import event
from sqlalchemy.engine import URL, Connection
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from connectors.errors import StopError
from connectors.ledger.location import shown

#: Execution option: how a transaction begins on SQLite, "IMMEDIATE" (the default), "DEFERRED" or "NONE".
BEGIN = "ledger_begin"
#: How long one process waits for another's transaction, in seconds. Transactions here take milliseconds.
BUSY_SECONDS = 30.0
CONNECT_SECONDS = 10.0
_TURNS: WeakKeyDictionary[AsyncEngine, anyio.Lock] = WeakKeyDictionary()

REMEDIES = (
    ("disk is full", "Free space on the disk, then run again: what was written before is kept."),
    ("disk quota", "Free space on the disk, then run again: what was written before is kept."),
    ("no space left", "Free space on the disk, then run again: what was written before is kept."),
    (
        "database is locked",
        "Another program keeps the file locked: close tools that have it open, then run again.",
    ),
    ("readonly database", "Let this user write the file and its folder."),
    ("unable to open", "Let this user write the file's folder, or name another file."),
    (
        "permission denied",
        "Let this user write the file and its folder, or give it rights in the database.",
    ),
    ("not a database", "The file is something else or damaged: move it away or name another file."),
    ("malformed", "The file is damaged: move it away; only history and speed are lost."),
    ("password authentication failed", "Correct the user and password in the ledger's block."),
    ("does not exist", "Create the database first, or correct its name in the ledger's block."),
)


def create_engine(url: URL, busy_seconds: float = BUSY_SECONDS) -> AsyncEngine:
    """An engine that never shows a statement's values in its errors; on SQLite with its settings."""
    options: dict[str, Any] = {"hide_parameters": True, "pool_size": 2, "max_overflow": 3}
    options["json_serializer"] = _json
    if not url.drivername.startswith("sqlite"):
        limits = {"timeout": CONNECT_SECONDS, "command_timeout": busy_seconds}
        return create_async_engine(url, pool_pre_ping=True, connect_args=limits, **options)
    Path(url.database or "").parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    engine = create_async_engine(url, **options)
    _prepare_sqlite(engine, busy_seconds)
    return engine


def _json(value: Any) -> str:
    return orjson.dumps(value, default=str).decode()


def _prepare_sqlite(engine: AsyncEngine, busy_seconds: float) -> None:
    @event.listens_for(engine.sync_engine, "connect")
    def settings(connection: Any, _record: object) -> None:
        # The driver must not open or commit transactions by itself: see begin() below.
        connection.isolation_level = None
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA busy_timeout = {int(busy_seconds * 1000)}")
        # A write is journalled before it is sent; FULL keeps that true through a power cut.
        cursor.execute("PRAGMA synchronous = FULL")
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def begin(connection: Connection) -> None:
        # Taking the write lock at once: a transaction that read first could not wait for it later.
        how = connection.get_execution_options().get(BEGIN, "IMMEDIATE")
        if how != "NONE":
            connection.exec_driver_sql(f"BEGIN {how}")


@asynccontextmanager
async def writing(engine: AsyncEngine, what: str) -> AsyncIterator[AsyncConnection]:
    """One transaction that may write: committed at the end, or not done at all and a StopError.

    A cancellation waits for its end: transactions take milliseconds, and a connection that is torn away in
    the middle of one can keep its process waiting.
    """
    with failures_in_words(engine.url, what), anyio.CancelScope(shield=True):
        async with _turn(engine), engine.begin() as connection:
            yield connection


@asynccontextmanager
async def _turn(engine: AsyncEngine) -> AsyncIterator[None]:
    """On SQLite one writer of a process at a time.

    Whoever waits for the file's lock looks now and then, and has it if that is the right moment: of many who
    wait, some wait for seconds.
    """
    if engine.dialect.name != "sqlite":
        yield
        return
    async with _TURNS.setdefault(engine, anyio.Lock()):
        yield


@asynccontextmanager
async def reading(engine: AsyncEngine, what: str) -> AsyncIterator[AsyncConnection]:
    """One transaction that only reads and blocks nobody."""
    with failures_in_words(engine.url, what), anyio.CancelScope(shield=True):
        async with engine.connect() as plain:
            connection = await plain.execution_options(**{BEGIN: "DEFERRED"})
            async with connection.begin():
                yield connection


@contextmanager
def failures_in_words(url: URL, what: str) -> Iterator[None]:
    """Turns a failure of the database into a StopError: what was tried, where, why, and the remedy."""
    try:
        yield
    except (SQLAlchemyError, OSError) as error:
        reason = _reason(error)
        raise StopError(
            f"The ledger could not {what}: {reason}",
            system="ledger",
            path=shown(url),
            remedy=_remedy(reason),
        ) from error


def _reason(error: BaseException) -> str:
    original = getattr(error, "orig", None) or error
    text = str(original).strip() or type(original).__name__
    # SQLAlchemy puts the driver's class before its words.
    return text.rpartition(">: ")[2].splitlines()[0]


def _remedy(reason: str) -> str:
    known = (remedy for words, remedy in REMEDIES if words in reason.lower())
    return next(known, "See that the database is reachable and writable, then run again.")
