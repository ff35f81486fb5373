"""Bootstrap makes a bare server ready, twice in a row, and keeps what a person changed in between."""

from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from prefect import get_client
from prefect.automations import Automation
from prefect.client.schemas.actions import DeploymentScheduleCreate, DeploymentUpdate, WorkPoolUpdate
from prefect.client.schemas.responses import DeploymentResponse
from prefect.client.schemas.schedules import CronSchedule
from prefect.server.events.schemas.automations import EventTrigger
from prefect.utilities.callables import parameter_schema

from connectors.connectwise.block import ConnectWiseConnection
from deployments.blocks import environment_blocks
from deployments.bootstrap import AUTOMATION_NAME, bootstrap, carried_over, crash_automation
from deployments.local.prefect import LocalPrefect
from deployments.local.sandbox import Sandbox
from deployments.work_pool import HEARTBEAT, POOL, with_heartbeat
from flows.asset_synchronization import asset_synchronization
from flows.register_callbacks import register_callbacks
from flows.tickets_agreements_sla_sync import tickets_agreements_sla_sync
from flows.undo_run import undo_run
from tasks.shared.run_forms import own_deployments

AT_THREE = CronSchedule(cron="0 3 * * *", timezone="Europe/Vienna")
WEEKLY = CronSchedule(cron="0 4 * * 0", timezone="UTC")
DEFAULTS = {"settings": {"company": "BlueLightCo", "dry_run": True}}
"""As an earlier version knew them."""
IN_TODAYS_WORDS = {"settings": {"company": "BlueLightCo", "mode": "plan"}}


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
    trigger = EventTrigger.model_validate(crash_automation().trigger.model_dump(mode="json"))
    assert trigger.after == {"prefect.flow-run.heartbeat"}
    lives = ("heartbeat", "Completed", "Suspended", "Finished with 2 failures")
    assert all(trigger.expects(f"prefect.flow-run.{sign}") for sign in lives)


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
    await change_by_hand(deployments["asset-synchronization"])
    async with get_client() as client:
        done = await bootstrap()
        pool = await client.read_work_pool(POOL)
        kept = {each.name: each for each in await own_deployments()}
        automations = [each for each in await client.read_automations() if each.name == AUTOMATION_NAME]
    assert pool.type == "process"
    assert pool.base_job_template["variables"]["properties"]["env"]["default"] == {
        HEARTBEAT: "30",
        "OWN": "1",
    }
    assert len(automations) == 1
    assert (await Automation.aread(name=AUTOMATION_NAME)).enabled
    assert kept.keys() == deployments.keys()
    assert_kept(kept["asset-synchronization"])
    block = await ConnectWiseConnection.aload("default")
    assert block.company_id == sandbox.info["connectwise"]["company_id"]
    schema = kept["asset-synchronization"].parameter_openapi_schema or {}
    company = schema["definitions"]["AssetSynchronizationSettings"]["properties"]["company"]
    assert any(each.startswith(sandbox.company) for each in company["enum"])
    private = sandbox.info["connectwise"]["private_key"]
    assert private not in " ".join(done)


async def change_by_hand(deployment: DeploymentResponse) -> None:
    """What a person does in the UI: schedules, defaults, and a pool as an older version has made it."""
    async with get_client() as client:
        nightly = deployment.schedules[0].id
        await client.update_deployment_schedule(
            deployment.id, nightly, active=True, schedule=AT_THREE, parameters=DEFAULTS
        )
        added = DeploymentScheduleCreate(schedule=WEEKLY, active=True)
        await client.create_deployment_schedules(deployment.id, [added])
        changed = DeploymentUpdate.model_validate({"parameters": DEFAULTS, "paused": True})
        await client.update_deployment(deployment.id, changed)
        template = (await client.read_work_pool(POOL)).base_job_template
        template["variables"]["properties"]["env"]["default"] = {"OWN": "1"}
        await client.update_work_pool(POOL, WorkPoolUpdate(base_job_template=template))


def assert_kept(deployment: DeploymentResponse) -> None:
    assert deployment.parameters == IN_TODAYS_WORDS
    assert deployment.paused
    kept = {each.slug: (each.schedule, each.active, each.parameters) for each in deployment.schedules}
    assert kept == {"nightly": (AT_THREE, True, IN_TODAYS_WORDS), None: (WEEKLY, True, {})}
    assert len(deployment.schedules) == 2


def test_earlier_parameters_are_carried_over_where_the_flow_has_the_new_word() -> None:
    def carried(flow: Any, parameters: dict[str, Any]) -> dict[str, Any]:
        schema = parameter_schema(flow).model_dump()
        return carried_over(SimpleNamespace(parameter_openapi_schema=schema), parameters)  # type: ignore[arg-type]

    assert carried(asset_synchronization, DEFAULTS) == IN_TODAYS_WORDS
    real = {"settings": {"company": "BlueLightCo", "dry_run": False}, "connectwise": "north"}
    wanted = {"settings": {"company": "BlueLightCo", "mode": "apply"}, "connectwise": "north"}
    assert carried(tickets_agreements_sla_sync, real) == wanted
    assert carried(asset_synchronization, wanted) == wanted
    contradicting = {"settings": {"mode": "plan", "dry_run": False}}
    assert carried(asset_synchronization, contradicting) == contradicting
    assert carried(undo_run, {"run_id": "x", "dry_run": False}) == {"run_id": "x", "mode": "apply"}
    assert carried(register_callbacks, {"dry_run": False}) == {"dry_run": False}


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        (None, {HEARTBEAT: "30"}),
        ({"OWN": "1"}, {HEARTBEAT: "30", "OWN": "1"}),
        ({HEARTBEAT: "60"}, {HEARTBEAT: "60"}),
    ],
)
def test_runs_of_a_pool_get_a_heartbeat(given: Any, wanted: Any) -> None:
    template = {"variables": {"properties": {"env": {"default": given}}}}
    assert with_heartbeat(template)["variables"]["properties"]["env"]["default"] == wanted
    assert with_heartbeat({"job_configuration": {}}) == {"job_configuration": {}}
