"""Fixtures that every test folder shares: the sandbox process, the Prefect server and the anyio backend."""

from __future__ import annotations

import gc
import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import anyio
import pytest
from hypothesis import settings

from deployments.local.sandbox import Sandbox, start_sandbox
from tests.support.certificates import VARIABLE, write_one_authority

if TYPE_CHECKING:
    from deployments.local.prefect import LocalPrefect

# A loaded machine is slow without anything being wrong: no single example is timed.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session", autouse=True)
def one_authority(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """For clients of this process, and of those that it starts."""
    file = write_one_authority(tmp_path_factory.mktemp("certificates"))
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv(VARIABLE, str(file))
        yield file


@pytest.fixture(scope="session")
def sandbox_process() -> Iterator[Sandbox]:
    """One sandbox for the session: a process of its own, as a vendor's server would be."""
    with start_sandbox() as sandbox:
        yield sandbox


@pytest.fixture(scope="session")
def empty_ledger(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A ledger with tables and without rows, to be copied: making the tables takes longer than most tests."""
    from connectors.ledger.store import Ledger

    path = tmp_path_factory.mktemp("ledger") / "empty.db"

    async def make() -> None:
        async with Ledger.open(path):
            pass

    anyio.run(make)
    return path


@pytest.fixture
def ledger_file(empty_ledger: Path, tmp_path: Path) -> Path:
    """An empty ledger of the test's own."""
    return shutil.copyfile(empty_ledger, tmp_path / "ledger.db")


@pytest.fixture
def sandbox(sandbox_process: Sandbox) -> Sandbox:
    """The session's sandbox with fresh data, no faults, and its request counts at zero."""
    sandbox_process.reset()
    return sandbox_process


def keep_tables(of: Path, at: Path) -> None:
    """Copy a new database without its rows, whole at every moment: other processes may do the same.

    The rows are those of block types, which change with the program.
    """
    at.parent.mkdir(exist_ok=True)
    mine = at.with_name(f"{os.getpid()}.db")
    with closing(sqlite3.connect(of)) as database, closing(sqlite3.connect(mine)) as copy:
        database.backup(copy)
        for (table,) in copy.execute("SELECT name FROM sqlite_schema WHERE type = 'table'").fetchall():
            if table != "alembic_version":
                copy.execute(f'DELETE FROM "{table}"')  # noqa: S608
        copy.commit()
    mine.replace(at)


@pytest.fixture(scope="session")
def prefect_server(
    tmp_path_factory: pytest.TempPathFactory, one_authority: Path, pytestconfig: pytest.Config
) -> Iterator[LocalPrefect]:
    """One Prefect server for the session: starting one takes longer than most tests.

    It takes half as long with the tables that the first one of its version made, kept under build/.

    Logs and events are not sent to it: no test asks it for them, and they cost as much as a fifth of a run.
    """
    # Imported here, since it takes two seconds that tests without Prefect do not need.
    from prefect.events.clients import NullEventsClient
    from prefect.events.worker import EventsWorker
    from prefect.settings import (
        PREFECT_API_SSL_CERT_FILE,
        PREFECT_API_URL,
        PREFECT_HOME,
        PREFECT_LOGGING_LEVEL,
        PREFECT_LOGGING_TO_API_ENABLED,
        PREFECT_LOGGING_TO_API_WHEN_MISSING_FLOW,
        temporary_settings,
    )

    from deployments.local.prefect import WITHOUT_EVENTS, local_prefect, send_what_is_queued

    home = tmp_path_factory.mktemp("prefect")
    database = home / "prefect.db"
    kept = pytestconfig.rootpath / "build" / f"prefect-{version('prefect')}.db"
    if kept.exists():
        shutil.copyfile(kept, database)
    with local_prefect(home, WITHOUT_EVENTS) as server:
        if not kept.exists():
            keep_tables(database, kept)
        settings = {
            PREFECT_API_URL: server.api_url,
            PREFECT_API_SSL_CERT_FILE: str(one_authority),
            PREFECT_HOME: home,
            PREFECT_LOGGING_LEVEL: "WARNING",
            PREFECT_LOGGING_TO_API_ENABLED: False,
            # Single actions are run outside of flows too.
            PREFECT_LOGGING_TO_API_WHEN_MISSING_FLOW: "ignore",
        }
        EventsWorker.set_client_override(NullEventsClient)
        with temporary_settings(settings):
            yield server
            send_what_is_queued()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Prefect leaves one socket to its server open for each event loop that ran a flow, an empty one too."""
    for item in items:
        if item.get_closest_marker("prefect"):
            item.add_marker(pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning"))
            item.add_marker(
                pytest.mark.filterwarnings(
                    "ignore:Exception ignored in. <socket:pytest.PytestUnraisableExceptionWarning"
                )
            )


def pytest_collection_finish() -> None:
    """Keep what was imported out of the collections at the end of tests: it took most of their time."""
    gc.collect()
    gc.freeze()


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave files unread that have none of the tests asked for: importing them all takes many seconds."""
    wanted = str(config.option.markexpr).partition(" ")[0]
    if wanted not in ("speed", "slow") or not collection_path.match("test_*.py"):
        return None
    return True if f"mark.{wanted}" not in collection_path.read_text(encoding="utf-8") else None
