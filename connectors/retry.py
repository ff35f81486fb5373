"""Decides whether a request is sent again and after how many seconds: exponential backoff with jitter. Pure.

Three policies, by what the request does (``RequestKind``). A read and an idempotent write may be repeated
after anything that can pass; a create only when the vendor can't have begun on it, since neither
vendor takes an idempotency key and a configuration may be created twice.
"""

from __future__ import annotations

import math
import socket
import ssl
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import StrEnum

import httpx

MAX_ATTEMPTS = 4
"""How often one request is sent at most, the first time included."""
MAX_ATTEMPTS_RATE_LIMITED = 8
"""The same where the last answer was 429: no work was done, and the vendor advises 5 to 10 tries."""
LONGEST_WAIT = 60.0
"""Seconds that one call waits in all; a longer wait is left to whoever retries the whole task."""
LONGEST_RETRY_AFTER = 86_400.0
"""Seconds that a vendor's wish to wait is believed: no limit of theirs counts by more than a day."""
FIRST_PAUSE = 1.0
FIRST_PAUSE_RATE_LIMITED = 5.0
"""Seconds before the second try where the vendor names none; doubled for each further try."""


class RequestKind(StrEnum):
    """What a request does to the vendor's data, which decides whether it may be repeated."""

    READ = "read"
    CREATE = "create"
    MODIFY = "modify"
    """Idempotent: a PATCH of absolute values, a DELETE. Doing it twice is doing it once."""
    REPLACE = "replace"
    """A PUT of whole records that were just read. Harmless to do twice, but never repeated as it is: what a
    person wrote in between would be overwritten. Whoever sent it reads the records again first."""


class AttemptOutcome(StrEnum):
    """How one try ended."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    """A definite no (4xx, or an answer that needs a person): the same request gets the same answer."""
    RATE_LIMITED = "rate limited"
    """429: refused before any work was done."""
    SERVER_ERROR = "server error"
    """5xx, 408 or a status that is no final one: the work may have been done."""
    NOT_SENT = "not sent"
    """No connection was made, so the vendor saw nothing."""
    NO_ANSWER = "no answer"
    """Sent, then a time-out or a dropped connection: the work may have been done."""
    TOO_SLOW = "too slow"
    """Sent, and the answer only trickled in until the time of a whole try was over: the work may have been
    done. A further try would take as long, so it is left to whoever retries the whole task."""
    UNREADABLE = "unreadable"
    """An accepted answer came that can't be read: the work may have been done, and asking again brings it
    again."""
    UNTRUSTED = "untrusted"
    """The server's certificate was not accepted, or the request itself is malformed: nothing was sent."""


_PASSING = {
    AttemptOutcome.RATE_LIMITED,
    AttemptOutcome.SERVER_ERROR,
    AttemptOutcome.NOT_SENT,
    AttemptOutcome.NO_ANSWER,
}
_NOTHING_WAS_DONE = {AttemptOutcome.RATE_LIMITED, AttemptOutcome.NOT_SENT}


def next_attempt(
    kind: RequestKind,
    attempt: int,
    outcome: AttemptOutcome,
    retry_after: float | None = None,
    *,
    waited: float = 0.0,
    spread: float = 0.5,
    longest_wait: float = LONGEST_WAIT,
) -> float | None:
    """Seconds to wait before the next try, or None to give up.

    Args:
        attempt: tries made so far, from 1.
        retry_after: seconds the vendor asked for; without it the pause doubles from try to try.
        spread: a random number from 0 to 1, so that many clients don't come back at once.
    """
    tries = MAX_ATTEMPTS_RATE_LIMITED if outcome is AttemptOutcome.RATE_LIMITED else MAX_ATTEMPTS
    if attempt >= tries or not may_repeat(kind, outcome):
        return None
    wait = pause_after(attempt, outcome, retry_after, spread)
    return wait if waited + wait <= longest_wait else None


def may_repeat(kind: RequestKind, outcome: AttemptOutcome) -> bool:
    """Whether sending the request again can't do harm and may help."""
    if kind is RequestKind.REPLACE:
        return False
    return outcome in (_NOTHING_WAS_DONE if kind is RequestKind.CREATE else _PASSING)


def pause_after(
    attempt: int, outcome: AttemptOutcome, retry_after: float | None, spread: float = 0.5
) -> float:
    """Seconds to wait: what the vendor asked for, else 1 s (429: 5 s) doubled, of which half is random."""
    if retry_after is not None:
        return retry_after
    first = FIRST_PAUSE_RATE_LIMITED if outcome is AttemptOutcome.RATE_LIMITED else FIRST_PAUSE
    return float(first * 2 ** (attempt - 1) * (0.5 + spread / 2))


def outcome_of_status(status: int) -> AttemptOutcome:
    """What an HTTP status says about the request. Redirects are not followed, so 3xx is a refusal."""
    if status == 429:
        return AttemptOutcome.RATE_LIMITED
    if status >= 500 or status == 408 or status < 200:
        return AttemptOutcome.SERVER_ERROR
    return AttemptOutcome.ACCEPTED if 200 <= status < 300 else AttemptOutcome.REFUSED


def outcome_of_failure(error: Exception) -> AttemptOutcome:
    """What a failed exchange says about the request; what is not known to be unsent counts as sent."""
    if isinstance(error, httpx.LocalProtocolError | httpx.UnsupportedProtocol) or _lies_beneath(
        error, ssl.SSLCertVerificationError
    ):
        return AttemptOutcome.UNTRUSTED
    if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout | httpx.PoolTimeout | httpx.ProxyError):
        return AttemptOutcome.NOT_SENT
    # The library's own time limits, of one step each, are none of this class.
    return AttemptOutcome.TOO_SLOW if isinstance(error, TimeoutError) else AttemptOutcome.NO_ANSWER


def reason_of_failure(error: Exception) -> str:
    """A failed exchange in a few words; never the error's own text, which may show headers."""
    for kind, words in _REASONS.items():
        if _lies_beneath(error, kind):
            return words
    return type(error).__name__


_REASONS: dict[type[BaseException], str] = {
    socket.gaierror: "the server's name is not known",
    ConnectionRefusedError: "connection refused",
}


def _lies_beneath(error: BaseException | None, kind: type[BaseException]) -> bool:
    while error is not None:
        if isinstance(error, kind):
            return True
        error = error.__cause__ or error.__context__
    return False


def retry_after_seconds(header: str | None, now: datetime | None = None) -> float | None:
    """A Retry-After header in seconds: a number, or a date (RFC 9110 section 10.2.3). Nonsense is None."""
    text = (header or "").strip()[:_LONGEST_HEADER]
    try:
        seconds: float | None = float(text)
    except ValueError:
        moment = read_http_date(text)
        seconds = None if moment is None else (moment - (now or datetime.now(UTC))).total_seconds()
    if seconds is None or not math.isfinite(seconds):
        return None
    return min(max(0.0, seconds), LONGEST_RETRY_AFTER)


_LONGEST_HEADER = 100
"""Characters of a header's number or date that are looked at."""


def read_http_date(header: str) -> datetime | None:
    """A header's date, in UTC where it names no zone (RFC 9110 section 5.6.7); None for what is no date."""
    try:
        moment = parsedate_to_datetime(header[:_LONGEST_HEADER])
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
