"""Builds texts of ConnectWise's conditions language. Pure: a value can never break out of its quotes.

Grammar (developer guide): ``field op value`` and ``field in (value, ...)``, joined by and / or, grouped by
parentheses. Text stands in double or single quotes, date-times in square brackets and UTC.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from urllib.parse import quote as percent_encode

from connectors.errors import RejectedError

Value = str | int | bool | datetime | None

URL_LIMIT = 2000
"""Characters of a whole address that the vendor advises to stay under; far longer ones get 414."""
ROOM_FOR_REST = 500
"""Characters of an address left to host, path, fields and paging when a list of values is cut."""
_FIELD = re.compile(r"[A-Za-z_]\w*(/[A-Za-z_]\w*)*", re.ASCII)


def quote(value: Value) -> str:
    """A value as the conditions language writes it; a date-time without a zone counts as UTC.

    Backslashes are doubled, and text stands in the kind of quotes that it does not hold (with both it is a
    RejectedError): that a backslash escapes a quote is used by clients but not confirmed by the vendor.
    """
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "True" if value else "False"
    if isinstance(value, datetime):
        moment = value if value.tzinfo else value.replace(tzinfo=UTC)
        return f"[{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}]"
    if isinstance(value, int):
        return str(value)
    return _quote_text(value)


def _quote_text(text: str) -> str:
    mark = "'" if '"' in text else '"'
    if mark in text:
        raise RejectedError(
            "A text with both kinds of quotes can't be searched for",
            remedy="Search for a part of it with like.",
        )
    doubled = text.replace("\\", "\\\\")
    return f"{mark}{doubled}{mark}"


def equals(field: str, value: Value) -> str:
    """``field = value``; None asks for an empty field."""
    return f"{_field(field)} = {quote(value)}"


def any_of(field: str, values: Iterable[Value]) -> str:
    """``field in (1,2)``: the field holds one of the values, of which there must be one at least."""
    quoted = ",".join(map(quote, values))
    if not quoted:
        raise RejectedError(f"No values were given for {field}", remedy="Leave the condition out instead.")
    return f"{_field(field)} in ({quoted})"


def all_of(*parts: str | None) -> str:
    """The parts joined by and, each in parentheses; empty parts are left out, so "" means no condition.

    Raises:
        RejectedError: a part closes a parenthesis it did not open, or leaves a quote open, and so could
            reach beyond what the other parts allow, such as into another company's records.
    """
    given = [part.strip() for part in parts if part and part.strip()]
    for part in given:
        _check_closed(part)
    return given[0] if len(given) == 1 else " and ".join(f"({part})" for part in given)


def split_in(
    field: str, values: Iterable[Value], max_chars: int = URL_LIMIT - ROOM_FOR_REST
) -> Iterator[str]:
    """``field in (...)`` conditions that together hold all values, each at most ``max_chars`` long.

    Lengths are counted after percent-encoding, where a comma takes three characters. RejectedError: one value
    alone is longer.
    """
    held: list[Value] = []
    frame = encoded_length(f"{_field(field)} in ()")
    length = frame
    for value in values:
        more = encoded_length(quote(value)) + (encoded_length(",") if held else 0)
        if held and length + more > max_chars:
            yield any_of(field, held)
            held, length, more = [], frame, encoded_length(quote(value))
        if length + more > max_chars:
            raise RejectedError(f"A value of {field} is too long for a condition of {max_chars} characters")
        held.append(value)
        length += more
    if held:
        yield any_of(field, held)


def encoded_length(text: str) -> int:
    """Characters that the text takes in an address at most."""
    return len(percent_encode(text, safe=""))


def _field(name: str) -> str:
    if not _FIELD.fullmatch(name):
        raise RejectedError(f"{name!r} is not a field name", remedy="Write it as status/name.")
    return name


def _check_closed(part: str) -> None:
    depth, mark, escaped = 0, "", False
    for letter in part:
        if mark:
            closes = letter == mark and not escaped
            escaped = letter == "\\" and not escaped
            mark = "" if closes else mark
        elif letter in "\"'":
            mark = letter
        else:
            depth += (letter == "(") - (letter == ")")
        if depth < 0:
            break
    if depth != 0 or mark:
        raise RejectedError(
            "A quote or a parenthesis of the conditions is not closed",
            remedy='Write conditions as name = "test" and (id > 5).',
        )
