"""Opening the ledger: its block, migrations, races, full disks and locked files, places and their names."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import anyio
import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from pydantic import SecretStr
from sqlalchemy import Dialect, TextClause, text
from sqlalchemy.dialects.postgresql import asyncpg
from sqlalchemy.dialects.sqlite import aiosqlite
from sqlalchemy.engine import Connection

from connectors.errors import StopError
from connectors.ledger.block import LedgerDatabase
from connectors.ledger.database import (
    FOLDER,
    HEAD,
    PATH_VARIABLE,
    create_engine,
    database_url,
    default_path,
    insert_or_add,
    insert_or_replace,
    place_in_words,
    writing,
)
from connectors.ledger.models import WriteEntry
from connectors.ledger.schema import metadata, request_hours
from connectors.ledger.store import Ledger
from tests.support.ledger import new_place, start_python

__all__ = ["new_place"]
pytestmark = pytest.mark.anyio

OPEN_AND_NOTE = """
import sys, anyio
from connectors.ledger.store import Ledger
async def main():
    async with Ledger.open(sys.argv[1]) as ledger:
        await ledger.batches.open("run", "c", 1, ["key"], 5)
anyio.run(main)
"""
HOLD_A_TRANSACTION = """
import sys, anyio
from connectors.ledger.store import Ledger
from connectors.ledger.database import create_engine, writing
async def main():
    ledger = await Ledger.open(sys.argv[1])
    await ledger.batches.open("run", "c", 1, ["kept"], 5)
    async with writing(ledger._engine, "hold") as transaction:
        await transaction.exec_driver_sql("DELETE FROM batches_in_flight")
        print("held", flush=True)
        await anyio.sleep(60)
anyio.run(main)
"""


async def test_the_migrations_make_the_tables_that_the_code_uses(new_place: str) -> None:
    async with Ledger.open(new_place) as ledger, ledger._engine.connect() as connection:

        def compare(sync: object) -> list[object]:
            return list(compare_metadata(MigrationContext.configure(sync), metadata))  # type: ignore[arg-type]

        assert await connection.run_sync(compare) == []


async def test_the_code_expects_the_newest_migration() -> None:
    config = Config()
    config.set_main_option("script_location", str(FOLDER))
    assert ScriptDirectory.from_config(config).get_current_head() == HEAD


async def test_a_pause_of_before_its_length_was_kept_ends_with_the_migration(new_place: str) -> None:
    async with Ledger.open(new_place) as ledger, writing(ledger._engine, "go back") as connection:
        await connection.run_sync(down_to, "0003")
        await connection.execute(text("INSERT INTO request_pauses VALUES ('vendor:1', 9000000000)"))
    async with Ledger.open(new_place) as ledger:
        with anyio.fail_after(5):
            await ledger.rate_limits.limiter("vendor:1", 10, 10.0).acquire()


def down_to(connection: Connection, revision: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(FOLDER))
    config.attributes["connection"] = connection
    command.downgrade(config, revision)


async def test_several_processes_may_open_a_new_ledger_at_once(new_place: str) -> None:
    openers = [start_python("-c", OPEN_AND_NOTE, new_place) for _ in range(4)]
    assert [opener.communicate(timeout=60)[1] for opener in openers] == [b""] * 4
    async with Ledger.open(new_place) as ledger:
        assert len(await ledger.batches.in_flight("tenant", 1, "c")) == 4


async def test_a_process_killed_in_a_transaction_blocks_nobody(new_place: str) -> None:
    with start_python("-c", HOLD_A_TRANSACTION, new_place) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"held\n"
        process.kill()
    with anyio.fail_after(10):
        async with Ledger.open(new_place) as ledger:
            await ledger.batches.open("run", "c", 1, ["added"], 6)
            in_flight = await ledger.batches.in_flight("tenant", 1, "c")
            assert [batch.asset_keys for batch in in_flight] == [["kept"], ["added"]]


async def test_a_ledger_of_a_newer_version_is_not_touched(new_place: str) -> None:
    async with Ledger.open(new_place) as ledger, writing(ledger._engine, "pretend") as connection:
        await connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(StopError, match=r"newer version .9999.*Update the program"):
        await Ledger.open(new_place)


async def test_a_cancelled_caller_leaves_a_ledger_that_works(new_place: str) -> None:
    async with Ledger.open(new_place) as ledger:
        with anyio.move_on_after(0):
            await ledger.batches.open("run", "c", 1, ["key"], 5)
        await ledger.batches.open("run", "c", 1, ["key"], 5)
        assert 1 <= len(await ledger.batches.in_flight("tenant", 1, "c")) <= 2


async def test_one_writer_of_a_process_at_a_time_waits_for_the_file(tmp_path: Path) -> None:
    engine = create_engine(database_url(tmp_path / "ledger.db"))
    connections: list[int] = []

    async def write() -> None:
        async with writing(engine, "try"):
            await anyio.sleep(0.01)
            connections.append(engine.pool.checkedout())  # type: ignore[attr-defined]

    async with anyio.create_task_group() as group:
        for _ in range(4):
            group.start_soon(write)
    await engine.dispose()
    assert connections == [1, 1, 1, 1]


async def test_a_full_disk_is_an_error_in_words(tmp_path: Path) -> None:
    async with Ledger.open(tmp_path / "ledger.db") as ledger:
        async with ledger._engine.connect() as connection:
            # The connection goes back to the pool with its limit and is the one used next.
            await connection.exec_driver_sql("PRAGMA max_page_count = 20")
        long = WriteEntry("create", "configuration", None, "a", "n" * 200_000, None, None)
        with pytest.raises(StopError, match=r"could not note the writes.*full.*ledger\.db.*Free space"):
            await ledger.journal.begin("run", "c", 1, [long])


async def test_a_locked_file_is_an_error_in_words(tmp_path: Path) -> None:
    async with Ledger.open(tmp_path / "ledger.db", busy_seconds=0.1) as ledger:
        other = sqlite3.connect(tmp_path / "ledger.db", isolation_level=None)
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(
            StopError, match=r"could not settle a batch: database is locked.*ledger\.db.*close"
        ):
            await ledger.batches.close(1)
        other.close()


async def test_a_file_that_is_no_database_is_an_error_in_words(tmp_path: Path) -> None:
    (tmp_path / "ledger.db").write_text("something else " * 1000)
    with pytest.raises(StopError, match=r"not a database.*ledger\.db.*name another file"):
        await Ledger.open(tmp_path / "ledger.db")


async def test_a_folder_that_cannot_be_made_is_an_error_in_words(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StopError, match=r"The ledger could not be opened"):
        await Ledger.open(tmp_path / "file" / "ledger.db")


async def test_a_server_that_cannot_be_reached_is_an_error_without_the_password() -> None:
    with pytest.raises(StopError) as refused:
        await Ledger.open("postgresql://user:s3cret@127.0.0.1:9/ledger")
    assert "database ledger on 127.0.0.1:9" in str(refused.value)
    assert "s3cret" not in str(refused.value)


async def test_an_unreadable_address_is_not_quoted() -> None:
    with pytest.raises(StopError) as refused:
        database_url("postgresql://user:s3cret@host:port:x/ledger")
    assert "s3cret" not in f"{refused.value}{refused.value.__cause__}"


@pytest.mark.parametrize("address", ["mysql://host/ledger", "sqlite://", "sqlite:///:memory:"])
async def test_places_that_do_not_serve_are_refused(address: str) -> None:
    with pytest.raises(StopError, match="Give a file path"):
        database_url(address)


async def test_postgresql_addresses_are_taken_in_their_usual_forms() -> None:
    for address in (
        "postgres://u:p@h:5433/d?sslmode=require",
        "postgresql+psycopg://u:p@h:5433/d?sslmode=require",
    ):
        url = database_url(address)
        assert url.drivername == "postgresql+asyncpg"
        assert dict(url.query) == {"ssl": "require"}
        assert place_in_words(url) == "PostgreSQL database d on h:5433"


async def test_the_default_place_is_the_named_file_or_the_users_data_folder(tmp_path: Path) -> None:
    assert default_path({PATH_VARIABLE: str(tmp_path / "x.db")}) == tmp_path / "x.db"
    inside = Path("connectwise-flows") / "ledger.db"
    assert default_path({"XDG_DATA_HOME": "/data"}, platform="linux") == Path("/data") / inside
    assert default_path({}, platform="linux") == Path.home() / ".local" / "share" / inside
    assert default_path({"LOCALAPPDATA": "/local"}, platform="win32") == Path("/local") / inside


async def test_on_a_disk_of_its_own_only_a_named_file_is_taken(
    tmp_path: Path,
) -> None:
    alone = {"CONNECTWISE_FLOWS_SHARED_DISK": "false", "XDG_DATA_HOME": str(tmp_path)}
    with pytest.raises(StopError, match=r"the disk of a container.*CONNECTWISE_FLOWS_LEDGER_URL"):
        default_path(alone)
    with pytest.raises(StopError, match="work pool of the type kubernetes"):
        default_path({}, pool_type="kubernetes")
    assert default_path(alone | {PATH_VARIABLE: "/shared/x.db"}, pool_type="docker") == Path("/shared/x.db")
    assert default_path({"XDG_DATA_HOME": "/data"}, platform="linux", pool_type="process").parts[1] == "data"
    said = {"CONNECTWISE_FLOWS_SHARED_DISK": "true", "XDG_DATA_HOME": "/data"}
    assert default_path(said, platform="linux", pool_type="docker").parts[1] == "data"


async def test_the_block_opens_the_named_file(tmp_path: Path) -> None:
    block = LedgerDatabase(path=str(tmp_path / "new folder" / "ledger.db"))
    async with block.open() as ledger:
        assert ledger.place == block.place() == f"SQLite file {tmp_path / 'new folder' / 'ledger.db'}"
    assert (tmp_path / "new folder" / "ledger.db").exists()


async def test_an_address_comes_before_the_file_and_hides_its_password() -> None:
    block = LedgerDatabase(url=SecretStr("postgresql://u:s3cret@db/ledger"), path="x.db")
    assert block.place() == "PostgreSQL database ledger on db"
    assert "s3cret" not in repr(block)


async def test_without_settings_the_environment_names_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(PATH_VARIABLE, str(tmp_path / "ledger.db"))
    assert LedgerDatabase().place() == f"SQLite file {tmp_path / 'ledger.db'}"
    assert LedgerDatabase().has_named_place()
    monkeypatch.setenv("CONNECTWISE_FLOWS_LEDGER_URL", "postgresql://u:s3cret@db/ledger")
    assert LedgerDatabase().place() == "PostgreSQL database ledger on db"
    assert LedgerDatabase(path="x.db").place() == "SQLite file x.db"


async def test_every_field_is_described_in_sentences() -> None:
    for field in LedgerDatabase.model_fields.values():
        assert field.title
        assert field.description
        assert field.description.endswith(".")


UPSERTED = [insert_or_add(request_hours, ("budget_key", "hour"))] + [
    insert_or_replace(table, [column.name for column in table.primary_key])
    for table in metadata.sorted_tables
    if "id" not in table.c
]


@pytest.mark.parametrize("statement", UPSERTED)
@pytest.mark.parametrize("dialect", [aiosqlite.dialect(), asyncpg.dialect()], ids=["sqlite", "asyncpg"])
def test_an_upsert_gives_every_column_its_type(statement: TextClause, dialect: Dialect) -> None:
    """As text it loses them unless they are named: JSON would be sent as it is, or cast twice."""
    compiled = statement.compile(dialect=dialect)
    kinds = {name: type(bind.type) for name, bind in compiled.binds.items()}
    into = str(compiled).split()[2]
    assert kinds == {column.name: type(column.type) for column in metadata.tables[into].c}
    assert str(compiled).count(" ON CONFLICT ") == 1
