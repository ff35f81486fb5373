"""Dates in the format of moment.js, whose tokens the documented action Date Convert takes.

Known: YYYY YY MMMM MMM MM M DD D HH H hh h mm m ss s SSS A a X (seconds since 1970) x (milliseconds) Z
(offset), and text in square brackets. Month names are English.
"""

from __future__ import annotations

import re
from calendar import month_abbr, month_name
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo

from tasks.rules.values import is_null_date

LAST_SHORT_YEAR = 68
"""moment.js reads 68 as 2068 and 69 as 1969."""
_TOKEN = re.compile(
    r"\[([^\]]*)\]|(YYYY|YY|MMMM|MMM|MM|M|DD|D|HH|H|hh|h|mm|m|SSS|ss|s|A|a|X|x|Z)|([A-Za-z]+)|(.)", re.DOTALL
)
_MONTHS = "|".join(month_name[1:])
_SHORT_MONTHS = "|".join(month_abbr[1:])
_PATTERNS = {
    "YYYY": r"(?P<year>\d{4})",
    "YY": r"(?P<short_year>\d{2})",
    "MMMM": rf"(?P<month_name>{_MONTHS})",
    "MMM": rf"(?P<month_abbr>{_SHORT_MONTHS})",
    "MM": r"(?P<month>\d{2})",
    "M": r"(?P<month>\d{1,2})",
    "DD": r"(?P<day>\d{2})",
    "D": r"(?P<day>\d{1,2})",
    "HH": r"(?P<hour>\d{2})",
    "H": r"(?P<hour>\d{1,2})",
    "hh": r"(?P<hour12>\d{2})",
    "h": r"(?P<hour12>\d{1,2})",
    "mm": r"(?P<minute>\d{2})",
    "m": r"(?P<minute>\d{1,2})",
    "ss": r"(?P<second>\d{2})",
    "s": r"(?P<second>\d{1,2})",
    "SSS": r"(?P<milli>\d{3})",
    "A": r"(?P<half>[AaPp][Mm])",
    "a": r"(?P<half>[AaPp][Mm])",
    "X": r"(?P<seconds>-?\d+(?:\.\d+)?)",
    "x": r"(?P<milliseconds>-?\d+)",
    "Z": r"(?P<offset>Z|[+-]\d{2}:?\d{2})",
}
_WRITERS: dict[str, Callable[[datetime], str]] = {
    "YYYY": lambda at: f"{at.year:04d}",
    "YY": lambda at: f"{at.year % 100:02d}",
    "MMMM": lambda at: month_name[at.month],
    "MMM": lambda at: month_abbr[at.month],
    "MM": lambda at: f"{at.month:02d}",
    "M": lambda at: str(at.month),
    "DD": lambda at: f"{at.day:02d}",
    "D": lambda at: str(at.day),
    "HH": lambda at: f"{at.hour:02d}",
    "H": lambda at: str(at.hour),
    "hh": lambda at: f"{at.hour % 12 or 12:02d}",
    "h": lambda at: str(at.hour % 12 or 12),
    "mm": lambda at: f"{at.minute:02d}",
    "m": lambda at: str(at.minute),
    "ss": lambda at: f"{at.second:02d}",
    "s": lambda at: str(at.second),
    "SSS": lambda at: f"{at.microsecond // 1000:03d}",
    "A": lambda at: "AM" if at.hour < 12 else "PM",
    "a": lambda at: "am" if at.hour < 12 else "pm",
    "X": lambda at: str(int(at.timestamp())),
    "x": lambda at: str(int(at.timestamp() * 1000)),
    "Z": lambda at: at.strftime("%z")[:3] + ":" + at.strftime("%z")[3:5],
}


def format_problems(pattern: str) -> list[str]:
    """What of a format is no token: letters that moment.js would read and this does not."""
    unknown = [match[3] for match in _TOKEN.finditer(pattern) if match[3]]
    names = [name for token in _tokens(pattern) for name in re.findall(r"\?P<(\w+)>", _PATTERNS[token])]
    twice = sorted(name for name, count in Counter(names).items() if count > 1)
    return [
        *(f"{word!r} is no date token; put plain text in [brackets]" for word in unknown),
        *(f"the {name} stands in the format twice" for name in twice),
    ]


def names_a_day(pattern: str) -> bool:
    """Whether text of this format names a year, month and day, or seconds since 1970."""
    tokens = set(_tokens(pattern))
    needed = ({"YYYY", "YY"}, {"MMMM", "MMM", "MM", "M"}, {"DD", "D"})
    return bool(tokens & {"X", "x"}) or all(tokens & one for one in needed)


def zone_of(name: str) -> tzinfo:
    """A time zone by its IANA name, empty for UTC; ValueError for an unknown one."""
    try:
        return ZoneInfo(name) if name else UTC
    except (OSError, ValueError, LookupError):
        raise ValueError(f"there is no time zone {name[:60]!r}; names are such as America/New_York") from None


def parse_date(text: str, pattern: str, zone: tzinfo) -> datetime | None:
    """A moment by a format, ISO 8601 without one; None for a null date, of the year 0 or 1.

    ``zone`` counts where the text names no offset. A local time that a clock change leaves out is an hour
    later, of one that comes twice the first counts, as with moment.js.

    Raises ValueError for text of another shape.
    """
    if is_null_date(text):
        return None
    if not pattern:
        found = datetime.fromisoformat(text.strip())
        found = found if found.tzinfo else found.replace(tzinfo=zone)
        return found if found.year > 1 else None
    match = _pattern(pattern).fullmatch(text.strip())
    if match is None:
        raise ValueError(f"{text[:60]!r} is not of the format {pattern}")
    if match.groupdict().get("year") in ("0000", "0001"):
        return None
    try:
        moment = _moment(match.groupdict(), zone)
        return moment if moment.year > 1 else None
    except (OverflowError, OSError):
        raise ValueError(f"{text[:60]!r} is no moment that a calendar has") from None


def format_date(moment: datetime, pattern: str, zone: tzinfo) -> str:
    """The moment in a zone, by a format; ISO 8601 to the second without one.

    Raises ValueError where the zone moves it out of the calendar, as the last day of the year 9999.
    """
    try:
        at = moment.astimezone(zone)
    except OverflowError:
        raise ValueError(f"{moment:%Y-%m-%d} is beyond the calendar in that time zone") from None
    if at.year <= 1:
        raise ValueError(f"{moment:%Y-%m-%d} is of the year 1 in that time zone, which is no date")
    if not pattern:
        return at.isoformat(timespec="seconds")
    return "".join(
        _WRITERS[match[2]](at) if match[2] else match[1] if match[1] is not None else match[0]
        for match in _TOKEN.finditer(pattern)
    )


def _pattern(pattern: str) -> re.Pattern[str]:
    parts = []
    for match in _TOKEN.finditer(pattern):
        plain = match[1] if match[1] is not None else match[0]
        parts.append(_PATTERNS[match[2]] if match[2] else re.escape(plain))
    return re.compile("".join(parts), re.IGNORECASE)


def _tokens(pattern: str) -> list[str]:
    return [match[2] for match in _TOKEN.finditer(pattern) if match[2]]


def _moment(found: dict[str, str | None], zone: tzinfo) -> datetime:
    if found.get("seconds"):
        return datetime.fromtimestamp(float(found["seconds"] or 0), UTC)
    if found.get("milliseconds"):
        return datetime.fromtimestamp(int(found["milliseconds"] or 0) / 1000, UTC)

    def number(name: str, default: int = 0) -> int:
        return int(found.get(name) or default)

    short = number("short_year")
    year = number("year") if found.get("year") else short + (2000 if short <= LAST_SHORT_YEAR else 1900)
    moment = datetime(
        year,
        _month(found),
        number("day", 1),
        _hour(found),
        number("minute"),
        number("second"),
        number("milli") * 1000,
    )
    offset = (found.get("offset") or "").replace("Z", "+00:00")
    return moment.replace(tzinfo=datetime.strptime(offset, "%z").tzinfo if offset else zone)


def _month(found: dict[str, str | None]) -> int:
    for key, names in (("month_name", month_name), ("month_abbr", month_abbr)):
        if found.get(key):
            return list(names).index((found[key] or "").capitalize())
    return int(found.get("month") or 1)


def _hour(found: dict[str, str | None]) -> int:
    if not found.get("hour12"):
        return int(found.get("hour") or 0)
    hour = int(found["hour12"] or 0) % 12
    return hour + 12 * ((found.get("half") or "am").lower() == "pm")
