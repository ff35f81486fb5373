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
import logging
import shutil
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from rich.console import Console

from benchmarks.performance import peers, results, table
from benchmarks.performance.results import Row
from benchmarks.performance.runner import BUILD
from benchmarks.performance.scale import COMPARED, Bench, measure_size
from deployments.local.prefect import local_prefect

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


if __name__ == "__main__":
    sys.exit(0 if main() else 1)
