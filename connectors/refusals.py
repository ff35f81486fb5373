"""What a vendor's answer says when it is not what was asked for, read from any kind of body."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass
from typing import Any

import httpx
import orjson

from connectors.errors import ConnectorError, ErrorDetail
from connectors.retries import Outcome

LONGEST_TEXT = 500
"""Characters of a vendor's words that an error keeps."""
_TITLE = re.compile(r"<title[^>]*>(.*?)</title>", re.IGNORECASE | re.DOTALL)
_UNSEEN = re.compile(r"<(script|style)\b.*?</\1\s*>|<!--.*?-->", re.IGNORECASE | re.DOTALL)
_TAG = re.compile(r"<[^>]{0,500}>")


@dataclass(frozen=True, slots=True)
class Refusal:
    """A vendor's no, as one client reads it out of an answer.

    Attributes:
        error: the kind of error to raise, where the status alone would say otherwise.
        outcome: how the try counts for retries, where the status alone would say otherwise.
        retry_after: seconds to wait, where the Retry-After header doesn't say it.
    """

    message: str
    code: str = ""
    details: tuple[ErrorDetail, ...] = ()
    remedy: str = ""
    error: type[ConnectorError] | None = None
    outcome: Outcome | None = None
    retry_after: float | None = None


def read_refusal(response: httpx.Response) -> Refusal | None:
    """The plainest reading: every 2xx is accepted (None), of anything else the body's words are kept."""
    if response.is_success:
        return None
    return Refusal(message=words_of(response))


def json_of(response: httpx.Response) -> Any:
    """The body as JSON, or None if it is none: a gateway's HTML page must not hide the status."""
    try:
        return orjson.loads(response.content)
    except orjson.JSONDecodeError:
        return None


def words_of(response: httpx.Response) -> str:
    """The body as one line of words: an HTML page's title, else its text; at least the status's name."""
    text = response.text
    if "<html" in text[:2000].lower() or "<!doctype" in text[:200].lower():
        text = _html_words(text[:100_000])
    return one_line(text) or response.reason_phrase or "no explanation"


def one_line(text: object) -> str:
    """Any value as one printable line of at most 500 characters."""
    printable = "".join(c if c.isprintable() else " " for c in str(text)[: 4 * LONGEST_TEXT])
    line = " ".join(printable.split())
    return line if len(line) <= LONGEST_TEXT else line[: LONGEST_TEXT - 3] + "..."


def _html_words(page: str) -> str:
    title = _TITLE.search(page)
    return html.unescape(_TAG.sub(" ", title.group(1) if title else _UNSEEN.sub(" ", page)))
