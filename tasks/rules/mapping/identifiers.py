"""What identifies a device: serial numbers, MAC addresses and names, made comparable, and matched by.

These three keys match what no stored link joins (``KeyTable``); an index says which records hold which value.
Fillers count as absent (``fillers.py``): two devices that share one are not the same device.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Protocol, TypeVar

from tasks.rules.isolation import convert_all_or, problem_words
from tasks.rules.mapping.addresses import mac_digits
from tasks.rules.mapping.fillers import FILLERS, Fillers
from tasks.rules.values import folded, plain_text

_IP_ADDRESS = re.compile(r"(\d{1,3}\.){3}\d{1,3}|[0-9a-f]*:[0-9a-f:]*:[0-9a-f.:]*").fullmatch


def normal_serial(value: Any, case_sensitive: bool = True, fillers: Fillers = FILLERS) -> str | None:
    """A serial number to compare; None for a filler."""
    text = plain_text(value)
    if text is None or fillers.is_plain_serial(text):
        return None
    return text if case_sensitive else folded(text)


def normal_mac(value: Any, fillers: Fillers = FILLERS) -> str | None:
    """The twelve hex digits of a MAC address; None for anything else, and for one that is not one card's own.

    A locally administered address is drawn anew by phones and laptops and is the same on many virtual
    machines: it neither links nor rules out.
    """
    digits = mac_digits(value)
    if digits is None or fillers.is_shared_mac(digits) or fillers.is_random_mac(digits):
        return None
    return digits


def normal_name(value: Any, case_sensitive: bool = True, fillers: Fillers = FILLERS) -> str | None:
    """A name to compare; None for names that stand for no name, such as "localhost"."""
    text = plain_text(value)
    if text is None or fillers.is_plain_name(text):
        return None
    return text if case_sensitive else folded(text)


def is_ip_address(text: str) -> bool:
    """Whether a name is nothing but an IP address, which passes from device to device."""
    return _IP_ADDRESS(text.lower()) is not None


T = TypeVar("T")
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


def normal_forms(
    records: Sequence[T], read: Callable[[T], str | None], unreadable: dict[int, str]
) -> list[str | None]:
    """What ``read`` makes of each record; None for one that it fails on, whose position goes into the dict.

    Costs one ``try`` for all records, unless one fails: then each is read once more.
    """
    try:
        return list(map(read, records))
    except MemoryError:
        raise
    except Exception:

        def failed(numbered: tuple[int, T], error: Exception) -> None:
            unreadable.setdefault(numbered[0], problem_words(error))

        return convert_all_or(list(enumerate(records)), lambda each: read(each[1]), failed)


class KeyTable:
    """The normal form of every key of one side's records, and its holders.

    ``unreadable``: why a record's keys can't be compared, by position; it has none of those then.
    """

    def __init__(
        self, records: Sequence[_Identified], case_sensitive: bool, fillers: Fillers = FILLERS
    ) -> None:
        self.unreadable: dict[int, str] = {}
        self.values: tuple[list[str | None], ...] = (
            normal_forms(
                records, lambda each: normal_serial(each.serial, case_sensitive, fillers), self.unreadable
            ),
            normal_forms(records, lambda each: normal_mac(each.mac, fillers), self.unreadable),
            normal_forms(
                records, lambda each: normal_name(each.name, case_sensitive, fillers), self.unreadable
            ),
        )
        self.holders = tuple(Holders(values) for values in self.values)

    def is_shared(self, key: int, position: int) -> bool:
        """Whether several records have the key's value of this one: it identifies none of them."""
        value = self.values[key][position]
        return value is not None and len(self.holders[key].of(value)) > 1


def contradiction(
    assets: KeyTable, asset: int, configurations: KeyTable, configuration: int, key: int
) -> int | None:
    """The strongest key above ``key`` that both sides know and that differs by more than case, or None."""
    return next(contradictions(assets, asset, configurations, configuration, key), None)


def contradictions(
    assets: KeyTable, asset: int, configurations: KeyTable, configuration: int, key: int
) -> Iterator[int]:
    """The keys above ``key`` that both sides know and that differ by more than case, the strongest first."""
    for stronger in range(key):
        mine, theirs = assets.values[stronger][asset], configurations.values[stronger][configuration]
        if mine is None or theirs is None or mine == theirs:
            continue
        if folded(mine) != folded(theirs):
            yield stronger
