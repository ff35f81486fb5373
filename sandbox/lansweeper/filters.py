"""Asset filters: conditions, one level of groups, and every operator of AssetsFilterType."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from sandbox.lansweeper.errors import RefusedError, invalid_filter_path
from sandbox.lansweeper.schema import LEAF_PATHS

MAX_CONDITIONS = 100

Asset = dict[str, Any]
Predicate = Callable[[Asset], bool]
Test = Callable[[Any], bool]


def compile_filters(filters: dict[str, Any] | None) -> Predicate | None:
    """A predicate over assets, or None when nothing is filtered.

    Refuses unknown paths, broken patterns, and more than 100 conditions in all, groups included.
    """
    if not filters:
        return None
    groups = filters.get("groups") or []
    _check_number([filters, *groups])
    parts = [_condition(condition) for condition in filters.get("conditions") or []]
    parts += [_joined([_condition(c) for c in group["conditions"]], group) for group in groups]
    return _joined(parts, filters) if parts else None


def _check_number(groups: list[dict[str, Any]]) -> None:
    number = sum(len(group.get("conditions") or []) for group in groups)
    if number > MAX_CONDITIONS:
        raise RefusedError(f"Maximum number of conditions exceeded: {number} of {MAX_CONDITIONS}")


def _joined(parts: list[Predicate], group: dict[str, Any]) -> Predicate:
    join = any if group.get("conjunction") == "OR" else all
    return lambda asset: join(part(asset) for part in parts)


def _condition(condition: dict[str, Any]) -> Predicate:
    path, operator, value = condition["path"], condition["operator"], condition["value"]
    if path not in LEAF_PATHS:
        raise invalid_filter_path(path)
    steps = tuple(path.split("."))
    if operator == "EXISTS":
        wanted = value.strip().lower() != "false"
        return lambda asset: any(True for _ in _values(asset, steps)) is wanted
    if operator == "NOT_EQUAL":
        equal = _equal(value)
        return lambda asset: not any(equal(found) for found in _values(asset, steps))
    test = _TESTS[operator](value)
    return lambda asset: any(test(found) for found in _values(asset, steps))


def _values(node: Any, steps: tuple[str, ...]) -> Iterator[Any]:
    """Every value at a path; a list section gives one for each element."""
    if node is None:
        return
    if not steps:
        yield node
    elif isinstance(node, list):
        for element in node:
            yield from _values(element, steps)
    else:
        yield from _values(node.get(steps[0]), steps[1:])


def _text(found: Any) -> str:
    return str(found).lower() if isinstance(found, bool) else str(found)


def _equal(value: str) -> Test:
    return lambda found: _text(found) == value


def _like(value: str) -> Test:
    """Contains, without regard to case; ``%`` and ``*`` are wildcards. The case rule is assumed."""
    pattern = ".*".join(re.escape(part) for part in re.split(r"[%*]", value))
    matches = re.compile(pattern, re.IGNORECASE | re.DOTALL).search
    return lambda found: matches(_text(found)) is not None


def _regexp(value: str) -> Test:
    try:
        matches = re.compile(value).search
    except re.error as error:
        raise RefusedError(f"Invalid regular expression: {value}") from error
    return lambda found: matches(_text(found)) is not None


def _ordered(accepts: Callable[[int], bool]) -> Callable[[str], Test]:
    return lambda value: lambda found: accepts(_compare(found, value))


def _compare(found: Any, value: str) -> int:
    """-1, 0 or 1. Numbers by value; everything else as text, which orders ISO dates rightly."""
    left, right = _comparable(found, value)
    return int(left > right) - int(left < right)


def _comparable(found: Any, value: str) -> tuple[Any, Any]:
    if isinstance(found, int | float) and not isinstance(found, bool):
        try:
            return float(found), float(value)
        except ValueError:
            pass
    return _text(found), value


_TESTS: dict[str, Callable[[str], Test]] = {
    "EQUAL": _equal,
    "LIKE": _like,
    "REGEXP": _regexp,
    "GREATER_THAN": _ordered(lambda order: order > 0),
    "GREATER_THAN_OR_EQUAL": _ordered(lambda order: order >= 0),
    "SMALLER_THAN": _ordered(lambda order: order < 0),
    "SMALLER_THAN_OR_EQUAL": _ordered(lambda order: order <= 0),
}
