"""From an answer or a failed attempt to the error that the caller acts on.

A ``Refusal`` is the vendor's no as one client reads it, a ``FailedAttempt`` one try without an answer or with
a refusal, and ``error_of`` the ``ConnectorError`` to raise: the one place where a status becomes an error.
"""

from __future__ import annotations

import html
import re
import reprlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import httpx

from connectors.answers import (
    AnswerTooLargeError,
    NotJsonError,
    parse_json,
    text_of,
)
from connectors.errors import (
    ConnectorError,
    ErrorDetail,
    RejectedError,
    RetryableError,
    StopError,
    UnclearOutcomeError,
    cut_text,
)
from connectors.retry import (
    LONGEST_RETRY_AFTER,
    AttemptOutcome,
    RequestKind,
    outcome_of_status,
    retry_after_seconds,
)
from connectors.shapes import ShapeError

LONGEST_TEXT = 500
"""Characters of a vendor's words that an error keeps."""
_LONGEST_PAGE = 100_000
"""Characters of an HTML page that are looked through for words."""
_LONGEST_TAG = 500


@dataclass(frozen=True, slots=True)
class Refusal:
    """A vendor's no, as one client reads it out of an answer.

    ``error``, ``outcome`` and ``retry_after`` (seconds) say so where status and Retry-After header would not.
    """

    message: str
    code: str = ""
    details: tuple[ErrorDetail, ...] = ()
    remedy: str = ""
    error: type[ConnectorError] | None = None
    outcome: AttemptOutcome | None = None
    retry_after: float | None = None


def read_refusal(response: httpx.Response) -> Refusal | None:
    """The default reading: every 2xx is accepted (None), of anything else the body's words are kept."""
    if response.is_success:
        return None
    return Refusal(message=words_of(response))


def json_of(response: httpx.Response) -> Any:
    """The body as JSON, or None if it is none: a gateway's HTML page must not hide the status."""
    try:
        return parse_json(response)
    except (NotJsonError, AnswerTooLargeError):
        return None


def words_of(response: httpx.Response) -> str:
    """The body as one line of words: an HTML page's title, else its text; at least the status's name."""
    text = text_of(response)
    if "<html" in text[:2000].lower() or "<!doctype" in text[:200].lower():
        text = html_words(text[:_LONGEST_PAGE])
    return one_line(text) or response.reason_phrase or "no explanation"


def html_words(page: str) -> str:
    """The title of an HTML page, else the text that it shows. One pass, whatever the page is made of."""
    lower = page.lower()
    title = _between(page, lower, "<title", "</title")
    return html.unescape(title if title.strip() else " ".join(_shown_parts(page, lower)))


def _between(page: str, lower: str, start: str, end: str) -> str:
    tag = lower.find(start)
    begin = lower.find(">", tag, tag + _LONGEST_TAG) if tag >= 0 else -1
    stop = lower.find(end, begin) if begin >= 0 else -1
    return page[begin + 1 : stop] if stop >= 0 else ""


_UNSEEN = {"<!--": "-->", "<script": "</script", "<style": "</style"}


def _shown_parts(page: str, lower: str) -> Iterator[str]:
    at = 0
    while (tag := page.find("<", at)) >= 0:
        yield page[at:tag]
        end = next((end for start, end in _UNSEEN.items() if lower.startswith(start, tag)), None)
        if end is not None:
            tag = lower.find(end, tag)
            if tag < 0:
                # What is never closed hides the rest of the page.
                return
        close = page.find(">", tag, tag + _LONGEST_TAG)
        at = close + 1 if close >= 0 else tag + 1
    yield page[at:]


_NESTED = reprlib.Repr()
_NESTED.maxlevel, _NESTED.maxdict, _NESTED.maxlist, _NESTED.maxstring = 3, 8, 8, 200


def one_line(value: object) -> str:
    """Any value as one printable line of at most 500 characters."""
    text = str(value) if isinstance(value, str | int | float) else _NESTED.repr(value)
    printable = "".join(c if c.isprintable() else " " for c in text[: 4 * LONGEST_TEXT])
    return cut_text(" ".join(printable.split()), LONGEST_TEXT)


_UNCLEAR_REMEDY = "It may or may not have been done: read what exists before sending it again."
_WORDS = {
    AttemptOutcome.NOT_SENT: "No connection could be made",
    AttemptOutcome.NO_ANSWER: "The request was sent, but no answer came",
    AttemptOutcome.TOO_SLOW: "The request was sent, but no answer came to its end in time",
    AttemptOutcome.UNTRUSTED: "The server's certificate can't be verified",
}
_REMEDIES = {
    AttemptOutcome.NOT_SENT: "Check the address, the network and the proxy.",
    AttemptOutcome.UNTRUSTED: "Check the address; a private certificate authority is named by SSL_CERT_FILE.",
}


@dataclass(frozen=True, slots=True)
class FailedAttempt:
    """One try that failed: no answer, for ``reason``, or one that was read as a refusal."""

    outcome: AttemptOutcome
    status: int | None = None
    refusal: Refusal | None = None
    reason: str = ""
    retry_after: float | None = None


@dataclass(frozen=True, slots=True)
class Call:
    """What was asked of whom; ``path`` holds no query."""

    kind: RequestKind
    system: str
    method: str
    path: str

    def __str__(self) -> str:
        return f"{self.system} {self.method} {self.path}"


def outcome_of(answer: httpx.Response | FailedAttempt) -> AttemptOutcome:
    """How a try ended of which this is the answer, a refusal already read."""
    return AttemptOutcome.ACCEPTED if isinstance(answer, httpx.Response) else answer.outcome


def failure_of(answer: httpx.Response, refusal: Refusal) -> FailedAttempt:
    """How an answer that was read as a refusal counts for retries; the refusal's own word goes first."""
    outcome = refusal.outcome or outcome_of_status(answer.status_code)
    if outcome is AttemptOutcome.ACCEPTED:
        outcome = AttemptOutcome.REFUSED
    seconds = refusal.retry_after
    if seconds is None:
        seconds = retry_after_seconds(answer.headers.get("Retry-After"))
    elif seconds > LONGEST_RETRY_AFTER:
        seconds = LONGEST_RETRY_AFTER
    return FailedAttempt(outcome, status=answer.status_code, refusal=refusal, retry_after=seconds)


def error_of(call: Call, failure: FailedAttempt, redact: Callable[[str], str] = str) -> ConnectorError:
    """The error to raise, with the vendor's code and words, where it happened and what helps; no secrets."""
    refusal = failure.refusal or _of_network(failure)
    kind_of_error = _kind_of_error(call.kind, failure)
    unclear = issubclass(kind_of_error, UnclearOutcomeError)
    context: dict[str, Any] = {
        "system": call.system,
        "method": call.method,
        "path": call.path,
        "status": failure.status,
        "code": redact(refusal.code),
        "details": tuple(
            ErrorDetail(redact(d.message), redact(d.code), redact(d.field)) for d in refusal.details
        ),
        "remedy": _UNCLEAR_REMEDY if unclear else refusal.remedy,
    }
    if issubclass(kind_of_error, RetryableError):
        context["retry_after"] = failure.retry_after
    return kind_of_error(redact(refusal.message), **context)


def unreadable(answer: httpx.Response, why: str = "", *, quoted: bool = True) -> FailedAttempt:
    """A 2xx answer whose body is not JSON: most often another server's login or error page.

    ``quoted``: whether the message holds what came; ``why`` says where the JSON breaks off.
    """
    came = f"reads {words_of(answer)!r}" if quoted else f"has {len(answer.content):,} bytes of another kind"
    if quoted and why and answer.content[:1] in (b"{", b"["):
        came += f" ({why})"
    refusal = Refusal(f"The answer is not JSON but {came}", remedy="Check the address.", error=StopError)
    return FailedAttempt(AttemptOutcome.UNREADABLE, status=answer.status_code, refusal=refusal)


def too_large(status: int, error: AnswerTooLargeError) -> FailedAttempt:
    """A 2xx answer that is over a limit on answers: asked for again it would be as large."""
    refusal = Refusal(str(error), remedy="Ask for less at once.", error=StopError)
    return FailedAttempt(AttemptOutcome.UNREADABLE, status=status, refusal=refusal)


_RECORD = re.compile(r"/(-?\d+|[0-9a-f]{8}-[0-9a-f-]{27})(?=/|$)", re.IGNORECASE)


def route_of(path: str) -> str:
    """The path with ``{id}`` for each record that it names."""
    return _RECORD.sub("/{id}", path)


def unexpected(
    answer: httpx.Response,
    path: str,
    error: Exception,
    misfit: type[ConnectorError] | None = None,
    *,
    quoted: bool = True,
) -> FailedAttempt:
    """A 2xx answer in JSON that is not of the documented form, for ``misfit`` to be raised.

    Without one, it is that record's trouble only where the path names one, and StopError elsewhere.
    """
    # The text of any other exception is not known to be short, or free of secrets.
    told = quoted and isinstance(error, ShapeError)
    what = str(error) if told else f"its members do not fit ({type(error).__name__})"
    refusal = Refusal(
        f"The answer is not of the documented form: {what}",
        remedy="Run it again; if it happens again, report it to the vendor.",
        error=misfit or (RejectedError if _RECORD.search(path) else StopError),
    )
    return FailedAttempt(AttemptOutcome.UNREADABLE, status=answer.status_code, refusal=refusal)


_MAY_BE_DONE = (
    AttemptOutcome.SERVER_ERROR,
    AttemptOutcome.NO_ANSWER,
    AttemptOutcome.TOO_SLOW,
    AttemptOutcome.UNREADABLE,
)


def _kind_of_error(kind: RequestKind, failure: FailedAttempt) -> type[ConnectorError]:
    if failure.outcome in (AttemptOutcome.RATE_LIMITED, AttemptOutcome.NOT_SENT):
        return RetryableError
    if failure.outcome is AttemptOutcome.UNTRUSTED:
        return StopError
    named = failure.refusal.error if failure.refusal else None
    if failure.outcome in _MAY_BE_DONE:
        return UnclearOutcomeError if kind is RequestKind.CREATE else named or RetryableError
    status = failure.status or 0
    needs_a_person = status in (401, 403, 407) or 300 <= status < 400
    return named or (StopError if needs_a_person else RejectedError)


def _of_network(failure: FailedAttempt) -> Refusal:
    message = _WORDS.get(failure.outcome, "The request failed")
    if failure.reason in ("LocalProtocolError", "UnsupportedProtocol"):
        message = "The request could not be put into words that HTTP allows"
    named = f" ({failure.reason})" if failure.reason else ""
    return Refusal(message + named, remedy=_REMEDIES.get(failure.outcome, ""))
