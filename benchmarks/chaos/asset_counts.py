"""Whether the reports of the runs are true (laws 1, 2 and 5): held against what the sandbox saw."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from benchmarks.chaos.asset_trail import API
from benchmarks.chaos.verdict import RunRecord, Verdict, requests_of

Entry = dict[str, Any]
OUTCOMES = ("created", "modified", "unchanged", "ambiguous", "skipped", "failed")


class Writes:
    """What one run wrote: ids of configurations with the entry of the history, by action."""

    def __init__(self, run: RunRecord, entries: Sequence[Entry]) -> None:
        numbers = requests_of(run)
        own = [each for each in entries if each["request"] in numbers and each["by"] == API]
        self.added = {each["id"]: each for each in own if each["action"] == "added"}
        self.updated = {each["id"] for each in own if each["action"] == "updated"}

    @property
    def anything(self) -> bool:
        return bool(self.added or self.updated)


def judge_counts(
    runs: Sequence[RunRecord], entries: Sequence[Entry], assets: Sequence[int], verdict: Verdict
) -> None:
    """Judge every report.

    Args:
        runs: all of one schedule, in order.
        entries: the history of the configurations.
        assets: how many assets the site had, at the start and after each change of that number.
        verdict: takes what is found.
    """
    told = False
    place = 0
    for number, run in enumerate(runs, start=1):
        name = f"run {number} ({run.kind}, {run.outcome})"
        told = told or "before" in run.requests
        writes = Writes(run, entries)
        faults = [*_quiet_or_dry(run, writes)]
        if run.counts is not None:
            faults += _adding_up(run.counts)
            place, fault = _asset_number(run, assets, place)
            faults += fault
            if told and not _is_dry(run):
                faults += _as_seen(run, run.counts, writes)
            faults += _requests(run)
            verdict.checked["law 1"] += 6
        verdict.faults += [f"{name}: {fault}" for fault in faults]
        verdict.checked["law 2"] += run.kind == "quiet"
        verdict.checked["law 5"] += _is_dry(run)
    if not told and any(run.requests.get("total") for run in runs):
        verdict.faults.append("The runs' requests do not tell where they begin: the history was not kept")


def _is_dry(run: RunRecord) -> bool:
    return run.mishap is not None and run.mishap.dry_run


def _quiet_or_dry(run: RunRecord, writes: Writes) -> Iterator[str]:
    sent = int(run.requests.get("writes", 0))
    if run.kind == "quiet" or _is_dry(run):
        law = "2" if run.kind == "quiet" else "5"
        if sent or writes.anything:
            yield f"{sent} write requests were sent, and none may be (law {law})"
    if run.kind == "quiet" and run.counts is not None:
        for outcome in ("created", "modified", "failed"):
            if run.counts[outcome]:
                yield f"its report says {outcome} {run.counts[outcome]}, and nothing was left to do"
    if run.kind == "clean" and run.counts is not None and run.counts["failed"]:
        reasons = [
            f"{each['asset_key']}: {each['message']}" for each in (run.report or {}).get("failures", [])
        ]
        yield f"{run.counts['failed']} assets failed in calm weather: {'; '.join(reasons)[:300]}"
    if run.kind != "disturbed" and run.counts is None:
        yield f"it has no report: {run.error}"


def _adding_up(counts: dict[str, int]) -> Iterator[str]:
    total = sum(counts[each] for each in OUTCOMES)
    if total != counts["read"] or min(counts.values()) < 0:
        yield f"its counts do not add up to what was read: {counts}"


def _asset_number(run: RunRecord, assets: Sequence[int], place: int) -> tuple[int, list[str]]:
    """The number read must be one that the site had, none from before an earlier run's, the last at last."""
    read = (run.counts or {})["read"]
    later = [at for at in range(place, len(assets)) if assets[at] == read]
    if not later or (run.kind != "disturbed" and assets[-1] != read):
        return place, [f"it read {read} assets, and the site had {', '.join(map(str, assets[place:]))}"]
    return later[0], []


def _as_seen(run: RunRecord, counts: dict[str, int], writes: Writes) -> Iterator[str]:
    """Created and modified are what the sandbox saw; what the report calls failed may have been done."""
    room = counts["failed"] if run.kind == "disturbed" else 0
    for outcome, seen in (("created", len(writes.added)), ("modified", len(writes.updated))):
        if not counts[outcome] <= seen <= counts[outcome] + room:
            yield f"its report says {outcome} {counts[outcome]}, and the sandbox saw {seen}"
    report = run.report or {}
    told = report.get("written", [])
    keys = [each["asset_key"] for each in (*told, *report.get("failures", []))]
    if len(set(keys)) != len(keys):
        yield "its report names an asset twice among what was written and what failed"
    if report and len(report.get("failures", [])) != counts["failed"]:
        yield f"{counts['failed']} failed, and its report gives {len(report.get('failures', []))} reasons"
    for each in told:
        seen_ids = writes.added if each["action"] == "created" else writes.updated
        if each["configuration_id"] not in seen_ids:
            yield (
                f"its report says that configuration {each['configuration_id']} of asset "
                f"{each['asset_key']} was {each['action']}, and the sandbox did not see it"
            )


def _requests(run: RunRecord) -> Iterator[str]:
    """Every request of a run arrives in the sandbox before a fault meets it."""
    used = (run.report or {}).get("requests_used")
    served = int(run.requests.get("connectwise", {}).get("requests", 0))
    if used is not None and used != served:
        yield f"its report says {used} ConnectWise requests, and the sandbox served {served}"
