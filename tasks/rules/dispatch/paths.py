"""Paths of a dispatch mapping: names joined by dots, places of a list as ``[n]``. Reading and writing."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from tasks.rules.values import is_null_date

FIELD_PREFIXES = ("customFields.", "custom_fields.")
"""After these everything is one name, since captions hold blanks and dots."""
_STEP = re.compile(r"([^.\[\]]+)|\[(\d+)\]")
_WHOLE = re.compile(r"[^.\[\]]+(\[\d+\])*(\.[^.\[\]]+(\[\d+\])*)*")
PathStep = str | int


def steps_of(path: str) -> list[PathStep]:
    """``contacts[0].name`` -> contacts, 0, name; ValueError for text that is no path."""
    for prefix in FIELD_PREFIXES:
        if path.startswith(prefix) and len(path) > len(prefix):
            return [prefix[:-1], path[len(prefix) :].strip()]
    if not _WHOLE.fullmatch(path):
        raise ValueError(f"{path!r} is no path; write names joined by dots, such as company.name or a[0].b")
    return [name if name else int(place) for name, place in _STEP.findall(path)]


def read_path(document: Any, path: str) -> Any:
    """The value at a path, None where there is none on the way."""
    found = document
    for step in steps_of(path):
        if isinstance(step, int):
            found = found[step] if isinstance(found, list) and step < len(found) else None
        else:
            found = found.get(step) if isinstance(found, Mapping) else None
    return found


def write_path(record: dict[str, Any], path: str, value: Any) -> None:
    """Lay a value down at a path; objects and list items on the way are made."""
    steps = steps_of(path)
    place: Any = record
    for step, following in zip(steps, [*steps[1:], None], strict=True):
        if isinstance(step, int):
            place += [None] * (step + 1 - len(place))
        if following is None:
            place[step] = value
            return
        inner = place[step] if isinstance(step, int) else place.get(step)
        if inner is None:
            inner = place[step] = [] if isinstance(following, int) else {}
        place = inner


def is_nothing(value: Any) -> bool:
    """Missing, null, empty and a null date alike: a default takes their place. False and 0 are values."""
    if isinstance(value, str):
        return not value.strip() or is_null_date(value)
    return value is None or value in ([], (), {})


def members_of(value: Any) -> Mapping[str, Any]:
    """An object's members, none of what is no object: a vendor's answer may hold anything at its place."""
    return value if isinstance(value, Mapping) else {}


def objects_of(value: Any) -> list[Mapping[str, Any]]:
    """The objects of a list, none of what is no list."""
    return [each for each in value if isinstance(each, Mapping)] if isinstance(value, list) else []
