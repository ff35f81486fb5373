"""What an answer must look like at a client's edge: a function gives the value back typed, or says what came.

A ``ShapeError`` becomes the typed error with vendor and request where the session reads the answer
(``HttpSession.read``); so does any other exception of a reading function.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

T = TypeVar("T")
LARGEST_NUMBER = 2**63 - 1
_LONGEST_SHOWN = 60


class ShapeError(ValueError):
    """A part of an answer is not what the vendor documents; the text is short and names the part."""


def described(value: Any) -> str:
    """A value of an answer in a few words: of a text its beginning, of lists and objects their size."""
    if value is None:
        return "nothing"
    if isinstance(value, str):
        return f"the text {value[:_LONGEST_SHOWN]!r}"
    if isinstance(value, bool | int | float):
        return f"{value!r}"[:_LONGEST_SHOWN]
    if isinstance(value, list):
        return f"a list of {len(value)}"
    if isinstance(value, dict):
        names = ", ".join(str(name)[:20] for name in list(value)[:5])
        return f"an object with {names or 'no members'}"
    return f"a {type(value).__name__}"


def as_object(value: Any, what: str = "the answer") -> dict[str, Any]:
    """An object with any members."""
    if not isinstance(value, dict):
        raise ShapeError(f"{what} should be an object but is {described(value)}")
    return value


def as_list(value: Any, what: str = "the answer") -> list[Any]:
    """A list of anything."""
    if not isinstance(value, list):
        raise ShapeError(f"{what} should be a list but is {described(value)}")
    return value


def as_objects(value: Any, what: str = "the answer") -> list[dict[str, Any]]:
    """A list in which every entry is an object: one that is none can't be told from a lost record."""
    entries = as_list(value, what)
    # Most pages are right, and quickly known to be so.
    if set(map(type, entries)) <= {dict}:
        return entries
    for number, entry in enumerate(entries, start=1):
        if not isinstance(entry, dict):
            raise ShapeError(f"entry {number} of {what} should be an object but is {described(entry)}")
    return entries


def as_text(value: Any, what: str) -> str:
    """A text that is not empty."""
    if not isinstance(value, str) or not value:
        raise ShapeError(f"{what} should be a text but is {described(value)}")
    return value


def as_number(value: Any, what: str, least: int = 0) -> int:
    """A whole number from ``least``; a text of digits counts as one."""
    number = int(value) if isinstance(value, str) and is_digits(value) else value
    if isinstance(number, float) and number.is_integer():
        number = int(number)
    if isinstance(number, bool) or not isinstance(number, int) or not least <= number <= LARGEST_NUMBER:
        raise ShapeError(f"{what} should be a whole number from {least} but is {described(value)}")
    return number


def is_digits(text: str) -> bool:
    """Whether the text is a number that a 64-bit integer can hold, in digits only."""
    return text.isascii() and text.isdigit() and len(text) <= 18


def as_ids(records: Sequence[dict[str, Any]], what: str = "the answer") -> list[int]:
    """The ``id`` of each record, a positive whole number."""
    ids: list[Any] = [record.get("id") for record in records]
    if set(map(type, ids)) <= {int} and min(ids, default=1) > 0 and max(ids, default=1) <= LARGEST_NUMBER:
        return ids
    for number, each in enumerate(ids, start=1):
        if each.__class__ is not int or not 0 < each <= LARGEST_NUMBER:
            raise ShapeError(f"entry {number} of {what} should have an id but has {described(each)}")
    return ids


def optional(read: Callable[[Any, str], T], value: Any, what: str) -> T | None:
    """What ``read`` gives, None for a member that is missing or null."""
    return None if value is None else read(value, what)
