"""Which keys match an asset that no stored link joins, and in which order; also per Lansweeper type.

The link (``ls_asset_id``) is always first: it was written by this integration or entered by a person, and
leaving it out would create everything a second time. The order decides which key is the stronger one: a
stronger key that is known on both sides and differs rules a weaker one out. A key that is left out neither
matches nor rules out.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator

from tasks.rules.mapping.identifiers import DEVICE_IDENTIFIER, MAC, NAME, SERIAL, TAG_NUMBER
from tasks.rules.values import AssetRecord, folded

MatchedOn = Literal["link", "serial", "mac", "name", "deviceIdentifier", "tagNumber", "decision"]

MATCHED_ON: tuple[MatchedOn, ...] = ("serial", "mac", "name", "deviceIdentifier", "tagNumber")
"""The names of the keys, by their numbers in ``tasks.rules.mapping.identifiers``."""

TYPE_PATH = "assetBasicInfo.type"
"""Lansweeper's own type of an asset, by which an order of its own is chosen."""

MAPPED_KEYS = {"deviceIdentifier": DEVICE_IDENTIFIER, "tagNumber": TAG_NUMBER}
"""Keys whose values are those of a mapped field of that ConnectWise path; the others are of each record."""


class MatchKey(StrEnum):
    """What an asset and its configuration are matched by."""

    LINK = "link"
    SERIAL = "serial"
    MAC = "mac"
    NAME = "name"
    DEVICE_IDENTIFIER = "deviceIdentifier"
    TAG_NUMBER = "tagNumber"


_SYNONYMS = {
    "serialnumber": MatchKey.SERIAL,
    "macaddress": MatchKey.MAC,
    "ls_asset_id": MatchKey.LINK,
    "customfields.ls_asset_id": MatchKey.LINK,
}
_BY_NAME = {each.value.lower(): each for each in MatchKey}


def read_match_key(value: Any) -> Any:
    """A key by its name in any case, or by its ConnectWise path; ValueError: the near matches of another."""
    if not isinstance(value, str):
        return value
    name = "".join(folded(value).split())
    known = _BY_NAME | _SYNONYMS
    if name in known:
        return known[name]
    near = dict.fromkeys(known[each] for each in difflib.get_close_matches(name, known, n=3, cutoff=0.5))
    names = ", ".join(near or list(MatchKey))
    raise ValueError(f"{value!r} is no match key. {'Did you mean' if near else 'It is one of'} {names}?")


def check_match_keys(keys: list[MatchKey]) -> list[MatchKey]:
    """The keys, the link among them at most as the first.

    Raises:
        ValueError: there is none, one stands twice, or the link comes later.
    """
    if not keys:
        raise ValueError("No match key is named. Name link alone to match by stored links only.")
    if twice := next((each for each in keys if keys.count(each) > 1), None):
        raise ValueError(f"{twice} stands among the match keys more than once. Keep one of them.")
    if MatchKey.LINK in keys[1:]:
        raise ValueError("The link always comes first. Move it to the top, or leave it out of the list.")
    return keys


Key = Annotated[MatchKey, BeforeValidator(read_match_key)]

DEFAULT_KEYS = (MatchKey.LINK, MatchKey.SERIAL, MatchKey.MAC, MatchKey.NAME)


class TypeKeys(BaseModel):
    """The order of keys of the assets of one Lansweeper type.

    No field may be called ``keys``: Prefect would take the row for a mapping.
    """

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    type: str = Field(
        min_length=1,
        title="Lansweeper type",
        description="As Lansweeper has it, in any case.",
        examples=["Printer"],
    )
    match_keys: list[Key] = Field(
        default=list(DEFAULT_KEYS), title="Match keys", description="Strongest first; link is always first."
    )

    @field_validator("match_keys")
    @classmethod
    def _in_order(cls, keys: list[MatchKey]) -> list[MatchKey]:
        return check_match_keys(keys)


@dataclass(frozen=True)
class KeyOrder:
    """Numbers of keys, the strongest first; ``above``: the stronger ones of each."""

    keys: tuple[int, ...]
    above: Mapping[int, tuple[int, ...]] = field(init=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "above", {key: self.keys[:at] for at, key in enumerate(self.keys)})


USUAL = KeyOrder((SERIAL, MAC, NAME))
"""Serial number, MAC address, name: the order that the connector's page documents."""


@dataclass(frozen=True)
class KeyOrders:
    """The order of most assets, and those of some Lansweeper types, by the type's folded name.

    ``positions``: where the value of a key of ``MAPPED_KEYS`` stands among the mapped fields, by its number.
    """

    usual: KeyOrder = USUAL
    by_type: Mapping[str, KeyOrder] = field(default_factory=dict)
    positions: Mapping[int, int] = field(default_factory=dict)

    @property
    def used(self) -> tuple[int, ...]:
        """The numbers of all keys that any order has."""
        return tuple(sorted({key for order in (self.usual, *self.by_type.values()) for key in order.keys}))

    def grouped(self, records: Sequence[AssetRecord], positions: Iterable[int]) -> dict[KeyOrder, list[int]]:
        """The assets at these positions by their order; a type without one of its own has the usual."""
        if not self.by_type:
            return {self.usual: list(positions)}
        groups: dict[KeyOrder, list[int]] = {}
        for position in positions:
            order = self.by_type.get(folded(records[position].type or ""), self.usual)
            groups.setdefault(order, []).append(position)
        return groups


def key_orders(
    keys: Sequence[MatchKey], by_type: Iterable[TypeKeys], position: Mapping[str, int]
) -> KeyOrders:
    """The orders as a person wrote them, for a mapping whose fields stand at these positions."""
    return KeyOrders(
        _order(keys),
        {folded(each.type): _order(each.match_keys) for each in by_type},
        {number: position[path] for path, number in MAPPED_KEYS.items() if path in position},
    )


def _order(keys: Sequence[MatchKey]) -> KeyOrder:
    numbers: list[str] = list(MATCHED_ON)
    return KeyOrder(tuple(numbers.index(each) for each in keys if each is not MatchKey.LINK))


def key_problems(keys: Sequence[MatchKey], by_type: Sequence[TypeKeys], targets: Iterable[str]) -> list[str]:
    """What is wrong with the orders: keys that no mapping fills, types that stand twice."""
    mapped = set(targets)
    named = dict.fromkeys([*keys, *(key for each in by_type for key in each.match_keys)])
    found = [
        f"{each} is a match key, but no mapping fills it. Map a Lansweeper path to it or take it out."
        for each in named
        if each in MAPPED_KEYS and each not in mapped
    ]
    types = [folded(each.type) for each in by_type]
    twice = [each.type for each in by_type if types.count(folded(each.type)) > 1]
    return found + [
        f"The type {each!r} has more than one order of match keys. Keep one of them." for each in twice[:1]
    ]
