"""CPU and memory of match and diff, as a ratio to a dict index written by hand (``baseline.py``).

``python -m benchmarks.match_and_diff [n]`` prints a table; ``measure(n)`` returns it. The time is process
CPU from parsed records to counted changes, the median of an odd number of runs, both in turn.
"""

from __future__ import annotations

import gc
import statistics
import sys
import time
import tracemalloc
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from benchmarks import baseline, inventories, peers
from tasks.rules.asset_sync.compare import differences
from tasks.rules.asset_sync.match import match
from tasks.rules.asset_sync.match_result import MatchOptions
from tasks.rules.mapping.compile import compile_mapping
from tasks.rules.mapping.model import default_mappings

Counts = dict[str, int]
Work = Callable[[Sequence[Any], Sequence[Any]], Counts]


def with_rules(assets: Sequence[Any], configurations: Sequence[Any]) -> Counts:
    """The project's own rules, with the default mapping."""
    mapping = compile_mapping(default_mappings(), custom_field_ids={"ls_asset_id": 5})
    result = match(
        [mapping.read_asset(asset) for asset in assets],
        [mapping.read_configuration(record) for record in configurations],
        MatchOptions(complete=True),
    )
    found = (differences(each.asset, each.configuration, mapping) for each in result.matched)
    changes = [each for each in found if each]
    return {
        "matched": len(result.matched),
        "changed": len(changes),
        "fields": sum(len(each) for each in changes),
        "unmatched": len(result.unmatched),
        "ambiguous": len(result.ambiguous),
    }


def measure(
    n: int = 15_000, *, runs: int = 3, linked: bool = False, others: Mapping[str, Work] | None = None
) -> dict[str, Any]:
    """CPU seconds of both ways, their ratio and the counts, which must be the same.

    ``ratio`` is of the medians, ``best_ratio`` of the fastest runs: other work only slows them down.

    ``linked``: every configuration holds its asset's key, as from the second run on. ``others``: further ways
    to do the same work, by name.
    """
    assets = inventories.assets(n)
    records = inventories.configurations(assets, linked=linked)
    works: dict[str, Work] = {"baseline": baseline.match_and_diff, "rules": with_rules, **(others or {})}
    seconds: dict[str, list[float]] = {name: [] for name in works}
    counts: dict[str, Counts] = {}
    for _ in range(runs):
        for name, work in works.items():
            spent, counts[name] = _cpu(work, assets, records)
            seconds[name].append(spent)
    if any(each != counts["baseline"] for each in counts.values()):
        raise AssertionError(f"The ways differ in what they find: {counts}")
    median = {name: statistics.median(each) for name, each in seconds.items()}
    return {
        "n": n,
        "linked": linked,
        "runs": runs,
        "cpu_seconds": {name: round(value, 4) for name, value in median.items()},
        "fastest_cpu_seconds": {name: round(min(each), 4) for name, each in seconds.items()},
        "ratio": round(median["rules"] / median["baseline"], 3),
        "best_ratio": round(min(seconds["rules"]) / min(seconds["baseline"]), 3),
        "counts": counts["rules"],
    }


def measure_beside_peers(n: int = 15_000, *, runs: int = 5) -> dict[str, Any]:
    """The same beside DiffSync and JMESPath, with their CPU time as a multiple of the rules' own.

    Raises:
        ImportError: DiffSync is not installed; it belongs to the extra ``bench``.
    """
    found = measure(n, runs=runs, others={"diffsync": peers.diffsync(), "jmespath": peers.with_jmespath})
    for name in ("diffsync", "jmespath"):
        found[f"{name}_ratio"] = {
            way: round(found[part][name] / found[part]["rules"], 2)
            for way, part in (("median", "cpu_seconds"), ("fastest", "fastest_cpu_seconds"))
        }
    return found


def _cpu(work: Work, assets: Sequence[Any], records: Sequence[Any]) -> tuple[float, Counts]:
    gc.collect()
    gc.freeze()  # The collector walks what the work makes, not the two inventories and the test runner.
    try:
        start = time.process_time()
        counts = work(assets, records)
        return time.process_time() - start, counts
    finally:
        gc.unfreeze()


def measure_memory(n: int = 15_000, *, settled: bool = False) -> dict[str, float]:
    """MiB: kept of both inventories after reading them, and added on top by match and diff.

    The peak holds the indexes that are dropped afterwards; ``settled`` is the run that finds no change.
    """
    assets = inventories.assets(n)
    settled_records = inventories.settled_configurations
    records = settled_records(assets) if settled else inventories.configurations(assets, linked=True)
    mapping = compile_mapping(default_mappings(), custom_field_ids={"ls_asset_id": 5})
    tracemalloc.start()
    mine = [mapping.read_asset(asset) for asset in assets]
    theirs = [mapping.read_configuration(record) for record in records]
    kept, _ = tracemalloc.get_traced_memory()
    tracemalloc.reset_peak()
    result = match(mine, theirs, MatchOptions(complete=True))
    found = (differences(each.asset, each.configuration, mapping) for each in result.matched)
    changes = [each for each in found if each]
    after, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return {
        "kept_mib": round(kept / 2**20, 2),
        "added_mib": round((after - kept) / 2**20, 2),
        "added_peak_mib": round((peak - kept) / 2**20, 2),
        "changed": len(changes),
    }


def main() -> None:
    """Print both cases."""
    n = int(sys.argv[1]) if len(sys.argv) > 1 else 15_000
    for linked in (False, True):
        found = measure(n, linked=linked)
        print(f"{n} x {n}, {'linked' if linked else 'first run'}: {found}")
    for settled in (False, True):
        print(f"memory, {'nothing changed' if settled else 'linked'}: {measure_memory(n, settled=settled)}")


if __name__ == "__main__":
    main()
