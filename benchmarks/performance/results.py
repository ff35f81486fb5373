"""``build/bench.json``: every figure with when, of what commit and by which versions it was measured."""

from __future__ import annotations

import json
import os
import platform
import subprocess
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from benchmarks.performance.bounds import Check, matching_checks, row_checks, straight_line
from benchmarks.performance.runner import BUILD
from deployments import ROOT

RESULT = BUILD / "bench.json"
FORM = 3
"""Raised whenever a row gets other members: what an older version measured is not mixed in."""
Row = dict[str, Any]
NOTE = (
    "The sandbox in a process of its own, without the vendors' limits; the clients' own limits are so high "
    "that no request waits. Wall and CPU seconds are those of the run, without the imports before it."
)


def measured_by() -> dict[str, Any]:
    return {
        "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "commit": _commit(),
        "python": platform.python_version(),
        "prefect": version("prefect"),
        "cores": os.cpu_count(),
    }


def merged(known: dict[str, Any], rows: Sequence[Row], matching: Row | None) -> dict[str, Any]:
    """The new rows in the place of those of the same size, latency and kind, in order of these."""
    every = (*known.get("runs", ()), *rows)
    runs = {(int(row["assets"]), float(row["latency_ms"]), str(row["kind"])): row for row in every}
    result = {
        "form": FORM,
        "note": NOTE,
        "runs": [runs[place] for place in sorted(runs)],
        "match_and_diff": matching or known.get("match_and_diff"),
    }
    return result | {"checks": [line for _, line in checked(result)]}


def checked(result: dict[str, Any]) -> Iterator[tuple[Check, dict[str, Any]]]:
    """Every promise, with the run that it is about."""
    for row in result["runs"]:
        of = f"{row['assets']:,} assets, {row['latency_ms']:g} ms, {row['kind']}"
        for check in row_checks(row):
            yield check, {"run": of, **check.as_json()}
    for check in straight_line(result["runs"]):
        yield check, {"run": "a straight line", **check.as_json()}
    matching = result["match_and_diff"]
    for check in matching_checks(matching) if matching else ():
        yield check, {"run": f"{matching['n']:,} x {matching['n']:,} records", **check.as_json()}


def load(path: Path = RESULT) -> dict[str, Any]:
    """What was measured before in the same form, if anything."""
    found = dict(json.loads(path.read_text(encoding="utf-8"))) if path.exists() else {}
    return found if found.get("form") == FORM else {}


def save(result: dict[str, Any], path: Path = RESULT) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")


def _commit() -> str:
    """The commit of the work tree, with a plus where something in it is not committed."""
    try:
        told = subprocess.run(
            ["git", "describe", "--always", "--dirty=+", "--abbrev=9"],  # noqa: S607
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        )
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return told.stdout.strip()
