"""How many ids fit in one question: an address has 2,000 characters, the body of a search 10,000."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

EVENNESS = 0.97
"""Groups of even number differ a little in length: cut a little smaller, all of them have room."""


@dataclass(frozen=True, slots=True)
class Room:
    """``characters`` for the ids of one list, ``comma`` of them for each one between two ids.

    ``most`` ids at most, whatever their length; None: no such limit.
    """

    characters: int
    comma: int = 1
    most: int | None = None


def fewest_groups(ids: Sequence[int], room: Room) -> int:
    """Into how many groups of even size the ids have to be cut at least."""
    if not ids:
        return 0
    if room.most is not None:
        return math.ceil(len(ids) / room.most)
    length = sum(len(str(each)) + room.comma for each in ids)
    return math.ceil(length / max(1, room.characters * EVENNESS))


def cut(ids: Sequence[int], room: Room) -> Iterator[list[int]]:
    """The ids in as many lists as have room."""
    held: list[int] = []
    length = 0
    for each in ids:
        more = len(str(each)) + room.comma
        if held and (length + more > room.characters or len(held) == room.most):
            yield held
            held, length = [], 0
        held.append(each)
        length += more
    if held:
        yield held
