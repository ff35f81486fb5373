"""A parsed condition as one Python function over a stored record.

Comparisons follow the database underneath: texts without regard to case, a missing value meets no comparison
(not even `!=`) but `= null` and `!= null`, `like` knows `%` and `*` (any text), `_` (one character), `[set]`.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sandbox.connectwise.conditions import ConditionError, Expression, Moment, Term, Value
from sandbox.connectwise.fields import Kind

Test = Callable[[Any], bool]


@dataclass(frozen=True, slots=True)
class Access:
    """How a name is read from what is tested, and what kind of value that gives."""

    kind: Kind
    read: Callable[[Any], Any]


Resolve = Callable[[str], Access]
Special = Callable[[Term], Test | None]


def compiled(expression: Expression, resolve: Resolve, special: Special = lambda _: None) -> Test:
    """The condition as a function; `special` may give a term's test, None leaves it to its name and value.

    Raises:
        ConditionError: a name that `resolve` refuses, or a value that can't be compared with that name.
    """
    if isinstance(expression, Term):
        return special(expression) or _term(expression, resolve(expression.path))
    tests = [compiled(part, resolve, special) for part in expression.parts]
    if len(tests) == 2:
        first, second = tests
        if expression.every:
            return lambda record: first(record) and second(record)
        return lambda record: first(record) or second(record)
    join = all if expression.every else any
    return lambda record: join(test(record) for test in tests)


def _term(term: Term, access: Access) -> Test:
    if term.operator in ("like", "contains"):
        return _pattern(term, access)
    if term.operator == "in":
        return _among(term, access)
    if term.values == (None,):
        return _null(term.operator, access)
    return _comparison(term.operator, access, _comparable(access.kind, term.values[0], term.path))


def _null(operator: str, access: Access) -> Test:
    read = access.read
    if operator == "=":
        return lambda record: read(record) is None
    if operator == "!=":
        return lambda record: read(record) is not None
    raise ConditionError(f"null can't be compared with {operator}.")


def _comparison(operator: str, access: Access, wanted: Any) -> Test:
    if access.kind is Kind.REFERENCE:
        raise ConditionError("A reference is compared by its id or name, or with null.")
    read = _reader(access)
    tests: dict[str, Test] = {
        "=": lambda record: (value := read(record)) is not None and value == wanted,
        "!=": lambda record: (value := read(record)) is not None and value != wanted,
        "<": lambda record: (value := read(record)) is not None and value < wanted,
        "<=": lambda record: (value := read(record)) is not None and value <= wanted,
        ">": lambda record: (value := read(record)) is not None and value > wanted,
        ">=": lambda record: (value := read(record)) is not None and value >= wanted,
    }
    return tests[operator]


def _among(term: Term, access: Access) -> Test:
    wanted = frozenset(_comparable(access.kind, one, term.path) for one in term.values if one is not None)
    read, negated = _reader(access), term.negated
    return lambda record: (value := read(record)) is not None and (value in wanted) is not negated


def _pattern(term: Term, access: Access) -> Test:
    text = str(term.values[0])
    found = like(f"%{text}%" if term.operator == "contains" else text).fullmatch
    read, negated = access.read, term.negated
    return lambda record: (
        (value := read(record)) is not None and (found(str(value)) is not None) is not negated
    )


def like(pattern: str) -> re.Pattern[str]:
    """A LIKE pattern as a regular expression: `%` and `*` any text, `_` one character, `[abc]` a set.

    Raises:
        ConditionError: a set that can't be read.
    """
    parts: list[str] = []
    for one in re.findall(r"\[[^\]]+\]|.", pattern, re.DOTALL):
        if len(one) > 1:
            inner = re.escape(one[1:-1].removeprefix("^")).replace(r"\-", "-")
            parts.append(f"[{'^' if one[1] == '^' else ''}{inner}]")
        else:
            parts.append({"%": ".*", "*": ".*", "_": "."}.get(one, re.escape(one)))
    try:
        return re.compile(re.sub(r"(?:\.\*)+", ".*", "".join(parts)), re.IGNORECASE | re.DOTALL)
    except re.error:
        raise ConditionError(f"The pattern can't be read: {pattern}") from None


def _reader(access: Access) -> Callable[[Any], Any]:
    """Read in the form in which values of this kind are compared."""
    read = access.read
    if access.kind in (Kind.TEXT, Kind.CHOICE):
        return lambda record: None if (value := read(record)) is None else str(value).casefold()
    if access.kind is Kind.MOMENT:
        return lambda record: None if (value := read(record)) is None else value[:19]
    return read


def _comparable(kind: Kind, value: Value, path: str) -> Any:
    if kind is Kind.MOMENT:
        return _moment(value, path)
    if isinstance(value, Moment):
        raise ConditionError(f"{path} is not a date.")
    if kind in (Kind.INTEGER, Kind.NUMBER):
        return _number(value, path)
    if kind is Kind.FLAG:
        return _flag(value, path)
    return str(value).casefold()


def _number(value: Value, path: str) -> float | int:
    try:
        return value if isinstance(value, int | float) else float(str(value))
    except ValueError:
        raise ConditionError(f"{path} is a number; '{value}' is not.") from None


def _flag(value: Value, path: str) -> bool:
    words = {"true": True, "1": True, "false": False, "0": False}
    if str(value).lower() not in words:
        raise ConditionError(f"{path} is True or False; '{value}' is not.")
    return words[str(value).lower()]


def _moment(value: Value, path: str) -> str:
    typed = value.text if isinstance(value, Moment) else str(value)
    try:
        read = datetime.fromisoformat(typed.strip().removesuffix("Z").removesuffix("z"))
    except ValueError:
        raise ConditionError(f"{path} is a date; '{typed}' is not.") from None
    if read.tzinfo is not None:
        raise ConditionError(f"Unsupported format applied to {path}: dates are UTC and end in Z.")
    return read.isoformat()
