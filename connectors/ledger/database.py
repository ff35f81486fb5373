"""The ledger's database: where it lies, its migrations, transactions, failures in words, clock, and upserts.

A SQLite file is shared by processes of one machine, so the machine's clock serves. Processes on several
machines share a PostgreSQL database, and only its clock is the same for all of them.

Its tables are brought up to date at every open, whoever opens first and however many at once. The check and
the migrations run in one transaction under a lock that the database frees by itself when a process dies:
SQLite's write lock, PostgreSQL's advisory lock. Whoever waited finds the work done.
"""

from __future__ import annotations

import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

import anyio
from sqlalchemy import Table, TextClause, bindparam, event, inspect, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import URL, Connection, make_url
from sqlalchemy.exc import ArgumentError, OperationalError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from connectors.errors import RejectedError, StopError
from connectors.installation import data_folder, disk_is_shared
from connectors.ledger.text import clean_parameters, json_text

PATH_VARIABLE = "CONNECTWISE_FLOWS_LEDGER"
URL_VARIABLE = "CONNECTWISE_FLOWS_LEDGER_URL"
DRIVERS = {"sqlite": "sqlite+aiosqlite", "postgresql": "postgresql+asyncpg", "postgres": "postgresql+asyncpg"}
REMEDY = "Give a file path, sqlite:///<file>, or postgresql://<user>:<password>@<host>/<database>."


BEGIN = "ledger_begin"
"""Execution option: how a transaction begins on SQLite, "IMMEDIATE" (the default), "DEFERRED" or "NONE"."""
BUSY_SECONDS = 30.0
"""How long one process waits for another's transaction. Transactions here take milliseconds."""
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
    ("permission denied", "Let this user write the file and its folder, or give it rights in the database."),
    ("not a database", "The file is something else or damaged: move it away or name another file."),
    ("malformed", "The file is damaged: move it away; only history and speed are lost."),
    ("password authentication failed", "Correct the user and password in the ledger's block."),
    ("does not exist", "Create the database first, or correct its name in the ledger's block."),
)


def default_path(
    environment: Mapping[str, str], *, platform: str = sys.platform, pool_type: str | None = None
) -> Path:
    """The file that ``CONNECTWISE_FLOWS_LEDGER`` names, else ``ledger.db`` in the user's data folder.

    Raises:
        StopError: no file is named, and the other runs would not find it: each would use the whole request
            limit by itself, and know nothing of what the others wrote. ``pool_type`` is that of the run's
            work pool.
    """
    named = environment.get(PATH_VARIABLE, "").strip()
    if named:
        return Path(named).expanduser()
    if not disk_is_shared(environment, pool_type):
        where = f"a work pool of the type {pool_type}" if pool_type else "a container"
        raise StopError(
            f"The ledger would be a file on the disk of {where}, which no other run shares",
            system="ledger",
            remedy="Save the block Integration Ledger with a PostgreSQL address, or set "
            f"{URL_VARIABLE}; on one machine {PATH_VARIABLE} may name a file on a volume of all containers.",
        )
    return data_folder(environment, platform=platform) / "ledger.db"


def database_url(place: str | Path) -> URL:
    """The address with its asynchronous driver; StopError for a database that is not served."""
    if isinstance(place, Path) or "://" not in place:
        return URL.create("sqlite+aiosqlite", database=str(Path(place).expanduser()))
    url = _parsed(place)
    driver = DRIVERS.get(url.drivername.partition("+")[0])
    if driver is None:
        raise StopError(
            f"The ledger can't lie in a {url.drivername} database", system="ledger", remedy=REMEDY
        )
    if driver.startswith("sqlite") and url.database in (None, "", ":memory:"):
        raise StopError("The ledger needs a file that all processes can open", system="ledger", remedy=REMEDY)
    url = url.set(drivername=driver)
    # Other PostgreSQL drivers say sslmode; asyncpg says ssl and refuses the other word.
    if driver.startswith("postgresql") and "sslmode" in url.query:
        url = url.difference_update_query(["sslmode"]).update_query_dict({"ssl": url.query["sslmode"]})
    return url


def _parsed(place: str) -> URL:
    try:
        return make_url(place)
    except (ArgumentError, ValueError):
        # The text may hold a password, so it is not shown, nor the error that quotes it.
        raise StopError(
            "The ledger's database address can't be read", system="ledger", remedy=REMEDY
        ) from None


def place_in_words(url: URL) -> str:
    """The place in words for messages, without user and password."""
    if url.drivername.startswith("sqlite"):
        return f"SQLite file {url.database}"
    port = f":{url.port}" if url.port else ""
    return f"PostgreSQL database {url.database} on {url.host}{port}"


def create_engine(url: URL, busy_seconds: float = BUSY_SECONDS) -> AsyncEngine:
    """An engine that never shows a statement's values in its errors; on SQLite with its settings."""
    options: dict[str, Any] = {"hide_parameters": True, "pool_size": 2, "max_overflow": 3}
    options["json_serializer"] = json_text
    if not url.drivername.startswith("sqlite"):
        limits = {"timeout": CONNECT_SECONDS, "command_timeout": busy_seconds}
        return _with_clean_texts(create_async_engine(url, pool_pre_ping=True, connect_args=limits, **options))
    Path(url.database or "").parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    engine = create_async_engine(url, **options)
    _prepare_sqlite(engine, busy_seconds)
    return _with_clean_texts(engine)


def _with_clean_texts(engine: AsyncEngine) -> AsyncEngine:
    @event.listens_for(engine.sync_engine, "before_cursor_execute", retval=True)
    def clean(
        _connection: Connection, _cursor: object, statement: str, parameters: Any, *_more: object
    ) -> tuple[str, Any]:
        return statement, clean_parameters(parameters)

    return engine


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
    except OverflowError as error:
        raise _unkeepable(url, what, error) from error
    except Exception as error:
        if not isinstance(error, (SQLAlchemyError, OSError, *_driver_failures())):
            raise
        reason = _reason(error)
        if _VALUE_REFUSED in reason:
            raise _unkeepable(url, what, error) from error
        known = (remedy for words, remedy in REMEDIES if words in reason.lower())
        raise StopError(
            f"The ledger could not {what}: {reason}",
            system="ledger",
            path=place_in_words(url),
            remedy=next(known, "See that the database is reachable and writable, then run again."),
        ) from error


_VALUE_REFUSED = "invalid input for query argument"
"""The words of asyncpg for a value that its column can't hold; SQLite's driver raises OverflowError."""


def _unkeepable(url: URL, what: str, error: Exception) -> RejectedError:
    """One value is at fault, such as a number of more than 64 bits: the next record may well be kept."""
    words = f"The ledger could not {what}: a value is out of its range ({type(error).__name__})"
    return RejectedError(words, system="ledger", path=place_in_words(url))


def _driver_failures() -> tuple[type[Exception], ...]:
    """What asyncpg raises itself, while it connects: a server that starts, ends or is full is such a case."""
    asyncpg = sys.modules.get("asyncpg")
    return () if asyncpg is None else (asyncpg.PostgresError, asyncpg.InterfaceError)


def _reason(error: BaseException) -> str:
    original = getattr(error, "orig", None) or error
    text = str(original).strip() or type(original).__name__
    # SQLAlchemy puts the driver's class before its words.
    return text.rpartition(">: ")[2].splitlines()[0]


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


class Repository:
    """What the ledger keeps of one concern, behind its own methods: the base of all of them."""

    def __init__(self, engine: AsyncEngine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock

    @asynccontextmanager
    async def _writing(self, what: str) -> AsyncIterator[tuple[AsyncConnection, float]]:
        """``writing``, and the time in this transaction by the shared clock."""
        async with writing(self._engine, what) as connection:
            yield connection, await self._clock.now_of(connection)


def moment(seconds: float) -> datetime:
    """A stored time as a datetime in UTC."""
    return datetime.fromtimestamp(seconds, UTC)


def moment_or_none(seconds: float | None) -> datetime | None:
    """As ``moment``, None where none is stored."""
    return None if seconds is None else moment(seconds)


T = TypeVar("T")
VALUES_A_STATEMENT = 500
"""Both databases take far more, and this stays a small statement."""


def in_groups(values: Sequence[T]) -> Iterator[Sequence[T]]:
    """The values in their order, as many at a time as one statement names."""
    for start in range(0, len(values), VALUES_A_STATEMENT):
        yield values[start : start + VALUES_A_STATEMENT]


Insert = postgresql.Insert | sqlite.Insert


def insert_or_replace(table: Table, key: Sequence[str]) -> TextClause:
    """An insert of whole rows that replaces every other column of the row which holds the key already."""
    return _upsert(table, tuple(key))


def insert_or_replace_many(connection: AsyncConnection, table: Table, key: Sequence[str]) -> Insert:
    """The same for thousands of rows: it takes longer to be put into words, and half as long a row."""
    statement = _insert(connection.dialect.name, table)
    given = {column.name: statement.excluded[column.name] for column in table.c if column.name not in key}
    return statement.on_conflict_do_update(index_elements=list(key), set_=given)


def insert_or_add(table: Table, key: Sequence[str]) -> TextClause:
    """An insert of whole rows that adds every other column to the row which holds the key already."""
    return _upsert(table, tuple(key), adds=True)


@lru_cache(maxsize=64)
def _upsert(table: Table, key: tuple[str, ...], *, adds: bool = False) -> TextClause:
    """As text, which SQLAlchemy keeps ready to be sent: an upsert it puts into words at each execution.

    Both databases take the same words.
    """
    statement = sqlite.insert(table)
    rest = [column.name for column in table.c if column.name not in key]
    given = {name: statement.excluded[name] for name in rest}
    values = {name: table.c[name] + given[name] for name in rest} if adds else given
    whole = statement.on_conflict_do_update(index_elements=list(key), set_=values)
    words = whole.compile(
        dialect=sqlite.dialect(paramstyle="named"), column_keys=[column.name for column in table.c]
    )
    return text(str(words)).bindparams(*(bindparam(each.name, type_=each.type) for each in table.c))


def insert_unless_there(
    connection: AsyncConnection, table: Table, key: Sequence[str] | None = None
) -> Insert:
    """An insert that leaves a row which holds the key already as it is; None: any of the table's keys."""
    statement = _insert(connection.dialect.name, table)
    return statement.on_conflict_do_nothing(index_elements=list(key) if key else None)


def _insert(dialect: str, table: Table) -> Insert:
    return sqlite.insert(table) if dialect == "sqlite" else postgresql.insert(table)


HEAD = "0013"
"""The revision this code works with; a test holds it equal to the newest file under migrations/versions."""
FOLDER = Path(__file__).with_name("migrations")
# Any fixed number will do, so long as nothing else in the database takes the same advisory lock.
ADVISORY_LOCK = 7_203_115_001


async def migrate(engine: AsyncEngine, patience: float) -> None:
    """Creates or updates the tables; waits at most ``patience`` seconds for a process that is doing so."""
    if engine.dialect.name == "sqlite":
        await _write_ahead(engine, patience)
    async with writing(engine, "open its tables") as connection:
        if engine.dialect.name == "postgresql":
            await connection.execute(text(f"SELECT pg_advisory_xact_lock({ADVISORY_LOCK})"))
        current = await connection.run_sync(_revision)
        if current == HEAD:
            return
        if current is not None and not list(FOLDER.glob(f"versions/{current}_*.py")):
            raise StopError(
                f"The ledger has tables of a newer version ({current}) than this program knows ({HEAD})",
                system="ledger",
                path=place_in_words(engine.url),
                remedy="Update the program, or name another ledger.",
            )
        await connection.run_sync(_upgrade)


async def _write_ahead(engine: AsyncEngine, patience: float) -> None:
    """Write-ahead mode stays in the file. SQLite does not wait for a lock while switching, so this does."""
    with failures_in_words(engine.url, "open its file"), anyio.move_on_after(patience):
        while not await _switched(engine):  # noqa: ASYNC110  (another process holds the file: no event tells)
            await anyio.sleep(0.05)


async def _switched(engine: AsyncEngine) -> bool:
    try:
        async with engine.connect() as plain:
            connection = await plain.execution_options(**{BEGIN: "NONE"})
            await connection.exec_driver_sql("PRAGMA journal_mode = WAL")
    except OperationalError as error:
        if "locked" in str(error):
            return False
        raise
    return True


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def _upgrade(connection: Connection) -> None:
    # Imported only when there is something to do: it takes longer than all the rest of an open.
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
