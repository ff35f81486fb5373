"""What a schedule is: the seed alone decides it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

ASSETS, ENRICHMENT = "asset-synchronization", "tickets-agreements-sla-sync"


@dataclass(frozen=True)
class Mishap:
    """One disturbed round, which is one run of the flow.

    Attributes:
        faults: the sandbox's fault rules during the run.
        kill_at: SIGKILL at the nth request to a vendor; 0: none.
        kill_when: ``before`` it is sent, or ``after`` the vendor answered.
        kill_writes: count writes only.
        clock_skew_seconds: this process's clock against the sandbox's.
        ledger_room_bytes: the disk is full after so many more bytes; None: never.
        dry_run: the round only plans (law 5).
        people: what persons do after the run and before the next: objects with ``do`` (``edit``, ``delete``,
            ``add``, ``churn`` or ``ticket_churn``) and the arguments of that method of ``Sandbox``; ``pick``
            (0 to 1) in place of a record's id chooses it among those there.
    """

    faults: tuple[dict[str, Any], ...] = ()
    kill_at: int = 0
    kill_when: str = "before"
    kill_writes: bool = False
    clock_skew_seconds: float = 0.0
    ledger_room_bytes: int | None = None
    dry_run: bool = False
    people: tuple[dict[str, Any], ...] = ()


@dataclass(frozen=True)
class Schedule:
    """One schedule: fresh data, rounds of mishaps, then a clean and a quiet run."""

    seed: int
    flow: str
    assets: int
    scenario: str
    switches: dict[str, Any]
    settings: dict[str, Any]
    rounds: tuple[Mishap, ...]
