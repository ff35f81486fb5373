"""Values as the two vendors write them, and the small records that a run keeps of its assets.

``plain_text`` is the form in which texts and keys compare, ``folded`` the form in which names do: one folding
for the whole project.

The wire records are dropped page by page; one small record stays of each, so memory grows with the number of
mapped fields and not with the vendors' records.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Any, Generic, TypeVar, overload

_TRUE = frozenset({"true", "yes", "y", "1", "on"})
_FALSE = frozenset({"false", "no", "n", "0", "off"})

T = TypeVar("T")

INVISIBLE = frozenset(
    {
        *range(0x09),
        *range(0x0E, 0x1C),
        *range(0x7F, 0x85),
        *range(0x86, 0xA0),
        0x00AD,
        0x034F,
        0x061C,
        0x115F,
        0x1160,
        0x17B4,
        0x17B5,
        *range(0x180B, 0x1810),
        *range(0x200B, 0x2010),
        *range(0x202A, 0x202F),
        *range(0x2060, 0x2070),
        0x3164,
        *range(0xD800, 0xE000),
        *range(0xFE00, 0xFE10),
        0xFEFF,
        0xFFA0,
        *range(0xFFF0, 0xFFFC),
        *range(0xE0000, 0xE1000),
    }
)
"""Code points that no person sees: controls that are no blanks, halves of a pair, and Unicode's default
ignorables (DerivedCoreProperties): joiners, direction marks, isolates, soft hyphen, variation selectors."""
_OUT = dict.fromkeys(INVISIBLE)
_JOINERS = {0x200C, 0x200D, *range(0x180B, 0x180E), *range(0xFE00, 0xFE10), *range(0xE0000, 0xE1000)}
_NEVER_WRITTEN = dict.fromkeys(INVISIBLE - _JOINERS)
"""Joiners and variation selectors make letters of Persian and Hindi, and emoji: they don't compare, but stay
in a text that is written."""


def _any_of(points: Iterable[int]) -> Callable[[str], re.Match[str] | None]:
    """Searches a text for the first of the code points, far faster than ``str.translate`` looks each up."""
    ranges: list[list[int]] = []
    for point in sorted(points):
        if ranges and ranges[-1][1] == point - 1:
            ranges[-1][1] = point
        else:
            ranges.append([point, point])
    return re.compile("[" + "".join(f"\\U{low:08x}-\\U{high:08x}" for low, high in ranges) + "]").search


_has_invisible = _any_of(INVISIBLE)
_has_never_written = _any_of(_NEVER_WRITTEN)
_NULL_DATE = re.compile(
    r"[\s\u200b-\u200f\u2060-\u2069\ufeff]*"
    r"(?:000[01]([-/.])\d\d\1\d\d|-000\d-\d\d-\d\d|\d{1,2}[/.]\d{1,2}[/.]000[01])"
    r"(?=[T\s]|$)"
).match
"""The year 0 or 1 in each order and with each sign; ``-0001-11-30`` is what PHP makes of ``0000-00-00``."""
NET_NULL_DATE = "/Date(-62135596800000"
"""How .NET's older JSON writes its smallest moment, the first of January of the year 1. As in each null date
there is ``000`` in it."""


def plain_text(value: Any) -> str | None:
    """Text without outer blanks and invisible marks, composed (NFC); None if nothing is left.

    NFC and not NFKC: two texts that NFC makes equal are one text by Unicode's own rule, while NFKC makes one
    of ``m²`` and ``m2``, which are two names. Numbers become their text (a serial number may come as a
    number); other values give None.
    """
    if not isinstance(value, str):
        if value is None or isinstance(value, bool) or not isinstance(value, int | float):
            return None
        if isinstance(value, float) and not math.isfinite(value):
            return None
        value = str(value)
    text: str = value.strip()
    if text.isascii() and text.isprintable():
        return text or None
    return _composed(text, _OUT, _has_invisible)


def written_text(value: Any) -> str | None:
    """As ``plain_text``, for a text that is written: joiners of letters and emoji stay."""
    if not isinstance(value, str):
        return plain_text(value)
    return _composed(value, _NEVER_WRITTEN, _has_never_written)


def written_line(value: Any) -> str | None:
    """As ``written_text``, on one line: a tab or line break is a blank there."""
    if value.__class__ is str and value.isascii() and value.isprintable():
        return value.strip() or None
    text = written_text(value)
    return text if text is None or text.isprintable() else _LINE_BREAKS.sub(" ", text)


_LINE_BREAKS = re.compile(r"[\t-\r\x1c-\x1f\x85\u2028\u2029]+")


def _composed(value: str, out: dict[int, None], has: Callable[[str], re.Match[str] | None]) -> str | None:
    text = value.strip()
    if text.isascii() and text.isprintable():
        return text or None
    if text.isascii():
        # Of ASCII alone translating is the faster search.
        return text.translate(out).strip() or None
    if has(text):
        text = text.translate(out)
    return unicodedata.normalize("NFC", text).strip() or None


def begins_longer_than(value: Any, length: int) -> bool:
    """Whether the beginning alone shows that ``plain_text`` of the value has more characters than that."""
    if not isinstance(value, str) or len(value) <= length:
        return False
    start = value[: length + 9]
    return start.isascii() and len(start.translate(_OUT).strip()) > length


def folded(name: str) -> str:
    """The form in which names compare: invisible marks out, one normal form, no case, blanks as one.

    Folding twice changes nothing. Case is folded on decomposed text, as Unicode's caseless matching asks. The
    same few names are on thousands of assets, so short ones are folded once and remembered; those without a
    blank are folded as fast as they are looked up.
    """
    if name.isascii() and name.isprintable() and " " not in name:
        return name.lower()
    return _folded_before(name) if len(name) <= _SHORT_NAME else _folded(name)


def _folded(name: str) -> str:
    if name.isascii():
        if not name.isprintable():
            name = name.translate(_OUT)
        return " ".join(name.lower().split())
    if _has_invisible(name):
        name = name.translate(_OUT)
    text = unicodedata.normalize("NFD", name).casefold()
    return " ".join(unicodedata.normalize("NFC", text).split())


_SHORT_NAME = 120
"""Characters of a name that is remembered with its folded form: longer ones would take too much memory."""
_folded_before = lru_cache(maxsize=4096)(_folded)


def is_null_date(value: Any) -> bool:
    """Whether text is a date of the year 0 or 1, by which databases and .NET say that there is none.

    1900-01-01 and 1970-01-01 are dates; of a device's days they are none (``is_before_computers``).
    """
    if not isinstance(value, str) or "000" not in value:
        return False
    return _NULL_DATE(value) is not None or value.lstrip().startswith(NET_NULL_DATE)


FIRST_DAY = date(1970, 1, 2)
"""No device of today was bought, installed or under warranty before it. What stands there is the zero of some
clock: 1601 of Windows, 1753 and 1900 of SQL Server, 1899-12-30 of OLE and Excel, 1970 of Unix, which a time
zone moves by up to 14 hours."""


def is_before_computers(value: Any) -> bool:
    """Whether text is a date before ``FIRST_DAY``, for fields that hold the days of a device alone.

    ISO 8601, day and month before the year in either order, and seconds or milliseconds since 1970 up to 0.
    """
    if not isinstance(value, str) or value[:1] not in _FIRST_OF_EARLY:
        return False
    text = value.strip()
    if text == "0" or (text[0] == "-" and text[1:].isdecimal()):
        return True
    if (found := _DAY_FIRST(text)) is not None:
        return (int(found["year"]), int(found["one"]), int(found["other"])) < (1970, 1, 2)
    moment = read_date_time(text)
    return moment is not None and moment.date() < FIRST_DAY


_FIRST_OF_EARLY = frozenset("0123-")
_DAY_FIRST = re.compile(
    r"(?P<one>\d{1,2})[/.](?P<other>\d{1,2})[/.](?P<year>\d{4})(?=[T\s]|$)", re.ASCII
).match


class Day(str):
    """An ISO text of a field that holds days: its time of day, midnight UTC, says nothing.

    A text otherwise, so that expressions and formats take it as they take the vendor's.
    """

    __slots__ = ()


def read_date_time(value: Any) -> datetime | None:
    """An ISO 8601 date or time, to the whole second, in UTC (also where no zone is named).

    None for anything that can't be read as one, and for null dates.
    """
    if not isinstance(value, str):
        return None
    text = value.strip()
    if len(text) < 10:
        return None
    try:
        moment = datetime.fromisoformat(text)
        if moment.year <= 1:
            return None
        moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return moment.replace(microsecond=0)


def write_date_time(moment: datetime) -> str:
    """The moment as ConnectWise writes it: ``2025-10-11T07:35:18Z``."""
    return moment.replace(tzinfo=None).isoformat() + "Z"


def read_number(value: Any) -> int | float | None:
    """A number, or text that is one; whole numbers come back as int. None for anything else."""
    if isinstance(value, bool):
        return None
    if isinstance(value, str):
        try:
            # Python's own separator of digits is none of a vendor's: ``1_000`` is a name.
            value = value.replace("_", "?")
            value = float(value) if not value.strip().lstrip("+-").isdecimal() else int(value)
        except ValueError:
            return None
    if isinstance(value, float):
        if not math.isfinite(value):
            return None
        return int(value) if value.is_integer() else value
    return value if isinstance(value, int) else None


def read_boolean(value: Any) -> bool | None:
    """A boolean, 0 or 1, or text such as "true", "No", "1"; None for anything else."""
    if isinstance(value, bool):
        return value
    folded = str(value).strip().casefold() if isinstance(value, str | int) else ""
    return True if folded in _TRUE else False if folded in _FALSE else None


@dataclass(slots=True)
class AssetRecord:
    """A Lansweeper asset. ``wanted`` holds one value per field of the compiled mapping, in its order.

    ``type`` is Lansweeper's own; read only where match keys have an order by type.
    """

    key: str
    name: str | None
    serial: str | None
    mac: str | None
    wanted: tuple[Any, ...]
    type: str | None = None


@dataclass(slots=True)
class ConfigurationRecord:
    """A ConnectWise configuration. ``current`` holds one value per field of the compiled mapping.

    References are held by name (``type.name``), custom fields by value; ``asset_key`` is ``ls_asset_id``.
    """

    id: int
    name: str | None
    asset_key: str | None
    serial: str | None
    mac: str | None
    active: bool
    current: tuple[Any, ...]


@dataclass(slots=True)
class FieldChange:
    """One mapped field whose values differ; ``field`` is the ConnectWise path of the mapping.

    Not frozen, as there is one of each value that is written and a frozen one takes three times as long.
    """

    field: str
    current: Any
    wanted: Any


class Rows(Sequence[T], Generic[T]):
    """A sequence that Prefect leaves alone.

    In a flow's answer it visits every item of a list, to find futures; for 15,000 written records that took
    longer than to match them.
    """

    __slots__ = ("_rows",)

    def __init__(self, rows: Iterable[T] = ()) -> None:
        self._rows = tuple(rows)

    @overload
    def __getitem__(self, index: int) -> T: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[T]: ...

    def __getitem__(self, index: int | slice) -> T | Sequence[T]:
        return self._rows[index]

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[T]:
        return iter(self._rows)

    def __repr__(self) -> str:
        return f"Rows({len(self)})"
