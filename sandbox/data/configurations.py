"""Configurations in ConnectWise: those that people typed by hand, and those that an asset sync has left.

By hand: about a third of the assets have one in the run's company, in the spelling of whoever typed it:
another case, another MAC format, without a serial, twice, retired. Besides there are records that Lansweeper
does not know, and other customers' records with the same serials. None carries ``ls_asset_id``.

In the scenario `enrichment` every asset is a configuration that names it. A few are odd: without
`ls_asset_id`, naming an asset that Lansweeper no longer has, or two naming one asset.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from sandbox.data.assets import uuid_text
from sandbox.data.provider import (
    ASSET_ID_FIELD,
    ASSET_URL_FIELD,
    CUSTOMERS,
    RACK_FIELD,
    RUN_COMPANY,
    VENDORS,
    Setup,
)

Record = dict[str, Any]
Asset = dict[str, Any]

TYPE_OF = {
    "Windows": "Managed Workstation",
    "Linux": "Managed Server",
    "ESXi server": "Managed Server",
    "VMware Guest": "Virtual Machine",
    "Printer": "Printer",
    "Switch": "Network Switch",
    "Firewall": "Firewall",
    "OT": "Industrial Controller",
}
_NOTES = (
    "Replaced the battery, see the photo in the binder.",
    "Do not reboot during the night shift!\nCall the line lead first.",
    "Läuft nur mit dem alten Treiber.",
    "Admin password is in the vault, not here.",
)
CLAIMED_TWICE = 3
CREATED = "2026-05-03T02:10:00Z"


class ConfigurationMaker:
    """Makes wire records for ``Store.insert``; the same seed gives the same records."""

    def __init__(self, seed: int, setup: Setup) -> None:
        self._draw = random.Random(f"{seed}-configurations")
        self._setup = setup
        self._makers = {name.casefold(): number for name, number in setup.manufacturers.items()}

    def of_run_company(self, assets: Iterable[Asset]) -> Iterator[Record]:
        """The hand-made records of the run's company: for every third asset, then the orphans."""
        number = 0
        for place, asset in enumerate(assets):
            number += 1
            if place % 3 == 0:
                yield from self._hand_made(place // 3, asset)
        for place in range(max(3, number // 12)):
            yield self._orphan(place)

    def of_other_companies(self, assets: Iterable[Asset]) -> Iterator[Record]:
        """Other customers' records: machines they sold on, with the serials of the run's company."""
        for place, asset in enumerate(assets):
            if place % 10 == 1:
                company = CUSTOMERS[1 + place // 10 % (len(CUSTOMERS) - 1)]
                yield self._typed(asset, company, len(CUSTOMERS) + place)

    def _hand_made(self, place: int, asset: Asset) -> Iterator[Record]:
        record = self._typed(asset, RUN_COMPANY, place)
        _SPELLINGS[place % len(_SPELLINGS)](record)
        yield record
        if place % 40 == 9:
            yield {**record, "notes": "Entered twice?", "tagNumber": f"DUP-{place}"}

    def _typed(self, asset: Asset, company: int, place: int) -> Record:
        """What a careful person types from the machine's label, and what only people know."""
        info, custom = asset["assetBasicInfo"], asset["assetCustom"]
        record: Record = {
            "name": info["name"][:100],
            "type": {"id": self._setup.types[TYPE_OF[info["type"]]]},
            "company": {"id": company},
            "serialNumber": custom.get("serialNumber"),
            "macAddress": info.get("mac"),
            "modelNumber": (custom.get("model") or "")[:50] or None,
            "ipAddress": info.get("ipAddress") if place % 4 else None,
            "activeFlag": place % 11 != 5,
            "status": {"id": self._setup.statuses["Retired" if place % 11 == 5 else "Active"]},
            "_info": {
                "lastUpdated": f"202{place % 6}-0{1 + place % 9}-1{place % 9}T09:15:00Z",
                "dateEntered": f"2019-0{1 + place % 9}-0{1 + place % 9}T08:00:00Z",
            },
        }
        maker = self._makers.get((custom.get("manufacturer") or "").strip().casefold())
        if maker is not None:
            record["manufacturer"] = {"id": maker}
        self._add_what_people_know(record, company, place)
        return record

    def _add_what_people_know(self, record: Record, company: int, place: int) -> None:
        draw = self._draw
        record["site"] = {"id": draw.choice(self._setup.sites[company])}
        record["tagNumber"] = f"A-{place:05}"
        if place % 2:
            record["contact"] = {"id": draw.choice(self._setup.contacts[company])}
            record["notes"] = draw.choice(_NOTES)
        if place % 3 == 0:
            record["vendor"] = {"id": draw.choice(VENDORS)}
            record["vendorNotes"] = f"Bought with order {draw.randrange(1000, 9999)}"
            record["installationDate"] = f"202{place % 5}-03-0{1 + place % 9}T00:00:00Z"
            record["managementLink"] = f"https://rmm.example/devices/{place}"
        if place % 4 == 1:
            record["customFields"] = [{"id": RACK_FIELD, "value": f"R{place % 12}/U{place % 42}"}]
            record["billFlag"] = True
        record["questions"] = self._answers(record["type"]["id"], place)

    def _answers(self, type_id: int, place: int) -> list[Record]:
        """Answers to the questions of the record's type, where somebody filled them in."""
        answered = {
            self._setup.types["Managed Workstation"]: ((1, "whoever is on shift"), (2, place % 2 == 0)),
            self._setup.types["Managed Server"]: ((3, "File shares\nand the plant's historian"),),
            self._setup.types["Network Switch"]: ((5, f"R{place % 12}"),),
        }
        return [{"questionId": number, "answer": words} for number, words in answered.get(type_id, ())]

    def _orphan(self, place: int) -> Record:
        draw = self._draw
        record: Record = {
            "name": f"OLD-{place:05}",
            "type": {"id": draw.choice(list(self._setup.types.values()))},
            "company": {"id": RUN_COMPANY},
            "serialNumber": f"ZZ{draw.getrandbits(32):08X}",
            "status": {"id": self._setup.statuses["In Stock" if place % 2 else "Active"]},
        }
        self._add_what_people_know(record, RUN_COMPANY, place)
        return record


def _lower_case(record: Record) -> None:
    record["serialNumber"] = (record["serialNumber"] or "").lower() or None
    record["macAddress"] = "-".join(re.findall("..?", _digits(record).lower())) or None


def _dotted_mac_only(record: Record) -> None:
    record["serialNumber"] = None
    record["macAddress"] = ".".join(re.findall(".{1,4}", _digits(record).lower())) or None
    record["name"] = f"{record['name'][:80]} (by hand)"


def _name_only(record: Record) -> None:
    record["serialNumber"] = record["macAddress"] = None


def _renamed(record: Record) -> None:
    record["name"] = f"Reception, was {record['name'][:70]}"
    record["macAddress"] = _digits(record) or None


def _other_card(record: Record) -> None:
    if record["macAddress"]:
        record["macAddress"] = f"AC:DE:48:{record['macAddress'][-8:]}"


def _name_in_other_case(record: Record) -> None:
    record["name"] = record["name"].swapcase()
    record["serialNumber"] = "N/A"


def _unchanged(record: Record) -> None:
    """Typed exactly as the label says."""


def _digits(record: Record) -> str:
    return (record["macAddress"] or "").replace(":", "")


_SPELLINGS: tuple[Callable[[Record], None], ...] = (
    _unchanged, _lower_case, _dotted_mac_only, _name_only, _renamed, _unchanged, _other_card,
    _name_in_other_case,
)  # fmt: skip


def linked_configurations(
    seed: int, setup: Setup, slas: list[int], assets: Iterable[Asset]
) -> Iterator[Record]:
    draw, twice = random.Random(f"{seed}-linked"), ""
    for place, asset in enumerate(assets):
        record = _record(setup, asset)
        key = asset["key"]
        if place == CLAIMED_TWICE:
            twice = key
        elif place == CLAIMED_TWICE + 1:
            key = twice
        elif place % 300 == 23:
            key = uuid_text(draw.getrandbits(128))
        if place % 200 != 17:
            record["customFields"] = [
                {"id": ASSET_ID_FIELD, "value": key},
                {"id": ASSET_URL_FIELD, "value": asset["url"].replace(asset["key"], key)},
            ]
        if place % 5 == 0:
            record["sla"] = {"id": slas[place % len(slas)]}
        yield record


def _record(setup: Setup, asset: Asset) -> Record:
    info, custom = asset["assetBasicInfo"], asset["assetCustom"]
    return {
        "name": info["name"].strip()[:100],
        "type": {"id": setup.types[TYPE_OF[info["type"]]]},
        "company": {"id": RUN_COMPANY},
        "status": {"id": setup.statuses["Active"]},
        "serialNumber": (custom.get("serialNumber") or "").strip() or None,
        "macAddress": info.get("mac"),
        "ipAddress": info.get("ipAddress"),
        "_info": {"lastUpdated": CREATED, "dateEntered": CREATED},
    }
