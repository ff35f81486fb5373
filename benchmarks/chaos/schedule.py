"""What a schedule is, and how it is drawn: the seed and the flow alone decide it."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from typing import Any

from benchmarks.chaos.enrichment_mishaps import draw_enrichment_faults, draw_enrichment_people
from benchmarks.chaos.people import draw_bystanders, draw_people, draw_people_faults
from benchmarks.chaos.weather import BEFORE_AFTER, BULK, CONFIGURATIONS, draw_weather, slow_work
from benchmarks.chaos.worlds import draw_settings, draw_switches

ASSETS, ENRICHMENT = "asset-synchronization", "tickets-agreements-sla-sync"
API = "/v4_6_release/apis/3.0"
SIZES = {ASSETS: (20, 90), ENRICHMENT: (20, 70)}
SKEWS = (1.0, 30.0, 600.0, 3000.0)
"""Seconds; a clock that is wrong by more than an hour is none that a run can settle anything by."""
KILLED_ON = (f"POST {API}{BULK}", f"POST {API}{BULK}", f"PUT {API}{BULK}", f"PATCH {API}{CONFIGURATIONS}")
ROOM = (0, 4_000, 20_000, 60_000, 150_000)
"""Bytes until the disk is full: at once, or after some dozens of requests."""


@dataclass(frozen=True)
class Mishap:
    """One disturbed round, which is one run of the flow.

    Attributes:
        faults: the sandbox's fault rules during the run.
        kill_at: SIGKILL at the nth request to a vendor; 0: none.
        kill_when: ``before`` it is sent, ``during`` its work, or ``after`` the vendor answered.
        kill_writes: count writes only.
        kill_on: count requests only whose "METHOD /path" holds this text.
        clock_skew_seconds: this process's clock against the sandbox's.
        ledger_room_bytes: the disk is full after so many more bytes; None: never.
        dry_run: the round only plans (law 5).
        people: what persons do after the run and before the next, as ``people.act`` takes it.
    """

    faults: tuple[dict[str, Any], ...] = ()
    kill_at: int = 0
    kill_when: str = "before"
    kill_writes: bool = False
    kill_on: str = ""
    clock_skew_seconds: float = 0.0
    ledger_room_bytes: int | None = None
    dry_run: bool = False
    people: tuple[dict[str, Any], ...] = ()


@dataclass(frozen=True)
class Schedule:
    """One schedule: fresh data, rounds of mishaps, then a clean and a quiet run.

    ``page_size``: records that a page holds at most; None: as many as in production, which is all of them.
    """

    seed: int
    flow: str
    assets: int
    scenario: str
    switches: dict[str, Any]
    settings: dict[str, Any]
    rounds: tuple[Mishap, ...]
    page_size: int | None = None


def draw_schedule(seed: int, flow: str) -> Schedule:
    """The schedule of that seed; the same ones always give the same."""
    draw = random.Random(f"{seed}-{flow}")
    enrichment = flow == ENRICHMENT
    settings = draw_settings(draw, enrichment=enrichment)
    switches = draw_switches(draw, enrichment=enrichment, settings=settings)
    return Schedule(
        seed=seed,
        flow=flow,
        assets=draw.randint(*SIZES[flow]),
        scenario="enrichment" if enrichment else draw.choice(("provider", "provider", "fresh")),
        switches=switches,
        settings=settings,
        rounds=tuple(_beside(seed, _draw_round(draw, flow), flow) for _ in range(draw.choice((1, 1, 2)))),
        page_size=draw.choice((None, 7, 25)),
    )


def _draw_round(draw: random.Random, flow: str) -> Mishap:
    """At least one thing goes wrong."""
    kill, full, skew = draw.random() < 0.45, draw.random() < 0.1, draw.random() < 0.2
    disturbed = draw.random() < 0.75 or not (kill or full or skew)
    faults = _draw_faults(draw, flow) if disturbed else ()
    killed = _draw_kill(draw, flow) if kill else {}
    if killed.get("kill_when") == "during":
        faults = (slow_work(draw, killed["kill_on"], killed["kill_at"]), *faults)
    people = draw_enrichment_people if flow == ENRICHMENT else draw_people
    return Mishap(
        faults=faults,
        **killed,
        clock_skew_seconds=draw.choice((-1, 1)) * draw.choice(SKEWS) if skew else 0.0,
        ledger_room_bytes=draw.choice(ROOM) if full else None,
        dry_run=draw.random() < 0.06,
        people=people(draw) if draw.random() < 0.5 else (),
    )


def _beside(seed: int, mishap: Mishap, flow: str) -> Mishap:
    """The round with bystanders; drawn apart, so that they change nothing else of the seed's schedule."""
    draw = random.Random(f"{seed}-{mishap}")
    return replace(mishap, faults=(*mishap.faults, *draw_bystanders(draw))) if flow == ASSETS else mishap


def _draw_kill(draw: random.Random, flow: str) -> dict[str, Any]:
    """Half of the kills fall around the writing of batches, a small part of a run's requests."""
    if draw.random() < 0.5:
        on = "POST /api/v2/graphql" if flow == ENRICHMENT else draw.choice(KILLED_ON)
        last = 45 if flow == ENRICHMENT else 4
        when = draw.choice((*BEFORE_AFTER, "during"))
        return {"kill_at": draw.randint(1, last), "kill_when": when, "kill_on": on}
    writes = draw.random() < 0.5
    last = 60 if flow == ENRICHMENT else 8 if writes else 25
    return {
        "kill_at": draw.randint(1, last),
        "kill_when": draw.choice(BEFORE_AFTER),
        "kill_writes": writes,
    }


def _draw_faults(draw: random.Random, flow: str) -> tuple[dict[str, Any], ...]:
    enrichment = flow == ENRICHMENT
    found = list(draw_weather(draw, draw.choice((0, 1, 2, 2, 3)), enrichment=enrichment))
    persons = draw_enrichment_faults if enrichment else draw_people_faults
    found += persons(draw, draw.choice((0, 1, 1, 2) if found else (1, 2)))
    slow = [each for each in found if each["fault"]["kind"] == "delay"]
    # Several of them on one request would be longer than what a run waits for late work.
    return tuple(each for each in found if each not in slow[1:])
