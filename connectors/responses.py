"""From an answer or a failed attempt to the error that the caller acts on.

A ``Refusal`` is the vendor's no as one client reads it, a ``FailedAttempt`` one try without an answer or with
a refusal, and ``error_of`` the ``ConnectorError`` to raise: the one place where a status becomes an error.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx
import orjson

from connectors.errors import (
    ConnectorError,
    ErrorDetail,
    RejectedError,
    RetryableError,
    StopError,
    UnclearOutcomeError,
)
from connectors.retry import AttemptOutcome, RequestKind, outcome_of_status, retry_after_seconds

LONGEST_TEXT = 500
"""Characters of a vendor's words that an error keeps."""
_TITLE = re.compile(r"<title[^>]*>(.*?)</title>", re.IGNORECASE | re.DOTALL)
_UNSEEN = re.compile(r"<(script|style)\b.*?</\1\s*>|<!--.*?-->", re.IGNORECASE | re.DOTALL)
_TAG = re.compile(r"<[^>]{0,500}>")


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
        return orjson.loads(response.content)
    except orjson.JSONDecodeError:
        return None


def words_of(response: httpx.Response) -> str:
    """The body as one line of words: an HTML page's title, else its text; at least the status's name."""
    text = response.text
    if "<html" in text[:2000].lower() or "<!doctype" in text[:200].lower():
        page = text[:100_000]
        title = _TITLE.search(page)
        text = html.unescape(_TAG.sub(" ", title.group(1) if title else _UNSEEN.sub(" ", page)))
    return one_line(text) or response.reason_phrase or "no explanation"


def one_line(text: object) -> str:
    """Any value as one printable line of at most 500 characters."""
    printable = "".join(c if c.isprintable() else " " for c in str(text)[: 4 * LONGEST_TEXT])
    line = " ".join(printable.split())
    return line if len(line) <= LONGEST_TEXT else line[: LONGEST_TEXT - 3] + "..."


_UNCLEAR_REMEDY = "It may or may not have been done: read what exists before sending it again."
_WORDS = {
    AttemptOutcome.NOT_SENT: "No connection could be made",
    AttemptOutcome.NO_ANSWER: "The request was sent, but no answer came",
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


def failure_of(answer: httpx.Response, refusal: Refusal) -> FailedAttempt:
    """How an answer that was read as a refusal counts for retries; the refusal's own word goes first."""
    outcome = refusal.outcome or outcome_of_status(answer.status_code)
    if outcome is AttemptOutcome.ACCEPTED:
        outcome = AttemptOutcome.REFUSED
    seconds = refusal.retry_after
    if seconds is None:
        seconds = retry_after_seconds(answer.headers.get("Retry-After"))
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


def unreadable(answer: httpx.Response) -> FailedAttempt:
    """A 2xx answer whose body is not JSON: most often another server's login or error page."""
    message = f"The answer is not JSON but reads {words_of(answer)!r}"
    refusal = Refusal(message, remedy="Check the address.", error=StopError)
    return FailedAttempt(AttemptOutcome.NO_ANSWER, status=answer.status_code, refusal=refusal)


def _kind_of_error(kind: RequestKind, failure: FailedAttempt) -> type[ConnectorError]:
    if failure.outcome in (AttemptOutcome.RATE_LIMITED, AttemptOutcome.NOT_SENT):
        return RetryableError
    if failure.outcome is AttemptOutcome.UNTRUSTED:
        return StopError
    named = failure.refusal.error if failure.refusal else None
    if failure.outcome in (AttemptOutcome.SERVER_ERROR, AttemptOutcome.NO_ANSWER):
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
