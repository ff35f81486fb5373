"""Dates, numbers and booleans as the two vendors write them."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import Any

_TRUE = frozenset({"true", "yes", "y", "1", "on"})
_FALSE = frozenset({"false", "no", "n", "0", "off"})


def read_moment(value: Any) -> datetime | None:
    """An ISO 8601 date or time, to the whole second, in UTC (also where no zone is named).

    None for anything that can't be read as one.
    """
    if not isinstance(value, str):
        return None
    text = value.strip()
    if len(text) < 10:
        return None
    try:
        moment = datetime.fromisoformat(text)
        moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return moment.replace(microsecond=0)


def write_moment(moment: datetime) -> str:
    """The moment as ConnectWise writes it: ``2025-10-11T07:35:18Z``."""
    return moment.replace(tzinfo=None).isoformat() + "Z"


def read_number(value: Any) -> int | float | None:
    """A number, or text that is one; whole numbers come back as int. None for anything else."""
    if isinstance(value, bool):
        return None
    if isinstance(value, str):
        try:
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
