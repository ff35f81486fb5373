"""Runs have names that say what they do, within bounds, without secrets, and at no run's cost."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from prefect import Flow
from prefect.utilities.importtools import import_object

from connectors.lansweeper.block import LansweeperConnection
from flows.register_callbacks import Registration
from tasks.asset_sync.settings import AssetSynchronizationSettings
from tasks.connectwise.list_locations import list_locations
from tasks.connectwise.match_configurations import match_records
from tasks.rules.choices import ASK
from tasks.rules.modes import RunMode
from tasks.shared.action import Inventory
from tasks.shared.run_names import LONGEST_NAME, flow_run_name, run_name
from tests.docs.pages import DEPLOYMENTS
from tests.support.run_flow import FlowRunner

RUN = str(uuid.UUID(int=7))


def saved(name: str) -> LansweeperConnection:
    block = LansweeperConnection.model_construct()
    block._block_document_name = name
    return block


@pytest.mark.parametrize(
    ("inputs", "words"),
    [
        ({"settings": AssetSynchronizationSettings(company="Contoso: Contoso Ltd")}, "Contoso · plan"),
        (
            {
                "settings": AssetSynchronizationSettings(company="Contoso", mode=RunMode.APPLY),
                "connectwise": "eu",
            },
            "Contoso · apply · eu",
        ),
        ({"settings": {"company": ASK, "dry_run": True}}, "dry run"),
        ({"record_id": 12, "record_kind": "service", "dry_run": True}, "service 12 · dry run"),
        ({"work_order_id": 410001, "rules": "default"}, "work order 410001"),
        ({"work_order_id": None, "dry_run": False}, "real run"),
        ({"run_id": RUN, "dry_run": True}, f"run {RUN} · dry run"),
        ({"names": ["Dell"], "create": False}, "Dell · look up"),
        ({"names": ["Dell", "HP"], "create": True}, "2 names · create"),
        ({"what": Registration.REMOVE, "dry_run": False}, "remove · real run"),
        ({"connection": saved("default"), "site_id": "x"}, ""),
        ({"connection": saved("second"), "configurations": [{}] * 1200}, "1,200 configurations · second"),
        ({"external_data": "a path", "company": 7, "names": None, "run_id": ""}, ""),
    ],
)
def test_a_name_says_what_the_run_does(inputs: dict[str, Any], words: str) -> None:
    assert run_name("work", inputs) == " · ".join(each for each in ("work", words) if each)


def test_a_name_is_one_bounded_line_without_secrets() -> None:
    hostile = {"company": "A\n\u202eB" + "x" * 5000, "names": ["token=abcdefgh12345678"], "what": "y" * 500}
    name = run_name("work", hostile | {"connectwise": "z" * 500})
    assert len(name) <= LONGEST_NAME
    assert name.startswith("work · A Bxxx")
    assert "\n" not in name
    assert "abcdefgh" not in name


class Spoilt:
    def __len__(self) -> int:
        raise OverflowError


def test_a_run_without_a_better_name_has_that_of_its_task() -> None:
    name: Any = list_locations.task_run_name
    assert name(parameters={"connection": "default", "configurations": Spoilt()}) == "List Locations"


def test_tasks_are_named_by_what_they_work_on() -> None:
    name: Any = match_records.task_run_name
    inputs = {"assets": Inventory([1, 2]), "configurations": Inventory([1]), "options": None}
    assert name(parameters=inputs) == "Match Configurations · 1 configuration · 2 assets"


@pytest.mark.parametrize(
    ("given", "named"), [("my try", "my try"), ("generic-impala", "asset-synchronization · dry run")]
)
def test_a_name_that_a_person_gave_stays(given: str, named: str, monkeypatch: pytest.MonkeyPatch) -> None:
    values = {"flow_name": "asset-synchronization", "name": given, "parameters": {"dry_run": True}}
    monkeypatch.setattr("tasks.shared.run_names.flow_run", type("Runtime", (), values))
    assert flow_run_name() == named


def test_every_deployed_flow_names_its_runs() -> None:
    for each in DEPLOYMENTS:
        flow: Flow[..., Any] = import_object(each["entrypoint"])
        assert flow.flow_run_name is flow_run_name, each["name"]


@pytest.mark.anyio
@pytest.mark.prefect
async def test_runs_of_the_server_are_named(runner: FlowRunner) -> None:
    company = runner.sandbox.company
    await runner.state(dry_run=True)
    assert (await runner.run_names(1)) == [f"asset-synchronization · {company} · plan"]
    state = await runner.state(company="No such company")
    assert state.is_failed()
    assert (await runner.run_names(1)) == ["asset-synchronization · No such company · apply"]
