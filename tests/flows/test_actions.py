"""Every documented action runs from a form: block picker, documented inputs, table, file, links."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from prefect import Flow, State
from prefect.blocks.core import Block
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import ArtifactFilter, ArtifactFilterFlowRunId
from prefect.flow_engine import run_flow_async

import tasks.connectwise
import tasks.field_nation
import tasks.lansweeper
from connectors.connectwise.block import ConnectWiseConnection
from connectors.field_nation.block import FieldNationConnection
from connectors.lansweeper.block import LansweeperConnection
from flows.actions import ACTIONS
from tasks.shared.action_flow import FOLDER_VARIABLE, ActionAnswer, actions_of
from tests.support.run_flow import FlowRunner

ROOT = Path(__file__).resolve().parent.parent.parent
DOCUMENTED_INPUTS = {
    "list_locations": [
        "Connection",
        "Conditions",
        "Child Conditions",
        "Custom Field Conditions",
        "Page",
        "Page Size",
    ],
    "list_manufacturers": ["Connection", "Conditions", "Page", "Page Size"],
    "create_location": ["Connection", "Name", "Structure Level Id"],
    "create_configuration_status": ["Connection", "Description", "Closed Flag", "Default Flag"],
    "edit_asset": ["Connection", "Asset Key", "Custom Fields", "Fields", "Allow Locking", "Site Id"],
    "create_custom_field": ["Connection", "Name", "Type", "Props", "Site Id"],
    "match_configurations": [
        "Connection",
        "External Data",
        "Conditions",
        "Case sensitive match",
        "Configuration Name Path",
        "Serial Number Path",
        "Mac Address Path",
        "Model Number Path",
        "IP Address Path",
        "Additional Field Mappings",
        "Custom Field Mappings",
    ],
}

PACKAGES: dict[Any, type[Block]] = {
    tasks.connectwise: ConnectWiseConnection,
    tasks.lansweeper: LansweeperConnection,
    tasks.field_nation: FieldNationConnection,
}
CONNECTIONS = {each.fn.__name__: kind for package, kind in PACKAGES.items() for each in actions_of(package)}

with_server = [pytest.mark.anyio, pytest.mark.prefect]


def inputs_of(flow: Flow[..., Any]) -> dict[str, dict[str, Any]]:
    return dict(flow.parameters.model_dump()["properties"])


def test_every_action_has_a_flow_and_a_deployment() -> None:
    names = {each.fn.__name__ for package in PACKAGES for each in actions_of(package)}
    assert set(ACTIONS) == names
    deployments = yaml.safe_load((ROOT / "prefect.yaml").read_text())["deployments"]
    entrypoints = {each["entrypoint"] for each in deployments}
    assert {f"flows.actions.{name}" for name in names} <= entrypoints


@pytest.mark.parametrize("name", DOCUMENTED_INPUTS)
def test_inputs_have_their_documented_names(name: str) -> None:
    shown = sorted(inputs_of(ACTIONS[name]).values(), key=lambda each: each["position"])
    assert [each["title"] for each in shown] == DOCUMENTED_INPUTS[name]


@pytest.mark.parametrize("name", ACTIONS)
def test_form_picks_a_block_and_describes_every_input(name: str) -> None:
    flow = ACTIONS[name]
    inputs = inputs_of(flow)
    block = inputs["connection"]["$ref"].rpartition("/")[2]
    slug = flow.parameters.model_dump()["definitions"][block]["block_type_slug"]
    assert slug == CONNECTIONS[name].get_block_type_slug()
    assert all(each["description"].endswith(".") for each in inputs.values())
    assert flow.description


def test_switches_and_defaults_are_those_of_the_task() -> None:
    inputs = inputs_of(ACTIONS["match_configurations"])
    assert inputs["case_sensitive_match"]["type"] == "boolean"
    assert inputs["case_sensitive_match"]["default"] is True
    assert inputs["serial_number_path"]["examples"] == ["asset.general.serialNumber"]


def test_a_choice_of_words_is_a_dropdown() -> None:
    inputs = inputs_of(ACTIONS["create_custom_field"])
    assert "TEXTAREA" in inputs["type"]["enum"]
    assert inputs["props"]["examples"] == [{"options": ["Gold", "Silver"]}]


class Actions:
    """Runs actions as flows with the saved blocks, and reads the artifact that a run left."""

    def __init__(self, runner: FlowRunner, folder: Path) -> None:
        self.runner = runner
        self.folder = folder

    async def state(self, name: str, /, **inputs: Any) -> State[Any]:
        kind: Any = CONNECTIONS[name]
        block = await kind.aload("default")
        state: State[Any] = await ACTIONS[name](connection=block, return_state=True, **inputs)
        return state

    async def answer(self, name: str, /, **inputs: Any) -> tuple[ActionAnswer, list[dict[str, Any]], str]:
        """The answer, the rows of its artifact and the artifact's description."""
        state = await self.state(name, **inputs)
        answer = await state.aresult()
        async with get_client() as client:
            run = ArtifactFilter(flow_run_id=ArtifactFilterFlowRunId(any_=[state.state_details.flow_run_id]))
            (artifact,) = await client.read_artifacts(artifact_filter=run)
        return answer, json.loads(str(artifact.data)), str(artifact.description)


def whole(answer: ActionAnswer) -> Any:
    """What the file holds, which nobody else may read."""
    path = Path(answer.file)
    assert path.stat().st_mode & 0o077 == 0
    return json.loads(path.read_text())


@pytest.fixture
def actions(runner: FlowRunner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Actions:
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path / "answers"))
    return Actions(runner, tmp_path / "answers")


@pytest.mark.anyio
@pytest.mark.prefect
async def test_page_of_two_locations_is_a_table_of_two_rows(actions: Actions) -> None:
    answer, rows, text = await actions.answer("list_locations", conditions="id > 0", page_size=2)
    assert answer.total == answer.shown == len(rows) == 2
    assert "2 records" in text
    assert answer.file in text
    assert [each["id"] for each in whole(answer)] == [row["id"] for row in rows]


@pytest.mark.anyio
@pytest.mark.prefect
async def test_first_200_configurations_are_shown_linked_and_all_are_in_the_file(actions: Actions) -> None:
    actions.runner.sandbox.reset(assets=400)
    answer, rows, text = await actions.answer("list_configurations")
    assert answer.total > 200
    assert len(rows) == 200
    assert f"{answer.total:,} records" in text
    assert len(whole(answer)) == answer.total
    assert all("recordType=ConfigFv" in str(row["name"]) for row in rows)


@pytest.mark.anyio
@pytest.mark.prefect
async def test_answer_of_one_run_is_the_input_of_the_next(actions: Actions) -> None:
    assets, _, _ = await actions.answer("list_assets")
    matched, rows, _ = await actions.answer(
        "match_configurations",
        external_data=assets.file,
        configuration_name_path="assetBasicInfo.name",
        serial_number_path="assetCustom.serialNumber",
    )
    assert matched.total == assets.total == 60
    assert {row["list"] for row in rows} <= {"matched", "unmatched", "ambiguous"}
    assert actions.runner.sandbox.requests()["writes"] == 0


@pytest.mark.anyio
@pytest.mark.prefect
async def test_field_is_made_and_written_by_hand(actions: Actions) -> None:
    key = actions.runner.sandbox.state("lansweeper/assets")[0]["key"]
    await actions.answer("create_custom_field", name="cw_sla", type="TEXTAREA")
    answer, rows, _ = await actions.answer("edit_asset", asset_key=key, custom_fields={"cw_sla": "Gold"})
    assert [row["key"] for row in rows] == [key]
    assert whole(answer)["assetCustom"]["fields"][0]["value"] == "Gold"


@pytest.mark.anyio
@pytest.mark.prefect
async def test_refused_input_ends_the_run_with_the_remedy(actions: Actions) -> None:
    state = await actions.state("create_location", name="x" * 51, structure_level_id=1)
    assert state.is_failed()
    assert "51 characters, ConnectWise allows 50" in str(state.message)
    too_large = await actions.state("match_configurations", external_data=[{"name": "x" * 400_001}])
    assert "Save it as a file" in str(too_large.message)
    assert actions.runner.sandbox.requests()["writes"] == 0


@pytest.mark.anyio
@pytest.mark.prefect
async def test_refused_records_of_a_bulk_request_fail_the_run_and_are_listed(actions: Actions) -> None:
    company = {"id": actions.runner.sandbox.company_id}
    kind = actions.runner.sandbox.state("company/configurations/types")[0]["id"]
    records = [
        {"name": "by hand", "type": {"id": kind}, "company": company},
        {"name": "", "company": company},
    ]
    state = await actions.state("bulk_create_configurations", configurations=records)
    assert state.is_failed()
    assert state.name == "Finished with 1 failure"
    assert "record 2" in str(state.message)


@pytest.mark.anyio
@pytest.mark.prefect
async def test_run_from_the_form_records_the_block_by_reference(actions: Actions) -> None:
    block = await ConnectWiseConnection.aload("default")
    flow = ACTIONS["list_locations"]
    picked = {"connection": {"$ref": {"block_document_id": str(block._block_document_id)}}, "page_size": 1}
    async with get_client() as client:
        deployment = await client.create_deployment(
            flow_id=await client.create_flow(flow),
            name=flow.name,
            parameter_openapi_schema=flow.parameters.model_dump(),
            enforce_parameter_schema=True,
        )
        run = await client.create_flow_run_from_deployment(deployment, parameters=picked)
        state: Any = await run_flow_async(flow, flow_run=run, parameters=run.parameters, return_type="state")
        recorded = (await client.read_flow_run(run.id)).parameters
    assert (await state.aresult()).total == 1
    assert recorded == picked
