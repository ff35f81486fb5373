"""What happens to the enrichment from outside: Lansweeper's bad days, and persons at work in both systems."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks.chaos.enrichment_scene import ASSETS
from deployments.local.sandbox import Sandbox

Deed = dict[str, Any]

AGREEMENTS = "finance/agreements"
CONFIGURATIONS = "company/configurations"
TICKETS = "service/tickets"
TICKET_KINDS = ("close", "reopen", "attach", "detach", "add", "delete")
NAMES = ("Plan; with a semicolon", "  Blanks   around  ", "Køl & Tryk 24/7")
ENDS = ("2024-02-29T00:00:00Z", "2041-12-31T00:00:00Z")
SLAS = (1, 2, 3)
"""The scenario's SLAs; tickets and configurations are named by low ids that every size of it has."""
LATE = 1.0
"""Seconds after which Lansweeper has done what it was asked before the connection dropped."""
COOL_DOWN = {"Retry-After": "1"}


def draw_enrichment_faults(rng: random.Random, n: int) -> tuple[Deed, ...]:
    """``n`` fault rules for Lansweeper, and for persons who change tickets while they are being read."""
    kinds = (_refused_alias, _too_many, _out_of_order, _creation, _dropped_edit, _persons_ticket)
    return tuple(rng.choice(kinds)(rng) for _ in range(n))


def draw_enrichment_people(rng: random.Random) -> tuple[Deed, ...]:
    """None to four deeds between two runs: ``do`` and the arguments of that method of ``Sandbox``.

    ``pick`` (0 to 1) stands for a record's id, ``links`` for configurations and ``claim`` for an asset.
    """
    kinds = (_churn, _churn, _agreement, _covered, _configuration, _asset, _gone)
    return tuple(rng.choice(kinds)(rng) for _ in range(rng.choice((0, 1, 2, 3, 4))))


def resolved(sandbox: Sandbox, deed: Mapping[str, Any]) -> Deed:
    """The deed with ``links`` and ``claim`` replaced by what they choose among the records there."""
    found = {name: value for name, value in deed.items() if name not in ("links", "claim")}
    if "links" in deed:
        own = _own(sandbox)
        chosen = {own[int(pick * len(own))] for pick in deed["links"]} if own else set()
        found["changes"] = {"configurationIds": sorted(chosen)}
    if "claim" in deed:
        keys = [each["key"] for each in sandbox.state(ASSETS)]
        value = keys[int(deed["claim"] * len(keys))] if keys else None
        found["changes"] = {"customFields": [{"caption": "ls_asset_id", "value": value}]}
    return found


def _own(sandbox: Sandbox) -> list[int]:
    records = sandbox.state(CONFIGURATIONS)
    return [each["id"] for each in records if each["company"]["id"] == sandbox.company_id]


def _churn(rng: random.Random) -> Deed:
    kinds = sorted(rng.sample(TICKET_KINDS, rng.randint(1, len(TICKET_KINDS))))
    return {"do": "ticket_churn", "share": rng.choice((0.05, 0.1, 0.3)), "kinds": kinds}


def _agreement(rng: random.Random) -> Deed:
    changes: Sequence[Deed] = (
        {"name": rng.choice(NAMES)},
        {"endDate": rng.choice(ENDS), "noEndingDateFlag": False},
        {"noEndingDateFlag": True},
        {"cancelledFlag": rng.random() < 0.5},
        {"startDate": rng.choice(("2001-01-01T00:00:00Z", "2039-01-01T00:00:00Z"))},
        {"sla": rng.choice((None, *({"id": each} for each in SLAS)))},
    )
    return {"do": "edit", "collection": AGREEMENTS, "pick": _pick(rng), "changes": rng.choice(changes)}


def _covered(rng: random.Random) -> Deed:
    """Other configurations under an agreement."""
    links = [_pick(rng) for _ in range(rng.randint(0, 5))]
    return {"do": "edit", "collection": f"{AGREEMENTS}/configurations", "pick": _pick(rng), "links": links}


def _configuration(rng: random.Random) -> Deed:
    deed: Deed = {"do": "edit", "collection": CONFIGURATIONS, "pick": _pick(rng)}
    kind = rng.choice(("sla", "claim", "no claim"))
    if kind == "claim":
        return deed | {"claim": _pick(rng)}
    if kind == "no claim":
        return deed | {"changes": {"customFields": [{"caption": "ls_asset_id", "value": None}]}}
    return deed | {"changes": {"sla": rng.choice((None, *({"id": each} for each in SLAS)))}}


def _asset(rng: random.Random) -> Deed:
    """Somebody types into Lansweeper, or empties all custom fields of an asset, ours among them."""
    changes: Deed = {"assetCustom.comment": f"By hand {rng.randrange(10**6)}"}
    if rng.random() < 0.4:
        changes = {"assetCustom.fields": None}
    return {"do": "edit", "collection": ASSETS, "pick": _pick(rng), "changes": changes}


def _gone(rng: random.Random) -> Deed:
    collection = rng.choice((CONFIGURATIONS, AGREEMENTS, ASSETS, TICKETS))
    return {"do": "delete", "collection": collection, "pick": _pick(rng)}


def _refused_alias(rng: random.Random) -> Deed:
    """Some edits of a mutation are null, under a status that is an error, the others are done."""
    fault = {"kind": "partial", "share": rng.choice((0.1, 0.3, 1)), "status": rng.choice((400, 409, 500))}
    return _lansweeper("editAsset", fault, rng, within=4)


def _too_many(rng: random.Random) -> Deed:
    """429; without Retry-After it means a full minute without any call."""
    headers = COOL_DOWN if rng.random() < 0.7 else {}
    fault = {"kind": "status", "status": 429, "headers": headers, "body": {"errors": [{"message": "slow"}]}}
    return _lansweeper("*", fault, rng, within=25)


def _out_of_order(rng: random.Random) -> Deed:
    faults: Sequence[Deed] = (
        {"kind": "status", "status": 500, "body": {"errors": [{"message": "Internal"}]}},
        {"kind": "status", "status": 502, "body": "<html><h1>Bad Gateway</h1></html>"},
        {"kind": "drop_before"},
        {"kind": "delay", "seconds": 0.5},
    )
    return _lansweeper("*", rng.choice(faults), rng, within=25)


def _creation(rng: random.Random) -> Deed:
    """A custom field that is made although its creation had no answer."""
    faults: Sequence[Deed] = (
        {"kind": "drop_after"},
        {"kind": "late", "delay": LATE},
        {"kind": "drop_before"},
    )
    return _lansweeper("createCustomField", rng.choice(faults), rng, within=11)


def _dropped_edit(rng: random.Random) -> Deed:
    faults: Sequence[Deed] = (
        {"kind": "drop_after"},
        {"kind": "late", "delay": LATE},
        {"kind": "drop_before"},
    )
    return _lansweeper("editAsset", rng.choice(faults), rng, within=4)


def _lansweeper(path: str, fault: Deed, rng: random.Random, within: int) -> Deed:
    nth = sorted(rng.sample(range(1, within + 1), rng.randint(1, 2)))
    return {"system": "lansweeper", "path": path, "nth": nth, "fault": fault}


def _persons_ticket(rng: random.Random) -> Deed:
    """A ticket is closed, taken from its configurations or deleted around one of the reading requests."""
    fault: Deed = {"kind": "edit", "when": rng.choice(("before", "after")), "ids": [rng.randint(1, 12)]}
    kind = rng.choice(("closed", "detached", "deleted"))
    if kind == "closed":
        fault |= {"collection": TICKETS, "set": {"closedFlag": rng.random() < 0.5}}
    elif kind == "detached":
        fault |= {"collection": f"{TICKETS}/configurations", "set": {"configurationIds": []}}
    else:
        fault |= {"collection": TICKETS, "delete": True}
    nth = sorted(rng.sample(range(1, 7), 2))
    return {"system": "connectwise", "path": f"/{TICKETS}*", "nth": nth, "fault": fault}


def _pick(rng: random.Random) -> float:
    return round(rng.random(), 6)
