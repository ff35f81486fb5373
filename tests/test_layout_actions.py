"""One documented action, one module: the form of a person and the step of a run stand beside each other."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from prefect import Task

import tasks.connectwise
import tasks.field_nation
import tasks.lansweeper
from tasks.shared.action import action, action_step
from tasks.shared.action_flow import actions_of
from tests.support.layout import ROOT, Tree

PACKAGES = (tasks.connectwise, tasks.lansweeper, tasks.field_nation)
LIST_ASSETS, LIST_LOCATIONS = "tasks.lansweeper.list_assets", "tasks.connectwise.list_locations"
SYNCHRONIZATION = "flows.asset_synchronization"
VENDORS = ("connectwise", "lansweeper", "field_nation")
NEEDS = {
    "tasks.connectwise": {"connectwise"},
    "tasks.lansweeper": {"lansweeper"},
    "tasks.field_nation": {"connectwise", "field_nation"},
}
"""The vendors that an action of each package may load: dispatch joins two of them."""

MAKERS = {("tasks.shared.action", "action"), ("tasks.shared.action", "action_step"), ("prefect", "task")}
DYNAMIC_STEPS = {("tasks.asset_sync.references", "action_step")}
"""Creations of reference data: one step for the four actions, made for the action that it repeats."""

WRITERS = {
    "create_configurations": "tasks.connectwise.bulk_create_configurations",
    "configurations.create": "tasks.connectwise.bulk_create_configurations",
    "configurations.delete": "tasks.connectwise.bulk_create_configurations",
    "replace_configurations": "tasks.connectwise.bulk_modify_configurations",
    "configurations.patch": "tasks.connectwise.bulk_modify_configurations",
    "change_configuration_type": "tasks.connectwise.bulk_modify_configurations",
    "edit_asset": "tasks.lansweeper.edit_asset",
    "edit_assets": "tasks.lansweeper.edit_asset",
}
"""The clients' methods that write a configuration or an asset, and the module that may call each."""


@pytest.fixture(scope="module")
def tree() -> Tree:
    return Tree.read(packages=("tasks", "flows"))


def parsed(tree: Tree) -> Iterator[tuple[str, ast.Module]]:
    for module, path in tree.modules.items():
        yield module, ast.parse(path.read_text(encoding="utf-8"))


def makers_of_tasks(tree: Tree) -> list[tuple[str, str]]:
    """Where a Prefect task is made, outside of the documented actions and of what makes those."""
    packages = tuple(f"{package.__name__}." for package in PACKAGES)
    return [
        (module, node.func.id)
        for module, code in parsed(tree)
        if not module.startswith(packages) and module != "tasks.shared.action"
        for names in [imported_makers(code)]
        for node in ast.walk(code)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in names
    ]


def imported_makers(code: ast.Module) -> set[str]:
    """The names under which a module imports what makes a Prefect task."""
    return {
        alias.asname or alias.name
        for node in ast.walk(code)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
        if (node.module, alias.name) in MAKERS
    }


def writes_elsewhere(tree: Tree) -> list[tuple[str, str]]:
    """Calls of a client's writing method in a module that is not the action's."""
    found = []
    for module, code in parsed(tree):
        for node in ast.walk(code):
            if not isinstance(node, ast.Attribute):
                continue
            of = node.value.attr if isinstance(node.value, ast.Attribute) else ""
            called = {node.attr, f"{of}.{node.attr}"} & WRITERS.keys()
            found += [(module, name) for name in called if module != WRITERS[name]]
    return found


def keys_of_actions() -> Counter[str]:
    """How many modules hold each action's key."""
    modules = {
        (tag, each.fn.__module__)
        for package in PACKAGES
        for module in module_names(package.__name__)
        for each in vars(sys.modules[module]).values()
        if isinstance(each, Task)
        for tag in each.tags
    }
    return Counter(tag for tag, _ in modules)


def module_names(package: str) -> list[str]:
    return [name for name in sys.modules if name.startswith(f"{package}.")]


LOADER = """
import os, sys
from prefect import flow, task
for names in sys.argv[1:]:
    if os.fork() == 0:
        for name in names.split():
            __import__(name)
        print(names, *sys.modules, sep="\\t", flush=True)
        os._exit(0)
    if os.wait()[1]:
        sys.exit(f"{names} can't be imported")
"""
"""Prefect takes longer to load than all the rest, so it is loaded once; the rest by a process for each."""


@pytest.fixture(scope="module")
def loaded() -> dict[str, set[str]]:
    """What of ours an import of each package's actions, of one action or of a flow loads by itself."""
    wanted = {package: " ".join(action_modules(package)) for package in NEEDS}
    wanted |= {one: one for one in (LIST_ASSETS, LIST_LOCATIONS, SYNCHRONIZATION)}
    done = subprocess.run(
        [sys.executable, "-c", LOADER, *wanted.values()], capture_output=True, text=True, check=True, cwd=ROOT
    )
    lines = {line.split("\t")[0]: line.split("\t")[1:] for line in done.stdout.splitlines()}
    return {
        name: {each for each in lines[modules] if each.split(".")[0] in {"connectors", "tasks"}}
        for name, modules in wanted.items()
    }


def test_a_flow_loads_no_other_feature(loaded: dict[str, set[str]]) -> None:
    features = {".".join(each.split(".")[:2]) for each in loaded[SYNCHRONIZATION]}
    assert "tasks.asset_sync" in features
    assert not features & {"tasks.dispatch", "tasks.enrichment", "tasks.field_nation"}


def action_modules(package: str) -> list[str]:
    return sorted(Tree.read(packages=(package.replace(".", "/"),)).modules)


def vendors_in(modules: set[str]) -> set[str]:
    """The vendors whose connector is among the modules."""
    return {name.split(".")[1] for name in modules if name.startswith("connectors.")} & set(VENDORS)


def written(root: Path, name: str, text: str) -> Tree:
    """A tree of one module."""
    path = root.joinpath(*name.split(".")).with_suffix(".py")
    path.parent.mkdir(parents=True)
    path.write_text(text, encoding="utf-8")
    return Tree.read(root, ("tasks",))


def test_each_key_stands_in_one_module_and_each_action_in_a_module_of_its_name() -> None:
    offered = [each for package in PACKAGES for each in actions_of(package)]
    assert [each.name for each in offered if each.fn.__module__.rpartition(".")[2] != each.fn.__name__] == []
    counted = keys_of_actions()
    assert {key: count for key, count in counted.items() if count > 1} == {}
    assert counted.keys() == {tag for each in offered for tag in each.tags}


def test_a_step_has_its_actions_name_and_tag_and_is_not_offered() -> None:
    @action("List Things", key="listThings")
    async def list_things(connection: str) -> list[str]:
        """Fetch things."""
        return [connection]

    @action_step(list_things, retries=0)
    async def read_things(client: object) -> list[str]:
        return [str(client)]

    assert (read_things.name, read_things.tags, read_things.retries) == ("List Things", {"listThings"}, 0)
    assert read_things.retry_condition_fn is list_things.retry_condition_fn
    steps = {"read_configurations", "match_records", "list_agreements", "list_tickets", "create_group"}
    offered = {each.fn.__name__ for package in PACKAGES for each in actions_of(package)}
    assert offered & (steps | {"replace_records", "read_assets", "edit_assets"}) == set()


def test_each_task_of_a_flow_run_is_an_action_or_a_step_in_its_actions_module(tree: Tree) -> None:
    assert set(makers_of_tasks(tree)) == DYNAMIC_STEPS


def test_a_task_that_is_made_in_a_feature_is_caught(tmp_path: Path) -> None:
    made = written(
        tmp_path,
        "tasks.enrichment.read",
        "from tasks.shared.action import action\n\n\n"
        '@action("List Assets", key="k")\nasync def read() -> None: ...\n',
    )
    assert makers_of_tasks(made) == [("tasks.enrichment.read", "action")]


def test_every_write_to_a_configuration_or_an_asset_goes_through_its_action(tree: Tree) -> None:
    assert writes_elsewhere(tree) == []


def test_a_write_beside_its_action_is_caught(tmp_path: Path) -> None:
    made = written(
        tmp_path,
        "tasks.asset_sync.modify",
        "async def f(run) -> None:\n"
        "    await run.client.configurations.patch(1, [])\n"
        "    await run.assets.edit_assets('site', [])\n",
    )
    assert sorted(writes_elsewhere(made)) == [
        ("tasks.asset_sync.modify", "configurations.patch"),
        ("tasks.asset_sync.modify", "edit_assets"),
    ]


@pytest.mark.parametrize("package", NEEDS)
def test_an_action_loads_the_client_of_no_other_vendor(loaded: dict[str, set[str]], package: str) -> None:
    assert set(action_modules(package)) <= loaded[package]
    assert vendors_in(loaded[package]) <= NEEDS[package]


def test_list_locations_loads_nothing_of_lansweeper_and_field_nation(loaded: dict[str, set[str]]) -> None:
    names = loaded[LIST_LOCATIONS]
    assert [name for name in names if "lansweeper" in name or "field_nation" in name] == []
    assert LIST_LOCATIONS in names


def test_a_loaded_vendor_is_seen(loaded: dict[str, set[str]]) -> None:
    assert "lansweeper" in vendors_in(loaded[LIST_ASSETS])
