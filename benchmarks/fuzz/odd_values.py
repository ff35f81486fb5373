"""Odd JSON values, changed copies of good ones, and JMESPath from its grammar: what targets draw from."""

from __future__ import annotations

import copy
from collections.abc import Callable
from random import Random
from typing import Any

PLAIN: tuple[Any, ...] = (
    None, True, False, -1, 0, 1, 2**31, 2**63, 10**300, 0.5, -0.0, 1.5e308, float("inf"), float("nan"),
    "", " ", "x", "\x00", "a\x00b", "\ud800", "\u202e", "\u2068x\u2069", "é", "e\u0301", "a" * 3000,
    "0" * 5000, "{", "[]", "null", "<b>x</b>", "-", "N/A", "123456789", "1e400", "١٢٣", "0x10", "true", "NaN",
    "2026-11-29T00:00:00Z", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "2026-02-30", "12:00", "../..",
    "https://keys.example", "customFields.x", "a.b[0].c", "a[" * 50, "%s%n", "{0.__class__}", "'; --",
)  # fmt: skip
DEPTHS = (20, 100, 300)
"""Deeper ones are refused where an answer, a message or a text is read; as texts they are drawn too."""
NAMES = (
    "id", "name", "value", "results", "utc", "", "\x00", "a" * 300, "customFields", "__class__", "0",
    "Entity",
)  # fmt: skip


def odd_json(draw: Random, depth: int = 0) -> Any:
    """A value of any kind, at most four levels deep; now and then one that is very deep or wide."""
    if depth == 0 and draw.random() < 0.02:
        return nested(draw.choice(DEPTHS))
    if depth > 3 or draw.random() < 0.6:
        return draw.choice(PLAIN)
    number = draw.choice((0, 1, 2, 3, 3, 40))
    if draw.random() < 0.5:
        return [odd_json(draw, depth + 1) for _ in range(number)]
    return {draw.choice(NAMES): odd_json(draw, depth + 1) for _ in range(number)}


def nested(depth: int) -> Any:
    """Lists within lists."""
    value: Any = []
    for _ in range(depth):
        value = [value]
    return value


def changed(draw: Random, good: Any, times: int = 2) -> Any:
    """A copy of a good value in which so many places are changed, at most."""
    value = copy.deepcopy(good)
    for _ in range(draw.randint(0, times)):
        holder, place = _place(draw, value)
        if holder is None:
            value = odd_json(draw)
        elif draw.random() < 0.15:
            del holder[place]
        elif draw.random() < 0.1 and isinstance(holder, dict):
            holder[draw.choice(NAMES)] = odd_json(draw)
        else:
            holder[place] = odd_json(draw)
    return value


def _place(draw: Random, value: Any) -> tuple[Any, Any]:
    """A container within the value and a key of it, drawn from the top down; None where there is none."""
    holder, place = None, None
    while isinstance(value, dict | list) and value:
        holder = value
        place = draw.choice(list(value)) if isinstance(value, dict) else draw.randrange(len(value))
        value = holder[place]
        if draw.random() < 0.3:
            break
    return holder, place


FUNCTIONS = (
    "abs", "avg", "ceil", "contains", "ends_with", "floor", "join", "keys", "length", "map", "max", "max_by",
    "merge", "min", "not_null", "reverse", "sort", "sort_by", "starts_with", "sum", "to_array", "to_number",
    "to_string", "type", "values", "nope",
)  # fmt: skip
FIELDS = (
    "key",
    "assetBasicInfo",
    "assetCustom",
    "model",
    "name",
    "softwares",
    '"odd name"',
    '"\\u0000"',
    "@",
)
LITERALS = ("`1`", "`1e400`", "`null`", "`[]`", "`{}`", "'raw'", '`"text"`', "`-0`", "`[1,2`", "``")


def jmespath_text(draw: Random, depth: int = 0) -> str:
    """An expression of the grammar; at the top it is now and then cut, repeated, or very long or deep."""
    text = _expression(draw, depth)
    if depth or draw.random() < 0.7:
        return text
    repeated: tuple[Callable[[], str], ...] = (
        lambda: text[: draw.randint(0, len(text))],
        lambda: f"{text}{draw.choice(PLAIN)}",
        lambda: "[" * draw.choice((20, 400, 5000)),
        lambda: f"a{'[0]' * draw.choice((20, 150, 3000))}",
        lambda: " | ".join([text] * draw.choice((2, 24, 400))),
        lambda: " | ".join(["[@,@][]"] * draw.choice((4, 12, 24))),
        lambda: "(" * 200 + text + ")" * 200,
        lambda: "!" * draw.choice((10, 2000)) + text,
        lambda: "a" * draw.choice((100, 20_000)),
        lambda: ".".join(["a"] * draw.choice((50, 5000))),
        lambda: "||".join([text] * draw.choice((3, 1000))),
    )
    return draw.choice(repeated)()


def _expression(draw: Random, depth: int) -> str:
    def inner() -> str:
        return _expression(draw, depth + 1)

    leaf = draw.choice((*FIELDS, *LITERALS))
    if depth > 4:
        return leaf
    index = draw.choice((0, 1, -1, 99, 2**63, -(2**63)))
    shapes: tuple[Callable[[], str], ...] = (
        lambda: leaf,
        lambda: f"{inner()}.{draw.choice(FIELDS)}",
        lambda: f"{inner()}[{index}]",
        lambda: f"{inner()}[{draw.choice(('', 0, -3))}:{draw.choice(('', 2))}:{draw.choice(('', 0, 1, -1))}]",
        lambda: f"{inner()}[]",
        lambda: f"{inner()}[*]",
        lambda: f"{inner()}.*",
        lambda: f"{inner()}[?{inner()} {draw.choice(('==', '<', '>=', '!=', '&&'))} {inner()}]",
        lambda: f"{inner()} | {inner()}",
        lambda: f"{inner()} || {inner()}",
        lambda: f"!{inner()}",
        lambda: f"[{inner()}, {inner()}]",
        lambda: f"{{a: {inner()}, b: {inner()}}}",
        lambda: f"{draw.choice(FUNCTIONS)}({inner()})",
        lambda: f"{draw.choice(FUNCTIONS)}({inner()}, {draw.choice(('', '&'))}{inner()})",
    )
    return draw.choice(shapes)()
