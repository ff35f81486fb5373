"""Values as the model compares them, by hand after design 4.3 and 4.4: keys in normal form, and sameness.

Only the lists of known fillers are the product's own; none of its functions is called.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from tasks.rules.asset_sync.keys import FILLER_MACS, FILLER_NAMES, FILLER_SERIALS, FILLERS

HEX = frozenset("0123456789abcdef")
NO_CARD = ("000000000000", "ffffffffffff")


def plain(value: Any) -> str | None:
    """Text without what nobody sees: outer blanks and characters of the category format; None for nothing."""
    if value is None or isinstance(value, bool | list | dict):
        return None
    shown = "".join(each for each in str(value) if unicodedata.category(each) != "Cf")
    return unicodedata.normalize("NFC", shown).strip() or None


def is_filler(value: Any) -> bool:
    """Whether the value says in words that nothing is known."""
    text = plain(value)
    return text is None or text.casefold() in FILLERS


def digits(value: Any) -> str | None:
    """The twelve hex digits of a MAC address."""
    text = (plain(value) or "").lower()
    found = "".join(each for each in text if each not in ":-. \t")
    return found if len(found) == 12 and HEX.issuperset(found) else None


def serial_key(value: Any, case_sensitive: bool) -> str | None:
    """A serial number to link by: no filler, and not one letter repeated."""
    text = plain(value)
    if text is None or text.casefold() in FILLER_SERIALS or len(set(text.casefold())) == 1:
        return None
    return text if case_sensitive else text.casefold()


def mac_key(value: Any) -> str | None:
    """A MAC address to link by: of one real card, no group."""
    found = digits(value)
    return None if found is None or found in FILLER_MACS or int(found[1], 16) % 2 else found


def name_key(value: Any, case_sensitive: bool) -> str | None:
    """A name to link by: one that somebody gave."""
    text = plain(value)
    if text is None or text.casefold() in FILLER_NAMES:
        return None
    return text if case_sensitive else text.casefold()


def is_address(name: str) -> bool:
    """Whether a name is an IP address and nothing else."""
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
    """A Lansweeper date as ConnectWise writes it; text that is none stays."""
    found = moment(value) if plain(value) else None
    return plain(value) if found is None else f"{found:%Y-%m-%dT%H:%M:%SZ}"


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
