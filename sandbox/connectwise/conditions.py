"""The conditions language: `name like "x%" and (status/id in (1,2) or lastUpdated > [2025-01-01T00:00:00Z])`.

Words in any case; `and` binds tighter than `or`; texts in double or single quotes, a quote or backslash
inside may be written with a backslash before it. Grammar: the reference's section 3.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

MAX_DEPTH = 40

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
    parts: tuple["Expression", ...]


Expression = Term | Group


@dataclass(frozen=True, slots=True)
class Token:
    """A kind (text, moment, number, sign, word, end) and its text."""

    kind: str
    text: str


def parse(text: str) -> Expression:
    """Read one condition.

    Raises:
        ConditionError: the text is not a condition.
    """
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
