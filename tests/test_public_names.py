"""A public name has one meaning: no two modules of connectors and tasks define the same one."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from tests.support.layout import Tree
from tests.test_layout import within, written

EACH_VENDOR = "each vendor's connector has one, in the module of the same name"
EACH_FEATURE = "each feature that runs has one, in the module that publishes"
PLAIN_DATA = "a name for plain JSON objects, whichever vendor's"

EXCEPTIONS = {
    "CHECK_RIGHTS": EACH_VENDOR,
    "CHECK_SITE": EACH_VENDOR,
    "CONCURRENCY": EACH_VENDOR,
    "LARGEST_PAGE": EACH_VENDOR,
    "REQUEST_LIMITS": EACH_VENDOR,
    "SYSTEM": EACH_VENDOR,
    "check_connection": EACH_VENDOR,
    "Params": "parameters of a request, as each client's transport takes them",
    "PLAN_KEY": EACH_FEATURE,
    "REPORT_KEY": EACH_FEATURE,
    "publish_plan": EACH_FEATURE,
    "publish_report": EACH_FEATURE,
    "Record": PLAIN_DATA,
    "WorkOrder": PLAIN_DATA,
    "logger": "each module's own",
}
"""Names that several modules define with one meaning, and why each may."""


def public_names(path: Path) -> Iterator[str]:
    """The names that a module defines at its top level; type variables of one letter are left out."""
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        names: list[str] = []
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names = [node.name]
        elif isinstance(node, ast.Assign):
            names = [each.id for each in node.targets if isinstance(each, ast.Name)]
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            names = [node.target.id]
        yield from (name for name in names if not name.startswith("_") and len(name) > 1)


def defined_twice(tree: Tree) -> dict[str, list[str]]:
    """Public names of connectors and tasks with more than one home, and their modules."""
    homes: dict[str, set[str]] = defaultdict(set)
    for module, path in tree.modules.items():
        if within(module, ["connectors", "tasks"]) and not within(module, ["connectors.ledger.migrations"]):
            for name in public_names(path):
                homes[name].add(module)
    return {name: sorted(modules) for name, modules in sorted(homes.items()) if len(modules) > 1}


def test_a_public_name_has_one_meaning() -> None:
    twice = defined_twice(Tree.read())
    assert {name: modules for name, modules in twice.items() if name not in EXCEPTIONS} == {}


def test_every_exception_is_needed() -> None:
    assert sorted(EXCEPTIONS.keys() - defined_twice(Tree.read()).keys()) == []


def test_a_second_meaning_is_caught(tmp_path: Path) -> None:
    tree = written(
        tmp_path,
        connectors__retry="Outcome = 1\nT = 1\n_LONGEST = 1\n",
        tasks__dispatch__run="class Outcome: ...\nT = 2\n_LONGEST = 2\n\n\ndef settle(): ...\n",
        tasks__rules__limits="async def settle(): ...\n\n\nLIMIT: int = 1\n",
        flows__undo_run="LIMIT = 1\n",
    )
    assert defined_twice(tree) == {
        "Outcome": ["connectors.retry", "tasks.dispatch.run"],
        "settle": ["tasks.dispatch.run", "tasks.rules.limits"],
    }
