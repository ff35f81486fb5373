"""Which related records a mapping needs that the fetched record does not hold: each costs a request."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from tasks.rules.dispatch_actions import value_of
from tasks.rules.dispatch_paths import is_nothing, read_path, steps_of
from tasks.rules.dispatch_words import DispatchMapping, MappingAction
from tasks.rules.extraction import ExpressionError, parse

RELATED = ("company", "contact", "site", "board", "member")
DESCRIPTION = "description"
ADDRESS = "address"
Document = Mapping[str, Any]


def reads_description(lines: Sequence[DispatchMapping]) -> bool:
    """Whether some line reads the description, which is a note of its own."""
    return any(path.partition(".")[0] == DESCRIPTION for line in lines for path in _paths(line))


def related_needed(
    lines: Sequence[DispatchMapping], document: Document, fetched: Collection[str] = ()
) -> list[str]:
    """Names of ``RELATED``, in that order, whose whole records are to be fetched for this document.

    Ask again once they are laid into it: a site without an address makes the company needed. A script whose
    value is found without them needs none.

    Args:
        document: a ``dispatch_source``.
        fetched: those that are in it already, or could not be had.
    """
    needed = {name for line in lines for name in _needed(line, document, fetched)}
    return [name for name in RELATED if name in needed - set(fetched)]


def _needed(line: DispatchMapping, document: Document, fetched: Collection[str]) -> Iterator[str]:
    if line.action is MappingAction.CUSTOM and _has_value(line, document):
        return
    for path in _paths(line):
        first = path.partition(".")[0]
        if first == ADDRESS:
            yield from _for_address(document, fetched)
        elif first in RELATED and _has_id(document, first) and is_nothing(read_path(document, path)):
            yield first


def _for_address(document: Document, fetched: Collection[str]) -> list[str]:
    """The site's address, and the company's where the record names no site or that one has none."""
    if not is_nothing(read_path(document, "address.addressLine1")):
        return []
    names = (name for name in ("site", "company") if _has_id(document, name) and name not in fetched)
    return [name for name in [next(names, "")] if name]


def _has_id(document: Document, name: str) -> bool:
    return bool(read_path(document, f"{name}.id"))


def _has_value(line: DispatchMapping, document: Document) -> bool:
    """Whether a choice of several (``a || b``) has one already; any other script needs all that it reads."""
    try:
        tree = parse(line.script).parsed
        return tree["type"] == "or_expression" and not is_nothing(
            value_of(line.model_copy(update={"default": None}), document)
        )
    except ValueError:
        return False


def _paths(line: DispatchMapping) -> list[str]:
    if line.action is MappingAction.CONCAT:
        return [each.value for each in line.parts if each.type == "field"]
    if line.action is MappingAction.CUSTOM:
        return list(_script_paths(line.script))
    return [line.source] if line.source and _is_path(line.source) else []


def _script_paths(script: str) -> Iterator[str]:
    try:
        yield from _fields(parse(script).parsed)
    except ExpressionError:
        return


def _fields(node: Mapping[str, Any]) -> Iterator[str]:
    """Names at the beginning of a chain, with the name that follows: ``contact.name``."""
    children = node.get("children") or []
    if node["type"] == "field":
        yield str(node["value"])
    elif node["type"] == "subexpression" and all(child["type"] == "field" for child in children):
        yield ".".join(str(child["value"]) for child in children)
    else:
        for child in children:
            if isinstance(child, Mapping):
                yield from _fields(child)


def _is_path(text: str) -> bool:
    try:
        return bool(steps_of(text))
    except ValueError:
        return False
