"""Lansweeper assets from a seed and a number: a plant's and an office's fleet, with a scanner's oddities.

Makers, products and operating systems are those a scanner would report; nothing here is anybody's inventory.
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
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

GB = 1024**3
SOFTWARE_LISTS = 60
Section = dict[str, Any]
Asset = dict[str, Any]
FIRST_ID = 0x6600_0000
# The example of the connector's page: no serial, no MAC, a name that is a route through a chassis.
PAGE_KEY = "0f5ac0be-93e3-3a9d-8fcb-02904d4f42d8"
PAGE_NAME = "166.246.143.187/1/7"
PAGE_PLACE = 9


def profiles(draw: random.Random, kind: AssetKind) -> list[Section]:
    """The hardware and operating system sections that assets of this kind may have."""
    if kind.type not in ("Windows", "Linux"):
        return [{}]
    systems = LINUXES if kind is LINUX else WINDOWS_SERVER if kind is SERVER else WINDOWS
    return [
        _profile(draw, system, processor, memory, kind.type)
        for system in systems
        for processor in PROCESSORS
        for memory in MEMORY_GB
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
    programs = [_program(draw, maker, family, part) for maker, family, parts in PUBLISHERS for part in parts]
    programs += [_program(draw, "Example Tools", "Tool", f"Pack {n} für Büro") for n in range(120)]
    samples = [draw.sample(programs, draw.randrange(15, 90)) for _ in range(SOFTWARE_LISTS)]
    return [[*chosen, chosen[0]] for chosen in samples]


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
    day, time = _DAYS[days_ago % len(_DAYS)], f"{8 + seconds // 3600:02}:{seconds // 60 % 60:02}"
    return f"{day}T{time}:{seconds % 60:02}.000Z"


_DAYS = [(date(2026, 5, 4) - timedelta(days=n)).isoformat() for n in range(3650)]


class AssetMaker:
    """Makes assets one after another; ``start`` is the number of those made before, for added ones."""

    def __init__(self, seed: int, site_id: str, site_name: str, purpose: str = "assets") -> None:
        self._draw = random.Random(f"{seed}-{purpose}")
        self._site = (site_id, site_name)
        self._fleet = _mixed(self._draw)
        self._profiles = {kind: profiles(self._draw, kind) for kind in dict.fromkeys(FLEET)}
        self._software = software_lists(self._draw)
        self._tail = format(self._draw.getrandbits(64), "016x")
        self._previous_serial = ""

    def make(self, number: int, start: int = 0) -> Iterator[Asset]:
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

    def _basic_info(self, place: int, kind: AssetKind) -> dict[str, Any]:
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
        info["lastUpdated"] = info["lastSeen"]
        if kind.type == "Windows":
            domain = draw.choice(DOMAINS)
            info |= {"domain": domain, "userDomain": domain, "fqdn": f"{name}.{domain}.example".lower()}
            info["userName"] = draw.choice(USERS)
        if place % 23 == 4:
            del info["ipAddress"]
        if place % 37 == 8 or kind is OT:
            del info["mac"]
        return info

    def _name(self, place: int, kind: AssetKind) -> str:
        if place % 400 == 250:
            return f"{kind.prefix}-" + "rack-and-shelf-" * 8 + str(place)
        if place % 29 == 11:
            return SHARED_NAMES[place // 29 % len(SHARED_NAMES)]
        if place % 19 == 6:
            return f"{FOREIGN_NAMES[place // 19 % len(FOREIGN_NAMES)]}-{place}"
        if kind is OT:
            return f"166.{place >> 14 & 255}.{place >> 6 & 255}.{place & 63}/1/{self._draw.randrange(12)}"
        return f"{kind.prefix}-{place:05}"

    def _mac(self, place: int, kind: AssetKind) -> str:
        if kind is LAPTOP and place % 13 == 5:
            return f"00:E0:4C:68:00:{place // 130 % 256:02X}"
        digits = format(self._draw.getrandbits(40), "010X")
        return "3C:" + ":".join(digits[n : n + 2] for n in range(0, 10, 2))

    def _custom(self, place: int, maker: str, model: str) -> dict[str, Any]:
        draw = self._draw
        custom: dict[str, Any] = {
            "manufacturer": maker,
            "model": LONG_MODEL if place % 150 == 33 else model,
            "serialNumber": self._serial(place),
            "stateName": draw.choice(STATES),
            "location": draw.choice(LOCATIONS),
            "department": draw.choice(DEPARTMENTS),
        }
        if place % 5 < 3:
            bought = draw.randrange(100, 2000)
            custom |= {"purchaseDate": iso(bought), "warrantyDate": iso(max(0, bought - 1095))}
        if place % 31 == 7:
            del custom["manufacturer"], custom["model"]
        elif place % 41 == 13:
            custom["manufacturer"] = FILLER_MAKERS[place // 41 % len(FILLER_MAKERS)]
        if place % 7 == 2:
            custom["barCode"] = f"BL{place:06}"
        return custom

    def _serial(self, place: int) -> str | None:
        if place % 17 == 3:
            return FILLER_SERIALS[place // 17 % len(FILLER_SERIALS)]
        if place % 17 == 9:
            return None
        if place % 97 == 41:
            return self._previous_serial  # two machines behind one board number
        number = self._draw.getrandbits(36)
        self._previous_serial = f"{number:09X}" if place % 3 else f"00{number:08x}"
        return f" {self._previous_serial} " if place % 43 == 12 else self._previous_serial

    def _add_sections(self, asset: Asset, kind: AssetKind, model: str) -> None:
        info = asset["assetBasicInfo"]
        address = info.get("ipAddress")
        if address:
            network = {"ipAddressV4": address, "macAddress": info.get("mac")}
            asset["networks"] = [network | {"defaultGateway": f"{address.rpartition('.')[0]}.1"}]
        if kind.software:
            asset["softwares"] = self._draw.choice(self._software)
        elif kind is OT:
            asset["otData"] = {"partNumber": model, "moduleType": "Communication", "routePath": info["name"]}
        elif kind is PRINTER:
            asset["printerInfo"] = {"status": "Ready", "totalPages": float(self._draw.randrange(90_000))}


def _mixed(draw: random.Random) -> list[AssetKind]:
    """The fleet in some order, with the OT asset where the page's example belongs."""
    fleet = list(FLEET)
    draw.shuffle(fleet)
    here = fleet.index(OT)
    fleet[here], fleet[PAGE_PLACE] = fleet[PAGE_PLACE], fleet[here]
    return fleet


def as_page_example(asset: Asset) -> Asset:
    """The asset of the connector's page: key, maker, name, state and type, and nothing to match it by."""
    asset["assetBasicInfo"] |= {"name": PAGE_NAME, "type": "OT"}
    asset["assetBasicInfo"].pop("mac", None)
    shown = {"manufacturer": "Rockwell Automation", "stateName": "Active", "serialNumber": None}
    asset["assetCustom"] |= shown
    return asset


def uuid_text(bits: int) -> str:
    digits = format(bits, "032x")
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:]}"


@dataclass(frozen=True)
class AssetKind:
    """One kind of asset: its Lansweeper type, how its names begin, and (maker, model) pairs."""

    type: str
    prefix: str
    products: tuple[tuple[str, str], ...]
    scanner: str = "Cerberus"
    software: bool = False


LAPTOP = AssetKind(
    "Windows",
    "LT",
    (
        ("Dell Inc.", "Latitude 5440"),
        ("LENOVO", "20XW00A1MX"),
        ("HP", "HP EliteBook 840 14 inch G10 Notebook PC"),
        ("Microsoft Corporation", "Surface Laptop 5"),
    ),
    software=True,
)
DESKTOP = AssetKind(
    "Windows",
    "WS",
    (("Dell Inc.", "OptiPlex 7010"), ("HP", "HP ProDesk 400 G9"), ("ASUSTeK COMPUTER INC.", "All Series")),
    software=True,
)
SERVER = AssetKind(
    "Windows",
    "SRV",
    (("Dell Inc.", "PowerEdge R750"), ("HPE", "ProLiant DL380 Gen10"), ("VMware, Inc.", "VMware7,1")),
    software=True,
)
LINUX = AssetKind(
    "Linux",
    "lnx",
    (("Supermicro", "SYS-5019C-MR"), ("QEMU", "Standard PC (Q35 + ICH9, 2009)")),
    software=True,
)
GUEST = AssetKind("VMware Guest", "vm", (("VMware, Inc.", "VMware Virtual Platform"),), scanner="VMware")
HYPERVISOR = AssetKind(
    "ESXi server", "esx", (("Dell Inc.", "PowerEdge R650"), ("Cisco Systems", "UCSC-C220-M6"))
)
PRINTER = AssetKind(
    "Printer",
    "PRN",
    (("Brother", "HL-L6400DW series"), ("Xerox", "VersaLink C7025"), ("Hewlett-Packard ", "LaserJet M507")),
)
SWITCH = AssetKind("Switch", "SW", (("Cisco Systems", "C9200L-48P-4G"), ("Ubiquiti", "USW-Pro-48-PoE")))
FIREWALL = AssetKind("Firewall", "FW", (("Fortinet", "FortiGate 60F"), ("Palo Alto Networks", "PA-440")))
OT = AssetKind(
    "OT",
    "OT",
    (
        ("Rockwell Automation", "1756-EN2T/D"),
        ("Rockwell Automation", "1756-L83E/B"),
        ("Siemens AG", "6ES7 515-2AM02-0AB0"),
        ("Schneider Electric", "BMEP582040"),
    ),
    scanner="OT",
)

# Twenty assets in a row hold every kind, so a small inventory is as mixed as a large one.
_COMPUTERS = (LAPTOP,) * 6 + (DESKTOP,) * 4 + (SERVER,) + (LINUX,) * 2 + (GUEST, HYPERVISOR)
FLEET = (*_COMPUTERS, PRINTER, PRINTER, SWITCH, FIREWALL, OT)

FILLER_SERIALS = (
    "To be filled by O.E.M.", "Default string", "None", "0", "System Serial Number", "Not Specified",
    "123456789",
)  # fmt: skip
FILLER_MAKERS = ("To be filled by O.E.M.", "System manufacturer", "Unknown")

FOREIGN_NAMES = (
    "Büro-Drucker", "København-PC", "São-Paulo-WS", "東京-端末", "Łódź-LT", "Zürich-SRV", "Ελλάδα-PC",
)  # fmt: skip
SHARED_NAMES = ("KIOSK", "localhost", "MININT-SETUP", "iPad")

LONG_MODEL = (
    "Modular chassis, rear accessible, with redundant supply; assembled to order; options: "
    + "dual port fibre card, low profile; " * 8
)[:300]

STATES = ("Active",) * 12 + ("Non-active", "Broken", "In stock", "Don't show")
LOCATIONS = (None,) * 5 + (
    "Main Office", "main office ", "Warehouse 2", "Oslo / 3. etasje", "São Paulo", "Line 4, cabinet B",
)  # fmt: skip
DEPARTMENTS = (None, None, "Finance", "Production", "Design")
DOMAINS = ("BLUELIGHT", "BLUELIGHT", "BLPLANT")
USERS = ("afinch", "bmoreau", "cdahl", "dokafor", "eźródło", "fmüller", "gtanaka", "hsilva")

WINDOWS = (
    ("Microsoft Windows 11 Pro", "10.0.22631", "22631"),
    ("Microsoft Windows 10 Enterprise", "10.0.19045", "19045"),
)
WINDOWS_SERVER = (
    ("Microsoft Windows Server 2022 Standard", "10.0.20348", "20348"),
    ("Microsoft Windows Server 2016 Standard", "10.0.14393", "14393"),
)
LINUXES = (
    ("Ubuntu 22.04.4 LTS", "22.04", "5.15.0-112-generic"),
    ("Red Hat Enterprise Linux 9.4 (Plow)", "9.4", "5.14.0-427.el9"),
)
PROCESSORS = (
    ("13th Gen Intel(R) Core(TM) i5-1345U", "Intel", 1600, 10),
    ("AMD Ryzen 7 PRO 6850U with Radeon Graphics", "AMD", 2700, 8),
    ("Intel(R) Xeon(R) Silver 4314 CPU @ 2.40GHz", "Intel", 2400, 16),
)
MEMORY_GB = (8, 16, 32, 64)

MICROSOFT_PARTS = ("Edge", "Teams", "OneDrive", "Visual C++ Redistributable (x64)", "Office")
PUBLISHERS = (
    ("Microsoft Corporation", "Microsoft", MICROSOFT_PARTS),
    ("Adobe Inc.", "Adobe", ("Acrobat Reader", "Creative Cloud", "Illustrator")),
    ("Mozilla", "Mozilla", ("Firefox (x64 en-US)", "Maintenance Service", "Thunderbird")),
    ("Rockwell Automation, Inc.", "FactoryTalk", ("View Studio", "Linx", "Activation Manager")),
    ("Igor Pavlov", "7-Zip", ("(x64)", "Console")),
    ("Dell Inc.", "Dell", ("Command | Update", "SupportAssist", "Display Manager")),
    ("Dassault Systèmes", "SOLIDWORKS", ("2024 SP3", "eDrawings", "Composer")),
)
