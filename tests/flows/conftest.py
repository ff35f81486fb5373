"""A real Prefect server for the session, and a way to run the flow against the sandbox."""

from __future__ import annotations

import gc
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from prefect.settings import PREFECT_API_URL, PREFECT_HOME, PREFECT_LOGGING_LEVEL, temporary_settings

from deployments.local_prefect import LocalPrefect, local_prefect, send_what_is_queued
from deployments.local_sandbox import Sandbox
from tests.flows.running import FlowRunner

HERE = Path(__file__).parent
WITHOUT_EVENTS = {
    "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_ENABLED": "false",
    "PREFECT_SERVER_SERVICES_EVENT_PERSISTER_ENABLED": "false",
    "PREFECT_SERVER_SERVICES_TRIGGERS_ENABLED": "false",
}
"""On SQLite these services' writes collide with those of the runs, each time for two seconds."""


@pytest.fixture(scope="session")
def prefect_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalPrefect]:
    """One server for the session: starting one takes longer than most tests."""
    home = tmp_path_factory.mktemp("prefect")
    with local_prefect(home, WITHOUT_EVENTS) as server:
        settings = {PREFECT_API_URL: server.api_url, PREFECT_HOME: home, PREFECT_LOGGING_LEVEL: "WARNING"}
        with temporary_settings(settings):
            yield server
            send_what_is_queued()


@pytest.fixture
async def runner(prefect_server: LocalPrefect, sandbox: Sandbox, tmp_path: Path) -> AsyncIterator[FlowRunner]:
    """Runs asset-synchronization against the fresh sandbox with a ledger of its own."""
    made = FlowRunner(sandbox, prefect_server, tmp_path / "ledger.db")
    await made.save_blocks()
    yield made
    # What Prefect leaves open is found here, where its warning is let through, and not in a later test.
    gc.collect()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Prefect leaves one socket to its server open for each event loop that ran a flow, an empty one too."""
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning"))
            item.add_marker(
                pytest.mark.filterwarnings(
                    "ignore:Exception ignored in. <socket:pytest.PytestUnraisableExceptionWarning"
                )
            )
