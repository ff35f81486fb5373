"""Values as the two vendors write them, and the small records that a run keeps of its assets.

The wire records are dropped page by page; one small record stays of each, so memory grows with the number of
mapped fields and not with the vendors' records.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar, overload

_TRUE = frozenset({"true", "yes", "y", "1", "on"})
_FALSE = frozenset({"false", "no", "n", "0", "off"})

T = TypeVar("T")


def read_date_time(value: Any) -> datetime | None:
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


def write_date_time(moment: datetime) -> str:
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


def folded(name: str) -> str:
    """The form in which names compare: no case, no outer blanks."""
    return name.strip().casefold()


@dataclass(slots=True)
class AssetRecord:
    """A Lansweeper asset. ``wanted`` holds one value per field of the compiled mapping, in its order."""

    key: str
    name: str | None
    serial: str | None
    mac: str | None
    wanted: tuple[Any, ...]


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
