"""From a Lansweeper value to the value that ConnectWise should hold, one converter a field.

None means: Lansweeper has nothing to say here, as with a filler or a null date. A value that ConnectWise
could not hold (text for a number, an unreadable date) stays as it is: whoever writes it leaves it out and
says so.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from tasks.rules.mapping.comparison import is_absent
from tasks.rules.mapping.fillers import FillerKind
from tasks.rules.mapping.targets import MappingTarget, ValueKind
from tasks.rules.values import (
    folded,
    is_null_date,
    plain_text,
    read_boolean,
    read_date_time,
    read_number,
    write_date_time,
    written_line,
    written_text,
)

Convert = Callable[[Any], Any]

_NAME = (
    "None if {v} is None else ({v}.strip() or None) if {v}.__class__ is str and {v}.isascii() and "
    "{v}.isprintable() else {convert}({v})"
)
_REMEMBERED = "None if {v} is None else {convert}[{v}] if {v}.__class__ is str else {convert}({v})"
_MOMENT = (
    "None if {v} is None else {v}[:19] + 'Z' if {v}.__class__ is str and len({v}) == 24 and "
    "{v}[10] == 'T' and {v}[19] == '.' and {v}[23] == 'Z' and '1970-01-03' < {v} < ':' else {convert}({v})"
)
SOFTWARE_LIMIT = 200
REMEMBERED = 4096
"""Texts of one field that are remembered with what they become: types and models repeat, addresses don't."""

_KINDS: Mapping[str, FillerKind] = {
    "name": FillerKind.NAME,
    "serialNumber": FillerKind.SERIAL,
    "tagNumber": FillerKind.TAG,
    "modelNumber": FillerKind.MODEL,
    "macAddress": FillerKind.MAC,
    "ipAddress": FillerKind.IP,
    "defaultGateway": FillerKind.GATEWAY,
    "manufacturer.name": FillerKind.MAKER,
    "vendor.name": FillerKind.MAKER,
}
"""What a target holds, by its ConnectWise path."""
_KINDS_OF_SOURCES: Mapping[str, FillerKind] = {
    "serialNumber": FillerKind.SERIAL,
    "barCode": FillerKind.TAG,
    "model": FillerKind.MODEL,
    "manufacturer": FillerKind.MAKER,
    "mac": FillerKind.MAC,
    "macAddress": FillerKind.MAC,
    "ipAddress": FillerKind.IP,
    "firstSeen": FillerKind.DAY,
    "lastSeen": FillerKind.DAY,
    "lastTried": FillerKind.DAY,
}
"""What a text or custom field holds whose own path does not say, by the last name of its Lansweeper path."""


@dataclass(frozen=True, slots=True)
class Converter:
    """``text`` is the expression over a value ``{v}`` that generated code holds; it may call ``{convert}``.

    Calling ``convert`` gives the same for any value but None; the text only saves the call where it can.
    """

    convert: Convert
    text: str = "None if {v} is None else {convert}({v})"


def filler_kind(target: MappingTarget, source: str) -> FillerKind:
    """Of which kind the fillers of a field are."""
    if (kind := _KINDS.get(target.path)) is not None:
        return kind
    if target.kind is ValueKind.REFERENCE:
        return FillerKind.REFERENCE
    if target.kind is ValueKind.DATE_TIME:
        return FillerKind.DAY
    if target.kind in (ValueKind.TEXT, ValueKind.CUSTOM):
        name = source.rpartition(".")[2]
        return _KINDS_OF_SOURCES.get(name, FillerKind.DAY if name.endswith("Date") else FillerKind.TEXT)
    return FillerKind.TEXT


def compile_converter(
    target: MappingTarget,
    values: Mapping[str, str | None],
    prefix: str,
    software_limit: int = SOFTWARE_LIMIT,
    is_filler: Callable[[Any], bool] = is_absent,
) -> Converter:
    """The converter of one field: value table first, then what the target's kind asks for.

    A value that the table knows becomes exactly the name written there, without prefix, or None to skip.
    """
    convert = _without_fillers(target, _by_kind(target, prefix, software_limit), is_filler)
    if values:
        convert = _with_table({folded(key): value for key, value in values.items()}, convert)
    elif target.path == "name":
        return Converter(convert, _NAME)
    elif target.kind is ValueKind.DATE_TIME:
        return Converter(convert, _MOMENT)
    elif target.path == "serialNumber" or target.kind is ValueKind.MAC:
        return Converter(convert)
    return Converter(_Remembered(convert), _REMEMBERED)


def _without_fillers(target: MappingTarget, convert: Convert, is_filler: Callable[[Any], bool]) -> Convert:
    """None for fillers; a reference's prefix is no part of what is looked at, and a name is kept."""
    if target.path == "name":
        return convert
    if target.kind is ValueKind.REFERENCE:
        return lambda value: None if is_filler(value) or is_null_date(value) else convert(value)

    def said(value: Any) -> Any:
        found = convert(value)
        return None if found.__class__ is str and (is_filler(found) or is_null_date(found)) else found

    return said


def _by_kind(target: MappingTarget, prefix: str, software_limit: int) -> Convert:
    if target.kind is ValueKind.REFERENCE:
        return lambda value: _reference(value, prefix)
    if target.kind is ValueKind.CUSTOM:
        return lambda value: _custom(value, software_limit)
    if target.path == "serialNumber":
        return _serial
    if target.kind is ValueKind.TEXT and target.max_length is not None:
        return _line
    return _BY_KIND[target.kind]


def _with_table(table: Mapping[str, str | None], convert: Convert) -> Convert:
    def look_up(value: Any) -> Any:
        text = folded(plain_text(str(value).lower() if isinstance(value, bool) else value) or "")
        if text not in table:
            return convert(value)
        known = table[text]
        return None if known is None else known.strip() or None

    return look_up


class _Remembered(dict[str, Any]):
    """Few values repeat over many assets (types, models): each text is converted once, when looked up."""

    def __init__(self, convert: Convert) -> None:
        super().__init__()
        self._convert = convert

    def __missing__(self, value: str) -> Any:
        converted = self._convert(value)
        if len(self) < REMEMBERED:
            self[value] = converted
        return converted

    def __call__(self, value: Any) -> Any:
        return self[value] if type(value) is str else self._convert(value)


def _reference(value: Any, prefix: str) -> str | None:
    text = written_line(value)
    if text is None:
        return None
    return text if text.casefold().startswith(prefix.casefold()) else prefix + text


def _text(value: Any) -> Any:
    """A text; a list in one, apart by commas. An object stays as it is: it is no one value."""
    if value.__class__ is str:
        return written_text(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        texts = [text for item in value if (text := _text(item))]
        return value if any(text.__class__ is not str for text in texts) else ", ".join(texts) or None
    return (value or None) if isinstance(value, Mapping) else written_text(value)


def _line(value: Any) -> Any:
    text = value if value.__class__ is str else _text(value)
    return written_line(text) if text.__class__ is str else text


def _serial(value: Any) -> Any:
    """As it is matched by: without joiners, too."""
    if value.__class__ is str and value.isascii() and value.isprintable():
        return value.strip() or None
    text = _line(value)
    return plain_text(text) if text.__class__ is str else text


def _date(value: Any) -> Any:
    if value.__class__ is str and len(digits := value.strip()) == len("20260501") and digits.isdecimal():
        value = f"{digits[:4]}-{digits[4:6]}-{digits[6:]}"
    moment = read_date_time(value)
    return _text(value) if moment is None else write_date_time(moment)


def _number(value: Any) -> Any:
    number = read_number(value)
    return _text(value) if number is None else number


def _boolean(value: Any) -> Any:
    known = read_boolean(value)
    return _text(value) if known is None else known


def _custom(value: Any, software_limit: int) -> Any:
    if isinstance(value, list) and any(isinstance(item, Mapping) for item in value):
        return software_lines(value, software_limit)
    if isinstance(value, float) and not math.isfinite(value):
        # JSON has no such number: it would go out as null, which empties the field.
        return None
    return value if isinstance(value, int | float) else _text(value)


def software_lines(items: Iterable[Any], limit: int = SOFTWARE_LIMIT) -> str | None:
    """ "name version" a line, sorted, each once; above ``limit`` lines cut with "... and n more"."""
    # Half of what reading an asset takes is this: most items are two texts, for which one call is made.
    found = {
        _software_line(name, version)
        if item.__class__ is dict
        and (name := item.get("name")).__class__ is str
        and (version := item.get("version")).__class__ is str
        else _software(item)
        for item in items
    }
    lines = sorted(sorted(found - _NO_LINE), key=str.casefold)
    if len(lines) > limit:
        lines = [*lines[:limit], f"... and {len(lines) - limit} more"]
    return "\n".join(lines) or None


_NO_LINE = {""}


def _software(item: Any) -> str:
    name, version = (item.get("name"), item.get("version")) if isinstance(item, Mapping) else (item, None)
    if name.__class__ is str and (version is None or version.__class__ is str):
        return _software_line(name, version)
    return _line_of(name, version)


def _line_of(name: Any, version: Any) -> str:
    if not plain_text(name):
        return ""
    return " ".join(" ".join(text.split()) for part in (name, version) if (text := plain_text(part)))


_software_line = lru_cache(maxsize=65_536)(_line_of)
"""The same programs are on many machines of a site, so most lines have been made before."""

_BY_KIND: Mapping[ValueKind, Convert] = {
    ValueKind.TEXT: _text,
    ValueKind.MAC: _text,
    ValueKind.DATE_TIME: _date,
    ValueKind.NUMBER: _number,
    ValueKind.BOOLEAN: _boolean,
}
