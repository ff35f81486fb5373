"""Which configuration an asset belongs to, once more and by hand after design 4.3."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from benchmarks.chaos.asset_values import is_address

SERIAL, MAC, NAME = range(3)
WORDS = ("serial number", "MAC address", "name")

Forms = tuple[str | None, str | None, str | None]
"""Serial number, MAC address and name in normal form; None where the value can't link."""


@dataclass(frozen=True)
class Side:
    """One asset (by its key) or configuration (by its id and the key that it carries)."""

    forms: Forms
    key: str = ""
    id: int = 0


@dataclass(frozen=True)
class Place:
    """Where an asset belongs.

    ``linked``: the one configuration that carries its key; ``contested``: several do; ``matched``: one by
    serial number, MAC address or name (``on``); ``ambiguous``: can't be decided; ``unmatched``: none.
    """

    kind: Literal["linked", "contested", "matched", "ambiguous", "unmatched"]
    ids: tuple[int, ...] = ()
    on: str = ""


class Matching:
    """Both sides at one moment. ``places`` tells of every asset where it belongs."""

    def __init__(self, assets: Iterable[Side], configurations: Iterable[Side]) -> None:
        self._assets = sorted(assets, key=lambda each: each.key)
        self._configurations = sorted(configurations, key=lambda each: each.id)
        self._taken: set[int] = set()
        self._doubts: dict[str, list[set[int]]] = defaultdict(list)
        self._number = [Counter(each.forms[key] for each in self._assets) for key in range(3)]
        self._held: list[dict[str, list[Side]]] = [defaultdict(list) for _ in range(3)]
        for each in self._configurations:
            for key, form in enumerate(each.forms):
                if form:
                    self._held[key][form].append(each)

    def places(self) -> dict[str, Place]:
        """By asset key. Links come first, then each key is judged on what the stronger ones left."""
        found = self._linked()
        for key in range(3):
            claims = [
                (asset, claimed)
                for asset in self._assets
                if asset.key not in found and (claimed := self._claimed(asset, key))
            ]
            for asset, claimed in claims:
                found[asset.key] = Place("matched", (claimed.id,), WORDS[key])
                self._taken.add(claimed.id)
        for asset in self._assets:
            if asset.key not in found:
                left = [ids - self._taken for ids in self._doubts[asset.key]]
                ids = tuple(sorted(set().union(*left)))
                found[asset.key] = Place("ambiguous" if ids else "unmatched", ids)
        return found

    def _linked(self) -> dict[str, Place]:
        carried: dict[str, list[int]] = defaultdict(list)
        for each in self._configurations:
            if each.key:
                carried[each.key].append(each.id)
        found = {}
        for asset in self._assets:
            if ids := carried.get(asset.key):
                found[asset.key] = Place("linked" if len(ids) == 1 else "contested", tuple(ids))
                self._taken.update(ids)
        return found

    def _claimed(self, asset: Side, key: int) -> Side | None:
        """The configuration that the key gives the asset; a doubt is kept."""
        form = asset.forms[key]
        held = self._held[key].get(form, []) if form else []
        free = [each for each in held if each.id not in self._taken and not _differ(asset, each, key)]
        if not free:
            return None
        if len(held) == 1 and self._number[key][form] == 1 and self._is_certain(asset, free[0], key):
            return free[0]
        self._doubts[asset.key].append({each.id for each in free})
        return None

    def _is_certain(self, asset: Side, candidate: Side, key: int) -> bool:
        if key == NAME and is_address(asset.forms[NAME] or ""):
            return False
        open_doubts = [ids for ids in self._doubts[asset.key] if ids - self._taken]
        if any(candidate.id not in ids for ids in open_doubts):
            return False
        return not any(self._is_anothers(asset, candidate, stronger) for stronger in range(key))

    def _is_anothers(self, asset: Side, candidate: Side, key: int) -> bool:
        """Whether a key of the configuration that this asset does not have is on another asset."""
        form = candidate.forms[key]
        if form is None or form == asset.forms[key]:
            return False
        others = [each for each in self._assets if each.forms[key] == form]
        return any(not _differ(each, candidate, key) for each in others)


def _differ(asset: Side, configuration: Side, key: int) -> bool:
    """Whether a key stronger than this one is known on both sides and differs by more than case."""
    pairs = zip(asset.forms[:key], configuration.forms[:key], strict=True)
    return any(mine and theirs and mine.casefold() != theirs.casefold() for mine, theirs in pairs)
