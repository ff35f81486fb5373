"""The import rules and limits of the source tree, each with a violation that is caught."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from pathlib import Path

import pytest

from tests.support.layout import (
    OURS,
    ROOT,
    Tree,
    imports,
    large_folders,
    large_modules,
    single_user_reason,
    single_users,
)

SYSTEMS = ("connectwise", "lansweeper", "field_nation", "ledger")
FEATURES = ("asset_sync", "enrichment", "dispatch")
ACTIONS = ("tasks.connectwise", "tasks.lansweeper")
RUN_ACTIONS = "tasks.field_nation"
"""Documented actions that each run dispatch for one record: they stand above dispatch, as a flow does."""
STATE_OWNERS = {
    "tasks.connectwise.link_search.search",
    "tasks.connectwise.link_search.ticket_cache",
    "tasks.dispatch.refusals",
    "tasks.dispatch.state",
    "tasks.lansweeper.edit_asset",
    "tasks.shared.connections",
    "tasks.shared.request_times",
}
"""The modules that name state entries, links and ticket links, each for what it owns."""
DOWNWARDS = {
    "connectors": ["connectors"],
    "tasks": ["tasks", "connectors"],
    "flows": ["flows", "tasks", "connectors"],
    "deployments": ["deployments", "flows", "tasks", "connectors"],
    "sandbox": ["sandbox"],
}


@pytest.fixture(scope="module")
def tree() -> Tree:
    return Tree.read()


def written(root: Path, **files: str) -> Tree:
    """A tree of made-up modules; ``__`` in a name stands for the dot."""
    for name, text in files.items():
        path = root.joinpath(*name.split("__")).with_suffix(".py")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return Tree.read(root)


def within(name: str, packages: Iterable[str]) -> bool:
    return any(name == package or name.startswith(package + ".") for package in packages)


def our_imports(tree: Tree, package: str) -> list[tuple[str, str]]:
    """Every import of our own packages by a module under ``package``: importer and imported."""
    return [
        (module, name)
        for module, path in tree.modules.items()
        if within(module, [package])
        for name in imports(path, tree.root)
        if name.split(".")[0] in OURS
    ]


def imports_upwards(tree: Tree, package: str) -> list[tuple[str, str]]:
    """Imports of a layer from a layer above it."""
    return [each for each in our_imports(tree, package) if not within(each[1], DOWNWARDS[package])]


def impure_rules(tree: Tree) -> list[tuple[str, str]]:
    """Imports of the rules from anywhere but rules, wire models and the arithmetic of request limits."""
    models = [f"connectors.{system}.models" for system in SYSTEMS]
    allowed = ["tasks.rules", *models, "connectors.ledger.window"]
    return [
        each
        for each in our_imports(tree, "tasks.rules")
        if each[1] != "tasks" and not within(each[1], allowed)
    ]


def imports_between_systems(tree: Tree) -> list[tuple[str, str]]:
    """Imports of one vendor's connector, or the ledger, from another."""
    return [
        (module, name)
        for system in SYSTEMS
        for module, name in our_imports(tree, f"connectors.{system}")
        if within(name, [f"connectors.{other}" for other in SYSTEMS if other != system])
    ]


def imports_between_features(tree: Tree) -> list[tuple[str, str]]:
    """Imports of one feature, in ``tasks`` or ``tasks/rules``, from another."""
    return [
        (module, name)
        for feature in FEATURES
        for folder in (f"tasks.{feature}", f"tasks.rules.{feature}")
        for module, name in our_imports(tree, folder)
        if within(
            name,
            [f"tasks{rules}.{other}" for rules in ("", ".rules") for other in FEATURES if other != feature],
        )
    ]


def imports_of_features(tree: Tree) -> list[tuple[str, str]]:
    """Imports of a feature from a documented action or from what all features share."""
    return [
        each
        for package in (*ACTIONS, "tasks.shared")
        for each in our_imports(tree, package)
        if within(each[1], [f"tasks.{feature}" for feature in FEATURES])
    ]


def imports_of_run_actions(tree: Tree) -> list[tuple[str, str]]:
    """Imports, from other tasks, of the actions that stand above a feature."""
    return [
        each
        for each in our_imports(tree, "tasks")
        if within(each[1], [RUN_ACTIONS]) and not within(each[0], [RUN_ACTIONS])
    ]


def state_entries_elsewhere(tree: Tree) -> list[str]:
    """Modules above the connectors that reach for what the ledger keeps by name, and own none of it."""
    kept = ("ledger.state", "ledger.links", "ledger.ticket_links")
    names = {each.partition(".")[2] for each in kept}
    return [
        module
        for module, path in tree.modules.items()
        if within(module, ["tasks", "flows", "deployments"]) and module not in STATE_OWNERS
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute) and node.attr in names and ast.unparse(node).endswith(kept)
    ]


def prefect_below_tasks(tree: Tree) -> list[str]:
    """Modules of the rules, the clients and the sandbox that import Prefect; blocks may."""
    return [
        module
        for module, path in tree.modules.items()
        if within(module, ["tasks.rules", "sandbox", "connectors"])
        and path.name not in {"block.py", "blocks.py"}
        and any(name.split(".")[0] == "prefect" for name in imports(path, tree.root))
    ]


@pytest.mark.parametrize("package", DOWNWARDS)
def test_packages_import_only_downwards(tree: Tree, package: str) -> None:
    assert imports_upwards(tree, package) == []


def test_an_import_upwards_is_caught(tmp_path: Path) -> None:
    tree = written(tmp_path, tasks__shared__retry="from flows.undo_run import undo_run\n")
    assert ("tasks.shared.retry", "flows.undo_run") in imports_upwards(tree, "tasks")


def test_rules_import_only_rules_and_wire_models(tree: Tree) -> None:
    assert impure_rules(tree) == []


def test_an_impure_rule_is_caught(tmp_path: Path) -> None:
    tree = written(
        tmp_path,
        tasks__rules__text="from tasks.shared import retry\nfrom connectors.ledger.models import Entry\n",
    )
    assert impure_rules(tree) == [
        ("tasks.rules.text", "tasks.shared"),
        ("tasks.rules.text", "tasks.shared.retry"),
    ]


def test_systems_do_not_import_each_other(tree: Tree) -> None:
    assert imports_between_systems(tree) == []


def test_an_import_between_systems_is_caught(tmp_path: Path) -> None:
    tree = written(tmp_path, connectors__ledger__store="import connectors.lansweeper.client\n")
    assert imports_between_systems(tree) == [("connectors.ledger.store", "connectors.lansweeper.client")]


def test_features_do_not_import_each_other(tree: Tree) -> None:
    assert imports_between_features(tree) == []


def test_an_import_between_features_is_caught(tmp_path: Path) -> None:
    tree = written(
        tmp_path,
        tasks__dispatch__run="from tasks.rules import asset_sync\n",
        tasks__rules__enrichment__plan="def plan():\n    import tasks.asset_sync.plan\n",
    )
    assert imports_between_features(tree) == [
        ("tasks.rules.enrichment.plan", "tasks.asset_sync.plan"),
        ("tasks.dispatch.run", "tasks.rules.asset_sync"),
    ]


def test_actions_and_shared_modules_import_no_feature(tree: Tree) -> None:
    assert imports_of_features(tree) == []


def test_an_action_that_imports_a_feature_is_caught(tmp_path: Path) -> None:
    tree = written(tmp_path, tasks__lansweeper__edit_asset="from tasks.enrichment.plan import edit\n")
    assert ("tasks.lansweeper.edit_asset", "tasks.enrichment.plan") in imports_of_features(tree)


def test_no_task_imports_an_action_that_stands_above_its_feature(tree: Tree) -> None:
    assert imports_of_run_actions(tree) == []


def test_an_import_of_an_action_above_its_feature_is_caught(tmp_path: Path) -> None:
    tree = written(tmp_path, tasks__dispatch__sweep="import tasks.field_nation.notes_sync\n")
    assert imports_of_run_actions(tree) == [("tasks.dispatch.sweep", "tasks.field_nation.notes_sync")]


def test_state_entries_have_one_owner_each(tree: Tree) -> None:
    assert state_entries_elsewhere(tree) == []


def test_a_state_entry_without_an_owner_is_caught(tmp_path: Path) -> None:
    tree = written(
        tmp_path,
        tasks__dispatch__sweep="async def f(run):\n    await run.ledger.state.get('a', 'b')\n",
        tasks__dispatch__notes="async def f(self):\n    await self._ledger.links.of_kind('a', 'b')\n",
        tasks__dispatch__inbox="async def f(run):\n    await run.state.record(1, 2)\n",
    )
    assert sorted(state_entries_elsewhere(tree)) == ["tasks.dispatch.notes", "tasks.dispatch.sweep"]


def test_prefect_stays_out_of_rules_clients_and_sandbox(tree: Tree) -> None:
    assert prefect_below_tasks(tree) == []


def test_prefect_below_the_tasks_is_caught(tmp_path: Path) -> None:
    tree = written(
        tmp_path,
        connectors__ledger__block="import prefect\n",
        connectors__ledger__store="import prefect\n",
        sandbox__app="from prefect import flow\n",
    )
    assert prefect_below_tasks(tree) == ["connectors.ledger.store", "sandbox.app"]


def test_flow_files_have_names_of_their_own() -> None:
    """A file entrypoint is loaded under its bare name: it must not replace another module."""
    packages = {path.name for path in ROOT.iterdir() if path.is_dir()}
    names = {path.stem for path in (ROOT / "flows").glob("*.py")} - {"__init__"}
    assert names & (packages | {"prefect", "asyncio", "logging", "types"}) == set()


def test_no_module_and_no_folder_is_over_its_limit(tree: Tree) -> None:
    assert (large_modules(tree), large_folders(tree)) == ({}, {})


def test_a_large_module_and_a_large_folder_are_caught(tmp_path: Path) -> None:
    tree = written(tmp_path, tasks__long="x = 1\n" * 451, **{f"flows__flow_{n}": "" for n in range(26)})
    assert (large_modules(tree), large_folders(tree)) == ({"tasks.long": 451}, {"flows": 26})


def test_a_module_with_one_user_has_a_reason(tree: Tree) -> None:
    found = {
        module: user
        for module, user in single_users(tree).items()
        if single_user_reason(tree, module, user) is None
    }
    assert found == {}


def test_a_module_with_one_user_is_caught(tmp_path: Path) -> None:
    tree = written(
        tmp_path,
        tasks__dispatch__sending="",
        tasks__dispatch__outbox="from tasks.dispatch import sending\nfrom tasks.dispatch.shared import x\n",
        tasks__dispatch__inbox="import tasks.dispatch.shared\n",
        tasks__dispatch__shared="x = 1\n",
    )
    assert single_users(tree) == {"tasks.dispatch.sending": "tasks.dispatch.outbox"}
    assert single_user_reason(tree, "tasks.dispatch.sending", "tasks.dispatch.outbox") is None
