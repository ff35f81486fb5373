"""Plain text from text that may hold HTML, as notes and messages of both vendors do. One function for all.

    a real tag             goes; one of a block (paragraph, list entry, heading) and ``br`` is a line break,
                           one of a table's cell a blank
    ``<time>``             stays where it is a word: a bare tag that HTML closes, and nothing closes it
    a comment              goes, and a script or style with what is in it
    ``&amp;``, ``&#38;``   is decoded, once, with its semicolon only: ``a=1&lt=2`` of an address stays
    anything else          stays: ``serial <SN12345> fitted``, ``temp < 5 and load > 80``

A tag is real by the names that HTML has, alone or with attributes, since the texts are written by people. The
standard library's parser takes ``<SN12345>`` for one, too, and its time grows with the square of what is not
closed; this is linear.
"""

from __future__ import annotations

import html
import re
import unicodedata

_BLOCKS = frozenset(
    {
        "address", "article", "aside", "blockquote", "body", "center", "dd", "details", "dialog", "div",
        "dl", "dt", "fieldset", "figcaption", "figure", "footer", "form", "h1", "h2", "h3", "h4", "h5",
        "h6", "head", "header", "hr", "html", "legend", "li", "main", "menu", "nav", "ol", "optgroup",
        "option", "p", "pre", "section", "summary", "table", "tbody", "tfoot", "thead", "title", "tr", "ul",
    }
)  # fmt: skip
_INLINE = frozenset(
    {
        "a", "abbr", "acronym", "area", "audio", "b", "base", "bdi", "bdo", "big", "button", "canvas",
        "caption", "cite", "code", "col", "colgroup", "data", "datalist", "del", "dfn", "em", "embed",
        "font", "i", "iframe", "img", "input", "ins", "kbd", "label", "link", "map", "mark", "meta",
        "meter", "noscript", "o:p", "object", "output", "param", "picture", "progress", "q", "rp", "rt",
        "ruby", "s", "samp", "select", "slot", "small", "source", "span", "strike", "strong", "sub", "sup",
        "td", "template", "textarea", "th", "time", "track", "tt", "u", "var", "video", "wbr",
    }
)  # fmt: skip
_WITH_CONTENT = frozenset({"script", "style"})
_CELLS = frozenset({"td", "th"})
_WORDS = frozenset(
    {
        "a", "abbr", "address", "area", "article", "aside", "audio", "b", "base", "bdi", "bdo", "big",
        "button", "canvas", "caption", "cite", "code", "data", "del", "details", "dfn", "dialog", "embed",
        "figure", "footer", "form", "header", "i", "input", "ins", "kbd", "label", "legend", "link", "main",
        "map", "mark", "menu", "meta", "meter", "nav", "object", "output", "param", "picture", "progress",
        "q", "s", "samp", "section", "select", "slot", "small", "source", "strike", "sub", "summary", "sup",
        "table", "template", "textarea", "time", "title", "track", "tt", "u", "var", "video",
    }
)  # fmt: skip
"""Names that people write between angle brackets, too: ``press <a> or <b>``, ``give <title> and <time>``."""
_BREAK = "br"
_KNOWN = _BLOCKS | _INLINE | _WITH_CONTENT | {_BREAK}
# No attribute holds angle brackets, so that a search ends at the next of them and the whole is linear.
_ATTRIBUTES = (
    r"\s+(?:(?:nowrap|hidden|disabled|checked|selected|readonly|required|noshade|open|reversed|controls|muted"
    r"|autoplay|loop|allowfullscreen|data-[\w-]+)\b|[A-Za-z_][\w:.-]*\s*=)[^<>]*"
)
_MARKUP = re.compile(
    rf"<(?:(?P<end>/?)(?P<name>[A-Za-z][A-Za-z0-9:]{{0,15}})(?:{_ATTRIBUTES}|\s*/|(?P<bare>\s*))>"
    r"|(?P<comment>!--)|(?:![A-Za-z]|\?xml\b)[^<>]*>)"
)
_CLOSED = {name: re.compile(rf"</{name}\s*>", re.IGNORECASE) for name in _WITH_CONTENT}
_END = re.compile(r"</([A-Za-z][A-Za-z0-9]{0,15})")
_ENTITY = re.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9A-Fa-f]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
_LINE = "\n"


def text_of_markup(text: str) -> str:
    """The text as a person reads it; text without a real tag keeps each of its blanks and line breaks."""
    pieces = _Pieces()
    place = 0
    is_plain = True
    without_end: set[str] = set()
    closed = {name.lower() for name in _END.findall(text)}
    for found in _MARKUP.finditer(text):
        if found.start() < place:
            continue
        name = (found["name"] or "").lower()
        if name and (name not in _KNOWN or _is_word(found, name, closed)):
            continue
        after = found.end()
        if found["comment"] or (name in _WITH_CONTENT and not found["end"]):
            what = name or "-->"
            after = -1 if what in without_end else _end_of(text, what, after)
            if after < 0:
                without_end.add(what)
                if not name:
                    continue
                after = found.end()
        is_plain = False
        pieces.add(text[place : found.start()])
        pieces.end_line(hard=name == _BREAK) if name == _BREAK or name in _BLOCKS else None
        if name in _CELLS:
            pieces.end_cell()
        place = after
    if is_plain:
        return decoded(text)
    pieces.add(text[place:])
    return pieces.text()


def _is_word(found: re.Match[str], name: str, closed: set[str]) -> bool:
    return found["bare"] is not None and not found["end"] and name in _WORDS and name not in closed


def decoded(text: str) -> str:
    """The text with its entities decoded, once."""
    return _ENTITY.sub(lambda found: html.unescape(found[0]), text) if "&" in text else text


_ELLIPSIS = "…"
_JOINER = "\u200d"


def units_of(text: str) -> int:
    """UTF-16 units, by which the vendors' databases count: most emoji take two."""
    return len(text) + sum(letter > "\uffff" for letter in text)


def fitting(text: str, longest: int) -> str:
    """The text in so many UTF-16 units at most; what was cut ends with an ellipsis.

    Nothing is cut within what a person takes for one letter: before a combining mark, a joiner, a variation
    or skin tone, after a joiner, or within a flag.
    """
    if units_of(text) <= longest:
        return text
    size, end = units_of(_ELLIPSIS), 0
    while size + units_of(text[end]) <= longest:
        size += units_of(text[end])
        end += 1
    while end > 0 and _is_within_letter(text, end):
        end -= 1
    return text[:end].rstrip() + _ELLIPSIS


def _is_within_letter(text: str, at: int) -> bool:
    before, after = text[at - 1], text[at]
    if before == _JOINER or after == _JOINER or unicodedata.category(after).startswith("M"):
        return True
    if "\U0001f3fb" <= after <= "\U0001f3ff" or "\U000e0020" <= after <= "\U000e007f":
        return True
    flags = 0
    while flags < at and "\U0001f1e6" <= text[at - 1 - flags] <= "\U0001f1ff":
        flags += 1
    return flags % 2 == 1 and "\U0001f1e6" <= after <= "\U0001f1ff"


def _end_of(text: str, what: str, start: int) -> int:
    """Where a comment, script or style is over, -1 if it never is."""
    if what in _CLOSED:
        found = _CLOSED[what].search(text, start)
        return found.end() if found else -1
    at = text.find(what, start)
    return at if at < 0 else at + len(what)


class _Pieces:
    """Lines in the making: a block begins and ends a line, and an empty block makes none."""

    def __init__(self) -> None:
        self._lines: list[list[str]] = [[]]
        self._is_begun = False
        self._is_after_break = False

    def add(self, piece: str) -> None:
        if self._is_after_break:
            # Line breaks between two blocks lay out the source, not the text.
            piece = piece.lstrip()
        if not piece:
            return
        self._is_after_break = False
        first, *rest = decoded(piece).split(_LINE)
        self._lines[-1].append(first)
        self._lines += [[each] for each in rest]
        self._is_begun = bool(rest[-1].strip()) if rest else self._is_begun or bool(first.strip())

    def end_line(self, *, hard: bool) -> None:
        if hard or self._is_begun:
            self._lines.append([])
            self._is_begun = False
        self._is_after_break = True

    def end_cell(self) -> None:
        line = self._lines[-1]
        if line and not line[-1][-1:].isspace():
            line.append(" ")
        self._is_after_break = True

    def text(self) -> str:
        lines = ["".join(parts).strip() for parts in self._lines]
        kept = [line for at, line in enumerate(lines) if line or (at and lines[at - 1])]
        return _LINE.join(kept).strip()
