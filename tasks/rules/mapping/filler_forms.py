"""What fillers look like: a text squeezed to its letters and digits, parted into words, and counted digits.

Lists say which words and texts are fillers (``fillers.py``); what is one by its form alone stands here.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable

LONGEST = 120
"""Characters above which a text is no filler, so that long ones are not looked through."""
SHORT = 4
"""Letters below which a word may be a real name."""
MANY = 8
"""Digits that no serial number counts up by chance, whatever stands before them."""

_SIGNS = re.compile(r"[\W_]+")
_ASCII = {point: chr(point).lower() if chr(point).isalnum() else None for point in range(128)}
"""What ``_SIGNS`` and lower case make of each ASCII character, several times as fast."""
_LIKE_LATIN = str.maketrans("аеорсухіјѕкмтнвԁԛԝһɡαοενρτικυχ", "aeopcyxijskmthbdqwhgaoevptikux")
"""Letters of Cyrillic, Greek and phonetics that look like Latin ones, in lower case or as capitals."""
_STROKES = frozenset("*~=+<>|`^$")
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[0-9])(?=[A-Z][a-z])")
_WORD = re.compile(r"[^\W_]+")
_PARTS = re.compile(r"\s*[,;|\n]\s*|\s+/\s+").split
may_have_parts = re.compile(r"[\s,;|]").search
"""Whether ``parts_of`` is worth its time."""
_ALPHABET = "abcdefghijklmnopqrstuvwxyz"
_VERSION = re.compile(r"[vV]?\d(\.\d){1,2}").fullmatch
_NUMBERED = re.compile(r"(?P<letters>[a-z]*)(?P<digits>\d{3,})(?P<more>[a-z]*)").fullmatch
_ZEROS = re.compile(r"[a-z]{1,4}0{6,}").fullmatch
_UP, _DOWN = "0123456789" * 3, "9876543210" * 3
COUNTED = frozenset(
    {_UP[start : start + length] for start in (0, 1) for length in range(3, 25)}
    | {_DOWN[start : start + length] for start in (0, 1, 9) for length in range(5, 25)}
)
"""Digits that count up from 0 or 1, or down from 0, 8 or 9."""


def squeezed(text: str) -> str:
    """The letters and digits of a text, without case and accents: the form in which fillers compare."""
    if len(text) > LONGEST:
        return text.lower()
    if text.isascii():
        return text.lower() if text.isalnum() else text.translate(_ASCII)
    # Decomposed, an accent is a sign of its own.
    letters = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", text).casefold())
    return _SIGNS.sub("", letters).translate(_LIKE_LATIN)


def split_words(text: str) -> list[str]:
    """The words of a text, squeezed each; a small letter before a capital parts words, a dot does not."""
    composed = text if text.isascii() else unicodedata.normalize("NFKC", text)
    return [squeezed(word) for word in _WORD.findall(_CAMEL.sub(" ", composed.replace(".", "")))]


def parts_of(text: str) -> set[str]:
    """What a text lists, or the one word that it repeats; empty if it does neither."""
    parts = [part for part in _PARTS(text) if part]
    if len(parts) < 2:
        words = text.split()
        parts = words if len(set(words)) == 1 else []
    return set(parts) if len(parts) > 1 else set()


def is_made_of(letters: str, by_first: dict[str, tuple[str, ...]]) -> bool:
    """Whether letters are words of a list one after the other; in long ones 0 may stand for O."""
    form = letters.replace("0", "o") if len(letters) >= MANY and letters[-1].isalpha() else letters
    if not (form.isalpha() or form.startswith("type")):
        return False
    ends = {0}
    for at, first in enumerate(form):
        if at in ends:
            ends.update(at + len(word) for word in by_first.get(first, ()) if form.startswith(word, at))
    return len(form) in ends


def by_first_letter(words: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """The words that begin with each letter."""
    found: dict[str, tuple[str, ...]] = {}
    for word in sorted(words):
        found[word[0]] = (*found.get(word[0], ()), word)
    return found


def is_version(text: str) -> bool:
    """Whether a text is a version such as 1.0 or v1.0.0."""
    return "." in text and _VERSION(text) is not None


def is_alphabet(letters: str) -> bool:
    """Whether letters count up from a, three at least."""
    return len(letters) > 2 and _ALPHABET.startswith(letters)


def may_be_numbered(letters: str) -> bool:
    """Whether ``is_numbered`` is worth its time, which it is for few serial numbers."""
    digits = letters.strip(_ALPHABET)
    return len(digits) > 2 and (digits in COUNTED or not digits.strip(digits[0]))


def is_numbered(letters: str, is_label: Callable[[str], object]) -> bool:
    """Whether counted digits or one digit repeated stand beside letters that say no more than they do.

    That is a label, or letters that count up from a; up to four letters before many digits, and A, AB, ABC
    after.
    """
    found = _NUMBERED(letters)
    if found is None or not (found["letters"] or found["more"]):
        return False
    before, digits, after = found["letters"], found["digits"], found["more"]
    is_counted = digits in COUNTED
    if not is_counted and digits.strip(digits[0]):
        return False
    if not after and len(digits) >= SHORT and before and is_label(before):
        return True
    if not is_counted or not _ALPHABET.startswith(after):
        return _ZEROS(letters) is not None
    if len(digits) >= MANY:
        return len(before) <= SHORT
    return not after and len(before) > 1 and _ALPHABET.startswith(before)


def is_strokes(text: str) -> bool:
    """Whether a text is punctuation and blanks alone; a tick or a star may say something."""
    return all(
        each in _STROKES or each.isspace() or unicodedata.category(each).startswith("P") for each in text
    )
