"""What is wrong with a mapping, in words, before anything is read or written."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from jmespath.functions import Functions

from tasks.rules.extraction import ExpressionError, parse
from tasks.rules.field_mappings import FieldMapping
from tasks.rules.targets import CUSTOM_FIELD_PREFIX, TARGETS, Target, custom_field_target, near_matches


def mapping_target(path: str) -> Target:
    """The target of a checked mapping; ``KeyError`` for a path that ``check_mappings`` refuses."""
    if path.startswith(CUSTOM_FIELD_PREFIX):
        return custom_field_target(path.removeprefix(CUSTOM_FIELD_PREFIX))
    return TARGETS[path]


def check_mappings(mappings: Sequence[FieldMapping]) -> list[str]:
    """Every problem, one sentence or two each; an empty list means that the mapping can be compiled."""
    problems = [problem for mapping in mappings for problem in _problems(mapping)]
    counts = Counter(mapping.target for mapping in mappings)
    twice = [target for target, count in counts.items() if count > 1]
    return problems + [
        f"ConnectWise field {target!r} is mapped {counts[target]} times. Keep one of the mappings."
        for target in twice
    ]


def known_mappings(mappings: Sequence[FieldMapping]) -> tuple[list[FieldMapping], list[str]]:
    """The mappings whose target ConnectWise has, and a warning for each of the others.

    For the Match action alone, whose documented example maps to a field that does not exist.
    """
    warnings = [problem for mapping in mappings for problem in _target_problems(mapping)]
    known = [mapping for mapping in mappings if not list(_target_problems(mapping))]
    return known, [f"{warning} The mapping is left out." for warning in warnings]


def _problems(mapping: FieldMapping) -> Iterator[str]:
    yield from _target_problems(mapping)
    yield from expression_problems(mapping.source)
    if mapping.clear and None in mapping.values.values():
        yield (
            f"The mapping to {mapping.target!r} both clears and skips values. "
            "Take 'clear' away or name a ConnectWise value instead of null."
        )


def _target_problems(mapping: FieldMapping) -> Iterator[str]:
    target = mapping.target
    if target in TARGETS or (target.startswith(CUSTOM_FIELD_PREFIX) and target != CUSTOM_FIELD_PREFIX):
        return
    near = near_matches(target)
    hint = f"Did you mean {' or '.join(near)}?" if near else "See the README's list of ConnectWise paths."
    yield f"{mapping.source!r} is mapped to {target!r}, which is no ConnectWise field. {hint}"


def expression_problems(source: str) -> Iterator[str]:
    """What is wrong with a JMESPath expression: its grammar, the functions it calls, their arguments."""
    try:
        tree = parse(source).parsed
    except ExpressionError as error:
        yield f'{error} Quote names that hold other signs than letters, digits and _: "my-name".'
        return
    for name, arguments in _calls(tree):
        yield from _call_problems(source, name, arguments)


def _calls(node: Any) -> Iterator[tuple[str, int]]:
    """Every function that an expression calls: jmespath itself looks only when a value reaches it."""
    if not isinstance(node, dict):
        return
    if node["type"] == "function_expression":
        yield node["value"], len(node["children"])
    for child in node["children"]:
        yield from _calls(child)


def _call_problems(source: str, name: str, arguments: int) -> Iterator[str]:
    known = Functions.FUNCTION_TABLE.get(name)
    if known is None:
        yield f"{source!r} calls {name}(), which JMESPath does not have. See jmespath.org for its functions."
        return
    signature = known["signature"]
    variadic = bool(signature) and signature[-1].get("variadic")
    if arguments < len(signature) or (arguments > len(signature) and not variadic):
        least = "at least " if variadic else ""
        yield f"{source!r} calls {name}() with {arguments} arguments; it takes {least}{len(signature)}."
