"""Dates and times as Field Nation writes them: in UTC, and in the time zone of the work order's place."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sandbox.field_nation.errors import FieldNationError

UTC_TEXT = "%Y-%m-%d %H:%M:%S"
_ZONES = {
    "America/New_York": (1, "EST", "CT DC DE FL GA IN KY MA MD ME MI NC NH NJ NY OH PA RI SC VA VT WV"),
    "America/Chicago": (2, "CST", "AL AR IA IL KS LA MN MO MS ND NE OK SD TN TX WI"),
    "America/Denver": (3, "MST", "AZ CO ID MT NM UT WY"),
    "America/Los_Angeles": (4, "PST", "CA NV OR WA"),
    "America/Anchorage": (5, "AKST", "AK"),
    "Pacific/Honolulu": (6, "HST", "HI"),
}
_BY_STATE = {state: name for name, (_, _, states) in _ZONES.items() for state in states.split()}
STATES = frozenset(_BY_STATE)
"""The states that the sandbox's geocoding knows, by their two letters."""


def zone_of(state: str | None) -> str:
    """The time zone of a state; that of New York where it is not known."""
    return _BY_STATE.get((state or "").upper(), "America/New_York")


def time_zone(zone: str) -> dict[str, Any]:
    """``{id, name, short, offset}``; the offset in hours from UTC at this time of the year."""
    number, short, _ = _ZONES[zone]
    offset = datetime.now(ZoneInfo(zone)).utcoffset()
    return {
        "id": number,
        "name": zone,
        "short": short,
        "offset": offset.total_seconds() / 3600 if offset else 0,
    }


def stamp(moment: datetime, zone: str) -> dict[str, Any]:
    """``{utc, local: {date, time}}``."""
    local = moment.astimezone(ZoneInfo(zone))
    return {
        "utc": moment.astimezone(UTC).strftime(UTC_TEXT),
        "local": {"date": local.strftime("%Y-%m-%d"), "time": local.strftime("%H:%M:%S")},
    }


def read_moment(value: Any, zone: str, pointer: str) -> datetime:
    """``{"utc": ...}`` or ``{"local": {date, time}}``.

    Raises:
        FieldNationError: 400, a plain string or another format.
    """
    try:
        if isinstance(value, dict) and isinstance(value.get("utc"), str):
            return datetime.strptime(value["utc"], UTC_TEXT).replace(tzinfo=UTC)
        if isinstance(value, dict) and isinstance(value.get("local"), dict):
            text = f"{value['local'].get('date')} {value['local'].get('time')}"
            return datetime.strptime(text, UTC_TEXT).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
    except ValueError:
        pass
    raise FieldNationError(
        400,
        "Validation failed.",
        {pointer: 'must be {"utc": "YYYY-MM-DD HH:mm:ss"} or {"local": {"date", "time"}}'},
    )
