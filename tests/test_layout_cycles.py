"""No two product modules import each other in a circle, by whatever way round.

Imports inside functions and under ``TYPE_CHECKING`` count too: they hide a circle from Python, not from a
reader, who can't understand either module without the other.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("connectors", "tasks", "flows", "deployments", "sandbox", "benchmarks")


def modules(root: Path) -> dict[str, Path]:
    """Every product module below ``root`` by its dotted name."""
    return {
        ".".join(path.relative_to(root).with_suffix("").parts).removesuffix(".__init__"): path
        for package in PACKAGES
        for path in sorted((root / package).rglob("*.py"))
    }


def imported(name: str, path: Path, known: Mapping[str, Path]) -> Iterator[str]:
    """The modules of ``known`` that a module imports; ``from package import module`` names the module."""
    own = name.split(".") if path.name == "__init__.py" else name.split(".")[:-1]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in known)
        elif isinstance(node, ast.ImportFrom):
            base = own[: len(own) - node.level + 1] if node.level else []
            module = ".".join([*base, *(node.module.split(".") if node.module else [])])
            for alias in node.names:
                whole = f"{module}.{alias.name}"
                yield whole if whole in known else module


def circle(root: Path) -> list[str]:
    """The modules of one import circle below ``root``, the first again at the end; empty if there is none."""
    known = modules(root)
    graph = {
        name: {each for each in imported(name, path, known) if each in known and each != name}
        for name, path in known.items()
    }
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def test_no_modules_import_each_other_in_a_circle() -> None:
    assert circle(ROOT) == []


def test_a_circle_through_a_function_and_a_type_is_found(tmp_path: Path) -> None:
    package = tmp_path / "tasks" / "feature"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "plan.py").write_text("from tasks.feature import read\n")
    (package / "read.py").write_text("def later():\n    from .write import send\n")
    (package / "write.py").write_text("if TYPE_CHECKING:\n    import tasks.feature.plan\n")
    found = circle(tmp_path)
    assert set(found) == {"tasks.feature.plan", "tasks.feature.read", "tasks.feature.write"}
    (package / "write.py").write_text("import json\n")
    assert circle(tmp_path) == []
