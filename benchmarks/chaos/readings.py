"""What makes a run know or read something that is not so, drawn apart from all other faults of a schedule.

Vendors answer wrongly with status 200, persons give configurations to another company, assets vanish, a
ledger is lost or an older copy of it put back, a run goes through another block of the same tenant, or two do
so at once, and one asset has a value that says nothing or that no field takes.

Until the clean run nobody accepts anything: a disturbed run that is refused is right. The clean run accepts
what it reads, as a person does who has looked.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

from benchmarks.chaos.people import CONFIGURATIONS, LANSWEEPER, Deed

LISTS = {
    False: ("/company/configurations", "/company/configurations", "/company/configurations/count"),
    True: (
        "/company/configurations",
        "/service/tickets",
        "/service/tickets",
        "/finance/agreements",
        "*configurations",
    ),
}
"""Whose answers are wrong, for the enrichment (True) and the assets."""
REFERENCES = (
    "/company/configurations/types",
    "/procurement/manufacturers",
    "/company/configurations/statuses",
)
WRONG = ("empty", "half", "cut", "repeat", "no_values", "no_custom_fields")
OWN_COMPANY = 6
"""The run's company in every scenario."""
OTHERS = (3, 8, 11)
LOST, RESTORED = "lost", "restored"
NO_DATE = ("0001-01-01T00:00:00Z", "0000-01-01T00:00:00Z")
SAYS_NOTHING: tuple[Deed, ...] = (
    {"assetCustom.warrantyDate": NO_DATE[0]},
    {"assetCustom.purchaseDate": NO_DATE[1]},
    {"assetCustom.serialNumber": "To be filled by O.E.M."},
    {"assetCustom.serialNumber": "0000-0000"},
)
Drawn = dict[str, Any]


def draw_readings(seed: int, flow: str, number: int, *, enrichment: bool) -> Drawn:
    """Members of the ``FaultPlan`` of a round: ``faults`` and ``people`` to add, and others to set."""
    draw = random.Random(f"{seed}-{flow}-{number}-readings")
    found: Drawn = {"faults": (), "people": ()}
    if draw.random() < 0.35:
        return found
    kinds: tuple[Callable[[random.Random, bool], Drawn], ...] = (
        *7 * [_wrong_read],
        _moved_in_mid_run,
        _moved,
        _vanished,
        _other_block,
        _two_at_once,
        *2 * [_ledger],
        *2 * [_bad_value],
    )
    for kind in draw.sample(kinds, draw.choice((1, 1, 2))):
        for name, value in kind(draw, enrichment).items():
            found[name] = found[name] + value if name in ("faults", "people") else value
    return found


def _wrong_read(draw: random.Random, enrichment: bool) -> Drawn:
    """The first reads of a list, and the same reads again, or a later one alone."""
    system = draw.choice(("connectwise", "connectwise", "lansweeper"))
    fault: Deed = {"kind": "wrong_read", "how": draw.choice(WRONG), "total": draw.random() < 0.5}
    rule: Deed = {"system": system, "path": "*", "fault": fault}
    if system == "connectwise":
        of_reference = not enrichment and draw.random() < 0.2
        rule |= {"method": "GET", "path": draw.choice(REFERENCES if of_reference else LISTS[enrichment])}
    if draw.random() < 0.6:
        rule["limit"] = draw.randint(1, 6)
    else:
        rule["nth"] = [draw.randint(1, 3)]
    return {"faults": (rule,)}


def _moved_in_mid_run(draw: random.Random, enrichment: bool) -> Drawn:
    """Companies are merged, or some configurations moved, around a request of the run."""
    moved = {"from": OWN_COMPANY, "to": draw.choice(OTHERS), "share": draw.choice((0.1, 0.4, 1.0))}
    fault: Deed = {"kind": "edit", "when": draw.choice(("before", "after")), "collection": CONFIGURATIONS}
    rule: Deed = {"system": "connectwise", "path": "*", "nth": [draw.randint(1, 15)]}
    return {"faults": (rule | {"fault": fault | {"move": moved}},)}


def _moved(draw: random.Random, enrichment: bool) -> Drawn:
    """The same between two runs; sometimes another company's configurations come to this one."""
    other, share = draw.choice(OTHERS), draw.choice((0.1, 0.4, 1.0))
    if draw.random() < 0.25:
        return {"people": ({"do": "move", "to": OWN_COMPANY, "owner": other, "share": share},)}
    return {"people": ({"do": "move", "to": other, "owner": OWN_COMPANY, "share": share},)}


def _vanished(draw: random.Random, enrichment: bool) -> Drawn:
    """Most assets are gone from Lansweeper, for good; ``_wrong_read`` has those that come back."""
    return {"people": ({"do": "churn", "share": draw.choice((0.3, 0.6, 0.9)), "kinds": ["retire"]},)}


def _other_block(draw: random.Random, enrichment: bool) -> Drawn:
    return {"other_block": True}


def _two_at_once(draw: random.Random, enrichment: bool) -> Drawn:
    return {"two_at_once": True}


def _ledger(draw: random.Random, enrichment: bool) -> Drawn:
    return {"ledger": draw.choice((LOST, RESTORED))}


def _bad_value(draw: random.Random, enrichment: bool) -> Drawn:
    """One asset among good ones."""
    changes = draw.choice(SAYS_NOTHING)
    return {
        "people": (
            {"do": "edit", "collection": LANSWEEPER, "pick": round(draw.random(), 6), "changes": changes},
        )
    }
