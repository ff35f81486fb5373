"""Fillers: what manufacturers and scanners put where nothing is known, such as "To be filled by O.E.M.".

A filler counts as absent: it is no key to match by, it is not written, and it overwrites nothing. Two devices
that share one are not the same device. The lists and their sources stand in ``fillers.toml``; a run may add
to them (``MoreFillers``). Values compare by letters and digits alone, without regard to case.

    kind            further fillers by form
    --------------  -----------------------------------------------------------------------------------
    any             punctuation alone; one filler several times (``N/A, N/A``); words for nothing with the
                    words that go with them and names of fields (``No description available``)
    serial          one letter repeated; digits that count up from 0 or 1, or down, also after letters that
                    do; a version such as 1.0.0; a label (``SN-``, ``SYS-``, ...) before one of these or of
                    the list; names of fields and words beside them alone (``Type2 - Board Serial Number``)
    tag             one letter four times or more, zeros, eight counted digits; as serials, names of fields
    model, maker    zeros, the letter x repeated; two or more names of fields and words beside them
    name            a filler of a text only with four letters or more: short words are names of real
                    computers
    mac             those of ``addresses.is_no_cards``
    ip, gateway     those of ``addresses.is_no_machines_ip``
    day             before the second of January 1970 (``values.is_before_computers``)

A short filler that is listed with signs (``N/A``) is one with signs only: ``NA`` is a place or a name.
Accents don't count, and 0 stands for O in a phrase.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from importlib import resources
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, field_validator

from tasks.rules.mapping.addresses import (
    is_no_cards,
    is_no_machines_ip,
    is_zero_address,
    mac_digits,
    mac_start,
)
from tasks.rules.mapping.filler_forms import (
    COUNTED,
    LONGEST,
    MANY,
    SHORT,
    by_first_letter,
    is_alphabet,
    is_made_of,
    is_numbered,
    is_strokes,
    is_version,
    may_be_numbered,
    may_have_parts,
    parts_of,
    split_words,
    squeezed,
)
from tasks.rules.values import begins_longer_than, is_before_computers, plain_text

_HEX_PREFIX = "0x"
_LOWER = "abcdefghijklmnopqrstuvwxyz"


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
    GATEWAY = "gateway"
    MAC = "mac"
    DAY = "day"


_LISTED = (
    FillerKind.TEXT, FillerKind.REFERENCE, FillerKind.MAKER, FillerKind.IP, FillerKind.GATEWAY
)  # fmt: skip
"""Kinds whose fillers are as long as those of the lists at most."""
_BY_WORDS = (FillerKind.TEXT, FillerKind.REFERENCE)
"""Kinds whose fillers are texts of the lists and phrases of their words, and no others."""
OWN_MAC = "own mac"
"""The list of locally administered addresses that are one machine's own all the same."""
NOTHING, BESIDE, FIELD, LABEL, THING = "nothing", "beside", "field", "label", "thing"
"""The lists of words that fillers are made of."""


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
            if mac_start(each) is None:
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

        def is_listed_filler(value: Any) -> bool:
            # Software lists and notes are long: the beginning of one says that it stands in no list.
            if value.__class__ is str and len(value) > longest and begins_longer_than(value, longest):
                return False
            text = plain_text(value)
            return text is None or test(text)

        return is_listed_filler

    def is_plain_serial(self, text: str) -> bool:
        """Whether a ``plain_text`` is the filler of a serial number."""
        letters = squeezed(text)
        if letters in self._serials or not letters.strip(letters[:1]):
            return True
        if (
            len(letters) < SHORT
            and len(letters) < len(text)
            and self._is_signed(text, letters, FillerKind.SERIAL)
        ):
            return True
        if letters.isdecimal() or len(letters) > LONGEST:
            return is_version(text)
        if letters.isalpha():
            return is_alphabet(letters) or is_made_of(letters, self._in_serials) or self._is_labelled(letters)
        if may_be_numbered(letters) and is_numbered(letters, self._is_label):
            return True
        if letters.startswith(_HEX_PREFIX) and len(letters) > len(_HEX_PREFIX):
            return self.is_plain_serial(letters[len(_HEX_PREFIX) :])
        if "." in text and is_version(text):
            return True
        # No other digit is one of a word; most serial numbers have one.
        may_be_words = letters.replace("0", "").isalpha() or letters.startswith("type")
        return may_be_words and is_made_of(letters, self._in_serials)

    def _is_labelled(self, letters: str) -> bool:
        """Whether a label stands before one letter that is repeated."""
        rest = letters.rstrip(letters[-1])
        return len(letters) - len(rest) >= SHORT and bool(rest) and self._is_label(rest)

    def is_plain_name(self, text: str) -> bool:
        """Whether a ``plain_text`` is the filler of a name."""
        letters = squeezed(text)
        if letters in self._letters[FillerKind.NAME]:
            return True
        if len(letters) < SHORT:
            return len(letters) < len(text) and self._is_listed(text, letters, FillerKind.NAME)
        if letters in self._texts or (letters.isalpha() and self._says_nothing(text)):
            return True
        return "." in text and self._is_localhost(text)

    def _is_localhost(self, text: str) -> bool:
        """Whether the name before the domain is that of every computer."""
        name = squeezed(text.partition(".")[0])
        return len(name) >= SHORT and (name in self._letters[FillerKind.NAME] or name in self._texts)

    def is_shared_mac(self, digits: str) -> bool:
        """Whether twelve hex digits are an address of no card, of a group, or of many cards."""
        if digits in self._macs or is_no_cards(digits):
            return True
        return digits[:4] in self._four_of_starts and digits.startswith(self._mac_starts)

    def is_random_mac(self, digits: str) -> bool:
        """Whether twelve hex digits are locally administered: drawn anew, or the same on many machines."""
        return digits[1] in "26ae" and not digits.startswith(self._own_macs)

    def _is_text(self, text: str) -> bool:
        return not self._begins_otherwise(text) and self._is_listed(text, squeezed(text), FillerKind.TEXT)

    def _is_reference(self, text: str) -> bool:
        if self._begins_otherwise(text):
            return False
        return self._is_listed(text, squeezed(text), FillerKind.REFERENCE)

    def _is_maker(self, text: str) -> bool:
        return self._is_product(text, FillerKind.MAKER)

    def _is_model(self, text: str) -> bool:
        return self._is_product(text, FillerKind.MODEL)

    def _is_product(self, text: str, kind: FillerKind) -> bool:
        letters = squeezed(text)
        if self._is_listed(text, letters, kind):
            return True
        if letters and (not letters.strip("0") or (len(letters) > 1 and not letters.strip("x"))):
            return True
        if len(letters) >= MANY and letters in COUNTED:
            return True
        if len(text) > LONGEST:
            return False
        # One or two digits number a field; more may be the model.
        words = [
            word.rstrip("0123456789") for word in split_words(text) if len(word) > 2 or not word.isdecimal()
        ]
        return len(words) > 1 and self._words.issuperset(words)

    def _is_tag(self, text: str) -> bool:
        letters = squeezed(text)
        if self._is_listed(text, letters, FillerKind.TAG):
            return True
        if not letters:
            return False
        if not letters.strip("0") or (len(letters) >= SHORT and not letters.strip(letters[0])):
            return True
        if len(letters) < MANY:
            return letters.isalpha() and is_made_of(letters, self._in_tags)
        digits = letters.lstrip(_LOWER)
        if len(digits) > SHORT and (digits in COUNTED or not digits.strip(digits[0])):
            return len(digits) == len(letters) or self._is_label(letters[: -len(digits)])
        return is_made_of(letters, self._in_tags)

    def _is_ip(self, text: str) -> bool:
        return is_no_machines_ip(text) or self._is_text(text)

    def _is_gateway(self, text: str) -> bool:
        return is_no_machines_ip(text, link_local=False) or self._is_text(text)

    def _is_day(self, text: str) -> bool:
        return is_before_computers(text) or self._is_text(text)

    def _is_mac(self, text: str) -> bool:
        digits = mac_digits(text)
        return self._is_text(text) or is_zero_address(text) if digits is None else self.is_shared_mac(digits)

    def _is_listed(self, text: str, letters: str, kind: FillerKind) -> bool:
        if letters in self._texts or letters in self._letters[kind]:
            return True
        if len(letters) < SHORT:
            return len(letters) < len(text) and self._is_signed(text, letters, kind)
        if len(text) > LONGEST:
            return False
        # Most texts that one asset alone has hold digits or are one word.
        if (letters.isalpha() or letters.replace("0", "").isalpha()) and self._says_nothing(text):
            return True
        if may_have_parts(text) is None or not (parts := parts_of(text)):
            return False
        return all(self._is_listed(part, squeezed(part), kind) for part in parts)

    def _says_nothing(self, text: str) -> bool:
        """Whether a text of several words has a word for nothing, and the others only go with one."""
        if len(text) > LONGEST or (text.isalpha() and (text.islower() or text.isupper())):
            return False
        words = split_words(text)
        if len(words) < 2 or not self._words.issuperset(words):
            return False
        return not self._nothing.isdisjoint((*words, " ".join(words[:2])))

    def _is_signed(self, text: str, letters: str, kind: FillerKind) -> bool:
        """Whether fewer than ``SHORT`` letters are a filler for the signs that stand with them."""
        return letters in self._signed[FillerKind.TEXT] or letters in self._signed[kind] or is_strokes(text)

    @cached_property
    def _longest(self) -> int:
        """Characters of the longest filler of the kinds that have none but the listed."""
        forms = (form for kind in _LISTED for form in (*self._forms(kind), *self.lists.get(kind, ())))
        return max(LONGEST, *map(len, forms))

    @cached_property
    def _starts(self) -> tuple[frozenset[str], frozenset[str]]:
        """What each listed text and each word begins with, two letters and three; those that are shorter."""
        listed = (each for kind in _BY_WORDS for each in self.lists.get(kind, ()))
        forms = self._words.union(map(squeezed, listed))
        starts = frozenset(form[:length] for form in forms for length in (2, 3))
        return starts, frozenset(form for form in forms if len(form) < 3)

    def _begins_otherwise(self, text: str) -> bool:
        """Whether the beginning of a text shows that it is no filler by its words, as that of most does."""
        if not text.isascii():
            return False
        starts, short = self._starts
        if (start := text[:3].lower()).isalnum():
            return start not in starts and start[:2] not in short and start[:1] not in short
        return start[:2].isalnum() and start[:2] not in starts

    @cached_property
    def _texts(self) -> frozenset[str]:
        return self._letters[FillerKind.TEXT]

    @cached_property
    def _serials(self) -> frozenset[str]:
        return self._texts | self._letters[FillerKind.SERIAL] | COUNTED

    @cached_property
    def _letters(self) -> dict[FillerKind, frozenset[str]]:
        return {kind: self._forms(kind) - self._signed[kind] for kind in FillerKind}

    @cached_property
    def _signed(self) -> dict[FillerKind, frozenset[str]]:
        """Short fillers that are listed with signs only."""
        return {
            kind: frozenset(form for form in self._forms(kind) if len(form) < SHORT)
            - {squeezed(each) for each in self.lists.get(kind, ()) if each.isalnum()}
            for kind in FillerKind
        }

    @cached_property
    def _nothing(self) -> frozenset[str]:
        return frozenset(self.lists.get(NOTHING, ()))

    @cached_property
    def _words(self) -> frozenset[str]:
        """Every word of a phrase; of a word for nothing that is two, each."""
        listed = (word for name in (NOTHING, BESIDE, FIELD) for word in self.lists.get(name, ()))
        return frozenset(squeezed(part) for word in listed for part in word.split())

    @cached_property
    def _in_tags(self) -> dict[str, tuple[str, ...]]:
        return by_first_letter(self._words)

    @cached_property
    def _in_serials(self) -> dict[str, tuple[str, ...]]:
        return by_first_letter(self._words | set(map(squeezed, self.lists.get(THING, ()))))

    @cached_property
    def _labels(self) -> dict[str, tuple[str, ...]]:
        return by_first_letter(squeezed(each) for name in (FIELD, LABEL) for each in self.lists.get(name, ()))

    def _is_label(self, letters: str) -> bool:
        return is_made_of(letters, self._labels)

    def _forms(self, kind: FillerKind) -> frozenset[str]:
        return frozenset(map(squeezed, self.lists.get(kind, ()))) - {""}

    @cached_property
    def _macs(self) -> frozenset[str]:
        return frozenset(each for each in self._digits(FillerKind.MAC) if len(each) == 12)

    @cached_property
    def _mac_starts(self) -> tuple[str, ...]:
        return tuple(each for each in self._digits(FillerKind.MAC) if len(each) < 12)

    @cached_property
    def _four_of_starts(self) -> frozenset[str]:
        """What each start begins with: most addresses begin otherwise, and a set is asked faster."""
        return frozenset(each[:4] for each in self._mac_starts)

    @cached_property
    def _own_macs(self) -> tuple[str, ...]:
        return tuple(self._digits(OWN_MAC))

    def _digits(self, name: str) -> Iterable[str]:
        return sorted(mac_start(each) or each for each in self.lists.get(name, ()))

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
            FillerKind.GATEWAY: self._is_gateway,
            FillerKind.DAY: self._is_day,
            FillerKind.MAC: self._is_mac,
        }


def _read() -> Fillers:
    text = resources.files(__package__).joinpath("fillers.toml").read_text(encoding="utf-8")
    lists: dict[str, frozenset[str]] = {}
    for each in tomllib.loads(text)["lists"]:
        lists[each["kind"]] = lists.get(each["kind"], frozenset()) | {*each["values"]}
    return Fillers(lists)


FILLERS = _read()
"""Those of ``fillers.toml``."""
