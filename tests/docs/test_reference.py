"""The docs name what exists, and name all of it: flows, actions, blocks, settings, paths, errors."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from typing import Any, get_args

import pytest
from prefect import Flow, Task
from prefect.blocks.core import Block
from prefect.utilities.importtools import import_object
from pydantic import BaseModel
from pydantic.fields import FieldInfo

import tasks.connectwise
import tasks.field_nation
import tasks.lansweeper
from deployments.block_types import BLOCK_TYPES
from tasks.rules.mapping.model import FieldMapping
from tasks.rules.mapping.targets import CUSTOM_FIELD_PREFIX, TARGETS
from tasks.shared.action_flow import actions_of
from tests.docs.pages import DEPLOYMENTS, ROOT, is_said, messages, named, page, rows, section

ACTIONS: list[Task[..., Any]] = [
    each
    for package in (tasks.connectwise, tasks.lansweeper, tasks.field_nation)
    for each in actions_of(package)
]
FLOWS = {each["name"]: each["entrypoint"] for each in DEPLOYMENTS if "action" not in each.get("tags", ())}
BLOCK_NAMES = {"connectwise", "lansweeper", "field_nation", "rules", "ledger"}
"""Parameters that all flows share, said once."""


COLLECTION = re.compile(r'"(/(?:company|system|procurement|finance|service|project|sales|time)/[^"]+)"')


def models(annotation: Any) -> Iterator[type[BaseModel]]:
    """The settings models in a type hint, and those within them."""
    for each in (annotation, *get_args(annotation)):
        if inspect.isclass(each) and issubclass(each, BaseModel):
            yield each
            for field in each.model_fields.values():
                yield from models(field.annotation)


def parameters(flow: Flow[..., Any]) -> dict[str, inspect.Parameter]:
    return dict(inspect.signature(flow.fn, eval_str=True).parameters)


def shown(default: Any) -> str | None:
    """A default as the tables show it; None for one that takes more words."""
    if isinstance(default, bool):
        return "on" if default else "off"
    if default in (None, "", [], {}):
        return "empty"
    return f"{default:g}" if isinstance(default, int | float) else str(getattr(default, "value", default))


def settings_models(name: str) -> dict[tuple[str, str | None], FieldInfo]:
    """Every field of the models that a flow takes, by name and title: two models may share a name."""
    taken = parameters(import_object(FLOWS[name])).values()
    found = [model for each in taken for model in models(each.annotation)]
    return {(name, field.title): field for model in found for name, field in model.model_fields.items()}


def test_every_flow_stands_in_the_table_and_no_other() -> None:
    assert sorted(
        name for cells in rows(section("Flows", page("flows"))) for name in named(cells[0])
    ) == sorted(FLOWS)


def test_the_table_of_actions_has_name_flow_key_and_module_of_every_action() -> None:
    deployed = {each["entrypoint"].rpartition(".")[2]: each["name"] for each in DEPLOYMENTS}
    wanted = [
        [each.name, f"`{deployed[each.fn.__name__]}`", f"`{min(each.tags)}`", f"`{each.fn.__module__}`"]
        for each in ACTIONS
    ]
    assert sorted(rows(section("Actions", page("flows")))) == sorted(wanted)


@pytest.mark.parametrize("name", FLOWS)
def test_every_setting_of_a_flow_is_named(name: str) -> None:
    taken = parameters(import_object(FLOWS[name]))
    wanted = {each for each, of in taken.items() if not list(models(of.annotation)) or each == "waiting"}
    wanted |= {
        field for of in taken.values() for model in models(of.annotation) for field in model.model_fields
    }
    assert wanted - set(named(section("Settings", page("flows")))) == set()


@pytest.mark.parametrize("name", [name for name in FLOWS if f"\n### `{name}`\n" in page("flows")])
def test_every_setting_in_the_table_of_a_flow_exists_with_that_title_and_default(name: str) -> None:
    fields = settings_models(name)
    table = rows(section(f"`{name}`", page("flows")))
    assert table
    for title, key, default, *_ in table:
        assert (key.strip("`"), title) in fields
        field = fields[key.strip("`"), title]
        if not isinstance(field.default, list | BaseModel) and field.default_factory is None:
            assert default == shown(field.default), key


def test_every_row_of_the_other_flows_is_a_parameter_with_that_default() -> None:
    of: list[str] = []
    for cell, name, default, *_ in rows(section("The other flows", page("flows"))):
        of = named(cell) or of
        for flow in of:
            parameter = parameters(import_object(FLOWS[flow]))[name.strip("`")]
            known = parameter.default is not inspect.Parameter.empty and not isinstance(
                parameter.default, BaseModel
            )
            assert default in ({shown(parameter.default), ""} if known else {""}), (flow, name)


def test_all_flows_take_blocks_by_the_names_that_are_said_once() -> None:
    taken = {each for entrypoint in FLOWS.values() for each in parameters(import_object(entrypoint))}
    assert taken >= BLOCK_NAMES
    assert set(named(section("Settings", page("flows")))) >= BLOCK_NAMES


@pytest.mark.parametrize("block", BLOCK_TYPES, ids=lambda each: each.__name__)
def test_every_block_is_named_with_title_and_name_of_every_field(block: type[Block]) -> None:
    after = section(block.get_block_type_name(), page("blocks")).partition("\n### ")[0]
    assert after.strip().startswith(f"Block type `{block.get_block_type_slug()}`.")
    wanted = [[field.title, f"`{name}`"] for name, field in block.model_fields.items()]
    assert [cells[:2] for cells in rows(after)] == wanted


def test_the_connectwise_paths_are_those_that_a_mapping_may_write() -> None:
    text = section("Settings", page("flows")).partition("**ConnectWise paths**")[2].partition("###")[0]
    assert sorted(set(named(text)) - {CUSTOM_FIELD_PREFIX}) == sorted(TARGETS)
    assert set(FieldMapping.model_fields) <= set(named(section("Settings", page("flows"))))


def test_every_collection_of_connectwise_stands_in_the_table_of_rights() -> None:
    sources = (ROOT / "connectors" / "connectwise").glob("*.py")
    used = {path for each in sources for path in COLLECTION.findall(each.read_text(encoding="utf-8"))}
    covered = {
        each for cells in rows(section("Set up for real tenants", page("setup"))) for each in named(cells[-1])
    }
    assert used
    assert [path for path in sorted(used) if not path.startswith(tuple(covered))] == []
    assert [path for path in sorted(covered) if not any(each.startswith(path) for each in used)] == []


@pytest.mark.parametrize("quoted", [cells[0] for cells in rows(section("Runs", page("troubleshooting")))])
def test_every_error_in_the_table_is_one_that_the_program_gives(quoted: str) -> None:
    assert is_said(quoted)


def test_every_own_message_of_servers_and_workers_is_one_that_the_program_gives() -> None:
    quoted = [
        each
        for cells in rows(section("Servers, workers and the receiver", page("troubleshooting")))
        for each in named(cells[0])
    ]
    own = [each for each in quoted if "..." in each]
    assert own
    assert [each for each in own if not is_said(each)] == []


def test_a_message_that_sends_people_to_the_docs_finds_what_it_names() -> None:
    assert any("See the list of ConnectWise paths in docs/flows.md" in each for each in messages())
    assert "**ConnectWise paths**" in page("flows")


def test_constraints_are_plain_pins() -> None:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    assert all(re.fullmatch(r"[A-Za-z0-9_.-]+(\[[a-z]+\])?==[A-Za-z0-9_.+!-]+", line) for line in lines)
    pins = dict(line.lower().split("==") for line in lines)
    assert pins["prefect"] == "3.9.1"
