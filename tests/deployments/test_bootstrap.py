"""Bootstrap makes a bare server ready, twice in a row, and keeps what a person changed in between."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from prefect import get_client
from prefect.automations import Automation

from connectors.connectwise.block import ConnectWiseConnection
from deployments.bootstrap import POOL, bootstrap
from deployments.crash_automation import NAME, crash_automation
from deployments.environment_blocks import environment_blocks
from deployments.local_prefect import LocalPrefect
from deployments.local_sandbox import Sandbox
from tasks.choices import own_deployments


def variables(sandbox: Sandbox) -> dict[str, str]:
    account, site = sandbox.info["connectwise"], sandbox.info["lansweeper"]
    named = {f"CONNECTWISE_{name.upper()}": str(value) for name, value in account.items()}
    return named | {
        "LANSWEEPER_ACCESS_TOKEN": site["access_token"],
        "LANSWEEPER_SITE_ID": site["site_id"],
        "LANSWEEPER_ENDPOINT": site["endpoint"],
    }


def test_half_a_block_is_refused_by_the_names_of_what_is_missing() -> None:
    with pytest.raises(ValueError, match="Set CONNECTWISE_COMPANY_ID") as refused:
        environment_blocks({"CONNECTWISE_SITE": "na.myconnectwise.net", "CONNECTWISE_PRIVATE_KEY": "hidden"})
    assert "hidden" not in str(refused.value)
    assert environment_blocks({}) == []


def test_silent_run_is_crashed_and_a_paused_one_is_not_silent() -> None:
    trigger = crash_automation().trigger.model_dump()
    assert "prefect.flow-run.heartbeat" in trigger["after"]
    assert {"prefect.flow-run.heartbeat", "prefect.flow-run.Suspended"} <= set(trigger["expect"])


@pytest.mark.slow
@pytest.mark.anyio
@pytest.mark.prefect
async def test_bootstrap_twice(
    prefect_server: LocalPrefect, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("CONNECTWISE_FLOWS_LEDGER", str(tmp_path / "ledger.db"))
    for name, value in variables(sandbox).items():
        monkeypatch.setenv(name, value)
    for name, value in prefect_server.environment.items():
        if name.startswith("PREFECT_"):
            monkeypatch.setitem(os.environ, name, value)
    await bootstrap()
    deployments = {each.name: each for each in await own_deployments()}
    nightly = deployments["asset-synchronization"].schedules
    assert [each.active for each in nightly] == [False]
    async with get_client() as client:
        await client.update_deployment_schedule(
            deployments["asset-synchronization"].id, nightly[0].id, active=True
        )
        done = await bootstrap()
        pool = await client.read_work_pool(POOL)
        kept = {each.name: each for each in await own_deployments()}
        automations = [each for each in await client.read_automations() if each.name == NAME]
    assert pool.type == "process"
    assert len(automations) == 1
    assert (await Automation.aread(name=NAME)).enabled
    assert [each.active for each in kept["asset-synchronization"].schedules] == [True]
    assert kept.keys() == deployments.keys()
    block = await ConnectWiseConnection.aload("default")
    assert block.company_id == sandbox.info["connectwise"]["company_id"]
    schema = kept["asset-synchronization"].parameter_openapi_schema or {}
    company = schema["definitions"]["AssetSynchronizationSettings"]["properties"]["company"]
    assert any(each.startswith(sandbox.company) for each in company["enum"])
    private = sandbox.info["connectwise"]["private_key"]
    assert private not in " ".join(done)
