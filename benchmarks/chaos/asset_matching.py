"""Which configuration an asset belongs to, written once more by hand (docs/spec.md, design 4.3).

Values are compared by keys in normal form. Only the lists of known fillers are the product's own
(``fillers.toml``); none of its functions is called.
"""

from __future__ import annotations

import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from itertools import pairwise
from typing import Any, Literal

from tasks.rules.mapping.fillers import FILLERS

HEX = frozenset("0123456789abcdef")
LISTS = FILLERS.lists
RANDOM, MULTICAST = "26ae", "13579bdf"
"""The second digit of a locally administered address, and of a group's."""
SERIAL, MAC, NAME = range(3)
WORDS = ("serial number", "MAC address", "name")
Forms = tuple[str | None, str | None, str | None]
"""Serial number, MAC address and name in normal form; None where the value can't link."""


def plain(value: Any) -> str | None:
    """Text without what nobody sees: outer blanks and characters of the category format; None for nothing."""
    if value is None or isinstance(value, bool | list | dict):
        return None
    shown = "".join(each for each in str(value) if unicodedata.category(each) != "Cf")
    return unicodedata.normalize("NFC", shown).strip() or None


def letters(text: str) -> str:
    """What is a letter or digit, without case."""
    return "".join(each for each in text.casefold() if each.isalnum())


def is_filler(value: Any, kind: str = "text") -> bool:
    """Whether a value says nothing: by the lists of its kind and of any text.

    A short one that is listed with signs is one with signs only; no short word is one of a name.
    """
    text = plain(value)
    if text is None or not letters(text):
        return True
    form = letters(text)
    with_signs, plainly = listed(kind)
    if len(form) < 4 and kind == "name":
        return text != form and form in plainly
    if len(form) < 4 and text.casefold() == form:
        return form in with_signs
    return form in plainly


@cache
def listed(kind: str) -> tuple[frozenset[str], frozenset[str]]:
    """The fillers of a kind and of any text without case, and without case and signs."""
    words = {each for name in ("text", kind) for each in LISTS.get(name, ())}
    return frozenset(each.casefold() for each in words), frozenset(map(letters, words))


def counts(text: str) -> bool:
    """Digits that count up from 0 or 1, or a long way down."""
    if not text.isdecimal():
        return False
    steps = {(int(after) - int(before)) % 10 for before, after in pairwise(text)}
    up, down = steps == {1} and text[0] in "01" and len(text) > 2, steps == {9} and text[0] in "98"
    return up or (down and len(text) > 4)


def digits(value: Any) -> str | None:
    """The twelve hex digits of a MAC address."""
    text = (plain(value) or "").lower()
    found = "".join(each for each in text if each not in ":-. \t")
    return found if len(found) == 12 and HEX.issuperset(found) else None


def is_filler_serial(value: Any) -> bool:
    """Also one letter repeated, counted digits, and a label before a filler."""
    text = plain(value)
    if text is None or is_filler(text, "serial"):
        return True
    form = letters(text)
    if len(set(form)) == 1 or counts(form):
        return True
    for label in ("serialnumber", "serial", "asset", "sys", "atn", "oem", "sn", "mb", "ev"):
        if form.startswith(label):
            return len(form) > len(label) + 3 and is_filler_serial(form.removeprefix(label))
    return False


def serial_key(value: Any, case_sensitive: bool) -> str | None:
    """A serial number to link by: no filler."""
    text = plain(value)
    if text is None or is_filler_serial(text):
        return None
    return text if case_sensitive else text.casefold()


def is_no_card(found: str) -> bool:
    """Whether twelve hex digits are listed, whole or by their start, a group's, or one byte repeated."""
    starts = ("".join(each for each in one.lower() if each in HEX) for one in LISTS["mac"])
    return any(map(found.startswith, starts)) or found[1] in MULTICAST or found == found[:2] * 6


def mac_key(value: Any) -> str | None:
    """A MAC address to link by: of one real card, and not drawn anew."""
    found = digits(value)
    if found is None or is_no_card(found):
        return None
    return None if found[1] in RANDOM and not found.startswith("525400") else found


def name_key(value: Any, case_sensitive: bool) -> str | None:
    """A name to link by: one that somebody gave."""
    text = plain(value)
    if text is None or is_filler(text, "name"):
        return None
    return text if case_sensitive else text.casefold()


def is_address(name: str) -> bool:
    parts = name.split(".")
    if len(parts) == 4 and all(each.isdecimal() and len(each) <= 3 for each in parts):
        return True
    return name.count(":") >= 2 and set(name.lower()) <= HEX | {":", "."}


def moment(value: Any) -> datetime | None:
    """A date or time to the whole second in UTC."""
    try:
        found = datetime.fromisoformat(str(value).strip())
    except ValueError:
        return None
    return (found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)).replace(microsecond=0)


def wire_moment(value: Any) -> str | None:
    """A Lansweeper date as ConnectWise writes it; text that is none stays, the year 1 is nothing."""
    text = plain(value) or ""
    found = moment(value) if text else None
    if is_filler(text) or text.startswith(("0000-", "0001-")):
        return None
    return text if found is None else f"{found:%Y-%m-%dT%H:%M:%SZ}"


def software_lines(items: Iterable[Any], limit: int) -> str | None:
    """``name version`` a line, each once, sorted, cut with a last line that says how many more."""
    named = [each for each in items or () if plain(each.get("name"))]
    lines = {" ".join(f"{each.get('name') or ''} {each.get('version') or ''}".split()) for each in named}
    told = sorted(lines, key=lambda line: (line.casefold(), line))
    if len(told) > limit:
        told = [*told[:limit], f"... and {len(told) - limit} more"]
    return "\n".join(told) or None


def same(kind: str, have: Any, want: Any) -> bool:
    """Whether ConnectWise's value says what is wanted; ``kind`` is one of the model's fields."""
    if have is None or want is None:
        return plain(have) == plain(want)
    if kind == "reference":
        return (plain(have) or "").casefold() == (plain(want) or "").casefold()
    if kind == "mac" and digits(have):
        return digits(have) == digits(want)
    mine, theirs = (moment(have), moment(want)) if kind == "date" else (None, None)
    if mine and theirs:
        days = any(each.time() == datetime.min.time() for each in (mine, theirs))
        return mine.date() == theirs.date() if days else mine == theirs
    return (plain(have) or "").replace("\r\n", "\n") == (plain(want) or "").replace("\r\n", "\n")


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
        free = [
            each for each in held if each.id not in self._taken and not self._is_ruled_out(asset, each, key)
        ]
        if not free:
            return None
        if len(held) == 1 and self._number[key][form] == 1 and self._is_certain(asset, free[0], key):
            return free[0]
        self._doubts[asset.key].append({each.id for each in free})
        return None

    def _is_certain(self, asset: Side, candidate: Side, key: int) -> bool:
        if key == NAME and is_address(asset.forms[NAME] or ""):
            return False
        if _differ(asset, candidate, key):
            return False
        open_doubts = [ids for ids in self._doubts[asset.key] if ids - self._taken]
        if any(candidate.id not in ids for ids in open_doubts):
            return False
        return not any(self._is_anothers(asset, candidate, stronger) for stronger in range(key))

    def _is_ruled_out(self, asset: Side, configuration: Side, key: int) -> bool:
        """Whether a stronger key differs that one asset has and one configuration."""
        return any(
            _differ_in(asset, configuration, stronger)
            and self._number[stronger][asset.forms[stronger]] == 1
            and len(self._held[stronger][configuration.forms[stronger] or ""]) == 1
            for stronger in range(key)
        )

    def _is_anothers(self, asset: Side, candidate: Side, key: int) -> bool:
        """Whether a key of the configuration that this asset does not have is on another asset."""
        form = candidate.forms[key]
        if form is None or form == asset.forms[key]:
            return False
        others = [each for each in self._assets if each.forms[key] == form]
        return any(not _differ(each, candidate, key) for each in others)


def _differ(asset: Side, configuration: Side, key: int) -> bool:
    """Whether a key stronger than this one is known on both sides and differs by more than case."""
    return any(_differ_in(asset, configuration, stronger) for stronger in range(key))


def _differ_in(asset: Side, configuration: Side, key: int) -> bool:
    mine, theirs = asset.forms[key], configuration.forms[key]
    return bool(mine and theirs and mine.casefold() != theirs.casefold())
