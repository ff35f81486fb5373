"""What a run may cost, computed from what there is to do, and whether it cost no more. Pure.

The bounds of requests are facts of the vendors' APIs: ConnectWise lists 1,000 records a page and takes 50 in
a bulk request; Lansweeper lists 500 assets a page and 30 paths a query.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import ceil, floor
from typing import Any

PAGE, BATCH = 1_000, 50
ASSET_PAGE, PATHS = 500, 30
ALLOWANCE, SPARE = 1.02, 7
"""Room for retries, and for the few requests a run that depend on nothing: company, version, custom fields,
the canary's read, the check for doubled records, and the three counts that a first load is held against."""
LANSWEEPER_SPARE = 2
WALL_FACTOR = 1.3
PREFECT_SHARE = 0.10
WALL_SIZE, WALL_LATENCY = 15_000, 50
"""The first load whose wall time has a bound, and in which Prefect's share is measured."""
MOST_MEGABYTES = 1_536
STRAIGHT = 1.3
"""CPU an asset of the largest size against that of the next smaller one."""
BY_HAND, AGAINST_DIFFSYNC = 1.5, 4.0
"""Extract, match and diff against the index written by hand, and DiffSync against them.

DiffSync is given our extraction and pairs, which it lacks: it then takes 4.7 times as long as by hand.
"""
CONCURRENCY = 4
"""Requests that the ConnectWise client lets be in flight: the least wait that it could reach."""
FIRST_LOAD, NO_CHANGE, USUAL_RUN = "first load", "no change", "usual run"


@dataclass(frozen=True)
class Check:
    """One promise and what came of it; ``limit`` is a most, or a least where ``least`` is set."""

    name: str
    value: float
    limit: float
    least: bool = False

    @property
    def held(self) -> bool:
        return self.value >= self.limit if self.least else self.value <= self.limit

    @property
    def closeness(self) -> float:
        """How much of what is allowed was used: above 1 it is broken."""
        used, allowed = (self.limit, self.value) if self.least else (self.value, self.limit)
        return used / allowed if allowed else used

    def as_json(self) -> dict[str, Any]:
        words = "at least" if self.least else "at most"
        return {"check": self.name, "value": self.value, words: self.limit, "held": self.held}


@dataclass(frozen=True)
class Work:
    """What a run found (``kinds``: reference records, ``existing``: configurations) and had to do."""

    kinds: Mapping[str, int]
    missing: int
    existing: int
    created: int
    modified: int


def least_requests(work: Work) -> int:
    """R: read every kind and the company's configurations once, create what is missing, write in fifties."""
    pages = sum(ceil(number / PAGE) for number in work.kinds.values()) + ceil(work.existing / PAGE)
    return pages + work.missing + ceil(work.created / BATCH) + ceil(work.modified / BATCH)


def rereads(work: Work) -> int:
    """Each batch of modifications is read again before it is written, since PUT replaces whole records."""
    return ceil(work.modified / BATCH)


def most_connectwise(least: int, again: int) -> int:
    return floor((least + again) * ALLOWANCE + SPARE)


def most_lansweeper(assets: int, paths: int) -> int:
    return ceil(assets / ASSET_PAGE) * ceil(paths / PATHS) + LANSWEEPER_SPARE


def wall_limit(row: Mapping[str, Any]) -> float:
    """Seconds that a run may take: waiting for the vendors, its own CPU, and the vendors' own work."""
    waiting = row["requests"] * row["latency_ms"] / 1000 / CONCURRENCY
    needed: float = waiting + row["cpu_seconds"] + row["sandbox_cpu_seconds"]
    return round(WALL_FACTOR * needed, 2)


def row_checks(row: Mapping[str, Any]) -> Iterator[Check]:
    """The promises that one run can keep or break by itself."""
    most = most_connectwise(row["connectwise_least"], row["rereads"])
    yield Check("ConnectWise requests", row["connectwise_requests"], most)
    most = most_lansweeper(row["assets_read"], row["paths"])
    yield Check("Lansweeper requests", row["lansweeper_requests"], most)
    yield Check("peak memory, MiB", row["peak_megabytes"], MOST_MEGABYTES)
    # Created is what the sandbox has more, and nothing was modified but what had changed.
    counts = row["counts"]
    yield Check("creations that the sandbox does not have", abs(counts["created"] - row["new_records"]), 0)
    yield Check("modifications beside those that changed", max(0, counts["modified"] - row["changed"]), 0)
    yield Check("assets that failed", counts["failed"], 0)
    if row["kind"] == NO_CHANGE:
        yield Check("writes without a change", row["connectwise_writes"], 0)
    if row["kind"] == FIRST_LOAD and (row["assets"], row["latency_ms"]) == (WALL_SIZE, WALL_LATENCY):
        yield Check("wall seconds", row["wall_seconds"], wall_limit(row))
        if "prefect_share" in row:
            yield Check("Prefect's share of the wall", row["prefect_share"], PREFECT_SHARE)


def straight_line(rows: Sequence[Mapping[str, Any]]) -> Iterator[Check]:
    """CPU an asset must not grow with the size: the two largest sizes of each kind and latency."""
    alike: dict[tuple[str, float], list[Mapping[str, Any]]] = {}
    for row in rows:
        if row["assets"] >= WALL_SIZE:
            alike.setdefault((row["kind"], row["latency_ms"]), []).append(row)
    for (kind, latency), found in sorted(alike.items()):
        ordered = sorted(found, key=lambda row: int(row["assets"]))
        for small, large in pairwise(ordered):
            ratio = (large["cpu_seconds"] / large["assets"]) / (small["cpu_seconds"] / small["assets"])
            name = f"CPU an asset, {large['assets']:,} to {small['assets']:,}, {kind}, {latency:g} ms"
            yield Check(name, round(ratio, 2), STRAIGHT)


def matching_checks(matching: Mapping[str, Any]) -> Iterator[Check]:
    """The promises about extract, match and diff, from medians or the fastest runs: noise only slows."""
    by_hand = min(matching["ratio"], matching["best_ratio"])
    yield Check("extract, match and diff, to the index written by hand", by_hand, BY_HAND)
    faster = max(matching["diffsync_ratio"]["median"], matching["diffsync_ratio"]["fastest"])
    yield Check("DiffSync to extract, match and diff", faster, AGAINST_DIFFSYNC, least=True)


REFERENCE_LISTS = (
    "/company/configurations/types",
    "/company/configurations/statuses",
    "/procurement/manufacturers",
    "/system/locations",
)
_PARTS = {
    **{f"GET {path}": "pages of reference records" for path in REFERENCE_LISTS},
    **{f"POST {path}": "missing reference records" for path in REFERENCE_LISTS},
    "GET /company/configurations": "pages of configurations, re-reads",
    "POST /company/configurations/bulk": "batches created",
    "PUT /company/configurations/bulk": "batches modified",
}
PARTS = (*dict.fromkeys(_PARTS.values()), "everything else")


def least_by_part(work: Work) -> dict[str, int]:
    """The same as ``least_requests`` with the re-reads, apart by what each request is for."""
    numbers = (
        sum(ceil(number / PAGE) for number in work.kinds.values()),
        work.missing,
        ceil(work.existing / PAGE) + rereads(work),
        ceil(work.created / BATCH),
        ceil(work.modified / BATCH),
        0,
    )
    return dict(zip(PARTS, numbers, strict=True))


def used_by_part(served: Mapping[str, int]) -> dict[str, int]:
    """The sandbox's counts by request, apart by what each is for."""
    used = dict.fromkeys(PARTS, 0)
    for request, number in served.items():
        used[_PARTS.get(request, PARTS[-1])] += number
    return used
