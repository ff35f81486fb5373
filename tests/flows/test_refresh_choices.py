"""refresh-choices: real companies as dropdowns in run forms; a run by hand without a company asks for it."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID

import pytest
from prefect import State, flow, get_client
from prefect.client.schemas.actions import DeploymentScheduleCreate
from prefect.client.schemas.schedules import CronSchedule
from prefect.flow_engine import run_flow_async
from prefect.utilities.callables import parameter_schema

from flows.actions import ACTIONS
from flows.asset_synchronization import asset_synchronization
from flows.refresh_choices import refresh_choices
from tasks.rules.choices import ASK, Choices, choice_value, company_choices, with_choices
from tasks.rules.mapping.model import LEAVE_OUT
from tasks.shared.connections import DEFAULT, shared_connections
from tasks.shared.run_forms import chosen_company, company_input
from tests.support.run_flow import FlowRunner


def test_choices_go_into_models_and_tables_and_leave_the_rest() -> None:
    schema = parameter_schema(asset_synchronization).model_dump()
    choices = Choices(
        {"company": ["A: Alpha", "B: Beta"], "connectwise": ["second"]},
        {"types": ["ls_Windows"], "statuses": []},
    )
    changed = with_choices(schema, choices)
    settings = changed["definitions"]["AssetSynchronizationSettings"]["properties"]
    # The defaults stay choosable: without a company the run asks for it.
    assert settings["company"]["enum"] == [ASK, "A: Alpha", "B: Beta"]
    assert changed["properties"]["connectwise"]["enum"] == ["default", "second"]
    rows = changed["definitions"]
    assert rows["TypeRow"]["properties"]["record"]["enum"] == [LEAVE_OUT, "ls_Windows"]
    assert rows["StatusRow"] == schema["definitions"]["StatusRow"]
    assert with_choices(changed, choices) == changed
    assert changed["required"] == schema["required"]


def test_fields_of_blocks_are_no_inputs() -> None:
    schema = parameter_schema(ACTIONS["list_assets"]).model_dump()
    changed = with_choices(schema, Choices({"site_id": ["1: One"]}))
    assert changed["properties"]["site_id"]["enum"] == ["", "1: One"]
    assert changed["definitions"] == schema["definitions"]


def test_companies_are_shown_as_identifier_and_name() -> None:
    found = [
        {"identifier": "b", "name": "Beta  Ltd"},
        {"identifier": "Gone", "name": "x", "deletedFlag": True},
        {"identifier": "A", "name": "Alpha: and more"},
    ]
    assert company_choices(found) == ["A: Alpha: and more", "b: Beta Ltd"]
    assert choice_value("A: Alpha: and more") == "A"
    assert choice_value("typed") == "typed"


def test_resume_dialog_offers_the_companies() -> None:
    company = company_input(["A: Alpha", "B: Beta"]).model_json_schema()["properties"]["company"]
    assert company["enum"] == ["A: Alpha", "B: Beta"]


async def deploy(made: Any, **options: Any) -> Any:
    async with get_client() as client:
        return await client.create_deployment(
            flow_id=await client.create_flow(made),
            name=made.name,
            parameter_openapi_schema=parameter_schema(made).model_dump(),
            enforce_parameter_schema=False,
            **options,
        )


@pytest.mark.anyio
@pytest.mark.prefect
async def test_forms_offer_real_companies_and_keep_defaults_and_schedules(runner: FlowRunner) -> None:
    nightly = DeploymentScheduleCreate(schedule=CronSchedule(cron="0 2 * * *"), active=False)
    parameters = {"settings": {"company": "BlueLightCo", "dry_run": True}}
    ours = await deploy(
        asset_synchronization,
        entrypoint="flows.asset_synchronization.asset_synchronization",
        parameters=parameters,
        schedules=[nightly],
    )
    foreign = await deploy(asking, entrypoint="elsewhere.asking")
    counts = await refresh_choices()
    offered = [f"{each['identifier']}: {each['name']}" for each in runner.sandbox.state("company/companies")]
    async with get_client() as client:
        after = await client.read_deployment(ours)
        other = await client.read_deployment(foreign)
    schema = after.parameter_openapi_schema or {}
    company = schema["definitions"]["AssetSynchronizationSettings"]["properties"]["company"]
    assert set(company["enum"]) <= {ASK, *offered}
    assert any(each.startswith(f"{runner.sandbox.company}: ") for each in company["enum"])
    assert counts["company"] == len(set(company["enum"]) - {ASK})
    assert after.parameters == parameters
    assert [(each.active, each.schedule) for each in after.schedules] == [(False, nightly.schedule)]
    assert "enum" not in str(other.parameter_openapi_schema)
    assert runner.sandbox.requests()["writes"] == 0


@flow(name="asking", persist_result=False)
async def asking(company: str = "") -> str:
    async with shared_connections():
        return await chosen_company(company, DEFAULT, answer_seconds=30, look_seconds=1)


@pytest.mark.anyio
@pytest.mark.prefect
async def test_run_by_hand_asks_for_the_company_and_goes_on_with_it(runner: FlowRunner) -> None:
    deployment = await deploy(asking, entrypoint="elsewhere.asking")
    picked = next(
        f"{each['identifier']}: {each['name']}"
        for each in runner.sandbox.state("company/companies")
        if each["identifier"] == runner.sandbox.company
    )
    async with get_client() as client:
        run = await client.create_flow_run_from_deployment(deployment, parameters={})
        running = asyncio.create_task(run_flow_async(asking, flow_run=run, return_type="state"))
        try:
            await paused(run.id)
            refused = await client.resume_flow_run(run.id, run_input={"company": "no such"})
            assert "is not one of" in str(refused.details)
            await client.resume_flow_run(run.id, run_input={"company": picked})
            state: Any = await asyncio.wait_for(running, 20)
        finally:
            running.cancel()
    assert await state.aresult() == picked


async def paused(run_id: UUID) -> None:
    for _ in range(100):
        async with get_client() as client:
            state = (await client.read_flow_run(run_id)).state
        if state and state.is_paused():
            return
        await asyncio.sleep(0.1)
    raise AssertionError("the run did not ask")


@pytest.mark.anyio
@pytest.mark.prefect
async def test_run_that_nobody_started_by_hand_fails_at_once(runner: FlowRunner) -> None:
    state: State[Any] = await asking(return_state=True)
    assert state.is_failed()
    assert "No company is given" in str(state.message)
