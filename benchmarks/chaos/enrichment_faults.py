"""What happens to the enrichment from outside: Lansweeper's bad days, and persons at work in both systems.

What Lansweeper and ConnectWise hold at one moment, as the judging of an enrichment needs it.
"""

from __future__ import annotations

import random
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.performance.enrichment_model import FIELDS, Truth
from deployments.local.sandbox import Sandbox

Asset = dict[str, Any]
ASSETS = "lansweeper/assets"
CUSTOM_FIELDS = "lansweeper/customFields"
LOCKS = "lansweeper/locks"
ENTRIES = "assetCustom.fields"
"""Where an asset's custom fields stand: a list of ``{"fieldKey", "name", "value"}``."""


@dataclass(frozen=True)
class Scene:
    """``assets`` by key, ``fields`` the custom fields, ``locks`` members of assets that edits locked."""

    assets: dict[str, Asset]
    fields: list[dict[str, Any]]
    locks: dict[str, list[str]]
    truth: Truth

    @classmethod
    def of(cls, sandbox: Sandbox) -> Scene:
        """Read it."""
        return cls(
            assets={each["key"]: each for each in sandbox.state(ASSETS)},
            fields=sandbox.state(CUSTOM_FIELDS),
            locks={each["key"]: each["members"] for each in sandbox.state(LOCKS)},
            truth=Truth(sandbox),
        )

    def field_keys(self) -> dict[str, str]:
        """Keys of the custom fields with a documented name -> that name."""
        return {each["key"]: name for each in self.fields if (name := documented(each["name"]))}

    def texts(self, key: str) -> dict[str, str]:
        """The documented texts that an asset has, by the name of the field."""
        names = self.field_keys()
        entries = (self.assets[key].get("assetCustom") or {}).get("fields") or []
        return {names[each["fieldKey"]]: str(each["value"]) for each in entries if each["fieldKey"] in names}

    def outcomes(self) -> dict[str, int]:
        """How many configurations of the company a run has to count as what; ``alone`` are those written."""
        claims, known = self.truth.claims(), self.assets
        there = {key: len(ids) for key, ids in claims.items() if key in known}
        linked = sum(map(len, claims.values()))
        return {
            "read": len(self.truth.configurations),
            "no_asset_id": len(self.truth.configurations) - linked,
            "asset_gone": linked - sum(there.values()),
            "contested": sum(number for number in there.values() if number > 1),
            "alone": sum(number == 1 for number in there.values()),
        }

    def alone(self) -> dict[str, int]:
        """The assets that exactly one configuration of the company claims, with its id."""
        claims = self.truth.claims()
        return {key: ids[0] for key, ids in claims.items() if len(ids) == 1 and key in self.assets}


def documented(name: str | None) -> str:
    """The documented field that this name means: Lansweeper takes no notice of case and outer blanks."""
    folded = (name or "").strip().casefold()
    return folded if folded in FIELDS else ""


def leaves(record: Any, left_out: Collection[str] = (), path: str = "") -> dict[str, Any]:
    """Every value of an asset by its path; a custom field stands at ``assetCustom.fields[key]``.

    Absent, null and empty objects are the same. ``left_out``: keys of custom fields that do not count.
    """
    if path == ENTRIES:
        return dict(_entries(record or (), left_out))
    if not isinstance(record, dict):
        return {} if record is None else {path: record}
    found: dict[str, Any] = {}
    for name, value in record.items():
        found |= leaves(value, left_out, f"{path}.{name}" if path else name)
    return found


def _entries(entries: Iterable[dict[str, Any]], left_out: Collection[str]) -> Iterable[tuple[str, Any]]:
    for each in entries:
        if each["fieldKey"] not in left_out:
            yield f"{ENTRIES}[{each['fieldKey']}]", each["value"]


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
