"""Text as the ledger keeps it: whatever a vendor sends, SQLite and PostgreSQL store the same of it.

PostgreSQL refuses NUL in a text, neither takes half an emoji (a lone surrogate). ``clean_parameters`` is
applied to every statement of the ledger's engine and ``json_text`` to every JSON column, so that no caller
has to think of it.
"""

from __future__ import annotations

import json
import math
import re
from itertools import chain
from typing import Any

import orjson

LONGEST_MESSAGE = 2000
"""Characters. Vendors repeat whole requests in some messages; the start says what is wrong."""
_LONGEST_NAME = 200
"""Characters of a name that is none."""
_LARGEST = 2**63
"""Whole numbers beyond it are kept as text in JSON: not every reader takes them."""
_DEEPEST = 100
"""Levels of a JSON value that are kept."""
_PLAIN_CLASSES = frozenset({str, int, float, bool, bytes, type(None)})
_SURROGATE = re.compile("[\ud800-\udfff]")


def shortened(message: str) -> str:
    """A message as long as the ledger keeps it."""
    return message[:LONGEST_MESSAGE]


def clean_text(text: str) -> str:
    """The text without NUL, a lone half of an emoji as U+FFFD; most texts come back as they are."""
    if "\x00" in text:
        text = text.replace("\x00", "")
    return text if text.isascii() else _SURROGATE.sub("\ufffd", text)


def name_text(value: Any) -> str:
    """What a record is known by, as a column of text takes it: a vendor may give a list for a name."""
    if value.__class__ is str:
        return str(value)
    return "" if value is None else json_text(value)[:_LONGEST_NAME]


def clean_parameters(parameters: Any) -> Any:
    """The parameters of a statement, of one row or of many, with clean texts.

    Rows whose texts are clean, looked at all together, come back as they are.
    """
    if isinstance(parameters, list | tuple) and _are_clean(parameters):
        return parameters
    return _cleaned(parameters)


def _are_clean(parameters: list[Any] | tuple[Any, ...]) -> bool:
    rows = parameters if isinstance(parameters, list) else [parameters]
    if set(map(type, rows)) != {tuple}:
        return False
    values = list(chain.from_iterable(rows))
    if not set(map(type, values)) <= _PLAIN_CLASSES:
        return False
    text = "".join([value for value in values if value.__class__ is str])
    return "\x00" not in text and (text.isascii() or _is_encodable(text))


def _is_encodable(text: str) -> bool:
    """Whether a text has no lone surrogate: writing it as UTF-8 tells several times as fast as a search."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _cleaned(parameters: Any) -> Any:
    if isinstance(parameters, str):
        return clean_text(parameters)
    if isinstance(parameters, dict):
        return {name: _cleaned(value) for name, value in parameters.items()}
    if isinstance(parameters, list):
        return [_cleaned(each) for each in parameters]
    if isinstance(parameters, tuple):
        return tuple([_cleaned(each) for each in parameters])
    return parameters


def json_text(value: Any) -> str:
    """JSON of any value: what has no form in it (a date, a Decimal, an infinite number) stands as text."""
    try:
        text = orjson.dumps(value, default=str).decode()
    except (TypeError, ValueError, RecursionError):
        return json.dumps(_plain(value), ensure_ascii=False, separators=(",", ":"))
    # In JSON a NUL is an escape, of which PostgreSQL takes offence only when it is read.
    return json_text(_plain(value)) if "\\u0000" in text and _has_nul(value) else text


def _has_nul(value: Any) -> bool:
    if isinstance(value, dict):
        return any("\x00" in str(name) or _has_nul(inner) for name, inner in value.items())
    if isinstance(value, list | tuple):
        return any(map(_has_nul, value))
    return isinstance(value, str) and "\x00" in value


def _plain(value: Any, depth: int = 0) -> Any:
    if isinstance(value, str):
        return clean_text(value)
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return value if -_LARGEST <= value < _LARGEST else "a number of more than 64 bits"
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if depth >= _DEEPEST:
        return "..."
    if isinstance(value, dict):
        return {clean_text(str(name)): _plain(inner, depth + 1) for name, inner in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(inner, depth + 1) for inner in value]
    return clean_text(str(value))
