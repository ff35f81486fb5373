"""Agreements of the customers, and which configurations they cover.

Most configurations have one agreement, some none, some two or three; one agreement covers far more than the
others. Which agreement is in which state goes by its place, so that few of them have all states.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

from sandbox.connectwise.agreement_tables import AGREEMENT_CONFIGURATIONS, AGREEMENTS_NAME
from sandbox.connectwise.store import Store
from sandbox.data.provider import Setup
from sandbox.data.service_desk import AGREEMENT_TYPES, Desk

Record = dict[str, Any]

UNCOVERED, COVERED_ONCE = 0.13, 0.9
LARGE_SHARE = 0.08

# No end, an end far away, ended, cancelled, not yet begun. Far dates keep the computed status true for years.
STATES: tuple[Record, ...] = (
    {"noEndingDateFlag": True},
    {"endDate": "2041-12-31T00:00:00Z"},
    {"endDate": "2024-06-30T00:00:00Z"},
    {
        "cancelledFlag": True,
        "dateCancelled": "2025-02-01T00:00:00Z",
        "reasonCancelled": "Went to somebody else",
    },
    {"startDate": "2040-01-01T00:00:00Z", "endDate": "2042-12-31T00:00:00Z"},
    {"noEndingDateFlag": True},
    {"noEndingDateFlag": True},
    {"endDate": "2040-03-31T00:00:00Z"},
)


def add_agreements(
    store: Store, seed: int, setup: Setup, desk: Desk, company: int, number: int, covered: list[int]
) -> None:
    """Insert a company's agreements and tie its configurations (`covered`, ids) to them."""
    draw = random.Random(f"{seed}-agreements-{company}")
    made = [
        int(store.insert(AGREEMENTS_NAME, record)["id"])
        for record in _records(draw, setup, desk, company, number)
    ]
    links = store.links(AGREEMENT_CONFIGURATIONS.name)
    for configuration in covered if made else ():
        for agreement in _chosen(draw, made):
            links.add(agreement, configuration)


def _chosen(draw: random.Random, agreements: list[int]) -> set[int]:
    share = draw.random()
    if share < UNCOVERED:
        return set()
    times = 1 if share < COVERED_ONCE else draw.randrange(2, 4)
    return {agreements[0] if draw.random() < LARGE_SHARE else draw.choice(agreements) for _ in range(times)}


def _records(draw: random.Random, setup: Setup, desk: Desk, company: int, number: int) -> Iterator[Record]:
    for place in range(number):
        kind = place % len(desk.agreement_types)
        entered = f"20{15 + place % 10}-0{1 + place % 9}-1{place % 9}T08:30:00Z"
        record: Record = {
            "name": f"{AGREEMENT_TYPES[kind]} {company}-{place + 1:03}",
            "type": {"id": desk.agreement_types[kind]},
            "company": {"id": company},
            "contact": {"id": draw.choice(setup.contacts[company])},
            "startDate": f"20{15 + place % 10}-0{1 + place % 9}-01T00:00:00Z",
            "billAmount": float(draw.randrange(1, 90) * 25),
            **STATES[place % len(STATES)],
            "_info": {
                "lastUpdated": entered,
                "updatedBy": "admin",
                "createdDate": entered,
                "createdBy": "admin",
            },
        }
        if place % 5 < 3:
            record["sla"] = {"id": desk.slas[place % len(desk.slas)]}
        yield record
