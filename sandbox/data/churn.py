"""What happens to a fleet between two scans: some assets are renamed, moved, added, retired."""

from __future__ import annotations

import random
from typing import Any

from sandbox.data.assets import PAGE_PLACE, AssetMaker
from sandbox.world import World

KINDS = ("rename", "move", "add", "retire")

Asset = dict[str, Any]


def churn(world: World, share: float, kinds: tuple[str, ...] = KINDS) -> dict[str, list[str]]:
    """Change a share (0 to 1) of the assets, split evenly over the kinds, at least one each.

    Returns the keys of the assets by kind. Values that an edit through the API locked stay as they are.
    The same world and the same calls before give the same changes.

    Raises:
        ValueError: a share outside 0 to 1, or an unknown kind.
    """
    unknown = sorted(set(kinds) - set(KINDS))
    if unknown or not 0 <= share <= 1:
        raise ValueError(
            f"unknown kinds {unknown}" if unknown else f"the share must be within 0 and 1: {share}"
        )
    world.churns += 1
    draw = random.Random(f"{world.seed}-churn-{world.churns}")
    keys = list(world.lansweeper.assets)
    draw.shuffle(keys)
    each = max(1, round(len(keys) * share / len(kinds))) if kinds and share > 0 else 0
    changed = {kind: _CHANGES[kind](world, draw, _take(keys, each, kind)) for kind in kinds}
    world.lansweeper.touch()
    return changed


def _take(keys: list[str], number: int, kind: str) -> list[str]:
    """The keys a change is for; an addition needs only how many."""
    if kind == "add":
        return [""] * number
    taken, keys[:] = keys[:number], keys[number:]
    return taken


def _rename(world: World, draw: random.Random, keys: list[str]) -> list[str]:
    for key in keys:
        asset = world.lansweeper.assets[key]
        old = asset["assetBasicInfo"]["name"]
        scanned(world, asset, "assetBasicInfo", {"name": f"{old[:80]}-{draw.randrange(10, 100)}"})
    return keys


def _move(world: World, draw: random.Random, keys: list[str]) -> list[str]:
    for key in keys:
        asset = world.lansweeper.assets[key]
        address = f"10.200.{draw.randrange(256)}.{draw.randrange(10, 250)}"
        scanned(world, asset, "assetBasicInfo", {"ipAddress": address})
        scanned(world, asset, "assetCustom", {"location": f"Moved to hall {draw.randrange(1, 9)}"})
    return keys


def _add(world: World, draw: random.Random, keys: list[str]) -> list[str]:
    store = world.lansweeper
    maker = AssetMaker(world.seed, store.site_id, store.site_name, purpose=f"churn-{world.churns}")
    start = max(world.assets, PAGE_PLACE + 1)  # the page's example exists once
    world.assets = start + len(keys)
    added = list(maker.make(len(keys), start=start))
    store.add(added)
    return [asset["key"] for asset in added]


def _retire(world: World, draw: random.Random, keys: list[str]) -> list[str]:
    for key in keys:
        world.lansweeper.remove(key)
    return keys


def scanned(world: World, asset: Asset, section: str, values: dict[str, Any]) -> None:
    """Lay a scan's values over a section, but never over a locked field."""
    locks = world.lansweeper.locks.get(asset["key"], set())
    open_values = {name: value for name, value in values.items() if f"{section}.{name}" not in locks}
    asset[section] = {**asset[section], **open_values}


_CHANGES = {"rename": _rename, "move": _move, "add": _add, "retire": _retire}
