"""Reads Lansweeper's refusals: GraphQL errors under any status, gateways' pages, the rate limit.

The texts are recorded ones (docs/vendors.md, Lansweeper 2); several come with a wrong status.
"""

from __future__ import annotations

import re
from typing import Any

import httpx

from connectors.errors import ConnectorError, ErrorDetail, RejectedError, StopError
from connectors.responses import Refusal, json_of, one_line, words_of
from connectors.retry import AttemptOutcome

COOL_DOWN = 61.0
"""Seconds to wait after 429 where no header tells: a full minute without any call, and one more."""
CHECK_CREDENTIAL = (
    "Check the access token: it may have expired or been deleted; make a new one in Lansweeper."
)
CHECK_SITE = "Check the site ID, and that the access token was made for that site."
CHECK_ROLE = "Give the token's owner a Lansweeper role that may do this on the site."
CHECK_PATH = "Correct the field path in the mapping or the filter."
CHECK_ENDPOINT = "Check the endpoint; the usual one is https://api.lansweeper.com/api/v2/graphql."
SMALLER_PAGE = "Ask for fewer assets or fields at once."

_ADVICE: tuple[tuple[re.Pattern[str], type[ConnectorError], str], ...] = (
    (
        re.compile(r"must be logged in|context creation failed|unauthenticated", re.I),
        StopError,
        CHECK_CREDENTIAL,
    ),
    (re.compile(r"don't have access to this site", re.I), StopError, CHECK_SITE),
    (re.compile(r"not authorized to perform", re.I), StopError, CHECK_ROLE),
    (re.compile(r"invalid path:", re.I), StopError, CHECK_PATH),
    (re.compile(r"cannot query field", re.I), StopError, "This Lansweeper server does not offer the field."),
)
_TOO_LARGE = re.compile(r"too (large|big)|exceed\w* .*\b(size|MB|bytes)|\b4 ?MB\b|payload size", re.I)


def read_lansweeper_refusal(response: httpx.Response) -> Refusal | None:
    """The vendor's no, or None for an answer with data and without errors."""
    # Most answers are pages of megabytes: they are looked through, not parsed twice.
    if response.is_success and b'"errors"' not in response.content:
        return None
    body = json_of(response)
    errors = body.get("errors") if isinstance(body, dict) else None
    if response.is_success and not errors:
        return None
    if response.status_code == 429:
        return _rate_limited(response, errors)
    if not isinstance(errors, list) or not errors:
        return _without_errors(response)
    return _of_errors(errors, response.status_code)


def is_too_large(error: ConnectorError) -> bool:
    """Whether the vendor refused an answer for its size, which it limits to 4 MB (wording not published)."""
    return error.status == 413 or bool(_TOO_LARGE.search(error.message))


def _rate_limited(response: httpx.Response, errors: Any) -> Refusal:
    named = "Retry-After" in response.headers
    message = messages_of(errors)[0] if errors else words_of(response)
    return Refusal(message, outcome=AttemptOutcome.RATE_LIMITED, retry_after=None if named else COOL_DOWN)


def _without_errors(response: httpx.Response) -> Refusal:
    """A gateway's answer, or another server's."""
    status = response.status_code
    if status in (401, 403):
        return Refusal(words_of(response), error=StopError, remedy=CHECK_CREDENTIAL)
    if status in (404, 405) or 300 <= status < 400:
        return Refusal(words_of(response), error=StopError, remedy=CHECK_ENDPOINT)
    return Refusal(words_of(response))


def _of_errors(errors: list[Any], status: int) -> Refusal:
    messages = messages_of(errors)
    details = tuple(ErrorDetail(message) for message in messages[1:4])
    for pattern, error, remedy in _ADVICE:
        if any(pattern.search(message) for message in messages):
            # Some of these come with status 500; repeating them would change nothing.
            return Refusal(
                messages[0], details=details, error=error, remedy=remedy, outcome=AttemptOutcome.REFUSED
            )
    if any(_TOO_LARGE.search(message) for message in messages):
        return Refusal(
            messages[0],
            details=details,
            error=RejectedError,
            remedy=SMALLER_PAGE,
            outcome=AttemptOutcome.REFUSED,
        )
    if status == 401:
        return Refusal(messages[0], details=details, error=StopError, remedy=CHECK_CREDENTIAL)
    return Refusal(messages[0], details=details)


_MOST_ERRORS = 100


def messages_of(errors: Any) -> list[str]:
    """The errors' words, without repetitions; older answers hide the code under extensions."""
    entries = errors[:_MOST_ERRORS] if isinstance(errors, list) else [errors]
    words = [_message(entry) for entry in entries]
    told = dict.fromkeys(one_line(word).rstrip(".") for word in words)
    return [word for word in told if word.strip()] or ["no explanation"]


def _message(entry: Any) -> str:
    if not isinstance(entry, dict):
        return one_line(entry)
    extensions = entry.get("extensions")
    code = extensions.get("code") if isinstance(extensions, dict) else None
    message = one_line(entry.get("message") or code or "no explanation")
    return f"{message} ({code})" if code == "UNAUTHENTICATED" and message != code else message


_STATUS_OF_CODES = {
    "GRAPHQL_PARSE_FAILED": 400,
    "GRAPHQL_VALIDATION_FAILED": 400,
    "BAD_USER_INPUT": 400,
    "BAD_REQUEST": 400,
    "UNAUTHENTICATED": 401,
    "FORBIDDEN": 403,
    "NOT_FOUND": 404,
    "CONFLICT": 409,
    "TOO_MANY_REQUESTS": 429,
    "RATE_LIMITED": 429,
    "INTERNAL_SERVER_ERROR": 500,
    "BAD_GATEWAY": 502,
    "SERVICE_UNAVAILABLE": 503,
    "TIMEOUT": 504,
    "GATEWAY_TIMEOUT": 504,
}
"""``extensions.code`` of GraphQL servers (Apollo's own codes, and gateways' names of statuses)."""


def http_status(errors: list[Any], status: int | None = None) -> int | None:
    """The HTTP status that the errors' codes stand for, the highest of several; ``status`` without any."""
    extensions = [each.get("extensions") for each in errors if isinstance(each, dict)]
    codes = [str(each.get("code")) for each in extensions if isinstance(each, dict)]
    return max((_STATUS_OF_CODES[each] for each in codes if each in _STATUS_OF_CODES), default=status)
