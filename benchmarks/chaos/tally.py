"""Counts what the schedules did and found, for ``build/chaos.json`` and for a person."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from benchmarks.chaos.verdict import KILLED, RunRecord, ScheduleResult

DISK_WORDS = ("disk", "full", "I/O")


def mishaps_of(run: RunRecord) -> Counter[str]:
    """What really happened in a disturbed run, by kind."""
    found: Counter[str] = Counter()
    mishap = run.mishap
    if mishap is None:
        return found
    for rule, number in zip(mishap.faults, run.fired, strict=False):
        found[fault_name(rule["fault"])] += number
    if run.outcome == KILLED and run.killed_at:
        found[f"kill {mishap.kill_when}"] += 1
    if mishap.clock_skew_seconds:
        found["clock skew"] += 1
    if mishap.ledger_room_bytes is not None and any(word in run.error for word in DISK_WORDS):
        found["full disk"] += 1
    if mishap.dry_run:
        found["dry run"] += 1
    for deed in mishap.people:
        found[f"between runs: {deed['do']}"] += 1
    return +found


def fault_name(fault: dict[str, Any]) -> str:
    """``429 with Retry-After``, ``502 with HTML``, ``drop_after``, ``time-out``, ``edit: delete`` ..."""
    kind = str(fault["kind"])
    if kind == "status":
        status = str(fault["status"])
        if status == "429":
            return f"429 {'with' if fault.get('headers') else 'without'} Retry-After"
        return f"{status} with HTML" if isinstance(fault.get("body"), str) else status
    if kind == "edit":
        return f"mid-run: {'delete' if fault.get('delete') else 'edit'}"
    return {"delay": "time-out"}.get(kind, kind)


def tally(results: Sequence[ScheduleResult]) -> dict[str, Any]:
    """What ``build/chaos.json`` holds of these schedules; ``faults`` is empty if everything was right."""
    runs = [run for result in results for run in result.runs]
    checked: Counter[str] = sum((each.verdict.checked for each in results), Counter())
    failing = [each for each in results if each.faults]
    return {
        "schedules": dict(sorted(Counter(f"{each.name} {each.flow}" for each in results).items())),
        "seconds of schedules": round(sum(each.seconds for each in results)),
        "runs": _sorted(Counter(f"{run.kind}: {_outcome(run)}" for run in runs)),
        "mishaps": _sorted(sum((each.mishaps for each in results), Counter())),
        "kills at": _sorted(Counter(_boundary(run.killed_at) for run in runs if run.killed_at)),
        "facts checked": dict(sorted(checked.items())),
        "counted apart": _sorted(sum((each.verdict.apart for each in results), Counter())),
        "CPU seconds of a run": round(sum(run.cpu for run in runs) / len(runs), 2) if runs else 0,
        "failing": [
            {"seed": each.seed, "flow": each.flow, "name": each.name, "faults": list(each.faults)}
            for each in failing
        ],
    }


def _outcome(run: RunRecord) -> str:
    return "Finished with failures" if run.outcome.startswith("Finished with") else run.outcome


def _boundary(text: str) -> str:
    parts = text.splitlines()[-1].split("/")
    return "/".join("{id}" if part.isdecimal() else part for part in parts)


def _sorted(found: Counter[str]) -> dict[str, int]:
    return dict(sorted(found.items(), key=lambda item: (-item[1], item[0])))
