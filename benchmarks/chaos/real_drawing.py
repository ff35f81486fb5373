"""Schedules for the real stack: what the forked ones draw, and which of its processes die when."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from typing import Any

from benchmarks.chaos.enrichment_mishaps import draw_enrichment_faults, draw_enrichment_people
from benchmarks.chaos.people import draw_people, draw_people_faults
from benchmarks.chaos.schedule import ASSETS, ENRICHMENT, Mishap, Schedule
from benchmarks.chaos.weather import draw_weather
from benchmarks.chaos.worlds import draw_settings, draw_switches

WORKER, FLOW_RUN = "worker and flow run killed", "flow run killed"
SERVER, SERVER_TERM = "Prefect server killed", "Prefect server stopped"
PLANS: tuple[tuple[tuple[str, ...], ...], ...] = (
    ((WORKER,),),
    ((SERVER,),),
    ((FLOW_RUN,),),
    ((SERVER_TERM,),),
    ((WORKER,), (FLOW_RUN,)),
    ((SERVER, WORKER),),
    ((SERVER_TERM, FLOW_RUN),),
)
"""The events of each disturbed round."""
KILLS = (WORKER, FLOW_RUN)
EVENTS = (*KILLS, SERVER, SERVER_TERM)
LATEST = {ASSETS: 20, ENRICHMENT: 60}
"""Until which of the round's requests an event may fall: most rounds send half as many again."""
SLOW = 0.12
"""Seconds that every request of a disturbed round takes longer, so that events find it under way."""
WAITING = {
    ASSETS: {"settle_seconds": 6, "pause_seconds": 0.5},
    ENRICHMENT: {"pause_seconds": 0.5},
}
"""Shorter than usual. The wait for the lease of a killed run is not: it frees itself as in production."""

DIFFERS = {
    "real stack: seconds until a creation without answer counts as settled": "6 instead of 60 (assets)",
    "real stack: seconds between reads that must agree": "0.5 instead of 5",
    "real stack: seconds between a worker's looks for runs": "2 instead of 10",
    "real stack: every request of a disturbed round": f"takes {SLOW:g} s longer, to be hit under way",
    "real stack: Lansweeper": "counts no requests; its 429 names one second",
    "real stack: a run's report": "only its counts are read, from its artifact",
}


@dataclass(frozen=True)
class Event:
    """Something dies as soon as the round has sent ``at`` requests to the vendors."""

    kind: str
    at: int


@dataclass(frozen=True)
class RealSchedule:
    """A schedule with the events of each of its rounds, in the order of their requests."""

    schedule: Schedule
    events: tuple[tuple[Event, ...], ...]


def draw_real(seed: int) -> RealSchedule:
    """Everything that is drawn; the seed alone decides it. Neighbouring seeds have all kinds of events."""
    draw = random.Random(f"{seed}-real")
    flow = ENRICHMENT if seed % 2 else ASSETS
    plan = PLANS[seed // 2 % len(PLANS)]
    settings = draw_settings(draw, enrichment=flow == ENRICHMENT) | {"waiting": WAITING[flow]}
    if flow == ASSETS:
        settings |= {"ceilings": {"go_on": True}, "batch_size": draw.choice((5, 8, 12))}
        settings.pop("custom_field_ids", None)
    schedule = Schedule(
        seed=seed,
        flow=flow,
        assets=draw.randint(40, 70),
        scenario="enrichment" if flow == ENRICHMENT else draw.choice(("provider", "provider", "fresh")),
        switches=draw_switches(draw, enrichment=flow == ENRICHMENT, settings=settings),
        settings=settings,
        rounds=tuple(_round(draw, flow) for _ in plan),
    )
    return RealSchedule(schedule, tuple(_events(draw, flow, kinds) for kinds in plan))


def restarts_server(seed: int) -> bool:
    """Whether the schedule of that seed ends the server that all lanes share."""
    return any(event.kind in (SERVER, SERVER_TERM) for events in draw_real(seed).events for event in events)


def _round(draw: random.Random, flow: str) -> Mishap:
    enrichment = flow == ENRICHMENT
    rules = [*draw_weather(draw, draw.randint(1, 2), enrichment=enrichment)]
    people = draw_enrichment_people(draw) if enrichment else draw_people(draw)
    rules += draw_enrichment_faults(draw, 1) if enrichment else draw_people_faults(draw, 1)
    slow = {"path": "*", "every": 1, "fault": {"kind": "delay", "seconds": SLOW}}
    return replace(Mishap(), faults=(slow, *map(_bearable, rules)), people=people)


def _bearable(rule: dict[str, Any]) -> dict[str, Any]:
    """Lansweeper's 429 without Retry-After means a minute without calls: here one second is named."""
    fault = rule["fault"]
    if fault.get("status") == 429 and rule.get("system") != "connectwise" and not fault.get("headers"):
        return {**rule, "fault": {**fault, "headers": {"Retry-After": "1"}}}
    return rule


def _events(draw: random.Random, flow: str, kinds: tuple[str, ...]) -> tuple[Event, ...]:
    places = sorted(draw.sample(range(3, LATEST[flow]), len(kinds)))
    return tuple(Event(kind, at) for kind, at in zip(kinds, places, strict=True))
