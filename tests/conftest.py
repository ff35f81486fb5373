"""Fixtures that every test folder shares: the sandbox process, the Prefect server and the anyio backend."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import settings

from deployments.local_prefect import LocalPrefect, local_prefect, send_what_is_queued
from deployments.local_sandbox import Sandbox, start_sandbox

WITHOUT_EVENTS = {
    "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_ENABLED": "false",
    "PREFECT_SERVER_SERVICES_EVENT_PERSISTER_ENABLED": "false",
    "PREFECT_SERVER_SERVICES_TRIGGERS_ENABLED": "false",
}
"""On SQLite these services' writes collide with those of the runs, each time for two seconds."""

# A loaded machine is slow without anything being wrong: no single example is timed.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
def sandbox_process() -> Iterator[Sandbox]:
    """One sandbox for the session: a process of its own, as a vendor's server would be."""
    with start_sandbox() as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(sandbox_process: Sandbox) -> Sandbox:
    """The session's sandbox with fresh data, no faults, and its request counts at zero."""
    sandbox_process.reset()
    return sandbox_process


@pytest.fixture(scope="session")
def prefect_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalPrefect]:
    """One Prefect server for the session: starting one takes longer than most tests."""
    # Imported here, since it takes a second that tests without Prefect do not need.
    from prefect.settings import (
        PREFECT_API_URL,
        PREFECT_HOME,
        PREFECT_LOGGING_LEVEL,
        PREFECT_LOGGING_TO_API_WHEN_MISSING_FLOW,
        temporary_settings,
    )

    home = tmp_path_factory.mktemp("prefect")
    with local_prefect(home, WITHOUT_EVENTS) as server:
        settings = {
            PREFECT_API_URL: server.api_url,
            PREFECT_HOME: home,
            PREFECT_LOGGING_LEVEL: "WARNING",
            # Single actions are run outside of flows too.
            PREFECT_LOGGING_TO_API_WHEN_MISSING_FLOW: "ignore",
        }
        with temporary_settings(settings):
            yield server
            send_what_is_queued()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Prefect leaves one socket to its server open for each event loop that ran a flow, an empty one too.

    Tests of one file stay with one of several processes, since they share a server and its leases.
    """
    for item in items:
        if item.get_closest_marker("prefect"):
            item.add_marker(pytest.mark.xdist_group(item.path.stem))
            item.add_marker(pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning"))
            item.add_marker(
                pytest.mark.filterwarnings(
                    "ignore:Exception ignored in. <socket:pytest.PytestUnraisableExceptionWarning"
                )
            )
