"""``make bench``: what asset-synchronization costs, beside the least that is possible.

For 1,000, 15,000 and 100,000 assets, with 0 and 50 ms of latency: first load, no change, usual run. Each run
is a process of its own against a sandbox in another. Then extract, match and diff beside a hand-written
index, DiffSync and JMESPath. Status 1 if a promise of ``bounds`` is broken.

``python -m benchmarks.performance.run --quick`` measures 1,000 assets only; ``python -m
benchmarks.performance.run 15000 --latency-ms 50`` one size and latency, and puts it beside what was
measured before.
"""

from __future__ import annotations

import argparse
import json
import logging
import shutil
import statistics
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console

from benchmarks.performance import bounds, peers, results, table
from benchmarks.performance.bounds import FIRST_LOAD, NO_CHANGE, REFERENCE_LISTS, USUAL_RUN, Work
from benchmarks.performance.results import Row
from benchmarks.performance.runner import BUILD, ROOM, connection, orchestrated, run_watched
from deployments.local.prefect import LocalPrefect, local_prefect
from deployments.local.sandbox import Sandbox, start_sandbox
from tasks.shared.connections import DEFAULT

SIZES = (1_000, 15_000, 100_000)
LATENCIES = (0.0, 50.0)
MATCHED, MATCH_RUNS = 15_000, 5
HOME = BUILD / "bench"


def main(arguments: list[str] | None = None, *, home: Path = HOME, result: Path = results.RESULT) -> bool:
    """Measure, print, write ``build/bench.json`` and ``build/bench.png``; whether all promises were kept."""
    given = read_arguments(arguments)
    console = Console(width=max(160, Console().width))
    began = time.monotonic()
    known = results.load(result) if given.part else {}
    for rows in measure(console, given, home):
        known = results.merged(known, rows, None)
        results.save(known, result)
    if not given.no_matching:
        console.print(f"Extract, match and diff of {MATCHED:,} records by four means, {MATCH_RUNS} times ...")
        known = results.merged(known, (), matching())
        results.save(known, result)
    if not given.no_chart:
        table.draw_chart(known["runs"], result.with_suffix(".png"))
    held = table.show(console, known)
    console.print(f"{(time.monotonic() - began) / 60:.1f} minutes; figures in {result}")
    return held


def measure(console: Console, given: argparse.Namespace, home: Path) -> Iterator[list[Row]]:
    """The rows of each size and latency, as soon as they are there."""
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True)
    by = results.measured_by()
    with local_prefect(home) as prefect:
        bench = Bench(console, prefect, home)
        for size in given.sizes:
            for latency in given.latency_ms:
                rows = measure_size(bench, size, latency, compared=given.compared)
                yield [row | by for row in rows]


def matching() -> Row:
    """Extract, match and diff beside its peers; DiffSync writes lines about each comparison otherwise."""
    import structlog

    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    return peers.measure_beside_peers(MATCHED, runs=MATCH_RUNS)


def read_arguments(arguments: list[str] | None) -> argparse.Namespace:
    """``part``: not everything is measured, so what was measured before is kept."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.performance.run", description=__doc__.split("\n")[0]
    )
    parser.add_argument("sizes", nargs="*", type=int, help="numbers of assets; usual: 1000 15000 100000")
    parser.add_argument("--latency-ms", nargs="+", type=float, help="usual: 0 50")
    parser.add_argument("--quick", action="store_true", help="1,000 assets only")
    parser.add_argument(
        "--compared", type=int, default=COMPARED, help="pairs of runs with and without Prefect; usual: 7"
    )
    parser.add_argument("--no-matching", action="store_true", help="without extract, match and diff")
    parser.add_argument("--no-chart", action="store_true", help="without build/bench.png")
    given = parser.parse_args(arguments)
    given.part = bool(given.sizes or given.latency_ms or given.quick)
    given.sizes = given.sizes or ([SIZES[0]] if given.quick else list(SIZES))
    given.latency_ms = given.latency_ms or list(LATENCIES)
    return given


SEED = 7
MEASURED_RUN = "benchmarks.performance.measured_run"
CHANGED, NEW = 0.10, 0.05
"""Shares of the assets that differ at the usual run: renamed or moved, and added."""
COMPARED = 7
"""Pairs of a run with Prefect and one without, neighbours in time; the median of their shares counts."""
OWN = "configurations of the company"


@dataclass(frozen=True)
class Bench:
    """Where it is measured: console, Prefect's server, and a folder for ledgers and logs."""

    console: Console
    prefect: LocalPrefect
    home: Path

    @property
    def ledger(self) -> Path:
        return self.home / "ledger.db"

    def new_ledger(self) -> None:
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
    connections = json.dumps([connection(DEFAULT, sandbox.info, bench.ledger, ROOM)])
    run(bench, sandbox, "benchmarks.performance.runner", connections)


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
    counts = {path: sandbox.count(path.removeprefix("/")) for path in REFERENCE_LISTS}
    return counts | {OWN: sandbox.count("company/configurations", sandbox.company_id)}


def prefect_share(bench: Bench, sandbox: Sandbox, size: int, measured: Row, times: int) -> Row:
    """What Prefect adds to a first load's wall, in turn; AssertionError where the two sent other requests."""
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
        arguments = ("assets-without-prefect", sandbox.company, str(bench.ledger), info)
        without.append(run(bench, sandbox, MEASURED_RUN, *arguments))
        check_alike(sandbox.requests(), measured)
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


if __name__ == "__main__":
    sys.exit(0 if main() else 1)
