"""Words and Markdown: counts that agree with their number, and tables, lists and links of escaped values.

Every value goes through ``escape``, ``cell`` or ``linked``, so that no name a stranger has chosen can add
markup, HTML, a link or a table cell.
"""

from __future__ import annotations

import html
import re
import textwrap
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

from tasks.rules.isolation import bounded, convert_all_or, problem_words

T = TypeVar("T")

_HISSING = ("s", "x", "ch", "sh")


def plural(word: str) -> str:
    """The plural of an English noun whose plural is regular; of several words the last one changes."""
    if word.endswith(_HISSING):
        return f"{word}es"
    if word.endswith("y") and word[-2:-1] not in "aeiou":
        return f"{word[:-1]}ies"
    return f"{word}s"


def noun(count: int, word: str) -> str:
    """The word as it stands after that number."""
    return word if count == 1 else plural(word)


def counted(count: int, word: str) -> str:
    """The number and the word, such as ``1,204 configurations``."""
    return f"{count:,} {noun(count, word)}"


AddressOf = Callable[[Any], str | None]
"""The address of a record by its id or key; None if there is none."""

ROWS = 50
"""Rows of a table before "and n more"."""

EMPTY = "*empty*"
_SPECIAL = re.compile(r"([\\`*_{}\[\]|~#!$])")


def plain_line(value: Any) -> str:
    """The value as one line of visible characters, for places that show no markup."""
    return " ".join(_visible(str(value)).split())


def escape(value: Any) -> str:
    """The value as one line of literal text: no markup, no HTML, no table cell, no link of its own."""
    text = plain_line(value).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    # Backslashes and not entities, which the Prefect UI shows as they are written.
    text = _SPECIAL.sub(r"\\\1", text).replace("://", ":\\/\\/").replace("@", "\\@")
    return re.sub(r"(?i)\bwww\.", lambda found: f"{found[0][:-1]}\\.", text)


def unescaped(text: str) -> str:
    """The literal text that ``escape`` has made safe."""
    return html.unescape(re.sub(r"\\([\\`*_{}\[\]|~#!$/@.])", r"\1", text))


def cell(value: Any, length: int = 80) -> str:
    """A value for a table cell, cut at ``length`` characters with an ellipsis; nothing shows as empty."""
    text = "" if value is None else plain_line(value)
    if not text:
        return EMPTY
    return escape(text if len(text) <= length else text[: length - 1] + "…")


def linked(text: Any, address: str | None, length: int = 80) -> str:
    """The text as a link, if there is an http address for it."""
    shown = cell(text, length)
    if not address or not address.lower().startswith(("https://", "http://")):
        return shown
    safe = re.sub(r"[\s<>|\\()\[\]`]", lambda found: f"%{ord(found[0]):02X}", address)
    return f"[{shown}]({safe})"


def wrapped(value: Any, width: int) -> str:
    """A value in lines of at most that many characters, for cells of table artifacts, which never wrap."""
    return "<br>".join(escape(line) for line in textwrap.wrap(_visible(str(value)), width))


def table(headers: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table; the headers and cells are taken as Markdown, so values go through ``cell`` or ``linked``."""
    lines = [headers, ["---"] * len(headers), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def capped_table(headers: Sequence[str], rows: Sequence[Sequence[str]], limit: int, total: int) -> str:
    """The first ``limit`` rows, and how many more there are of ``total``."""
    shown = table(headers, rows[:limit])
    more = total - min(limit, len(rows))
    return f"{shown}\n\n… and {more:,} more" if more > 0 else shown


def bullets(lines: Sequence[str], limit: int, total: int) -> str:
    """The first ``limit`` lines as a list, which wraps where a table is cut, and how many more there are.

    Nothing at all for no lines.
    """
    if not lines:
        return ""
    shown = "\n".join(f"- {line}" for line in lines[:limit])
    more = total - min(limit, len(lines))
    return f"{shown}\n- … and {more:,} more" if more > 0 else shown


def escaped_list(texts: Iterable[Any]) -> str:
    """All texts as a list, a line each."""
    return "\n".join(f"- {line}" for line in lines_of(list(texts), escape))


def lines_of(records: Sequence[T], show: Callable[[T], str]) -> list[str]:
    """The line of each record. One that can't be shown becomes a line that says so, and the others stay."""
    return convert_all_or(records, show, unshown)


def cells_of(records: Sequence[T], show: Callable[[T], list[str]], width: int) -> list[list[str]]:
    """The cells of each record's row, ``width`` of them; see ``lines_of``."""
    return convert_all_or(records, show, lambda each, error: [unshown(each, error), *[""] * (width - 1)])


def unshown(record: Any, error: Exception) -> str:
    """The words that stand in place of a record."""
    named = _key_of(record)
    return f"{cell(named) if named else 'A record'} can't be shown: {escape(problem_words(error))}"


_KEYS = ("asset_key", "key", "reference", "id", "record_id", "asset", "configuration")
"""Members by which a record is known, the first that it has; the last two are records themselves."""


def _key_of(record: Any) -> str:
    for name in _KEYS:
        found = getattr(record, name, None)
        if isinstance(found, int | str):
            return bounded(str(found))
        if found is not None:
            return _key_of(found)
    return ""


def section(title: str, body: str, level: int = 2) -> str:
    """A heading and its text; nothing at all if there is no text."""
    return f"{'#' * level} {title}\n\n{body}" if body else ""


def document(*parts: str) -> str:
    """The parts that say something, apart by blank lines."""
    return "\n\n".join(part for part in parts if part) + "\n"


def _visible(text: str) -> str:
    """Without characters that steer instead of show: controls, direction marks, lone surrogates."""
    return "".join(
        " " if unicodedata.category(char) in ("Cc", "Zl", "Zp") else char
        for char in text
        if unicodedata.category(char) not in ("Cf", "Cs")
    )
