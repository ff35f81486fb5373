"""``prefect deploy`` reports success for flows that can't be imported: this looks before it does."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

import pytest
import yaml
from prefect import Flow
from prefect.utilities.callables import parameter_schema
from prefect.utilities.importtools import import_object

from tasks.rules.choices import Choices, with_choices
from tasks.rules.mapping.model import ReferenceValues

ROOT = Path(__file__).resolve().parents[2]
DEPLOYMENTS: list[dict[str, Any]] = yaml.safe_load((ROOT / "prefect.yaml").read_text())["deployments"]


@pytest.mark.parametrize("deployment", DEPLOYMENTS, ids=lambda each: each["name"])
def test_entrypoint_is_a_flow_and_takes_the_parameters(deployment: dict[str, Any]) -> None:
    flow = import_object(deployment["entrypoint"])
    assert isinstance(flow, Flow)
    assert set(deployment["parameters"]) <= set(inspect.signature(flow.fn).parameters)
    assert deployment["description"].strip()


ANY_CHOICES = Choices(
    {name: ["x"] for name in ("company", "site_id", "connectwise", "lansweeper", "ledger")},
    {name: ["x"] for name in ReferenceValues.model_fields},
)


@pytest.mark.parametrize("deployment", DEPLOYMENTS, ids=lambda each: each["name"])
def test_only_forms_that_offer_choices_take_other_values(deployment: dict[str, Any]) -> None:
    schema = parameter_schema(import_object(deployment["entrypoint"])).model_dump()
    offers = with_choices(schema, ANY_CHOICES) != schema
    assert deployment.get("enforce_parameter_schema", True) is not offers


@pytest.mark.parametrize("deployment", DEPLOYMENTS, ids=lambda each: each["name"])
def test_every_input_has_a_title_and_a_description(deployment: dict[str, Any]) -> None:
    """A title that is the bare name of the parameter was forgotten."""
    inputs = parameter_schema(import_object(deployment["entrypoint"])).model_dump()["properties"]
    titles = {name: each.get("title", "") for name, each in inputs.items()}
    assert [name for name, title in titles.items() if title == name or title[:1].islower()] == []
    assert [name for name, each in inputs.items() if not each.get("description")] == []


def test_every_flow_has_a_deployment() -> None:
    deployed = {deployment["entrypoint"].rsplit(".", 1)[0] for deployment in DEPLOYMENTS}
    modules = {f"flows.{path.stem}" for path in (ROOT / "flows").glob("*.py") if path.stem != "__init__"}
    assert modules == deployed
