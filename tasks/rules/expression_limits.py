"""Parses and evaluates a person's JMESPath within limits: of length, depth, growth, steps and size.

The text is held to its limits when the rules are saved, since a run is too late to learn of them. What no
text shows, such as how long a list of a record is, is bounded while it is evaluated.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any, TypeVar

import jmespath
from jmespath.exceptions import JMESPathError
from jmespath.functions import Functions, signature
from jmespath.visitor import Options, TreeInterpreter

LONGEST_EXPRESSION = 2000
"""Characters. The longest of the documented mappings has 120."""
DEEPEST_EXPRESSION = 40
"""Levels of an expression, which every name, index and bracket adds to."""
MOST_GROWTH = 1000
"""Times that an expression may hold what it reads, by the lists and objects that it builds."""
MOST_STEPS = 100_000
"""Parts of an expression that are evaluated for one record, those for each element of a list included."""
LARGEST_VALUE = 200_000
"""Characters of a text or elements of a list that come about on the way."""
_LONGEST_QUOTE = 80
_LONGEST_REASON = 200
T = TypeVar("T")
Node = dict[str, Any]


class ExpressionError(ValueError):
    """The text is no JMESPath expression, or one over a limit; the message quotes it, shortened."""


class GrammarError(ExpressionError):
    """The text is no JMESPath expression."""


class Expression:
    """One parsed expression; its tree is jmespath's own."""

    def __init__(self, text: str, tree: Node) -> None:
        self.text = text
        self.parsed = tree

    def search(self, record: Any) -> Any:
        """The value that the expression has for a record.

        Raises:
            JMESPathError: a function is given what it does not take.
            ExpressionError: it comes to more steps or larger values than there may be, or to no value.
        """
        interpreter = _BoundedInterpreter()
        try:
            return interpreter.visit(self.parsed, record)
        except (JMESPathError, ExpressionError):
            raise
        except (ArithmeticError, ValueError, TypeError, AttributeError, LookupError, RecursionError) as error:
            raise ExpressionError(f"{quoted(self.text)} has no value ({type(error).__name__})") from None


@lru_cache(maxsize=1024)
def parse(expression: str) -> Expression:
    """The parsed JMESPath expression. Raises ExpressionError on one line: none, or one over a limit."""
    if len(expression) > LONGEST_EXPRESSION:
        raise ExpressionError(
            f"{quoted(expression)} has {len(expression):,} characters; an expression may have"
            f" {LONGEST_EXPRESSION:,}."
        )
    try:
        tree: Any = jmespath.compile(expression).parsed
    except RecursionError:
        raise ExpressionError(_too_deep(expression)) from None
    except (JMESPathError, ValueError, TypeError, LookupError, AttributeError) as error:
        lines = str(error).splitlines() or [type(error).__name__]
        reason = lines[0][:_LONGEST_REASON].rstrip(":. ")
        raise GrammarError(f"{quoted(expression)} is not a JMESPath expression: {reason}.") from None
    _check(expression, tree)
    return Expression(expression, tree)


def quoted(expression: str) -> str:
    """The expression as messages quote it: its beginning."""
    return repr(expression if len(expression) <= _LONGEST_QUOTE else expression[: _LONGEST_QUOTE - 1] + "…")


def _check(expression: str, tree: Node) -> None:
    level, depth = [tree], 0
    while level:
        depth += 1
        if depth > DEEPEST_EXPRESSION:
            raise ExpressionError(_too_deep(expression))
        if any(node["type"] == "slice" and node["children"][2] == 0 for node in level):
            raise ExpressionError(f"{quoted(expression)} has a slice whose step is 0.")
        if not all(_is_finite(node["value"]) for node in level if node["type"] == "literal"):
            raise ExpressionError(f"{quoted(expression)} has a number that is not finite.")
        level = [child for node in level for child in node["children"] if isinstance(child, dict)]
    if _depth(tree) > DEEPEST_EXPRESSION:
        raise ExpressionError(_too_deep(expression))
    growth = _growth(tree)
    if growth > MOST_GROWTH:
        raise ExpressionError(
            f"{quoted(expression)} builds up to {min(growth, 10**9):,} times what it reads, more than"
            f" {MOST_GROWTH:,}."
        )


def _is_finite(value: Any) -> bool:
    """Whether each number of a literal is finite: JSON has no other, though Python reads ``1e400``."""
    inner = [value]
    for each in inner:
        if isinstance(each, dict | list):
            inner += each.values() if isinstance(each, dict) else each
        elif isinstance(each, float) and not math.isfinite(each):
            return False
    return True


def _too_deep(expression: str) -> str:
    return f"{quoted(expression)} is nested more deeply than {DEEPEST_EXPRESSION} levels."


_ADDING = {"multi_select_list", "multi_select_dict", "or_expression", "and_expression", "comparator"}
_CHAINS = {"subexpression", "index_expression"}


def _depth(node: Node) -> int:
    """Levels of values that the expression walks through; a chain of names is flat in the tree."""
    parts = [_depth(child) for child in node["children"] if isinstance(child, dict)]
    return sum(parts) if node["type"] in _CHAINS else 1 + max(parts, default=0)


def _growth(node: Node) -> int:
    """How many times the value that a node is given may stand in its answer, at most."""
    parts = [_growth(child) for child in node["children"] if isinstance(child, dict)]
    if node["type"] in _ADDING:
        return max(1, sum(parts))
    product = 1
    for part in parts:
        product *= part
    return product


class _BoundedFunctions(Functions):
    """The functions of JMESPath; ``join`` repeats its first argument, so its answer is measured before.

    As the standard has it, ``contains`` of a text and something else is false.
    """

    @signature({"types": ["string"]}, {"types": ["array-string"]})
    def _func_join(self, separator: str, texts: list[str]) -> str:
        if len(separator) * len(texts) + sum(map(len, texts)) > LARGEST_VALUE:
            raise ExpressionError(f"join() makes more than {LARGEST_VALUE:,} characters.")
        return separator.join(texts)

    @signature({"types": ["array", "string"]}, {"types": []})
    def _func_contains(self, subject: Any, search: Any) -> bool:
        # A text holds texts alone; Python's own test would raise for anything else.
        return search in subject if isinstance(search, str) or not isinstance(subject, str) else False


_FUNCTIONS = _BoundedFunctions()


class _BoundedInterpreter(TreeInterpreter):
    """jmespath's interpreter, which counts its steps and measures what comes about."""

    def __init__(self) -> None:
        super().__init__(Options(custom_functions=_FUNCTIONS))
        self._steps = 0

    def visit_comparator(self, node: Any, value: Any) -> Any:
        """``<`` and its like; null for two values that have no order, as the standard has it."""
        try:
            return super().visit_comparator(node, value)
        except TypeError:
            return None

    def visit(self, node: Any, *args: Any, **kwargs: Any) -> Any:
        """One part of the expression for one value."""
        self._steps += 1
        if self._steps > MOST_STEPS:
            raise ExpressionError(f"The expression takes more than {MOST_STEPS:,} steps for one record.")
        found = super().visit(node, *args, **kwargs)
        if isinstance(found, str | list) and len(found) > LARGEST_VALUE:
            raise ExpressionError(f"The expression makes a value of more than {LARGEST_VALUE:,} parts.")
        return found
