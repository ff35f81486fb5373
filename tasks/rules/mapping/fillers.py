"""Fillers: what manufacturers and scanners put where nothing is known, such as "To be filled by O.E.M.".

A filler counts as absent: it is no key to match by, it is not written, and it overwrites nothing. Two devices
that share one are not the same device. The lists and their sources stand in ``fillers.toml``; a run may add
to them (``MoreFillers``). Values compare by letters and digits alone, without regard to case.

    kind        further fillers by form
    ----------  ---------------------------------------------------------------------------------------
    any         punctuation alone
    serial      one letter repeated; digits that count up from 0 or 1, or down; a version such as 1.0.0;
                a label (``SN-``, ``SYS-``, ...) before one of these or of the list
    tag         one letter four times or more
    model       the letter x repeated
    name        a filler of a text only with four letters or more: short words are names of real computers
    mac         zeros, ones, one byte repeated, multicast addresses

A short filler that is listed with signs (``N/A``) is one with signs only: ``NA`` is a place or a name.
"""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from importlib import resources
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, field_validator

from tasks.rules.values import begins_longer_than, plain_text

_NOT_HEX = str.maketrans("", "", ":-. \t")
_TWELVE_HEX = re.compile(r"[0-9a-f]{12}").fullmatch
_START_OF_HEX = re.compile(r"[0-9a-f]{4,12}").fullmatch
_SIGNS = re.compile(r"[\W_]+")
_ASCII = {point: chr(point).lower() if chr(point).isalnum() else None for point in range(128)}
"""What ``_SIGNS`` and lower case make of each ASCII character, several times as fast."""
_VERSION = re.compile(r"\d(\.\d){1,2}").fullmatch
_LABEL = re.compile(r"serialnumber|serial|asset|sys|atn|oem|sn|mb|ev")
_UP, _DOWN = "0123456789" * 3, "9876543210" * 3
_COUNTED = frozenset(
    {_UP[start : start + length] for start in (0, 1) for length in range(3, 25)}
    | {_DOWN[start : start + length] for start in (0, 1) for length in range(5, 25)}
)
_SHORT = 4
"""Letters below which a word may be a real name."""
_LONGEST = 120
"""Characters above which a text is no filler, so that long ones are not looked through."""
_LIKE_LATIN = str.maketrans("аеорсухіјѕкмтнвԁԛԝһɡαοενρτικυχ", "aeopcyxijskmthbdqwhgaoevptikux")
"""Letters of Cyrillic, Greek and phonetics that look like Latin ones, in lower case or as capitals."""
_STROKES = frozenset("*~=+<>|`^$")


class FillerKind(StrEnum):
    """What a value is: each kind has fillers of its own."""

    TEXT = "text"
    REFERENCE = "reference"
    SERIAL = "serial"
    TAG = "tag"
    MODEL = "model"
    MAKER = "maker"
    NAME = "name"
    IP = "ip"
    MAC = "mac"


_LISTED = (FillerKind.TEXT, FillerKind.REFERENCE, FillerKind.MAKER, FillerKind.IP)
"""Kinds whose fillers are those of the lists, so that no text is one that is longer than all of them."""
OWN_MAC = "own mac"
"""The list of locally administered addresses that are one machine's own all the same."""


class MoreFillers(BaseModel):
    """Fillers that are added to the known ones, by kind."""

    model_config = ConfigDict(extra="forbid")

    texts: list[str] = Field(
        default_factory=list, title="Texts", description="Nothing in any field, such as 'nicht bekannt'."
    )
    serials: list[str] = Field(
        default_factory=list, title="Serial numbers", description="Never linked by, never written."
    )
    tags: list[str] = Field(default_factory=list, title="Asset tags", description="Never written.")
    models: list[str] = Field(default_factory=list, title="Models", description="Never written.")
    makers: list[str] = Field(
        default_factory=list, title="Manufacturers", description="Never written and never created."
    )
    names: list[str] = Field(
        default_factory=list,
        title="Names",
        description="Never linked by; written for a new configuration only, which needs a name.",
    )
    macs: list[str] = Field(
        default_factory=list,
        title="MAC addresses",
        description="Whole addresses, or the start of them, such as 00:50:56:c0: those of docking stations "
        "and of virtual adapters that several computers share.",
    )

    @field_validator("macs")
    @classmethod
    def _hex_digits(cls, values: list[str]) -> list[str]:
        for each in values:
            if not _START_OF_HEX(each.translate(_NOT_HEX).lower()):
                raise ValueError(
                    f"{each!r} is no MAC address. Write 4 to 12 hex digits, such as 00:50:56:c0."
                )
        return values

    @field_validator("texts", "serials", "tags", "models", "makers", "names")
    @classmethod
    def _letters(cls, values: list[str]) -> list[str]:
        for each in values:
            if not squeezed(each):
                raise ValueError(f"{each!r} has no letter and no digit. Write the filler as it is read.")
        return values

    def by_kind(self) -> dict[str, list[str]]:
        """The lists under the names that ``fillers.toml`` has for them."""
        return {
            FillerKind.TEXT: self.texts,
            FillerKind.SERIAL: self.serials,
            FillerKind.TAG: self.tags,
            FillerKind.MODEL: self.models,
            FillerKind.MAKER: self.makers,
            FillerKind.NAME: self.names,
            FillerKind.MAC: self.macs,
        }


def squeezed(text: str) -> str:
    """The letters and digits of a text, without case: the form in which fillers compare."""
    if len(text) > _LONGEST:
        return text.lower()
    if text.isascii():
        return text.translate(_ASCII)
    return _SIGNS.sub("", unicodedata.normalize("NFKC", text).casefold()).translate(_LIKE_LATIN)


def mac_digits(value: Any) -> str | None:
    """The twelve hex digits of a MAC address in lower case, however they are parted; None if it has not."""
    if not isinstance(value, str):
        return None
    digits = value.replace(":", "").replace("-", "").lower()  # Four times as fast as the table below.
    if not _TWELVE_HEX(digits):
        text = plain_text(value)
        digits = text.translate(_NOT_HEX).lower() if text else ""
    return digits if _TWELVE_HEX(digits) else None


@dataclass(frozen=True)
class Fillers:
    """All fillers of a run; ``lists`` are the values as written, by kind."""

    lists: Mapping[str, frozenset[str]] = field(default_factory=dict)

    def and_more(self, more: MoreFillers) -> Fillers:
        """These and those that a person added; nothing can be taken away."""
        added = more.by_kind()
        if not any(added.values()):
            return self
        names = self.lists.keys() | added.keys()
        return Fillers({name: self.lists.get(name, frozenset()) | {*added.get(name, ())} for name in names})

    def test_of(self, kind: FillerKind) -> Callable[[Any], bool]:
        """The function that says whether a value of that kind is a filler."""
        test = self._tests[kind]

        def is_filler(value: Any) -> bool:
            text = plain_text(value)
            return text is None or test(text)

        if kind not in _LISTED:
            return is_filler
        longest = self._longest
        # Software lists and notes are long: the beginning of one says that it stands in no list.
        return lambda value: not begins_longer_than(value, longest) and is_filler(value)

    def is_plain_serial(self, text: str) -> bool:
        """Whether a ``plain_text`` is the filler of a serial number."""
        letters = squeezed(text)
        if letters in self._serials or not letters.strip(letters[:1]):
            return True
        if len(letters) < len(text) and self._is_signed(text, letters, FillerKind.SERIAL):
            return True
        if letters[0] in "saeom" and (label := _LABEL.match(letters)):
            rest = letters[label.end() :]
            return len(rest) >= _SHORT and self.is_plain_serial(rest)
        return "." in text and _VERSION(text) is not None

    def is_plain_name(self, text: str) -> bool:
        """Whether a ``plain_text`` is the filler of a name."""
        letters = squeezed(text)
        if letters in self._letters[FillerKind.NAME]:
            return True
        if len(letters) < _SHORT:
            return len(letters) < len(text) and self._is_listed(text, letters, FillerKind.NAME)
        return letters in self._texts

    def is_shared_mac(self, digits: str) -> bool:
        """Whether twelve hex digits are an address of no card, of a group, or of many cards."""
        return (
            digits[1] in "13579bdf"
            or digits in self._macs
            or digits == digits[:2] * 6
            or digits.startswith(self._mac_starts)
        )

    def is_random_mac(self, digits: str) -> bool:
        """Whether twelve hex digits are locally administered: drawn anew, or the same on many machines."""
        return digits[1] in "26ae" and not digits.startswith(self._own_macs)

    def _is_text(self, text: str) -> bool:
        return self._is_listed(text, squeezed(text), FillerKind.TEXT)

    def _is_reference(self, text: str) -> bool:
        return self._is_listed(text, squeezed(text), FillerKind.REFERENCE)

    def _is_maker(self, text: str) -> bool:
        return self._is_listed(text, squeezed(text), FillerKind.MAKER)

    def _is_tag(self, text: str) -> bool:
        letters = squeezed(text)
        is_one_letter = len(letters) >= _SHORT and not letters.strip(letters[0])
        return is_one_letter or self._is_listed(text, letters, FillerKind.TAG)

    def _is_model(self, text: str) -> bool:
        letters = squeezed(text)
        return not letters.strip("x") or self._is_listed(text, letters, FillerKind.MODEL)

    def _is_ip(self, text: str) -> bool:
        return text in self.lists.get(FillerKind.IP, ()) or self._is_text(text)

    def _is_mac(self, text: str) -> bool:
        digits = mac_digits(text)
        return self._is_text(text) if digits is None else self.is_shared_mac(digits)

    def _is_listed(self, text: str, letters: str, kind: FillerKind) -> bool:
        if letters in self._texts or letters in self._letters[kind]:
            return True
        return len(letters) < len(text) and self._is_signed(text, letters, kind)

    def _is_signed(self, text: str, letters: str, kind: FillerKind) -> bool:
        if len(letters) >= _SHORT:
            return False
        return letters in self._signed[FillerKind.TEXT] or letters in self._signed[kind] or _is_strokes(text)

    @cached_property
    def _longest(self) -> int:
        """Characters of the longest filler of the kinds that have none but the listed."""
        forms = (form for kind in _LISTED for form in (*self._forms(kind), *self.lists.get(kind, ())))
        return max(_LONGEST, *map(len, forms))

    @cached_property
    def _texts(self) -> frozenset[str]:
        return self._letters[FillerKind.TEXT]

    @cached_property
    def _serials(self) -> frozenset[str]:
        return self._texts | self._letters[FillerKind.SERIAL] | _COUNTED

    @cached_property
    def _letters(self) -> dict[FillerKind, frozenset[str]]:
        return {kind: self._forms(kind) - self._signed[kind] for kind in FillerKind}

    @cached_property
    def _signed(self) -> dict[FillerKind, frozenset[str]]:
        """Short fillers that are listed with signs only."""
        return {
            kind: frozenset(
                form
                for form in self._forms(kind)
                if len(form) < _SHORT and form not in {each.casefold() for each in self.lists.get(kind, ())}
            )
            for kind in FillerKind
        }

    def _forms(self, kind: FillerKind) -> frozenset[str]:
        return frozenset(map(squeezed, self.lists.get(kind, ()))) - {""}

    @cached_property
    def _macs(self) -> frozenset[str]:
        return frozenset(each for each in self._digits(FillerKind.MAC) if len(each) == 12)

    @cached_property
    def _mac_starts(self) -> tuple[str, ...]:
        return tuple(each for each in self._digits(FillerKind.MAC) if len(each) < 12)

    @cached_property
    def _own_macs(self) -> tuple[str, ...]:
        return tuple(self._digits(OWN_MAC))

    def _digits(self, name: str) -> Iterable[str]:
        return sorted(each.translate(_NOT_HEX).lower() for each in self.lists.get(name, ()))

    @cached_property
    def _tests(self) -> dict[FillerKind, Callable[[str], bool]]:
        return {
            FillerKind.TEXT: self._is_text,
            FillerKind.REFERENCE: self._is_reference,
            FillerKind.SERIAL: self.is_plain_serial,
            FillerKind.TAG: self._is_tag,
            FillerKind.MODEL: self._is_model,
            FillerKind.MAKER: self._is_maker,
            FillerKind.NAME: self.is_plain_name,
            FillerKind.IP: self._is_ip,
            FillerKind.MAC: self._is_mac,
        }


def _is_strokes(text: str) -> bool:
    """Whether a text is punctuation and blanks alone; a tick or a star may say something."""
    return all(
        each in _STROKES or each.isspace() or unicodedata.category(each).startswith("P") for each in text
    )


def _read() -> Fillers:
    text = resources.files(__package__).joinpath("fillers.toml").read_text(encoding="utf-8")
    lists: dict[str, frozenset[str]] = {}
    for each in tomllib.loads(text)["lists"]:
        lists[each["kind"]] = lists.get(each["kind"], frozenset()) | {*each["values"]}
    return Fillers(lists)


FILLERS = _read()
"""Those of ``fillers.toml``."""
