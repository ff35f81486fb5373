"""No two product modules import each other in a circle, by whatever way round.

Imports inside functions and under ``TYPE_CHECKING`` count too: they hide a circle from Python, not from a
reader, who can't understand either module without the other.
"""

from __future__ import annotations

from graphlib import CycleError, TopologicalSorter
from pathlib import Path

from tests.support.layout import Tree


def circle(tree: Tree) -> list[str]:
    """The modules of one import circle, the first again at the end; empty if there is none."""
    try:
        TopologicalSorter(tree.users()).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def test_no_modules_import_each_other_in_a_circle() -> None:
    assert circle(Tree.read()) == []


def test_a_circle_through_a_function_and_a_type_is_found(tmp_path: Path) -> None:
    package = tmp_path / "tasks" / "feature"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "plan.py").write_text("from tasks.feature import read\n")
    (package / "read.py").write_text("def later():\n    from .write import send\n")
    (package / "write.py").write_text("if TYPE_CHECKING:\n    import tasks.feature.plan\n")
    found = circle(Tree.read(tmp_path))
    assert set(found) == {"tasks.feature.plan", "tasks.feature.read", "tasks.feature.write"}
    (package / "write.py").write_text("import json\n")
    assert circle(Tree.read(tmp_path)) == []
