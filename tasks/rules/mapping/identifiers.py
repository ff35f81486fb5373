"""What identifies a device: serial numbers, MAC addresses and names, made comparable, and matched by.

These keys match what no stored link joins (``KeyTable``), and device identifier and tag number where a person
chose so; an index says which records hold which value.
Fillers count as absent (``fillers.py``): two devices that share one are not the same device.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from operator import attrgetter
from typing import Any, Protocol

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


SERIAL, MAC, NAME, DEVICE_IDENTIFIER, TAG_NUMBER = range(5)
KEYS = (SERIAL, MAC, NAME)
"""The keys of every record; the values of the others are given to a ``KeyTable`` beside the records."""
_MEMBERS = (attrgetter("serial"), attrgetter("mac"), attrgetter("name"))
NormalForm = Callable[[Any], str | None]


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


def normal_forms(values: Sequence[Any], form: NormalForm, unreadable: dict[int, str]) -> list[str | None]:
    """What ``form`` makes of each value; None for one that it fails on, whose position goes into the dict.

    Costs one ``try`` for all values, unless one fails: then each is brought into form once more.
    """
    try:
        return list(map(form, values))
    except MemoryError:
        raise
    except Exception:

        def failed(numbered: tuple[int, Any], error: Exception) -> None:
            unreadable.setdefault(numbered[0], problem_words(error))

        return convert_all_or(list(enumerate(values)), lambda each: form(each[1]), failed)


def _known_or(known: dict[str, str | None], form: NormalForm) -> NormalForm:
    """As ``form``, for values of which most are known."""
    return lambda value: known[value] if value.__class__ is str and value in known else form(value)


class KeyTable:
    """The normal form of every key of one side's records, and its holders.

    ``unreadable``: why a record's keys can't be compared, by position; it has none of those then.
    ``other`` is the other side's table of the same settings: a configuration mostly holds its asset's values,
    and what became of a text there is not found out again. ``keys`` are those that are wanted; ``mapped``
    gives the values of keys that are mapped fields, one a record, which compare as serial numbers do.
    """

    def __init__(
        self,
        records: Sequence[_Identified],
        case_sensitive: bool,
        fillers: Fillers = FILLERS,
        other: KeyTable | None = None,
        keys: Collection[int] = KEYS,
        mapped: Mapping[int, Sequence[Any]] | None = None,
    ) -> None:
        self.unreadable: dict[int, str] = {}
        forms: tuple[NormalForm, ...] = (
            lambda value: normal_serial(value, case_sensitive, fillers),
            lambda value: normal_mac(value, fillers),
            lambda value: normal_name(value, case_sensitive, fillers),
        )
        serial = forms[SERIAL]
        self._texts = {key: list(map(_MEMBERS[key], records)) for key in KEYS if key in keys}
        self._texts |= {key: list(values) for key, values in (mapped or {}).items()}
        self.values: dict[int, list[str | None]] = {}
        for key, texts in self._texts.items():
            form = forms[key] if key in KEYS else serial
            known = form if other is None else _known_or(other._found(key), form)
            self.values[key] = normal_forms(texts, known, self.unreadable)
        self.holders = {key: Holders(values) for key, values in self.values.items()}

    def _found(self, key: int) -> dict[str, str | None]:
        """What became of each text; nothing where one of the records could not be read."""
        if self.unreadable:
            return {}
        texts = zip(self._texts[key], self.values[key], strict=True)
        return {text: form for text, form in texts if text.__class__ is str}

    def is_shared(self, key: int, position: int) -> bool:
        """Whether several records have the key's value of this one: it identifies none of them."""
        value = self.values[key][position]
        return value is not None and len(self.holders[key].of(value)) > 1


def contradiction(
    assets: KeyTable, asset: int, configurations: KeyTable, configuration: int, keys: Iterable[int]
) -> int | None:
    """The first of the keys that both sides know and that differs by more than case, or None."""
    return next(contradictions(assets, asset, configurations, configuration, keys), None)


def contradictions(
    assets: KeyTable, asset: int, configurations: KeyTable, configuration: int, keys: Iterable[int]
) -> Iterator[int]:
    """Those of the keys that both sides know and that differ by more than case, in their order."""
    for key in keys:
        mine, theirs = assets.values[key][asset], configurations.values[key][configuration]
        if mine is None or theirs is None or mine == theirs:
            continue
        if folded(mine) != folded(theirs):
            yield key
