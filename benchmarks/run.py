"""``make bench``: requests, seconds, CPU and memory of a first load, a usual run and a run without change.

Each run is a process of its own against a sandbox in another; the figures beside are the bounds that
``bounds`` computes from the data. ``python -m benchmarks.run 1000`` takes other sizes than 15,000.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from math import ceil
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks import match_and_diff
from deployments.local_prefect import LocalPrefect, local_prefect
from deployments.local_sandbox import Sandbox, start_sandbox

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / "build"
SIZES = (1_000, 15_000)
CHURN = 0.10
"""Share of the assets that are renamed, moved, added or retired before the usual run."""


def main(sizes: tuple[int, ...]) -> None:
    """Measure every size, print the tables, write ``build/bench.json``."""
    console = Console(width=max(120, Console().width))
    home = BUILD / "bench"
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True)
    rows = []
    with start_sandbox("--seed", "7", "--assets", "10") as sandbox, local_prefect(home) as prefect:
        for size in sizes:
            rows += measure_size(console, sandbox, prefect, home, size)
    matching = match_and_diff.measure(15_000)
    (BUILD / "bench.json").write_text(json.dumps({"runs": rows, "match_and_diff": matching}, indent=2))
    show(console, rows, matching)


def measure_size(
    console: Console, sandbox: Sandbox, prefect: LocalPrefect, home: Path, size: int
) -> list[dict[str, Any]]:
    """First load into an empty company, a run without change, and a run after a tenth has changed."""
    sandbox.reset(seed=7, assets=size, scenario="fresh")
    ledger = home / f"ledger-{size}.db"
    run_module("deployments.save_blocks", prefect, str(ledger), json.dumps(sandbox.info))
    rows = []
    for kind in ("first load", "no change", "usual run"):
        if kind == "usual run":
            sandbox.churn(CHURN)
        console.print(f"{size:,} assets, {kind} ...")
        rows.append(measure_run(sandbox, prefect, kind, size))
    return rows


def measure_run(sandbox: Sandbox, prefect: LocalPrefect, kind: str, size: int) -> dict[str, Any]:
    """One run's figures, with the requests that the sandbox served."""
    before = existing_records(sandbox)
    sandbox.clear_requests()
    output = run_module("benchmarks.measured_run", prefect, sandbox.company)
    figures = json.loads(output.splitlines()[-1])
    served = sandbox.requests()
    return {
        "assets": size,
        "kind": kind,
        "connectwise_requests": served["connectwise"]["requests"],
        "connectwise_writes": served["connectwise"]["writes"],
        "connectwise_bound": bound(before, existing_records(sandbox), figures["counts"]),
        "lansweeper_requests": served["lansweeper"]["requests"],
        "lansweeper_bound": ceil(figures["counts"]["read"] / 500),
        **figures,
        "by": served["connectwise"]["by"] | served["lansweeper"]["by"],
    }


REFERENCES = (
    "company/configurations/types",
    "company/configurations/statuses",
    "procurement/manufacturers",
    "system/locations",
)


def existing_records(sandbox: Sandbox) -> dict[str, int]:
    """How many records there are of each kind that a run reads."""
    counts = {name: len(sandbox.state(name)) for name in REFERENCES}
    configurations = sandbox.state("company/configurations")
    own = sum(record["company"]["id"] == sandbox.company_id for record in configurations)
    return counts | {"configurations": own}


def bound(before: dict[str, int], after: dict[str, int], counts: dict[str, int]) -> int:
    """The fewest requests possible: read every kind once, create what is missing, write in fifties.

    A batch of modifications is read again before it is written, so it counts twice.
    """
    reads = sum(max(1, ceil(before[name] / 1000)) for name in REFERENCES)
    created_references = sum(after[name] - before[name] for name in REFERENCES)
    configurations = max(1, ceil(before["configurations"] / 1000))
    writes = ceil(counts["created"] / 50) + 2 * ceil(counts["modified"] / 50)
    return reads + created_references + configurations + writes


def run_module(module: str, prefect: LocalPrefect, *arguments: str) -> str:
    """Run a module of ours in a process of its own and return what it prints."""
    done = subprocess.run(
        [sys.executable, "-m", module, *arguments],
        cwd=ROOT,
        env={**prefect.environment, "PREFECT_LOGGING_LEVEL": "WARNING"},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return done.stdout


def show(console: Console, rows: list[dict[str, Any]], matching: dict[str, Any]) -> None:
    """Print what was measured."""
    table = Table(title="asset-synchronization against the sandbox")
    columns = {
        "assets": "Assets",
        "kind": "Run",
        "connectwise_requests": "ConnectWise requests",
        "connectwise_bound": "lower bound",
        "connectwise_writes": "writes",
        "lansweeper_requests": "Lansweeper requests",
        "wall_seconds": "Wall s",
        "cpu_seconds": "CPU s",
        "peak_megabytes": "Peak MB",
    }
    for title in columns.values():
        table.add_column(title, justify="right")
    for row in rows:
        table.add_row(
            *(f"{row[name]:,}" if isinstance(row[name], int) else str(row[name]) for name in columns)
        )
    console.print(table)
    console.print("Match and diff of 15,000 x 15,000, 15 mapped fields:", matching)


if __name__ == "__main__":
    main(tuple(map(int, sys.argv[1:])) or SIZES)
