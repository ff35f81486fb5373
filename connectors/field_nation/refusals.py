"""Reads Field Nation's refusals. Five body shapes are known (docs/vendors.md, Field Nation 8.1):

problem+json    {title, status, detail, code, retryable, agent{action, backoffMs}, errors[{detail, pointer}]}
REST file       {status, message}
token           {status_code, message} or {error, error_description}
webhooks        {metadata, errors[{code, message}], result}
old REST        {code, message, fields, trace}
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import httpx

from connectors.errors import ConnectorError, ErrorDetail, StopError
from connectors.redaction import MASK
from connectors.responses import Refusal, json_of, one_line, words_of
from connectors.retry import AttemptOutcome

#: Seconds to wait after 429 where neither a header nor the body tells: the limit counts by the minute.
WAIT = 60.0
CHECK_USER = (
    "Check the client ID, client secret, user name and password, and that they are of the chosen environment."
)
CHECK_RIGHTS = "Give the Field Nation user the right to do this, or ask Field Nation's support."


def read_field_nation_refusal(response: httpx.Response) -> Refusal | None:
    """The vendor's no, or None for any 2xx."""
    if response.is_success:
        return None
    body = json_of(response)
    if not isinstance(body, Mapping):
        body = {"message": words_of(response)}
    code = body.get("code") or (body.get("error") if "error_description" in body else "")
    error, remedy = _BY_STATUS.get(response.status_code, (None, ""))
    return Refusal(
        message=_message(body) or words_of(response),
        code=one_line(code) if isinstance(code, str) else "",
        details=tuple(_details(body.get("errors"))),
        remedy=remedy,
        error=error,
        retry_after=_wait(response, body),
    )


def read_token_refusal(response: httpx.Response) -> Refusal | None:
    """As above; a definite no of the token address always needs a person."""
    refusal = read_field_nation_refusal(response)
    if refusal is None:
        return None
    # What stands where a token may stand is told without anything that can be one.
    message, code = "the log in was refused", _CREDENTIAL.sub(MASK, refusal.code)
    if isinstance(json_of(response), Mapping):
        message = _CREDENTIAL.sub(MASK, refusal.message)
    if response.status_code not in (400, 401, 403, 404, 422):
        return replace(refusal, message=message, code=code, details=())
    return Refusal(message, code, (), CHECK_USER, StopError, AttemptOutcome.REFUSED)


_CREDENTIAL = re.compile(r"(?=\S{0,400}\d)\S{12,}|\S{24,}")


_BY_STATUS: dict[int, tuple[type[ConnectorError], str]] = {
    401: (StopError, CHECK_USER),
    403: (StopError, CHECK_RIGHTS),
}


def _message(body: Mapping[str, Any]) -> str:
    for name in ("detail", "message", "error_description", "title", "error"):
        if isinstance(body.get(name), str) and body[name].strip():
            return one_line(body[name]).rstrip(".")
    messages = [
        one_line(each["message"]).rstrip(".") for each in _entries(body.get("errors")) if each.get("message")
    ]
    return messages[0] if messages else ""


def _details(errors: Any) -> Iterator[ErrorDetail]:
    for entry in _entries(errors):
        message = one_line(entry.get("detail") or entry.get("message") or "").rstrip(".")
        field = one_line(entry.get("pointer") or entry.get("parameter") or "").removeprefix("#/")
        if message:
            yield ErrorDetail(message, one_line(entry.get("code") or ""), field)


def _entries(errors: Any) -> list[Mapping[str, Any]]:
    return [each for each in errors if isinstance(each, Mapping)] if isinstance(errors, list) else []


def _wait(response: httpx.Response, body: Mapping[str, Any]) -> float | None:
    """Seconds that the body asks to wait after 429; None leaves it to the Retry-After header."""
    if response.status_code != 429 or "Retry-After" in response.headers:
        return None
    agent = body.get("agent")
    pause = agent.get("backoffMs") if isinstance(agent, Mapping) else None
    return pause / 1000 if isinstance(pause, int | float) and pause > 0 else WAIT
