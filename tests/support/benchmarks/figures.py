"""A made-up run of the bench, in which every promise is kept, and made-up figures of match and diff."""

from __future__ import annotations

from typing import Any

from benchmarks.performance.bounds import FIRST_LOAD, PARTS

Row = dict[str, Any]


def row(**changed: Any) -> Row:
    """A first load of 15,000 assets at 50 ms, with the named figures changed."""
    return {
        "assets": 15_000,
        "latency_ms": 50.0,
        "kind": FIRST_LOAD,
        "assets_read": 15_000,
        "counts": {"read": 15_000, "created": 14_963, "modified": 0, "failed": 0},
        "new_records": 14_963,
        "changed": 0,
        "requests": 362,
        "connectwise_requests": 331,
        "connectwise_writes": 322,
        "connectwise_least": 326,
        "rereads": 0,
        "connectwise_most": 338,
        "lansweeper_requests": 31,
        "lansweeper_most": 32,
        "paths": 19,
        "wall_seconds": 25.0,
        "cpu_seconds": 12.0,
        "sandbox_cpu_seconds": 6.0,
        "peak_megabytes": 293,
        "task_runs": 36,
        "flow_runs": 1,
        "used_by_part": dict(zip(PARTS, (4, 22, 1, 300, 0, 4), strict=True)),
        "least_by_part": dict(zip(PARTS, (4, 22, 0, 300, 0, 0), strict=True)),
        "date": "2026-01-31 12:00 UTC",
        "commit": "0123456789",
        "python": "3.11.7",
        "prefect": "3.8.8",
        "cores": 2,
        **changed,
    }


MATCHING = {
    "n": 15_000,
    "cpu_seconds": {"baseline": 0.3, "rules": 0.36, "diffsync": 3.9, "jmespath": 2.2},
    "fastest_cpu_seconds": {"baseline": 0.29, "rules": 0.35, "diffsync": 3.8, "jmespath": 2.1},
    "ratio": 1.2,
    "best_ratio": 1.21,
    "diffsync_ratio": {"median": 10.83, "fastest": 10.86},
    "jmespath_ratio": {"median": 6.11, "fastest": 6.0},
}
