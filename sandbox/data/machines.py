"""Shared parts of assets: hardware and operating system profiles, and software lists.

A fleet has few images, so assets share these objects: whoever changes an asset replaces a section and
never changes it in place. Sizes: bytes in memory modules and disks, KB in operating systems.
"""

from __future__ import annotations

import random
from typing import Any

from sandbox.data import catalogue as c

GB = 1024**3
SOFTWARE_LISTS = 60
Section = dict[str, Any]


def profiles(draw: random.Random, kind: c.Kind) -> list[Section]:
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
