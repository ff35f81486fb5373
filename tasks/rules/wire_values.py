"""A mapped value as ConnectWise takes it, or the reason why it can't be written.

Date-times travel as ``yyyy-MM-ddTHH:mm:ssZ`` in UTC (fractions are refused by some endpoints), references
as ``{"id": n}``, values of custom fields are always scalar.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from tasks.rules.limits import LimitError, too_long
from tasks.rules.references import References, folded
from tasks.rules.targets import Kind, Target

TWIN_MEMBERS = {"location": "locationId", "department": "businessUnitId"}
"""A reference and the plain id that stands beside it in the record: both say the same and must agree."""

_TRUE = {"true", "yes", "1"}
_FALSE = {"false", "no", "0"}


def is_empty(value: Any) -> bool:
    """Absent, null, empty text and an empty list all say that there is nothing."""
    if isinstance(value, str):
        return not value.strip()
    return value is None or (isinstance(value, list | dict) and not value)


def comparable(value: Any) -> Any:
    """What counts of a wire value when two readings of one record are compared.

    A reference's id, a text without outer blanks, of a question its id and answer; nothing for empty, 0 and
    false, since a default that the server writes out says no more than an absent member.
    """
    if is_empty(value) or value == 0:
        return None
    if isinstance(value, Mapping):
        return _comparable_object(value)
    if isinstance(value, list):
        return [comparable(each) for each in value]
    return value.strip() if isinstance(value, str) else value


def _comparable_object(value: Mapping[str, Any]) -> Any:
    if "questionId" in value:
        return value["questionId"], comparable(value.get("answer"))
    if value.get("id") is not None:
        return value["id"]
    return {key: comparable(each) for key, each in value.items() if key != "_info"}


def wire_value(target: Target, value: Any) -> Any:
    """The value of anything but a reference.

    Raises:
        LimitError: it is too long, or can't be read as what the target holds; the text says why.
    """
    match target.kind:
        case Kind.DATE_TIME:
            return _date_time(target, value)
        case Kind.NUMBER:
            return _number(target, value)
        case Kind.BOOLEAN:
            return _boolean(target, value)
        case Kind.CUSTOM:
            return _scalar(target, value)
        case _:
            return _text(target, value)


def wire_reference(target: Target, name: Any, references: References) -> dict[str, int]:
    """``{"id": n}`` of the record of that name.

    Raises:
        LimitError: no id is known for it, because it does not exist or could not be created.
    """
    record_id = references.get(target.path, {}).get(folded(str(name)))
    if record_id is None:
        raise LimitError(f"{target.field} {str(name)[:60]!r} has no record in ConnectWise")
    return {"id": record_id}


def _text(target: Target, value: Any) -> str:
    text = str(_scalar(target, value)).strip()
    if problem := too_long(target.path, text, target.max_length):
        raise LimitError(problem)
    return text


def _scalar(target: Target, value: Any) -> Any:
    if isinstance(value, list | tuple | dict | set):
        raise LimitError(f"{target.path} takes one value, the mapping gives several")
    return value


def _number(target: Target, value: Any) -> int | float:
    try:
        number = float(_scalar(target, value))
    except (TypeError, ValueError, OverflowError):
        number = math.nan
    if not math.isfinite(number):
        raise LimitError(f"{target.path} takes a number, not {str(value)[:60]!r}")
    return int(number) if number.is_integer() else number


def _boolean(target: Target, value: Any) -> bool:
    word = str(_scalar(target, value)).strip().lower()
    if word not in _TRUE | _FALSE:
        raise LimitError(f"{target.path} takes true or false, not {str(value)[:60]!r}")
    return word in _TRUE


def _date_time(target: Target, value: Any) -> str:
    try:
        moment = value if isinstance(value, datetime) else datetime.fromisoformat(str(value).strip())
        moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise LimitError(f"{target.path} takes a date, not {str(value)[:60]!r}") from None
    return moment.replace(microsecond=0, tzinfo=None).isoformat() + "Z"
