"""Lansweeper assets from a seed and a number: a plant's and an office's fleet, with a scanner's oddities.

Which asset is odd in which way goes by its place, so that small inventories have all the common oddities:
filler and missing serials, docks whose MAC several laptops report, names used twice, names in other
scripts, models of 300 characters, blanks around values, missing makers and addresses.

Assets share hardware and operating system profiles and software lists, as a fleet has few images: whoever
changes an asset replaces a section and never changes it in place. Sizes: bytes in memory modules and disks,
KB in operating systems.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

from sandbox.data import catalogue as c

GB = 1024**3
SOFTWARE_LISTS = 60
Section = dict[str, Any]
Asset = dict[str, Any]
FIRST_ID = 0x6600_0000
# The example of the connector's page: no serial, no MAC, a name that is a route through a chassis.
PAGE_KEY = "0f5ac0be-93e3-3a9d-8fcb-02904d4f42d8"
PAGE_NAME = "166.246.143.187/1/7"
PAGE_PLACE = 9


def profiles(draw: random.Random, kind: c.AssetKind) -> list[Section]:
    """The hardware and operating system sections that assets of this kind may have."""
    if kind.type not in ("Windows", "Linux"):
        return [{}]
    systems = c.LINUXES if kind is c.LINUX else c.WINDOWS_SERVER if kind is c.SERVER else c.WINDOWS
    return [
        _profile(draw, system, processor, memory, kind.type)
        for system in systems
        for processor in c.PROCESSORS
        for memory in c.MEMORY_GB
    ]


def _profile(
    draw: random.Random,
    system: tuple[str, str, str],
    processor: tuple[str, str, int, int],
    memory: int,
    kind: str,
) -> Section:
    caption, version, build = system
    name, maker, megahertz, cores = processor
    operating_system = {
        "caption": caption,
        "version": version,
        "buildNumber": build,
        "osType": kind,
        "totalVisibleMemorySize": float(memory * 1024 * 1024),
        "installDate": iso(draw.randrange(300, 1200)),
    }
    return {
        "operatingSystem": operating_system,
        "processors": [
            {
                "name": name,
                "manufacturer": maker,
                "maxClockSpeed": float(megahertz),
                "numberOfCores": float(cores),
            }
        ],
        "memoryModules": [
            {"size": float(memory * GB // 2), "type": "DDR4", "locator": f"DIMM {n}"} for n in (1, 2)
        ],
        "logicalDisks": _disks(draw, kind),
        "antiviruses": [{"name": "Windows Defender", "enabled": True, "upToDate": True}]
        if kind == "Windows"
        else [],
    }


def _disks(draw: random.Random, kind: str) -> list[Section]:
    captions = ("C:", "D:") if kind == "Windows" else ("/", "/var")
    return [
        {"caption": caption, "size": float(size * GB), "freeSpace": float(size * GB // draw.randrange(2, 9))}
        for caption, size in zip(captions, (draw.choice((238, 476, 953)), 931), strict=True)
    ]


def software_lists(draw: random.Random) -> list[list[Section]]:
    """Software lists of 15 to 90 programs, some with a program twice, as scans report them."""
    programs = [
        _program(draw, maker, family, part) for maker, family, parts in c.PUBLISHERS for part in parts
    ]
    programs += [_program(draw, "Example Tools", "Tool", f"Pack {n} für Büro") for n in range(120)]
    return [_software_list(draw, programs) for _ in range(SOFTWARE_LISTS)]


def _software_list(draw: random.Random, programs: list[Section]) -> list[Section]:
    chosen = draw.sample(programs, draw.randrange(15, 90))
    return [*chosen, chosen[0]]


def _program(draw: random.Random, maker: str, family: str, part: str) -> Section:
    version = f"{draw.randrange(1, 130)}.{draw.randrange(20)}.{draw.randrange(9999)}"
    return {
        "name": f"{family} {part}",
        "version": version,
        "publisher": maker,
        "architecture": "x64",
        "installDate": iso(draw.randrange(10, 900)),
        "lastChanged": iso(draw.randrange(10)),
        "operatingSystem": "Windows",
        "category": "Business and productivity applications",
    }


def iso(days_ago: int, seconds: int = 0) -> str:
    """A moment in Lansweeper's form, counted back from the sandbox's fixed day."""
    return (
        _DAYS[days_ago % len(_DAYS)]
        + f"T{8 + seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}.000Z"
    )


def _days() -> list[str]:
    from datetime import date, timedelta

    last = date(2026, 5, 4)
    return [(last - timedelta(days=n)).isoformat() for n in range(3650)]


_DAYS = _days()


class AssetMaker:
    """Makes assets one after another; ``start`` is the number of those made before, for added ones."""

    def __init__(self, seed: int, site_id: str, site_name: str, purpose: str = "assets") -> None:
        self._draw = random.Random(f"{seed}-{purpose}")
        self._site = (site_id, site_name)
        self._fleet = _mixed(self._draw)
        self._profiles = {kind: profiles(self._draw, kind) for kind in dict.fromkeys(c.FLEET)}
        self._software = software_lists(self._draw)
        self._tail = format(self._draw.getrandbits(64), "016x")
        self._previous_serial = ""

    def make(self, number: int, start: int = 0) -> Iterator[Asset]:
        """So many assets, the first at place ``start``."""
        for place in range(start, start + number):
            yield self._asset(place)

    def _asset(self, place: int) -> Asset:
        draw = self._draw
        page_example = place == PAGE_PLACE
        kind = self._fleet[place % len(self._fleet)]
        key = PAGE_KEY if page_example else uuid_text(draw.getrandbits(128))
        maker, model = kind.products[0] if page_example else draw.choice(kind.products)
        basic = self._basic_info(place, kind)
        asset = {
            "_id": f"{FIRST_ID + place:08x}{self._tail}",
            "key": key,
            "url": f"https://app.lansweeper.com/{self._site[1]}/asset/{key}/summary",
            "siteId": self._site[0],
            "assetBasicInfo": basic,
            "assetCustom": self._custom(place, maker, model),
            **draw.choice(self._profiles[kind]),
        }
        self._add_sections(asset, kind, model)
        return as_page_example(asset) if page_example else asset

    def _basic_info(self, place: int, kind: c.AssetKind) -> dict[str, Any]:
        draw = self._draw
        name = self._name(place, kind)
        info: dict[str, Any] = {
            "name": name,
            "type": kind.type,
            "scannerType": kind.scanner,
            "mac": self._mac(place, kind),
            "ipAddress": f"10.{place >> 14 & 255}.{place >> 6 & 255}.{10 + (place & 63)}",
            "firstSeen": iso(draw.randrange(30, 1500)),
            "lastSeen": iso(draw.randrange(7), draw.randrange(7200)),
            "lastChanged": iso(draw.randrange(30), draw.randrange(7200)),
        }
        if kind.type == "Windows":
            domain = draw.choice(c.DOMAINS)
            info |= {"domain": domain, "userDomain": domain, "fqdn": f"{name}.{domain}.example".lower()}
            info["userName"] = draw.choice(c.USERS)
        if place % 23 == 4:
            del info["ipAddress"]
        if place % 37 == 8 or kind is c.OT:
            del info["mac"]
        return info

    def _name(self, place: int, kind: c.AssetKind) -> str:
        if place % 400 == 250:
            return f"{kind.prefix}-" + "rack-and-shelf-" * 8 + str(place)
        if place % 29 == 11:
            return c.SHARED_NAMES[place // 29 % len(c.SHARED_NAMES)]
        if place % 19 == 6:
            return f"{c.FOREIGN_NAMES[place // 19 % len(c.FOREIGN_NAMES)]}-{place}"
        if kind is c.OT:
            return f"166.{place >> 14 & 255}.{place >> 6 & 255}.{place & 63}/1/{self._draw.randrange(12)}"
        return f"{kind.prefix}-{place:05}"

    def _mac(self, place: int, kind: c.AssetKind) -> str:
        if kind is c.LAPTOP and place % 13 == 5:
            return f"00:E0:4C:68:00:{place // 130 % 256:02X}"
        digits = format(self._draw.getrandbits(40), "010X")
        return "3C:" + ":".join(digits[n : n + 2] for n in range(0, 10, 2))

    def _custom(self, place: int, maker: str, model: str) -> dict[str, Any]:
        draw = self._draw
        custom: dict[str, Any] = {
            "manufacturer": maker,
            "model": c.LONG_MODEL if place % 150 == 33 else model,
            "serialNumber": self._serial(place),
            "stateName": draw.choice(c.STATES),
            "location": draw.choice(c.LOCATIONS),
            "department": draw.choice(c.DEPARTMENTS),
        }
        if place % 5 < 3:
            bought = draw.randrange(100, 2000)
            custom |= {"purchaseDate": iso(bought), "warrantyDate": iso(max(0, bought - 1095))}
        if place % 31 == 7:
            del custom["manufacturer"], custom["model"]
        elif place % 41 == 13:
            custom["manufacturer"] = c.FILLER_MAKERS[place // 41 % len(c.FILLER_MAKERS)]
        if place % 7 == 2:
            custom["barCode"] = f"BL{place:06}"
        return custom

    def _serial(self, place: int) -> str | None:
        if place % 17 == 3:
            return c.FILLER_SERIALS[place // 17 % len(c.FILLER_SERIALS)]
        if place % 17 == 9:
            return None
        if place % 97 == 41:
            return self._previous_serial  # two machines behind one board number
        number = self._draw.getrandbits(36)
        self._previous_serial = f"{number:09X}" if place % 3 else f"00{number:08x}"
        return f" {self._previous_serial} " if place % 43 == 12 else self._previous_serial

    def _add_sections(self, asset: Asset, kind: c.AssetKind, model: str) -> None:
        info = asset["assetBasicInfo"]
        address = info.get("ipAddress")
        if address:
            gateway = f"{address.rpartition('.')[0]}.1"
            asset["networks"] = [
                {"ipAddressV4": address, "macAddress": info.get("mac"), "defaultGateway": gateway}
            ]
        if kind.software:
            asset["softwares"] = self._draw.choice(self._software)
        elif kind is c.OT:
            asset["otData"] = {"partNumber": model, "moduleType": "Communication", "routePath": info["name"]}
        elif kind is c.PRINTER:
            asset["printerInfo"] = {"status": "Ready", "totalPages": float(self._draw.randrange(90_000))}


def _mixed(draw: random.Random) -> list[c.AssetKind]:
    """The fleet in some order, with the OT asset where the page's example belongs."""
    fleet = list(c.FLEET)
    draw.shuffle(fleet)
    here = fleet.index(c.OT)
    fleet[here], fleet[PAGE_PLACE] = fleet[PAGE_PLACE], fleet[here]
    return fleet


def as_page_example(asset: Asset) -> Asset:
    """The asset of the connector's page: key, maker, name, state and type, and nothing to match it by."""
    asset["assetBasicInfo"] |= {"name": PAGE_NAME, "type": "OT"}
    asset["assetBasicInfo"].pop("mac", None)
    asset["assetCustom"] |= {
        "manufacturer": "Rockwell Automation",
        "stateName": "Active",
        "serialNumber": None,
    }
    return asset


def uuid_text(bits: int) -> str:
    """128 bits in a UUID's form."""
    digits = format(bits, "032x")
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:]}"
