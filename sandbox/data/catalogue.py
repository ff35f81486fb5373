"""What the invented fleet is made of: makes and models, operating systems, programs, and odd values.

The names of makers and products are those a scanner would report; nothing here is anybody's inventory.
"""

from __future__ import annotations

from dataclasses import dataclass


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
    "To be filled by O.E.M.",
    "Default string",
    "None",
    "0",
    "System Serial Number",
    "Not Specified",
    "123456789",
)
FILLER_MAKERS = ("To be filled by O.E.M.", "System manufacturer", "Unknown")

FOREIGN_NAMES = (
    "Büro-Drucker",
    "København-PC",
    "São-Paulo-WS",
    "東京-端末",
    "Łódź-LT",
    "Zürich-SRV",
    "Ελλάδα-PC",
)
SHARED_NAMES = ("KIOSK", "localhost", "MININT-SETUP", "iPad")

LONG_MODEL = (
    "Modular chassis, rear accessible, with redundant supply; assembled to order; options: "
    + "dual port fibre card, low profile; " * 8
)[:300]

STATES = ("Active",) * 12 + ("Non-active", "Broken", "In stock", "Don't show")
LOCATIONS = (None,) * 5 + (
    "Main Office",
    "main office ",
    "Warehouse 2",
    "Oslo / 3. etasje",
    "São Paulo",
    "Line 4, cabinet B",
)
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

PUBLISHERS = (
    (
        "Microsoft Corporation",
        "Microsoft",
        ("Edge", "Teams", "OneDrive", "Visual C++ Redistributable (x64)", "Office"),
    ),
    ("Adobe Inc.", "Adobe", ("Acrobat Reader", "Creative Cloud", "Illustrator")),
    ("Mozilla", "Mozilla", ("Firefox (x64 en-US)", "Maintenance Service", "Thunderbird")),
    ("Rockwell Automation, Inc.", "FactoryTalk", ("View Studio", "Linx", "Activation Manager")),
    ("Igor Pavlov", "7-Zip", ("(x64)", "Console")),
    ("Dell Inc.", "Dell", ("Command | Update", "SupportAssist", "Display Manager")),
    ("Dassault Systèmes", "SOLIDWORKS", ("2024 SP3", "eDrawings", "Composer")),
)
