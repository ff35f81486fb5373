"""What the ledger keeps has owners: only they read or write its state entries, links and ticket links."""

from __future__ import annotations

import ast
from pathlib import Path

from tests.support.layout import Tree

KEPT = {"state", "links", "ticket_links"}
"""Parts of a ledger whose names and details belong to whoever keeps them."""
OWNERS = {
    "tasks.dispatch.state",
    "tasks.connectwise.link_search.search",
    "tasks.connectwise.link_search.ticket_cache",
    "tasks.lansweeper.edit_asset",
}


def state_elsewhere(tree: Tree) -> list[str]:
    """Modules of tasks, flows and deployments that reach for a kept part of a ledger and are no owner."""
    found = set()
    for module, path in tree.modules.items():
        if module in OWNERS or module.split(".")[0] not in {"tasks", "flows", "deployments"}:
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            of = node.value if isinstance(node, ast.Attribute) else None
            name = of.attr if isinstance(of, ast.Attribute) else of.id if isinstance(of, ast.Name) else ""
            if isinstance(node, ast.Attribute) and node.attr in KEPT and name.strip("_") == "ledger":
                found.add(module)
    return sorted(found)


def test_only_its_owners_reach_for_what_the_ledger_keeps() -> None:
    assert state_elsewhere(Tree.read()) == []


def test_one_who_is_no_owner_is_caught(tmp_path: Path) -> None:
    folder = tmp_path / "tasks" / "dispatch"
    folder.mkdir(parents=True)
    (folder / "notes.py").write_text("async def f(run):\n    await run.ledger.state.get('a', 'b')\n")
    (folder / "state.py").write_text("async def f(self):\n    await self._ledger.links.of_kind('a', 'b')\n")
    (folder / "sweep.py").write_text("async def f(run):\n    await run.state.record(1, 2)\n")
    assert state_elsewhere(Tree.read(tmp_path)) == ["tasks.dispatch.notes"]
