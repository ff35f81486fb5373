"""The conditions language: a parser, and a compiler to one Python function over a stored record.

`name like "x%" and (status/id in (1,2) or lastUpdated > [2025-01-01T00:00:00Z])`: words in any case; `and`
binds tighter than `or`; texts in double or single quotes, a quote or backslash inside may be written with a
backslash before it (docs/vendors.md, ConnectWise 3).

Comparisons follow the database underneath: texts without regard to case, a missing value meets no comparison
(not even `!=`) but `= null` and `!= null`, `like` knows `%` and `*` (any text), `_` (one character), `[set]`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sandbox.connectwise.schema.fields import Kind

MAX_DEPTH = 40
LONGEST_NUMBER = 30

TOKEN = re.compile(
    r"""\s*(?:
    (?P<text>"(?:\\["'\\]|\\(?!")|[^"\\])*"|'(?:\\["'\\]|\\(?!')|[^'\\])*')
    |\[(?P<moment>[^\]]*)\]
    |(?P<number>[-+]?\d+(?:\.\d+)?)(?![\w/])
    |(?P<sign><=|>=|!=|<>|[=<>(),])
    |(?P<word>[A-Za-z_]\w*(?:/\w+)*)
    )""",
    re.VERBOSE,
)

COMPARISONS = frozenset({"=", "!=", "<>", "<", "<=", ">", ">="})
Test = Callable[[Any], bool]


class ConditionError(Exception):
    """A condition that the server refuses; the message is the vendor's or close to it."""


@dataclass(frozen=True, slots=True)
class Moment:
    """A date in square brackets, as typed."""

    text: str


Value = str | int | float | bool | Moment | None


@dataclass(frozen=True, slots=True)
class Term:
    """`path operator value`; `operator` is one of the comparisons, `like`, `contains` or `in`."""

    path: str
    operator: str
    values: tuple[Value, ...]
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Group:
    """Terms and groups joined by one word; `every` True: and, False: or."""

    every: bool
    parts: tuple[Expression, ...]


Expression = Term | Group


@dataclass(frozen=True, slots=True)
class Token:
    """A kind (text, moment, number, sign, word, end) and its text."""

    kind: str
    text: str


def parse(text: str) -> Expression:
    """Read one condition; ConditionError: the text is none."""
    return _Parser(text).whole()


def terms(expression: Expression) -> Iterator[Term]:
    """Every term of a condition, in the order typed."""
    if isinstance(expression, Term):
        yield expression
    else:
        for part in expression.parts:
            yield from terms(part)


def _tokens(text: str) -> list[Token]:
    found: list[Token] = []
    position, end = 0, len(text.rstrip())
    while position < end:
        match = TOKEN.match(text, position)
        if match is None or match.lastgroup is None:
            raise ConditionError(f"Unexpected text at position {position}: {text[position : position + 20]}")
        found.append(Token(match.lastgroup, match[match.lastgroup]))
        position = match.end()
    return [*found, Token("end", "")]


class _Parser:
    """Recursive descent over the tokens of one condition."""

    def __init__(self, text: str) -> None:
        self._left = _tokens(text)
        self._at = 0
        self._depth = 0

    def whole(self) -> Expression:
        expression = self._any()
        if self._peek().kind != "end":
            raise ConditionError(f"Unexpected '{self._peek().text}' after the condition.")
        return expression

    def _any(self) -> Expression:
        parts = [self._every()]
        while self._take_word("or"):
            parts.append(self._every())
        return parts[0] if len(parts) == 1 else Group(False, tuple(parts))

    def _every(self) -> Expression:
        parts = [self._single()]
        while self._take_word("and"):
            parts.append(self._single())
        return parts[0] if len(parts) == 1 else Group(True, tuple(parts))

    def _single(self) -> Expression:
        if not self._take_sign("("):
            return self._term()
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise ConditionError("Too many parentheses.")
        inner = self._any()
        self._expect(")")
        self._depth -= 1
        return inner

    def _term(self) -> Term:
        path = self._next()
        if path.kind != "word":
            raise ConditionError(f"Expected a name, found '{path.text}'.")
        sign = self._next()
        if sign.kind == "sign" and sign.text in COMPARISONS:
            return Term(path.text, sign.text.replace("<>", "!="), (self._value(),))
        negated = sign.text.lower() == "not"
        word = (self._next() if negated else sign).text.lower()
        if word == "in":
            return Term(path.text, word, self._list(), negated)
        if word in ("like", "contains"):
            return Term(path.text, word, (self._value(),), negated)
        raise ConditionError(f"Expected an operator after {path.text}, found '{word}'.")

    def _list(self) -> tuple[Value, ...]:
        self._expect("(")
        values = [self._value()]
        while self._take_sign(","):
            values.append(self._value())
        self._expect(")")
        return tuple(values)

    def _value(self) -> Value:
        token = self._next()
        if token.kind == "text":
            return re.sub(r"\\([\"'\\])", r"\1", token.text[1:-1])
        if token.kind == "moment":
            return Moment(token.text)
        if token.kind == "number":
            if len(token.text) > LONGEST_NUMBER:
                raise ConditionError(f"The number {token.text[:LONGEST_NUMBER]}... is too long.")
            return float(token.text) if "." in token.text else int(token.text)
        words: dict[str, Value] = {"true": True, "false": False, "null": None}
        if token.kind == "word" and token.text.lower() in words:
            return words[token.text.lower()]
        raise ConditionError(f"Expected a value, found '{token.text}'.")

    def _peek(self) -> Token:
        return self._left[self._at]

    def _next(self) -> Token:
        token = self._left[self._at]
        self._at = min(self._at + 1, len(self._left) - 1)
        return token

    def _take_word(self, word: str) -> bool:
        return self._take(self._peek().kind == "word" and self._peek().text.lower() == word)

    def _take_sign(self, sign: str) -> bool:
        return self._take(self._peek() == Token("sign", sign))

    def _take(self, wanted: bool) -> bool:
        self._at += int(wanted)
        return wanted

    def _expect(self, sign: str) -> None:
        if not self._take_sign(sign):
            raise ConditionError(f"Expected '{sign}', found '{self._peek().text}'.")


@dataclass(frozen=True, slots=True)
class Access:
    """How a name is read from what is tested, and what kind of value that gives."""

    kind: Kind
    read: Callable[[Any], Any]


Resolve = Callable[[str], Access]
Special = Callable[[Term], Test | None]


def compile_condition(expression: Expression, resolve: Resolve, special: Special = lambda _: None) -> Test:
    """The condition as a function; `special` may give a term's test, None leaves it to the name.

    Raises:
        ConditionError: a name that `resolve` refuses, or a value that can't be compared with that name.
    """
    if isinstance(expression, Term):
        return special(expression) or _term(expression, resolve(expression.path))
    tests = [compile_condition(part, resolve, special) for part in expression.parts]
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
    """A LIKE pattern as a regular expression; ConditionError: a set that can't be read."""
    pieces: list[str] = [""]
    for one in re.findall(r"\[[^\]]+\]|.", pattern, re.DOTALL):
        if one in ("%", "*"):
            pieces.append("")
        elif len(one) > 1:
            inner = re.escape(one[1:-1].removeprefix("^")).replace(r"\-", "-")
            pieces[-1] += f"[{'^' if one[1] == '^' else ''}{inner}]"
        else:
            pieces[-1] += "." if one == "_" else re.escape(one)
    first, *middle = pieces
    last = f".*{middle.pop()}" if middle else ""
    # The first place of a piece between two wildcards is as good as any: atomic groups never try another one.
    found = first + "".join(f"(?>.*?{piece})" for piece in middle if piece) + last
    try:
        return re.compile(found, re.IGNORECASE | re.DOTALL)
    except re.error:
        raise ConditionError(f"The pattern can't be read: {pattern}") from None


def _reader(access: Access) -> Callable[[Any], Any]:
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
