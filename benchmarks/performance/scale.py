"""Measures asset-synchronization against the sandbox: first load, no change, usual run, of one size."""

from __future__ import annotations

import json
import statistics
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console

from benchmarks.performance import bounds
from benchmarks.performance.bounds import FIRST_LOAD, NO_CHANGE, REFERENCE_LISTS, USUAL_RUN, Work
from benchmarks.performance.runner import orchestrated, run_watched
from benchmarks.save_blocks import ROOM, connection
from deployments.local.prefect import LocalPrefect
from deployments.local.sandbox import Sandbox, start_sandbox
from tasks.shared.connections import DEFAULT

SEED = 7
MEASURED_RUN = "benchmarks.performance.measured_run"
CHANGED, NEW = 0.10, 0.05
"""Shares of the assets that differ at the usual run: renamed or moved, and added."""
COMPARED = 7
"""Pairs of a run with Prefect and one without; the median of their shares counts.

Neighbours in time are compared: over minutes a shared machine changes its speed by more than Prefect costs.
"""

Row = dict[str, Any]
OWN = "configurations of the company"


@dataclass(frozen=True)
class Bench:
    """Where it is measured: console, Prefect's server, and a folder for ledgers and logs."""

    console: Console
    prefect: LocalPrefect
    home: Path

    @property
    def ledger(self) -> Path:
        """The SQLite file of the runs' ledger."""
        return self.home / "ledger.db"

    def new_ledger(self) -> None:
        """The next run finds none."""
        for path in self.home.glob("ledger.db*"):
            path.unlink()


def measure_size(bench: Bench, size: int, latency: float, *, compared: int = COMPARED) -> list[Row]:
    """The rows of one size and latency (ms); the sandbox is a process of its own and has no limits."""
    with start_sandbox("--seed", str(SEED), "--assets", "1", "--latency-ms", str(latency)) as sandbox:
        save_blocks(bench, sandbox)
        rows = []
        for kind in (FIRST_LOAD, NO_CHANGE, USUAL_RUN):
            bench.console.print(f"{size:,} assets, {latency:g} ms, {kind} ...")
            if kind == FIRST_LOAD:
                fresh(bench, sandbox, size)
            changed = change(sandbox, size) if kind == USUAL_RUN else 0
            row = measure_run(bench, sandbox, changed)
            rows.append({"assets": size, "latency_ms": latency, "kind": kind, **row})
        if compared and (size, latency) == (bounds.WALL_SIZE, bounds.WALL_LATENCY):
            rows[0] |= prefect_share(bench, sandbox, size, rows[0], compared)
    return rows


def save_blocks(bench: Bench, sandbox: Sandbox) -> None:
    """The blocks named ``default`` for this sandbox, with room for every request."""
    run(
        bench,
        sandbox,
        "benchmarks.save_blocks",
        json.dumps([connection(DEFAULT, sandbox.info, bench.ledger, ROOM)]),
    )


def fresh(bench: Bench, sandbox: Sandbox, size: int) -> None:
    """An empty company, as many assets, no ledger."""
    sandbox.reset(SEED, size, "fresh", {"lansweeper_limits": False})
    bench.new_ledger()


def change(sandbox: Sandbox, size: int) -> int:
    """A tenth of the assets renamed or moved, a twentieth added; how many were changed."""
    changed = sandbox.churn(CHANGED, ["rename", "move"])
    sandbox.churn(NEW, ["add"])
    return sum(len(keys) for keys in changed.values())


def measure_run(bench: Bench, sandbox: Sandbox, changed: int) -> Row:
    """One run's figures, with the requests and the CPU time of the sandbox that served it."""
    before = existing_records(sandbox)
    sandbox.clear_requests()
    cost = run(bench, sandbox, MEASURED_RUN, "assets", sandbox.company)
    served = sandbox.requests()
    after = existing_records(sandbox)
    runs = orchestrated(bench.prefect.api_url, cost["run_id"])
    return cost | runs | vendor_figures(served, cost, before, after) | {"changed": changed}


def vendor_figures(served: Row, cost: Row, before: dict[str, int], after: dict[str, int]) -> Row:
    """Requests by vendor and part beside their bounds."""
    connectwise, lansweeper = served["connectwise"], served["lansweeper"]
    counts = cost["counts"]
    kinds = {path: before[path] for path in REFERENCE_LISTS}
    missing = sum(after[path] - before[path] for path in REFERENCE_LISTS)
    work = Work(kinds, missing, before[OWN], counts["created"], counts["modified"])
    least, again = bounds.least_requests(work), bounds.rereads(work)
    return {
        "assets_read": counts["read"],
        "new_records": after[OWN] - before[OWN],
        "requests": served["total"],
        "connectwise_requests": connectwise["requests"],
        "connectwise_writes": connectwise["writes"],
        "connectwise_least": least,
        "rereads": again,
        "connectwise_most": bounds.most_connectwise(least, again),
        "lansweeper_requests": lansweeper["requests"],
        "lansweeper_most": bounds.most_lansweeper(counts["read"], cost["paths"]),
        "sandbox_cpu_seconds": round(served["cpu_seconds"], 2),
        "answering_seconds": served["answering_seconds"],
        "least_by_part": bounds.least_by_part(work),
        "used_by_part": bounds.used_by_part(connectwise["by"]),
        "by": {"connectwise": connectwise["by"], "lansweeper": lansweeper["by"]},
    }


def existing_records(sandbox: Sandbox) -> dict[str, int]:
    """How many records there are of each kind that a run reads."""
    counts = {path: sandbox.count(path.removeprefix("/")) for path in REFERENCE_LISTS}
    return counts | {OWN: sandbox.count("company/configurations", sandbox.company_id)}


def prefect_share(bench: Bench, sandbox: Sandbox, size: int, measured: Row, times: int) -> Row:
    """What Prefect adds to the wall of a first load: the same chain with and without it, in turn.

    Raises:
        AssertionError: the two did not send the same requests, so they can't be compared.
    """
    info = json.dumps(sandbox.info)
    without: list[dict[str, Any]] = []
    orchestrated_walls = [float(measured["wall_seconds"])]
    for number in range(times):
        if number:
            fresh(bench, sandbox, size)
            cost = run(bench, sandbox, MEASURED_RUN, "assets", sandbox.company)
            orchestrated_walls.append(cost["wall_seconds"])
        fresh(bench, sandbox, size)
        bench.console.print(f"  without Prefect, {number + 1} of {times} ...")
        cost = run(
            bench, sandbox, MEASURED_RUN, "assets-without-prefect", sandbox.company, str(bench.ledger), info
        )
        check_alike(sandbox.requests(), measured)
        without.append(cost)
    plain_walls = [float(each["wall_seconds"]) for each in without]
    pairs = zip(orchestrated_walls, plain_walls, strict=True)
    return {
        "walls_with_prefect": orchestrated_walls,
        "walls_without_prefect": plain_walls,
        "cpu_without_prefect": statistics.median(float(each["cpu_seconds"]) for each in without),
        "prefect_share": round(statistics.median(1 - plain / whole for whole, plain in pairs), 3),
    }


def check_alike(served: Row, measured: Row) -> None:
    """Raises AssertionError with both counts where they differ."""
    by = {vendor: served[vendor]["by"] for vendor in ("connectwise", "lansweeper")}
    if by != measured["by"]:
        raise AssertionError(f"Without Prefect other requests were sent: {by} instead of {measured['by']}")


def run(bench: Bench, sandbox: Sandbox, module: str, *arguments: str) -> Row:
    """A module of ours in a process of its own; its log lies in the bench's folder."""
    log = bench.home / f"{module.rpartition('.')[2]}.log"
    return run_watched(bench.console, sandbox, log, bench.prefect.environment, module, *arguments)
