"""Whether two values of a field say the same.

Values are compared raw first; only where that fails are they made comparable, by kind of target:

    any kind     absent, null, empty and blank are the same nothing
    text         without outer blanks and invisible marks, line ends alike
    reference    folded (``values.folded``): names are looked up that way
    MAC          by its twelve hex digits, text if it has not twelve
    date-time    to the whole second in UTC; by day if either has no time of day (midnight), as the three
                 dates of a configuration are days; a null date is nothing
    number       by value, also as text
    boolean      by value, also as text
    custom       as boolean or number if either is one, else as text or date-time

``comparable`` is for two readings of one ConnectWise record, whose values are not mapped.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, time
from typing import Any

from tasks.rules.mapping.addresses import mac_digits
from tasks.rules.mapping.targets import ValueKind
from tasks.rules.values import folded, is_null_date, plain_text, read_boolean, read_date_time, read_number


def is_absent(value: Any) -> bool:
    """Whether a value says nothing: missing, null, blank text, a null date, or an empty list or object."""
    if isinstance(value, str):
        return plain_text(value) is None or is_null_date(value)
    return value is None or (isinstance(value, list | dict) and not value)


def same(kind: ValueKind, current: Any, wanted: Any) -> bool:
    """Whether ConnectWise's value already says what is wanted; see the table in the module's docstring."""
    if current is wanted or (type(current) is type(wanted) and current == wanted):
        return True
    if current is None:
        return is_absent(wanted)
    return _SAME[kind](current, wanted) or (is_absent(current) and is_absent(wanted))


def _same_text(current: Any, wanted: Any) -> bool:
    """Whether two texts say the same; see the table in the module's docstring."""
    return bool(_text(current) == _text(wanted))


def _text(value: Any) -> Any:
    if isinstance(value, bool):
        return "true" if value else "false"
    text = plain_text(value)
    return text.replace("\r\n", "\n").replace("\r", "\n") if text else value


def _same_reference(current: Any, wanted: Any) -> bool:
    have, want = plain_text(current), plain_text(wanted)
    return have is not None and want is not None and folded(have) == folded(want)


def _same_mac(current: Any, wanted: Any) -> bool:
    digits = mac_digits(current)
    return digits == mac_digits(wanted) if digits else _same_text(current, wanted)


def _same_moment(current: Any, wanted: Any) -> bool:
    have, want = read_date_time(current), read_date_time(wanted)
    if have is None or want is None:
        return _same_text(current, wanted)
    if _is_day(have) or _is_day(want):
        return have.date() == want.date()
    return have == want


def _is_day(moment: datetime) -> bool:
    return moment.timetz().replace(tzinfo=None) == time.min


def _same_by(read: Callable[[Any], Any]) -> Callable[[Any, Any], bool]:
    def compare(current: Any, wanted: Any) -> bool:
        have, want = read(current), read(wanted)
        if have is None or want is None:
            return _same_text(current, wanted)
        return bool(have == want)

    return compare


_same_number = _same_by(read_number)
_same_boolean = _same_by(read_boolean)


def _same_custom(current: Any, wanted: Any) -> bool:
    if isinstance(current, bool) or isinstance(wanted, bool):
        return _same_boolean(current, wanted)
    if isinstance(current, int | float) or isinstance(wanted, int | float):
        return _same_number(current, wanted)
    return _same_text(current, wanted) or _same_moment(current, wanted)


_SAME: Mapping[ValueKind, Callable[[Any, Any], bool]] = {
    ValueKind.TEXT: _same_text,
    ValueKind.REFERENCE: _same_reference,
    ValueKind.MAC: _same_mac,
    ValueKind.DATE_TIME: _same_moment,
    ValueKind.NUMBER: _same_number,
    ValueKind.BOOLEAN: _same_boolean,
    ValueKind.CUSTOM: _same_custom,
}


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
