"""Brings the ledger's tables up to date at every open, whoever opens first and however many at once.

The check and the migrations run in one transaction under a lock that the database frees by itself when a
process dies: SQLite's write lock, PostgreSQL's advisory lock. Whoever waited finds the work done.
"""

from __future__ import annotations

from pathlib import Path

import anyio
from sqlalchemy import inspect, text
from sqlalchemy.engine import Connection
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncEngine

from connectors.errors import StopError
from connectors.ledger.database import BEGIN, failures_in_words, place_in_words, writing

HEAD = "0004"
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
