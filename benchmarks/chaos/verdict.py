"""What is handed from a schedule's runs to the truth that judges them, and what the truth answers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from benchmarks.chaos.schedule import Mishap
from deployments.local.sandbox import Sandbox

COMPLETED, KILLED, RAISED = "Completed", "killed", "raised"
"""Outcomes beside ``Finished with n failures`` and other names of Prefect states."""
TOO_LONG = "it went on for too long"


@dataclass
class RunRecord:
    """One run of the flow.

    Attributes:
        kind: a disturbed round, the clean run after all of them, or the quiet run after that.
        outcome: the name of the final state, ``killed``, or ``raised`` where the flow raised.
        counts: of its report; None where there is no report.
        report: the whole report as JSON; None where there is none.
        requests: what the sandbox served during this run alone, as ``Sandbox.requests()`` gives it.
        mishap: of a disturbed run.
        error: the exception that ended it, in words.
        fired: how often each of the mishap's fault rules was applied, in their order.
        killed_at: the request boundary at which it was killed, such as ``after POST /path``.
        cpu: seconds that its process took.
    """

    kind: Literal["disturbed", "clean", "quiet"]
    outcome: str
    counts: dict[str, int] | None
    report: dict[str, Any] | None
    requests: dict[str, Any]
    mishap: Mishap | None = None
    error: str = ""
    fired: list[int] = field(default_factory=list)
    killed_at: str = ""
    cpu: float = 0.0


def requests_of(run: RunRecord) -> range:
    """The numbers that the sandbox's history gave this run's requests."""
    first = int(run.requests.get("before", 0))
    return range(first + 1, first + int(run.requests.get("total", 0)) + 1)


@dataclass
class Verdict:
    """What the truth found: ``faults`` is empty if all was right.

    Attributes:
        faults: a sentence each.
        checked: how many single facts each law was held against, by names such as ``law 1``.
        apart: what is neither right nor wrong, such as ``edit lost between re-read and PUT``.
    """

    faults: list[str] = field(default_factory=list)
    checked: Counter[str] = field(default_factory=Counter)
    apart: Counter[str] = field(default_factory=Counter)


class Truth(Protocol):
    """Knows from the sandbox alone what must be there after the runs."""

    def __init__(self, sandbox: Sandbox, settings: dict[str, Any]) -> None:
        """Called right after the reset: takes the snapshot that it needs."""

    def judge(self, runs: list[RunRecord]) -> Verdict:
        """Called after the quiet run; reads the sandbox's state, never the ledger."""


@dataclass
class ScheduleResult:
    """One schedule from start to verdict; ``faults`` of its own are those of the campaign, such as a hang.

    Attributes:
        name: ``forked`` or ``real``, and what else tells it apart.
        mishaps: how often each kind of mishap really happened (faults fired, kills, skews, full disks ...).
    """

    seed: int
    flow: str
    verdict: Verdict
    runs: list[RunRecord]
    seconds: float
    mishaps: Counter[str] = field(default_factory=Counter)
    name: str = "forked"

    @property
    def faults(self) -> Sequence[str]:
        return self.verdict.faults
