"""Two inventories of any size for the benchmarks: Lansweeper assets and ConnectWise configurations."""

from __future__ import annotations

import random
from typing import Any

CHANGED, NEW, ORPHANED = 0.10, 0.05, 0.05
_TYPES = ("Windows", "Linux", "Printer", "Switch", "OT")
_MAKERS = ("Dell", "HP", "Lenovo", "Rockwell Automation", "To be filled by O.E.M.")


def assets(count: int) -> list[dict[str, Any]]:
    """Assets as the Lansweeper API answers them, parsed, with the fifteen default fields."""
    return [_asset(number) for number in range(count)]


def settled_configurations(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What ConnectWise holds after a run: everything linked, nothing missing, nothing changed."""
    return [_configuration(asset, 0, linked=True, identity=number) for number, asset in enumerate(found)]


def configurations(found: list[dict[str, Any]], *, linked: bool) -> list[dict[str, Any]]:
    """What ConnectWise holds of them: 5 % missing, 10 % with another address and user, 5 % orphans on top.

    A tenth has no serial number there and is found by its MAC address, a tenth by its name only.
    ``linked`` fills ``ls_asset_id``, as after a first run. The order is shuffled, the seed is fixed.
    """
    count = len(found)
    known = [_configuration(asset, number, linked, number) for number, asset in enumerate(found)]
    known = known[: round(count * (1 - NEW))]
    orphans = [_orphan(number, linked) for number in range(round(count * ORPHANED))]
    records = known + orphans
    random.Random(7).shuffle(records)
    return records


def _asset(number: int) -> dict[str, Any]:
    return {
        "key": f"0f5ac0be-93e3-3a9d-8fcb-{number:012x}",
        "assetBasicInfo": {
            "name": f"WKS-{number:06d}",
            "type": _TYPES[number % len(_TYPES)],
            "mac": _mac(number, ":").upper(),
            "ipAddress": f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}",
            "userName": f"BLUE\\user{number}",
        },
        "assetCustom": {
            "stateName": "Active",
            "manufacturer": _MAKERS[number % len(_MAKERS)],
            "location": f"Site {number % 40}",
            "serialNumber": f"SN{number:08X}",
            "model": f"Model {number % 300}",
            "purchaseDate": f"202{number % 5}-0{number % 9 + 1}-11T07:35:18.000Z",
            "warrantyDate": f"203{number % 5}-0{number % 9 + 1}-09T07:34:42.000Z",
        },
        "operatingSystem": {"caption": "Microsoft Windows 11 Pro", "version": "10.0.22631"},
        "processors": [{"name": "Intel(R) Core(TM) i7-1265U"}],
    }


def _mac(number: int, between: str) -> str:
    digits = f"001d{number:08x}"
    return between.join(digits[at : at + 2] for at in range(0, 12, 2))


def _configuration(asset: dict[str, Any], number: int, linked: bool, identity: int) -> dict[str, Any]:
    """The asset's record; the last digit of ``number`` says what is changed or missing in it."""
    info, custom = asset["assetBasicInfo"], asset["assetCustom"]
    changed = number % 10 == 3
    maker = custom["manufacturer"]
    return {
        "id": 1000 + identity,
        "name": info["name"],
        "type": {"id": 139, "name": f"ls_{info['type']}"},
        "status": {"id": 34, "name": "ls_Active"},
        "company": {"id": 6, "identifier": "BlueLightCo", "name": "Blue Light, Co."},
        "location": {"id": 2, "name": custom["location"]},
        "manufacturer": None if maker == _MAKERS[-1] else {"id": 5, "name": maker},
        "serialNumber": custom["serialNumber"] if number % 10 not in (4, 5) else None,
        "modelNumber": custom["model"],
        "macAddress": _mac(identity, "-") if number % 10 != 5 else "",
        "ipAddress": "10.255.0.1" if changed else info["ipAddress"],
        "lastLoginName": "somebody" if changed else info["userName"],
        "purchaseDate": custom["purchaseDate"].replace(".000", ""),
        "warrantyExpirationDate": custom["warrantyDate"].replace(".000", ""),
        "osType": "Microsoft Windows 11 Pro",
        "osInfo": "10.0.22631",
        "cpuSpeed": "Intel(R) Core(TM) i7-1265U",
        "activeFlag": True,
        "customFields": [
            {"id": 5, "caption": "ls_asset_id", "type": "Text", "value": asset["key"] if linked else None},
            {"id": 6, "caption": "ls_asset_url", "type": "Text"},
            {"id": 7, "caption": "ls_software", "type": "TextArea"},
        ],
        "_info": {"lastUpdated": "2025-10-11T07:35:18Z"},
    }


def _orphan(number: int, linked: bool) -> dict[str, Any]:
    gone = 10_000_000 + number
    return _configuration(_asset(gone), gone, linked, gone)
