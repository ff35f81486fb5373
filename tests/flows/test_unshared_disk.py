"""Runs whose disk ends with their container: no ledger in a file of theirs, no whole answer in one either."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from prefect import get_client
from prefect.client.schemas.actions import WorkPoolCreate
from prefect.filesystems import LocalFileSystem

from connectors.connectwise.block import ConnectWiseConnection
from connectors.installation import DISK_VARIABLE
from connectors.ledger.block import LedgerDatabase
from flows.actions import ACTIONS
from flows.asset_synchronization import asset_synchronization
from tasks.shared.action_flow import FOLDER_VARIABLE
from tasks.shared.connections import RUN_VARIABLE, own_pool_type
from tests.support.run_flow import SAVED, FlowRunner

pytestmark = [pytest.mark.anyio, pytest.mark.prefect]
VARIABLES = (DISK_VARIABLE, FOLDER_VARIABLE, RUN_VARIABLE, "CONNECTWISE_FLOWS_LEDGER")


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """The process' environment without what would name a place."""
    for name in (*VARIABLES, "CONNECTWISE_FLOWS_LEDGER_URL"):
        monkeypatch.delenv(name, raising=False)
    return monkeypatch


async def run_of_pool(runner: FlowRunner, kind: str) -> str:
    """A flow run in a new work pool of that type, as its worker finds it; returns its id."""
    async with get_client() as client:
        name = f"pool-{kind}"
        await client.create_work_pool(WorkPoolCreate(name=name, type=kind, base_job_template={}))
        flow = await client.create_flow(asset_synchronization)
        made = await client.create_deployment(flow, name, work_pool_name=name)
        return str((await client.create_flow_run_from_deployment(made)).id)


async def test_a_run_knows_the_type_of_its_pool(
    runner: FlowRunner, environment: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert await own_pool_type() is None
    environment.setenv(RUN_VARIABLE, await run_of_pool(runner, "process"))
    assert await own_pool_type() == "process"


async def test_the_default_ledger_is_refused_on_a_pool_of_containers_before_anything_is_read(
    runner: FlowRunner, environment: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    SAVED.clear()
    await LedgerDatabase().save("default", overwrite=True)
    environment.setenv("XDG_DATA_HOME", str(tmp_path))
    environment.setenv(RUN_VARIABLE, await run_of_pool(runner, "docker"))
    state = await runner.state()
    assert state.is_failed()
    assert "work pool of the type docker" in str(state.message)
    assert "PostgreSQL address" in str(state.message)
    assert runner.sandbox.requests()["connectwise"]["requests"] == 0
    assert runner.sandbox.requests()["lansweeper"]["requests"] == 0
    assert not (tmp_path / "connectwise-flows").exists()
    environment.setenv("CONNECTWISE_FLOWS_LEDGER", str(tmp_path / "volume" / "ledger.db"))
    assert (await runner.state(dry_run=True)).is_completed()


async def action(**inputs: Any) -> Any:
    block = await ConnectWiseConnection.aload("default")
    return await ACTIONS["list_locations"](connection=block, return_state=True, **inputs)


async def test_an_answer_that_would_be_lost_is_refused_before_anything_is_read(
    runner: FlowRunner, environment: pytest.MonkeyPatch
) -> None:
    environment.setenv(DISK_VARIABLE, "false")
    state = await action()
    assert state.is_failed()
    assert FOLDER_VARIABLE in str(state.message)
    environment.setenv(FOLDER_VARIABLE, "block:local-file-system/not-there")
    assert "'local-file-system/not-there'" in str((await action()).message)
    environment.setenv(FOLDER_VARIABLE, "block:connectwise-psa-connection/default")
    assert "no storage that can be written" in str((await action()).message)
    assert runner.sandbox.requests()["connectwise"]["requests"] == 0


async def test_a_whole_answer_goes_into_a_storage_block(
    runner: FlowRunner, environment: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    environment.setenv(DISK_VARIABLE, "false")
    await LocalFileSystem(basepath=str(tmp_path)).save("answers", overwrite=True)
    environment.setenv(FOLDER_VARIABLE, "block:local-file-system/answers")
    answer = await (await action(page_size=2)).aresult()
    place, _, name = answer.file.partition(": ")
    assert place == "local-file-system/answers"
    assert len(json.loads((tmp_path / name).read_text())) == answer.total == 2
