"""Which Lansweeper paths a JMESPath expression needs: Lansweeper is asked for leaves, not expressions.

``processors[0].name`` needs ``processors.name``; ``softwares[].{name: name, version: version}`` needs
``softwares.name`` and ``softwares.version``. Lansweeper answers ``Invalid path`` for unknown leaves.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import jmespath

# Functions that hand on the elements of their first argument, so that fields can be read off the answer.
_HAND_ON = frozenset({"sort", "sort_by", "max_by", "min_by", "reverse", "not_null", "to_array", "merge"})


def lansweeper_paths(expression: str) -> list[str]:
    """The leaf paths that the expression reads, in order of appearance, without repetition."""
    used: list[str] = []
    tree: Any = jmespath.compile(expression).parsed
    used += _needed(tree, [""], used)
    return list(outermost_leaves(used))


def outermost_leaves(paths: Iterable[str]) -> tuple[str, ...]:
    """The paths without repetition and without those that are only the start of another one."""
    known = [path for path in dict.fromkeys(paths) if path]
    inner = {path[:at] for path in known for at, letter in enumerate(path) if letter == "."}
    return tuple(path for path in known if path not in inner)


def _needed(node: dict[str, Any], bases: list[str], used: list[str]) -> list[str]:
    """The paths that the node's answer stands for; what is read on the way is added to ``used``."""
    kind, children = node["type"], node["children"]
    if kind == "field":
        return [f"{base}.{node['value']}" if base else node["value"] for base in bases]
    if kind in ("identity", "current"):
        return bases
    if kind in ("index", "slice"):
        return bases
    if kind in ("subexpression", "index_expression", "projection", "value_projection", "pipe"):
        return _needed(children[1], _needed(children[0], bases, used), used)
    if kind == "filter_projection":
        elements = _needed(children[0], bases, used)
        used += _needed(children[2], elements, used)
        return _needed(children[1], elements, used)
    if kind == "flatten":
        return _needed(children[0], bases, used)
    if kind == "function_expression":
        return _needed_by_function(node, bases, used)
    return _needed_by_all(children, bases, used, answers=kind in ("or_expression", "and_expression"))


def _needed_by_all(
    children: list[dict[str, Any]], bases: list[str], used: list[str], *, answers: bool
) -> list[str]:
    """``a || b`` is one of its parts; a comparison or an object built of parts is nothing to read from."""
    paths = [path for child in children for path in _needed(child, bases, used)]
    if answers:
        return paths
    used += paths
    return []


def _needed_by_function(node: dict[str, Any], bases: list[str], used: list[str]) -> list[str]:
    arguments = node["children"]
    values = [each for each in arguments if each["type"] != "expref"]
    elements = [path for each in values for path in _needed(each, bases, used)]
    for each in arguments:
        if each["type"] == "expref":
            used += _needed(each["children"][0], elements, used)
    if node["value"] in _HAND_ON or len(values) < len(arguments):
        return elements
    used += elements
    return []
