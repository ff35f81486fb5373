"""Imports go one way: flows -> tasks -> connectors; rules are pure; the sandbox stands alone."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
OURS = {"connectors", "tasks", "flows", "deployments", "sandbox", "tests", "benchmarks"}
SYSTEMS = ("connectwise", "lansweeper", "field_nation", "ledger")


def python_files(folder: str) -> list[Path]:
    return sorted((ROOT / folder).rglob("*.py"))


def imports(path: Path) -> Iterator[str]:
    """Every module that the file imports, also inside functions, as dotted names."""
    package = path.relative_to(ROOT).parent.parts
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(package[: len(package) - node.level + 1]) if node.level else ""
            module = ".".join(part for part in (base, node.module or "") if part)
            yield module
            yield from (f"{module}.{alias.name}" for alias in node.names)


def offenders(folder: str, allowed: set[str]) -> list[str]:
    """Imports of our own packages from ``folder`` that are not under one of ``allowed``."""
    found = []
    for path in python_files(folder):
        for name in imports(path):
            ours = name.split(".")[0] in OURS
            if ours and not any(name == prefix or name.startswith(prefix + ".") for prefix in allowed):
                found.append(f"{path.relative_to(ROOT)} imports {name}")
    return found


@pytest.mark.parametrize(
    ("folder", "allowed"),
    [
        ("connectors", {"connectors"}),
        ("tasks", {"tasks", "connectors"}),
        ("flows", {"flows", "tasks", "connectors"}),
        ("deployments", {"deployments", "flows", "tasks", "connectors"}),
        ("sandbox", {"sandbox"}),
    ],
)
def test_packages_import_only_downwards(folder: str, allowed: set[str]) -> None:
    assert offenders(folder, allowed) == []


def test_rules_import_only_rules_and_wire_models() -> None:
    allowed = {"tasks", "tasks.rules"} | {f"connectors.{system}.models" for system in SYSTEMS}
    bad = [
        text for text in offenders("tasks/rules", allowed) if "tasks.rules" not in text.split(" imports ")[1]
    ]
    outside = [
        f"{path.name} imports {name}"
        for path in python_files("tasks/rules")
        for name in imports(path)
        if name.startswith("tasks.") and not name.startswith("tasks.rules")
    ]
    assert bad + outside == []


@pytest.mark.parametrize("system", SYSTEMS)
def test_systems_do_not_import_each_other(system: str) -> None:
    others = tuple(f"connectors.{other}" for other in SYSTEMS if other != system)
    found = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in python_files(f"connectors/{system}")
        for name in imports(path)
        if name.startswith(others)
    ]
    assert found == []


def imports_prefect(path: Path) -> bool:
    return any(name.split(".")[0] == "prefect" for name in imports(path))


def test_prefect_stays_out_of_rules_clients_and_sandbox() -> None:
    connectors = [path for path in python_files("connectors") if path.name not in {"block.py", "blocks.py"}]
    files = [*python_files("tasks/rules"), *python_files("sandbox"), *connectors]
    assert [str(path.relative_to(ROOT)) for path in files if imports_prefect(path)] == []


def test_flow_files_have_names_of_their_own() -> None:
    """A file entrypoint is loaded under its bare name: it must not replace another module."""
    packages = {path.name for path in ROOT.iterdir() if path.is_dir()}
    names = {path.stem for path in (ROOT / "flows").glob("*.py")} - {"__init__"}
    assert names & (packages | {"prefect", "asyncio", "logging", "types"}) == set()
