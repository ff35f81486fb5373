"""Verdicts: records of runs, what must be true of every schedule whatever its flow, and the counts of it all.

``judge_runs`` and ``judge_secrets`` hold laws 2, 5 and 6 (docs/spec.md), an ``Oracle`` those of its flow.
``tally`` counts what the schedules did and found, for ``build/chaos.json`` and for a person.
"""

from __future__ import annotations

import base64
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol

from benchmarks.chaos.schedule import FaultPlan
from deployments.local.sandbox import Sandbox

COMPLETED, KILLED, RAISED = "Completed", "killed", "raised"
"""Outcomes beside ``Finished with n failures`` and other names of Prefect states."""
TOO_LONG = "it went on for too long"
UNDISTURBED = ("clean", "quiet")
DISK_WORDS = ("disk", "full", "I/O")


@dataclass
class RunRecord:
    """One run of the flow.

    Attributes:
        kind: a disturbed round, the clean run after all of them, or the quiet run after that.
        outcome: the name of the final state, ``killed``, or ``raised`` where the flow raised.
        counts, report: of its report, and the whole of it as JSON; None where there is none.
        requests: what the sandbox served during this run alone, as ``Sandbox.requests()`` gives it.
        error: the exception that ended it, in words.
        fired: how often each of the plan's fault rules was applied, in their order.
        killed_at: the request boundary at which it was killed, such as ``after POST /path``.
    """

    kind: Literal["disturbed", "clean", "quiet"]
    outcome: str
    counts: dict[str, int] | None
    report: dict[str, Any] | None
    requests: dict[str, Any]
    fault_plan: FaultPlan | None = None
    error: str = ""
    fired: list[int] = field(default_factory=list)
    killed_at: str = ""
    cpu: float = 0.0

    @property
    def misread(self) -> bool:
        """Whether a vendor answered wrongly with status 200."""
        rules = self.fault_plan.faults if self.fault_plan else ()
        fired = zip(rules, self.fired, strict=False)
        return any(number and rule["fault"]["kind"] == "wrong_read" for rule, number in fired)

    @property
    def is_dry(self) -> bool:
        return self.fault_plan is not None and self.fault_plan.dry_run


def adds_up(counts: dict[str, int], outcomes: Iterable[str]) -> bool:
    """Whether the outcomes are as many as were read, and no count is negative."""
    return sum(counts.get(each, 0) for each in outcomes) == counts["read"] and min(counts.values()) >= 0


def requests_of(run: RunRecord) -> range:
    """The numbers that the sandbox's history gave this run's requests."""
    first = int(run.requests.get("before", 0))
    return range(first + 1, first + int(run.requests.get("total", 0)) + 1)


@dataclass
class Verdict:
    """What the oracle found: ``faults``, a sentence each, is empty if all was right.

    Attributes:
        checked: how many single facts each law was held against, by names such as ``law 1``.
        apart: what is neither right nor wrong, such as ``edit lost between re-read and PUT``.
    """

    faults: list[str] = field(default_factory=list)
    checked: Counter[str] = field(default_factory=Counter)
    apart: Counter[str] = field(default_factory=Counter)


class Oracle(Protocol):
    """Knows from the sandbox alone what must be there after the runs."""

    def __init__(self, sandbox: Sandbox, settings: dict[str, Any]) -> None:
        """Called right after the reset: takes the snapshot that it needs."""

    def judge(self, runs: list[RunRecord]) -> Verdict:
        """Called after the quiet run; reads the sandbox's state, never the ledger."""


@dataclass
class ScheduleResult:
    """One schedule from start to verdict; ``name`` is ``forked`` or ``real``.

    ``injected``: how often each kind of fault was really injected (rules, kills, skews, full disks ...).
    """

    seed: int
    flow: str
    verdict: Verdict
    runs: list[RunRecord]
    seconds: float
    injected: Counter[str] = field(default_factory=Counter)
    name: str = "forked"

    @property
    def faults(self) -> Sequence[str]:
        return self.verdict.faults


def judge_runs(runs: list[RunRecord], verdict: Verdict) -> None:
    """Laws 2 and 5 by the requests served; a run without faults raises nothing. The rest is the oracle's."""
    finished = all(run.outcome == "Completed" for run in runs if run.kind == "clean")
    for run in runs:
        if run.kind in UNDISTURBED and (run.outcome in (RAISED, KILLED) or run.counts is None):
            verdict.faults.append(f"the {run.kind} run ended as {run.outcome}: {run.error}")
        if run.error == TOO_LONG and run.kind not in UNDISTURBED:
            verdict.faults.append(f"a disturbed run did not end: {run.fault_plan}")
        law = "law 2" if run.kind == "quiet" and finished else "law 5" if run.is_dry else ""
        if law:
            verdict.checked[law] += int(run.requests["total"])
            if writes := int(run.requests["writes"]):
                verdict.faults.append(f"{law}: a {'dry' if run.is_dry else 'quiet'} run sent {writes} writes")


def judge_secrets(info: dict[str, Any], log: bytes, ledger: Path, verdict: Verdict) -> None:
    """Law 6: no secret in what the runs logged, nor in the ledger's files."""
    texts = {"the log": log}
    texts |= {each.name: each.read_bytes() for each in ledger.parent.glob(f"{ledger.name}*")}
    for name, secret in secrets_of(info):
        for place, text in texts.items():
            verdict.checked["law 6"] += 1
            if secret.encode() in text:
                verdict.faults.append(f"law 6: {name} is in {place}")


def secrets_of(info: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """The sandbox's credentials, also in the forms in which they travel."""
    account = info["connectwise"]
    login = f"{account['company_id']}+{account['public_key']}:{account['private_key']}"
    yield "ConnectWise's private key", account["private_key"]
    yield "ConnectWise's Authorization header", base64.b64encode(login.encode()).decode()
    yield "Lansweeper's access token", info["lansweeper"]["access_token"]


def injected_faults(run: RunRecord) -> Counter[str]:
    """What really happened in a disturbed run, by kind."""
    found: Counter[str] = Counter()
    fault_plan = run.fault_plan
    if fault_plan is None:
        return found
    for rule, number in zip(fault_plan.faults, run.fired, strict=False):
        found[fault_name(rule["fault"])] += number
    if run.outcome == KILLED and run.killed_at:
        found[f"kill {fault_plan.kill_when}"] += 1
    if fault_plan.clock_skew_seconds:
        found["clock skew"] += 1
    if fault_plan.ledger_room_bytes is not None and any(word in run.error for word in DISK_WORDS):
        found["full disk"] += 1
    if fault_plan.dry_run:
        found["dry run"] += 1
    if fault_plan.other_block:
        found["through another block"] += 1
    if fault_plan.two_at_once:
        found["two runs at once"] += 1
    if fault_plan.ledger:
        found[f"ledger {fault_plan.ledger}"] += 1
    for deed in fault_plan.people:
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
        return f"mid-run: {next((each for each in ('delete', 'move') if fault.get(each)), 'edit')}"
    if kind == "wrong_read":
        return f"wrong read: {fault['how']}"
    return {"delay": "time-out"}.get(kind, kind)


def tally(results: Sequence[ScheduleResult]) -> dict[str, Any]:
    """What ``build/chaos.json`` holds of these schedules; ``faults`` is empty if everything was right."""
    runs = [run for result in results for run in result.runs]
    checked = sum((each.verdict.checked for each in results), Counter[str]())
    return {
        "schedules": dict(sorted(Counter(f"{each.name} {each.flow}" for each in results).items())),
        "seconds of schedules": round(sum(each.seconds for each in results)),
        "runs": _sorted(Counter(f"{run.kind}: {_outcome(run)}" for run in runs)),
        "mishaps": _sorted(sum((each.injected for each in results), Counter())),
        "kills at": _sorted(Counter(_boundary(run.killed_at) for run in runs if run.killed_at)),
        "facts checked": dict(sorted(checked.items())),
        "counted apart": _sorted(sum((each.verdict.apart for each in results), Counter())),
        "CPU seconds of a run": round(sum(run.cpu for run in runs) / len(runs), 2) if runs else 0,
        "failing": [
            {"seed": each.seed, "flow": each.flow, "name": each.name, "faults": list(each.faults)}
            for each in results
            if each.faults
        ],
    }


def _outcome(run: RunRecord) -> str:
    return "Finished with failures" if run.outcome.startswith("Finished with") else run.outcome


def _boundary(text: str) -> str:
    parts = text.splitlines()[-1].split("/")
    return "/".join("{id}" if part.isdecimal() else part for part in parts)


def _sorted(found: Counter[str]) -> dict[str, int]:
    return dict(sorted(found.items(), key=lambda item: (-item[1], item[0])))
