"""Persons and scans at work in both systems while a flow runs and between its runs, drawn from the seed.

A deed is a dictionary: ``do`` names a method of ``Sandbox``, the rest are its arguments, in which ``pick``,
``links`` and ``claim`` (0 to 1) choose among the records that are there when it is done. Deeds during a run
are fault rules of the kind ``edit``.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from typing import Any

from deployments.local.sandbox import Sandbox

Deed = dict[str, Any]
CONFIGURATIONS = "company/configurations"
LANSWEEPER = "lansweeper/assets"
UNMAPPED = ("notes", "tagNumber", "vendorNotes", "managementLink", "customFields")
"""Members that no default mapping writes; the custom field is somebody else's."""
MAPPED = ("ipAddress", "modelNumber", "lastLoginName", "osInfo", "serialNumber", "name")
MOMENTS = (
    ("GET", "*id in (*", "/company/configurations", "before"),
    ("GET", "*id in (*", "/company/configurations", "after"),
    ("PUT", None, "/company/configurations/bulk", "before"),
    ("PUT", None, "/company/configurations/bulk", "after"),
    ("PATCH", None, "/company/configurations/*", "before"),
    ("PATCH", None, "/company/configurations/*", "after"),
)
"""Around the re-read of a batch and around its writing. A person who comes after the one and before the
other is overwritten by a PUT; everybody else's work must stay."""
LAST_ID = 40
"""Most configurations of a provider scenario have a lower id; those that are not there are passed over."""
SCANS = ("rename", "move", "add", "retire")
AGREEMENTS = "finance/agreements"
TICKETS = "service/tickets"
TICKET_KINDS = ("close", "reopen", "attach", "detach", "add", "delete")
NAMES = ("Plan; with a semicolon", "  Blanks   around  ", "Køl & Tryk 24/7")
ENDS = ("2024-02-29T00:00:00Z", "2041-12-31T00:00:00Z")
SLAS = (1, 2, 3)
"""The scenario's SLAs; tickets and configurations are named by low ids that every size of it has."""


def draw_people_faults(rng: random.Random, n: int) -> tuple[Deed, ...]:
    """``n`` fault rules: a person edits or deletes records of the very batch that is being written."""
    return tuple(_draw_rule(rng, number) for number in range(n))


def _draw_rule(rng: random.Random, number: int) -> Deed:
    method, query, path, when = rng.choice(MOMENTS)
    fault: Deed = {"kind": "edit", "when": when, "collection": CONFIGURATIONS, "of_batch": rng.randint(1, 3)}
    kind = rng.choices(("unmapped", "mapped", "delete"), (6, 3, 1))[0]
    if kind == "delete":
        fault |= {"delete": True, "of_batch": 1}
    else:
        fault["set"] = _change(rng, kind, f"{number}-{{n}}")
    rule: Deed = {"system": "connectwise", "method": method, "path": path, "fault": fault}
    if query is not None:
        rule["query"] = query
    return rule | {"share": 0.6, "limit": 2}


def draw_bystanders(rng: random.Random) -> tuple[Deed, ...]:
    """In one of three rounds a person who, around a PUT, works on records that mostly wait for theirs.

    Whatever a run has read of them before is then out of date; the re-read of their own batch shows it.
    """
    if rng.random() >= 1 / 3:
        return ()
    fault: Deed = {"kind": "edit", "when": rng.choice(("before", "after")), "collection": CONFIGURATIONS}
    fault["ids"] = sorted(rng.sample(range(1, LAST_ID + 1), rng.choice((5, 15, LAST_ID))))
    fault["set"] = _change(rng, rng.choices(("unmapped", "mapped"), (3, 1))[0], "waiting {n}")
    path = "/company/configurations/bulk"
    nth = sorted(rng.sample((1, 2, 3), rng.choice((1, 1, 2))))
    return ({"system": "connectwise", "method": "PUT", "path": path, "nth": nth, "fault": fault},)


def draw_people(rng: random.Random) -> tuple[Deed, ...]:
    """None to four deeds between two runs; ``pick`` (0 to 1) chooses a record among those there."""
    return tuple(_draw_deed(rng, number) for number in range(rng.choice((0, 1, 1, 2, 3, 4))))


def _draw_deed(rng: random.Random, number: int) -> Deed:
    kind = rng.choices(("unmapped", "mapped", "delete", "add", "churn"), (4, 3, 2, 2, 3))[0]
    if kind == "churn":
        kinds = rng.sample(SCANS, rng.randint(1, len(SCANS)))
        return {"do": "churn", "share": rng.choice((0.05, 0.1, 0.2)), "kinds": sorted(kinds)}
    if kind == "add":
        return {"do": "add", "collection": CONFIGURATIONS, "record": _by_hand(rng)}
    deed: Deed = {"collection": CONFIGURATIONS, "pick": round(rng.random(), 6)}
    if kind == "delete":
        return {"do": "delete", **deed}
    words = f"{number}-{rng.randrange(10**6)}"
    return {"do": "edit", **deed, "changes": _change(rng, kind, words)}


def _change(rng: random.Random, kind: str, words: str) -> Deed:
    member = rng.choice(UNMAPPED if kind == "unmapped" else MAPPED)
    text = f"by hand {words}"
    if member == "customFields":
        return {member: [{"caption": "Rack position", "value": text}]}
    return {member: text}


def _by_hand(rng: random.Random) -> Deed:
    """A configuration of the run's company (6 in every scenario) that somebody typed, of the first type."""
    number = rng.randrange(10**6)
    record: Deed = {"name": f"HAND-{number:06}", "type": {"id": 1}, "company": {"id": 6}}
    if rng.random() < 0.7:
        record["serialNumber"] = f"HND{number:06}"
    return {**record, "notes": f"Typed by hand, {number}"}


def draw_enrichment_people(rng: random.Random) -> tuple[Deed, ...]:
    """None to four deeds; ``pick`` (0 to 1) chooses a record, ``links`` configurations, ``claim`` assets."""
    kinds = (_ticket_churn, _ticket_churn, _agreement, _covered, _configuration, _asset, _gone)
    return tuple(rng.choice(kinds)(rng) for _ in range(rng.choice((0, 1, 2, 3, 4))))


def resolved(sandbox: Sandbox, deed: Mapping[str, Any]) -> Deed:
    """The deed with ``links`` and ``claim`` replaced by what they choose among the records there."""
    found = {name: value for name, value in deed.items() if name not in ("links", "claim")}
    if "links" in deed:
        records = sandbox.state(CONFIGURATIONS)
        own = [each["id"] for each in records if each["company"]["id"] == sandbox.company_id]
        chosen = {own[int(pick * len(own))] for pick in deed["links"]} if own else set()
        found["changes"] = {"configurationIds": sorted(chosen)}
    if "claim" in deed:
        keys = [each["key"] for each in sandbox.state(LANSWEEPER)]
        value = keys[int(deed["claim"] * len(keys))] if keys else None
        found["changes"] = {"customFields": [{"caption": "ls_asset_id", "value": value}]}
    return found


def _ticket_churn(rng: random.Random) -> Deed:
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
    return {"do": "edit", "collection": LANSWEEPER, "pick": _pick(rng), "changes": changes}


def _gone(rng: random.Random) -> Deed:
    collection = rng.choice((CONFIGURATIONS, AGREEMENTS, LANSWEEPER, TICKETS))
    return {"do": "delete", "collection": collection, "pick": _pick(rng)}


def draw_ticket_fault(rng: random.Random) -> Deed:
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


def act(sandbox: Sandbox, deeds: Sequence[Deed]) -> None:
    """Do what was drawn, in order; a deed for which there is no record is left out."""
    for deed in deeds:
        given = {name: value for name, value in resolved(sandbox, deed).items() if name not in ("do", "pick")}
        if "pick" in deed:
            picked = _picked(sandbox, str(deed["collection"]), float(deed["pick"]))
            if picked is None:
                continue
            given["record_id"] = picked
        getattr(sandbox, deed["do"])(**given)


def _picked(sandbox: Sandbox, collection: str, pick: float) -> int | str | None:
    """A record of the run's company or nobody's at that place; of a child collection its owner."""
    owner = collection if collection == CONFIGURATIONS else collection.removesuffix("/configurations")
    nobody = {"id": sandbox.company_id}
    records = [
        each for each in sandbox.state(owner) if (each.get("company") or nobody)["id"] == sandbox.company_id
    ]
    keys = [each["key"] if collection == LANSWEEPER else each["id"] for each in records]
    return keys[min(int(pick * len(keys)), len(keys) - 1)] if keys else None
