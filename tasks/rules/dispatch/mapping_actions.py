"""The seven documented mapping actions on one value. Pure; a value that can't be made is a ValueError."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from jmespath.exceptions import JMESPathError

from tasks.rules.dispatch.dates import format_date, parse_date, zone_of
from tasks.rules.dispatch.mapping_model import DispatchMapping, MappingAction
from tasks.rules.dispatch.paths import is_nothing, read_path
from tasks.rules.expression_limits import parse
from tasks.rules.values import plain_text, read_number

_Document = Mapping[str, Any]


def mapped_value(line: DispatchMapping, document: _Document) -> Any:
    """The value that a line makes of a source, its default where there is nothing; None: leave it alone.

    Raises ValueError, in words, where the source can't be read as the action needs it.
    """
    found = _ACTIONS[line.action](line, document)
    return line.default if is_nothing(found) else found


def _array_map(line: DispatchMapping, document: _Document) -> Any:
    value = read_path(document, line.source)
    if is_nothing(value):
        return None
    return next((each.value for each in line.mappings if _is_same(each.compare, value)), None)


def _range_map(line: DispatchMapping, document: _Document) -> Any:
    """The first bound that the value does not exceed; above all of them, or no number: the default."""
    value = read_number(read_path(document, line.source))
    if value is None:
        return None
    return next((each.value for each in line.ranges if value <= each.compare), None)


def _date_convert(line: DispatchMapping, document: _Document) -> Any:
    value = read_path(document, line.source)
    if is_nothing(value):
        return None
    moment = parse_date(str(value), line.input_format, zone_of(line.timezone_in))
    return None if moment is None else format_date(moment, line.output_format, zone_of(line.timezone_out))


def _concat(line: DispatchMapping, document: _Document) -> Any:
    """The parts joined; nothing where every field among them is empty, so that no bare brackets remain."""
    read = {each.value: read_path(document, each.value) for each in line.parts if each.type == "field"}
    if read and all(is_nothing(value) for value in read.values()):
        return None
    texts = {path: "" if is_nothing(value) else single_text(value) for path, value in read.items()}
    return "".join(each.value if each.type == "static" else texts[each.value] for each in line.parts)


def _custom(line: DispatchMapping, document: _Document) -> Any:
    try:
        return parse(line.script).search(document)
    except JMESPathError as error:
        raise ValueError(str(error).splitlines()[0]) from None


def single_text(value: Any) -> str:
    """A single value as text; ValueError for an object or a list."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError(f"{value} is no number that can be written")
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, str | int | float):
        return str(value)
    raise ValueError(f"{str(value)[:60]!r} is not a single value")


def _is_same(one: Any, other: Any) -> bool:
    """Exactly alike: text and number differ, true and 1 too; 1 and 1.0 don't, nor two forms of one text."""
    if _is_number(one) and _is_number(other):
        return bool(one == other)
    if isinstance(one, str) and isinstance(other, str):
        return one == other or plain_text(one) == plain_text(other)
    return type(one) is type(other) and bool(one == other)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


_ACTIONS: Mapping[MappingAction, Callable[[DispatchMapping, _Document], Any]] = {
    MappingAction.SYNC: lambda line, document: read_path(document, line.source),
    MappingAction.SET_STATIC: lambda line, document: line.value,
    MappingAction.ARRAY_MAP: _array_map,
    MappingAction.RANGE_MAP: _range_map,
    MappingAction.DATE_CONVERT: _date_convert,
    MappingAction.CONCAT: _concat,
    MappingAction.CUSTOM: _custom,
}
