"""Schedules: what they are, and how they are drawn: the seed and the flow alone decide everything."""

from __future__ import annotations

import random
from dataclasses import dataclass, field, replace
from typing import Any

from benchmarks.chaos.faults import (
    BEFORE_AFTER,
    BULK,
    CONFIGURATIONS,
    draw_enrichment_faults,
    draw_vendor_faults,
    slow_work,
)
from benchmarks.chaos.people import draw_bystanders, draw_enrichment_people, draw_people, draw_people_faults
from benchmarks.chaos.readings import draw_readings

LEAN = {
    "assetBasicInfo.name": "name",
    "assetBasicInfo.type": "type.name",
    "assetCustom.serialNumber": "serialNumber",
    "assetBasicInfo.mac": "macAddress",
}
FURTHER = {
    "assetCustom.manufacturer": "manufacturer.name",
    "assetCustom.stateName": "status.name",
    "assetCustom.location": "location.name",
    "assetBasicInfo.ipAddress": "ipAddress",
    "assetCustom.model": "modelNumber",
    "assetCustom.warrantyDate": "warrantyExpirationDate",
    "assetBasicInfo.userName": "lastLoginName",
    "operatingSystem.version": "osInfo",
}
CUSTOM_FIELD_IDS = {"ls_asset_id": 5, "ls_asset_url": 6, "ls_software": 7, "ls_asset_location": 8}
"""As every scenario of the sandbox has them."""
ASSETS, ENRICHMENT = "asset-synchronization", "tickets-agreements-sla-sync"
API = "/v4_6_release/apis/3.0"
SIZES = {ASSETS: (20, 90), ENRICHMENT: (20, 70)}
SKEWS = (1.0, 30.0, 600.0, 3000.0)
"""Seconds; a clock that is wrong by more than an hour is none that a run can tell anything by."""
KILLED_ON = (f"POST {API}{BULK}", f"POST {API}{BULK}", f"PUT {API}{BULK}", f"PATCH {API}{CONFIGURATIONS}")
ROOM = (0, 4_000, 20_000, 60_000, 150_000)
"""Bytes until the disk is full: at once, or after some dozens of requests."""


def draw_settings(draw: random.Random, *, enrichment: bool) -> dict[str, Any]:
    """Settings of the flow as JSON, company, dry run and waits left out."""
    return _of_enrichment(draw) if enrichment else _of_assets(draw)


def _of_assets(draw: random.Random) -> dict[str, Any]:
    found: dict[str, Any] = {
        "write_mode": draw.choice(("bulk", "bulk", "bulk", "patch")),
        "batch_size": draw.choice((3, 5, 8, 12, 20, 50)),
    }
    if draw.random() < 0.6:
        further = draw.sample(sorted(FURTHER), draw.randint(0, 4))
        found["mappings"] = [LEAN, *(_mapping(draw, source) for source in further)]
    if draw.random() < 0.3:
        found["custom_field_ids"] = {
            name: CUSTOM_FIELD_IDS[name] for name in draw.sample(sorted(CUSTOM_FIELD_IDS), draw.randint(1, 4))
        }
    if draw.random() < 0.15:
        found["case_sensitive_match"] = False
    if draw.random() < 0.2:
        found["software_lines"] = draw.choice((1, 5, 20))
    return found


def _mapping(draw: random.Random, source: str) -> dict[str, str]:
    """A field of its own, sometimes one that ConnectWise decides when it has a value."""
    mapping = {"source": source, "target": FURTHER[source]}
    return mapping if draw.random() < 0.6 else mapping | {"authority": draw.choice(("fill", "connectwise"))}


def _of_enrichment(draw: random.Random) -> dict[str, Any]:
    found: dict[str, Any] = {
        "aliases": draw.choice((1, 3, 7, 25, 25)),
        "reconcile_every": draw.choice((1, 2, 7)),
        "full_reconcile": draw.random() < 0.2,
    }
    if draw.random() < 0.3:
        found["asset_id_field"] = CUSTOM_FIELD_IDS["ls_asset_id"]
    if draw.random() < 0.2:
        found["text"] = {"agreements": draw.choice((1, 2)), "characters": 200}
    return found


def draw_switches(draw: random.Random, *, enrichment: bool, settings: dict[str, Any]) -> dict[str, Any]:
    """Switches of the sandbox. Lansweeper counts no requests: its cool-down lasts a minute."""
    found: dict[str, Any] = {"lansweeper_limits": False}
    found["unset_custom_field"] = draw.choice(("omit", "null"))
    found["graphql_error_paths"] = draw.random() < 0.7
    found["page_size_over_limit"] = draw.choice(("cap", "refuse"))
    found |= _service_desk(draw, settings) if enrichment else _bulk(draw, settings)
    return found


def _bulk(draw: random.Random, settings: dict[str, Any]) -> dict[str, Any]:
    """A limit below the setting would refuse every batch, which the report says: nothing to judge."""
    found: dict[str, Any] = {
        "bulk_answer": draw.choice(("bulk_result", "bulk_result", "array", "record")),
        "patch_requires_custom_fields": draw.random() < 0.3,
    }
    kind = draw.choices(("usual", "off", "limit", "resets"), (7, 1, 1, 1))[0]
    if kind == "off":
        found["bulk_enabled"] = False
    elif kind == "limit":
        found["bulk_limit"] = settings["batch_size"]
    elif kind == "resets":
        found["bulk_put_resets"] = draw.sample(["notes", "tagNumber", "vendorNotes"], draw.randint(1, 2))
    return found


def _service_desk(draw: random.Random, settings: dict[str, Any]) -> dict[str, Any]:
    """A change of links that moves no ``lastUpdated`` is seen by a full reconcile only."""
    moves = not settings["full_reconcile"] or draw.random() < 0.5
    return {
        "agreement_report": draw.random() < 0.6,
        "ticket_search": draw.random() < 0.7,
        "configuration_condition": draw.choice(("off", "single", "in")),
        "configuration_condition_on_project": draw.random() < 0.8,
        "bundle_limit": draw.choice((0, 1, 1, 5)),
        "attach_moves_last_updated": moves,
        "detach_moves_last_updated": moves,
        "alias_counting": draw.choice(("request", "each")),
        "alias_limit": draw.choice((None, None, 2, 10)),
    }


@dataclass(frozen=True)
class FaultPlan:
    """One disturbed round, which is one run of the flow.

    Attributes:
        faults: the sandbox's fault rules during the run.
        kill_at: SIGKILL at the nth request to a vendor, or (``kill_writes``) the nth write; 0: none.
        kill_when: ``before`` it is sent, ``during`` its work, or ``after`` the vendor answered.
        kill_on: count requests only whose "METHOD /path" holds this text.
        clock_skew_seconds: this process's clock against the sandbox's.
        ledger_room_bytes: the disk is full after so many more bytes; None: never.
        people: what persons do after the run and before the next, as ``people.act`` takes it.
        other_block: the run goes through another block of the same tenant.
        two_at_once: a second run goes through that block at the same time.
        ledger: after the run the ledger is ``lost``, or ``restored`` as it was before the run.
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
    other_block: bool = field(default=False, repr=False)
    two_at_once: bool = field(default=False, repr=False)
    ledger: str = field(default="", repr=False)


@dataclass(frozen=True)
class Schedule:
    """Fresh data, disturbed rounds, then a clean and a quiet run; ``page_size`` None: as in production."""

    seed: int
    flow: str
    assets: int
    scenario: str
    switches: dict[str, Any]
    settings: dict[str, Any]
    rounds: tuple[FaultPlan, ...]
    page_size: int | None = None


def draw_schedule(seed: int, flow: str) -> Schedule:
    draw = random.Random(f"{seed}-{flow}")
    enrichment = flow == ENRICHMENT
    settings = draw_settings(draw, enrichment=enrichment)
    _merge_names(seed, settings)
    switches = draw_switches(draw, enrichment=enrichment, settings=settings)
    return Schedule(
        seed=seed,
        flow=flow,
        assets=draw.randint(*SIZES[flow]),
        scenario="enrichment" if enrichment else draw.choice(("provider", "provider", "fresh")),
        switches=switches,
        settings=settings,
        rounds=tuple(
            _misread(seed, _beside(seed, _draw_round(draw, flow), flow), flow, number)
            for number in range(draw.choice((1, 1, 2)))
        ),
        page_size=draw.choice((None, 7, 25)),
    )


def _merge_names(seed: int, settings: dict[str, Any]) -> None:
    """In half of the mappings people may edit the name; drawn apart, so that the rest stays as it was."""
    if "mappings" in settings and random.Random(f"{seed}-merge").random() < 0.5:
        lean, *further = settings["mappings"]
        rest = {source: target for source, target in lean.items() if target != "name"}
        name = {"source": "assetBasicInfo.name", "target": "name", "authority": "merge"}
        settings["mappings"] = [rest, name, *further]


def _draw_round(draw: random.Random, flow: str) -> FaultPlan:
    """At least one thing goes wrong."""
    kill, full, skew = draw.random() < 0.45, draw.random() < 0.1, draw.random() < 0.2
    disturbed = draw.random() < 0.75 or not (kill or full or skew)
    faults = _draw_faults(draw, flow) if disturbed else ()
    killed = _draw_kill(draw, flow) if kill else {}
    if killed.get("kill_when") == "during":
        faults = (slow_work(draw, killed["kill_on"], killed["kill_at"]), *faults)
    people = draw_enrichment_people if flow == ENRICHMENT else draw_people
    return FaultPlan(
        faults=faults,
        **killed,
        clock_skew_seconds=draw.choice((-1, 1)) * draw.choice(SKEWS) if skew else 0.0,
        ledger_room_bytes=draw.choice(ROOM) if full else None,
        dry_run=draw.random() < 0.06,
        people=people(draw) if draw.random() < 0.5 else (),
    )


def _beside(seed: int, fault_plan: FaultPlan, flow: str) -> FaultPlan:
    """The round with bystanders; drawn apart, so that they change nothing else of the seed's schedule."""
    if flow != ASSETS:
        return fault_plan
    # The plan's name of before: seeds that were noted down keep their schedules.
    draw = random.Random(f"{seed}-Mishap{repr(fault_plan).removeprefix('FaultPlan')}")
    return replace(fault_plan, faults=(*fault_plan.faults, *draw_bystanders(draw)))


def _misread(seed: int, fault_plan: FaultPlan, flow: str, number: int) -> FaultPlan:
    """The round with what makes its run, or the next, read or know something that is not so."""
    further = draw_readings(seed, flow, number, enrichment=flow == ENRICHMENT)
    further["faults"] = (*fault_plan.faults, *further["faults"])
    further["people"] = (*fault_plan.people, *further["people"])
    return replace(fault_plan, **further)


def _draw_kill(draw: random.Random, flow: str) -> dict[str, Any]:
    """Half of the kills fall around the writing of batches, a small part of a run's requests."""
    if draw.random() < 0.5:
        on = "POST /api/v2/graphql" if flow == ENRICHMENT else draw.choice(KILLED_ON)
        last = 45 if flow == ENRICHMENT else 4
        when = draw.choice((*BEFORE_AFTER, "during"))
        return {"kill_at": draw.randint(1, last), "kill_when": when, "kill_on": on}
    writes = draw.random() < 0.5
    last = 60 if flow == ENRICHMENT else 8 if writes else 25
    return {"kill_at": draw.randint(1, last), "kill_when": draw.choice(BEFORE_AFTER), "kill_writes": writes}


def _draw_faults(draw: random.Random, flow: str) -> tuple[dict[str, Any], ...]:
    enrichment = flow == ENRICHMENT
    found = list(draw_vendor_faults(draw, draw.choice((0, 1, 2, 2, 3)), enrichment=enrichment))
    persons = draw_enrichment_faults if enrichment else draw_people_faults
    found += persons(draw, draw.choice((0, 1, 1, 2) if found else (1, 2)))
    slow = [each for each in found if each["fault"]["kind"] == "delay"]
    # Several of them on one request would be longer than what a run waits for late work.
    return tuple(each for each in found if each not in slow[1:])
