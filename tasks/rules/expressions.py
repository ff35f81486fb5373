"""JMESPath over many records: compile the paths of a mapping, and find the Lansweeper leaves that they need.

A plain path is made of names and indexes only (``assetCustom.model``, ``processors[0].name``). All plain
paths of a mapping become one generated function that walks each shared prefix once. Every other expression
is compiled once and asked per record. The answers are jmespath's own, with one difference: a function called
with a value of a wrong type (``join`` of a missing list) gives ``None``.

Lansweeper is asked for leaves, not expressions: ``processors[0].name`` needs ``processors.name``;
``softwares[].{name: name, version: version}`` needs ``softwares.name`` and ``softwares.version``. Lansweeper
answers ``Invalid path`` for unknown leaves.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from jmespath.exceptions import JMESPathTypeError

from tasks.rules.expression_limits import parse

# Functions that hand on the elements of their first argument, so that fields can be read off the answer.
_HAND_ON = frozenset({"sort", "sort_by", "max_by", "min_by", "reverse", "not_null", "to_array", "merge"})


def lansweeper_paths(expression: str) -> list[str]:
    """The leaf paths that the expression reads, in order of appearance, without repetition."""
    used: list[str] = []
    used += _needed(parse(expression).parsed, [""], used)
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


_Step = str | int


def plain_steps(expression: str) -> list[_Step] | None:
    """The names and indexes of a plain path, None for any other JMESPath expression.

    Raises ``ExpressionError`` for text that is not JMESPath.
    """
    return _steps_of(parse(expression).parsed)


def _steps_of(node: dict[str, Any]) -> list[_Step] | None:
    kind = node["type"]
    if kind in ("field", "index"):
        return [node["value"]]
    if kind in ("identity", "current"):
        return []
    if kind not in ("subexpression", "index_expression"):
        return None
    parts = [_steps_of(child) for child in node["children"]]
    return None if None in parts else [step for part in parts if part is not None for step in part]


def compile_extractor(paths: Sequence[str]) -> Callable[[Any], tuple[Any, ...]]:
    """A function that reads every path out of a record and returns the values in the paths' order."""
    return compile_reader(paths, ["{v}"] * len(paths), {})


def compile_reader(
    paths: Sequence[str], results: Sequence[str | None], names: Mapping[str, Any], answer: str = "t"
) -> Callable[[Any], Any]:
    """As ``compile_extractor``, with a Python expression over each value, and one over all of them.

    Args:
        results: for each path the expression in which ``{v}`` stands for its value; None keeps it out of the
            answer's tuple.
        names: what the expressions use.
        answer: what is returned: an expression over the tuple ``t`` and over the values, which are ``v0``,
            ``v1``, ... by the paths' positions.

    The expressions are texts of this project, never a person's.
    """
    tree = _Node()
    others: dict[str, Any] = {}
    for position, path in enumerate(paths):
        steps = plain_steps(path)
        if steps is None:
            others[f"search_{position}"] = _search(path)
        else:
            tree.add(steps, position)
    values = "".join(
        f"{text.replace('{v}', f'v{position}')}, "
        for position, text in enumerate(results)
        if text is not None
    )
    lines = [
        "def extract(r):",
        *(f"    v{name.removeprefix('search_')} = {name}(r)" for name in others),
        *_walk(tree, "r", "    ", iter(range(10**9))),
        f"    t = ({values})",
        f"    return {answer}",
    ]
    scope: dict[str, Any] = {**names, **others}
    # The text holds only names made here and literals made by repr: no path can become code.
    exec("\n".join(lines), scope)  # noqa: S102
    extract: Callable[[Any], Any] = scope["extract"]
    return extract


class _Node:
    """The plain paths as a tree: which results end here, and what is read from here."""

    def __init__(self) -> None:
        self.results: list[int] = []
        self.children: dict[_Step, _Node] = {}

    def add(self, steps: Sequence[_Step], position: int) -> None:
        node = self
        for step in steps:
            node = node.children.setdefault(step, _Node())
        node.results.append(position)


def _walk(node: _Node, variable: str, indent: str, numbers: Iterator[int]) -> Iterator[str]:
    for position in node.results:
        yield f"{indent}v{position} = {variable}"
    names = {step: child for step, child in node.children.items() if isinstance(step, str)}
    indexes = {step: child for step, child in node.children.items() if isinstance(step, int)}
    if names:
        yield from _branch(f"isinstance({variable}, dict)", names, variable, indent, numbers, ".get({!r})")
    if indexes:
        for index, child in indexes.items():
            needed = index + 1 if index >= 0 else -index
            condition = f"isinstance({variable}, list) and len({variable}) >= {needed}"
            yield from _branch(condition, {index: child}, variable, indent, numbers, "[{!r}]")


def _branch(
    condition: str,
    children: dict[Any, _Node],
    variable: str,
    indent: str,
    numbers: Iterator[int],
    access: str,
) -> Iterator[str]:
    yield f"{indent}if {condition}:"
    for step, child in children.items():
        value = variable + access.format(step)
        if child.children:
            name = f"n{next(numbers)}"
            yield f"{indent}    {name} = {value}"
            yield from _walk(child, name, indent + "    ", numbers)
        else:
            yield f"{indent}    {' = '.join(f'v{position}' for position in child.results)} = {value}"
    yield f"{indent}else:"
    below = [position for child in children.values() for position in _positions(child)]
    yield f"{indent}    {' = '.join(f'v{position}' for position in below)} = None"


def _positions(node: _Node) -> Iterator[int]:
    yield from node.results
    for child in node.children.values():
        yield from _positions(child)


def _search(path: str) -> Callable[[Any], Any]:
    compiled = parse(path)

    def search(record: Any) -> Any:
        try:
            return compiled.search(record)
        except JMESPathTypeError:
            return None

    return _object_lists(compiled.parsed, search) or search


def _object_lists(node: dict[str, Any], search: Callable[[Any], Any]) -> Callable[[Any], Any] | None:
    """What reads ``names.of.a.list[].{key: name}``, the form of software; None for any other expression.

    A list of objects is read here, since an interpreter takes several times as long for each of its many
    entries; whatever else stands there is left to ``search``.
    """
    steps = _steps_of(node["children"][0]["children"][0]) if _is_object_list(node) else None
    if not steps or not all(isinstance(step, str) for step in steps):
        return None
    members = [(pair["value"], pair["children"][0]["value"]) for pair in node["children"][1]["children"]]
    read_entries = _entry_reader(members)

    def read(record: Any) -> Any:
        found = record
        for step in steps:
            found = found.get(step) if isinstance(found, dict) else None
        if found is None:
            return None
        if found.__class__ is not list or not set(map(type, found)) <= _OBJECT:
            return search(record)
        return read_entries(found)

    return read


_OBJECT = frozenset({dict})


def _entry_reader(members: Sequence[tuple[str, str]]) -> Callable[[list[dict[str, Any]]], list[Any]]:
    """``{key: name}`` of each entry by a generated function: a loop over the members takes twice as long."""
    pairs = ", ".join(f"{key!r}: each.get({name!r})" for key, name in members)
    scope: dict[str, Any] = {}
    exec(f"def read(entries):\n    return [{{{pairs}}} for each in entries]", scope)  # noqa: S102
    read: Callable[[list[dict[str, Any]]], list[Any]] = scope["read"]
    return read


def _is_object_list(node: dict[str, Any]) -> bool:
    if node["type"] != "projection":
        return False
    listed, shown = node["children"]
    return (
        listed["type"] == "flatten"
        and shown["type"] == "multi_select_dict"
        and all(pair["children"][0]["type"] == "field" for pair in shown["children"])
    )
