"""The three keys that match what no stored link joins, and which records hold which value of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol

from tasks.rules.mapping.identifiers import normal_mac, normal_name, normal_serial

SERIAL, MAC, NAME = range(3)
KEYS = (SERIAL, MAC, NAME)


class _Identified(Protocol):
    name: str | None
    serial: str | None
    mac: str | None


class Holders:
    """Which records, by position, hold a value. Most values have one holder, so only the rest get a list."""

    __slots__ = ("_first", "_several")

    def __init__(self, values: Iterable[str | None]) -> None:
        first: dict[str, int] = {}
        several: dict[str, list[int]] = {}
        for position, value in enumerate(values):
            if value is not None and first.setdefault(value, position) != position:
                several.setdefault(value, [first[value]]).append(position)
        self._first, self._several = first, several

    def __iter__(self) -> Iterator[str]:
        return iter(self._first)

    def __contains__(self, value: str) -> bool:
        return value in self._first

    def of(self, value: str) -> Sequence[int]:
        """The positions of the records that hold the value, in ascending order."""
        several = self._several.get(value)
        if several is not None:
            return several
        position = self._first.get(value)
        return () if position is None else (position,)


class KeyTable:
    """The normal form of every key of one side's records, and its holders."""

    def __init__(self, records: Sequence[_Identified], case_sensitive: bool) -> None:
        self.values: tuple[list[str | None], ...] = (
            [normal_serial(record.serial, case_sensitive) for record in records],
            [normal_mac(record.mac) for record in records],
            [normal_name(record.name, case_sensitive) for record in records],
        )
        self.holders = tuple(Holders(values) for values in self.values)


def contradiction(
    assets: KeyTable, asset: int, configurations: KeyTable, configuration: int, key: int
) -> int | None:
    """The strongest key above ``key`` that both sides know and that differs by more than case, or None."""
    for stronger in range(key):
        mine, theirs = assets.values[stronger][asset], configurations.values[stronger][configuration]
        if mine is None or theirs is None or mine == theirs:
            continue
        if mine.casefold() != theirs.casefold():
            return stronger
    return None
