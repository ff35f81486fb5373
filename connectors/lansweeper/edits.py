"""Which of several edits in one mutation were written, read also out of an answer that is an error.

An answer that is not 2xx but has ``data`` says it edit by edit: one that is null failed, the others were
written. Most recorded errors carry a message only, so which edit an error belongs to may stay open.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import httpx

from connectors.errors import RejectedError, StopError
from connectors.lansweeper.models import AssetEdit, EditOutcome
from connectors.lansweeper.refusals import SMALLER_PAGE, http_status, messages_of
from connectors.responses import Refusal, json_of
from connectors.retry import AttemptOutcome

NO_ANSWER = "Lansweeper answered this edit with nothing"
NOT_NAMED = "Lansweeper does not say which of its errors is this asset's: "
FEWER = "Send fewer edits in one request."
_TOO_MANY = re.compile(r"\balias(es)?\b|\bcomplexity\b|too many (fields|operations|mutations)", re.IGNORECASE)


class TooManyAliasesError(RejectedError):
    """The whole mutation was refused for the number or size of its edits, and nothing of it was written."""


def alias(number: int) -> str:
    """The name under which the edit of that number, from 0, stands in mutation and answer."""
    return f"e{number}"


class EditsReading:
    """Reads the refusals of one mutation of ``number`` edits; ``read`` reads those of any request.

    ``failed_for_themselves``: the newest answer that refused every edit with a server error of its own.
    """

    def __init__(self, read: Callable[[httpx.Response], Refusal | None], number: int) -> None:
        self._read = read
        self._number = number
        self.failed_for_themselves: httpx.Response | None = None

    def __call__(self, answer: httpx.Response) -> Refusal | None:
        """The refusal if nothing was written and the reason is not one asset's, such as the token."""
        self.failed_for_themselves = None
        refusal = self._read(answer)
        if refusal is None or answer.status_code == 429:
            return refusal
        parts = _parts(json_of(answer))
        if parts is None:
            return _as_too_many(answer, refusal) if self._number > 1 else refusal
        if any(parts.values()):
            return None
        if refusal.error is not None and issubclass(refusal.error, StopError):
            return refusal
        if answer.status_code >= 500:
            self.failed_for_themselves = answer
            return refusal
        return None


def read_outcomes(
    body: Mapping[str, Any], edits: Sequence[AssetEdit], status: int = 200
) -> list[EditOutcome] | None:
    """The outcome of each edit, in their order; None if the answer has nothing of the site.

    ``status``: the answer's own, which its errors have in common unless their codes say otherwise.
    """
    data = body.get("data")
    site = data.get("site") if isinstance(data, dict) else None
    if not isinstance(site, dict):
        return None
    refused = [number for number in range(len(edits)) if not isinstance(site.get(alias(number)), dict)]
    reasons = _reasons(body.get("errors"), refused, None if 200 <= status < 300 else status)
    return [
        EditOutcome(edit.key, False, *reasons[number]) if number in reasons else EditOutcome(edit.key, True)
        for number, edit in enumerate(edits)
    ]


def _parts(body: Any) -> dict[str, Any] | None:
    """The answered edits by alias; None if the mutation was not carried out at all."""
    data = body.get("data") if isinstance(body, dict) else None
    site = data.get("site") if isinstance(data, dict) else None
    return site if isinstance(site, dict) and site else None


def _as_too_many(answer: httpx.Response, refusal: Refusal) -> Refusal:
    words = [refusal.message, *(detail.message for detail in refusal.details)]
    too_large = answer.status_code == 413 or refusal.remedy == SMALLER_PAGE
    if not too_large and not any(map(_TOO_MANY.search, words)):
        return refusal
    return replace(refusal, error=TooManyAliasesError, outcome=AttemptOutcome.REFUSED, remedy=FEWER)


_Reason = tuple[str, bool, int | None]
"""A refusal's words, whether they are certainly that edit's own, and its status if that is known."""


def _reasons(errors: Any, refused: Sequence[int], status: int | None) -> dict[int, _Reason]:
    """The reason of each refused edit."""
    entries = errors if isinstance(errors, list) else []
    placed: dict[int, list[Any]] = {}
    for entry in entries:
        placed.setdefault(_number(entry), []).append(entry)
    loose = placed.pop(-1, [])
    unexplained = [number for number in refused if number not in placed]
    common = _common_reason(loose, len(unexplained), status)
    return {
        number: ("; ".join(messages_of(placed[number])), True, http_status(placed[number], status))
        if number in placed
        else common
        for number in refused
    }


def _common_reason(errors: list[Any], edits: int, status: int | None) -> _Reason:
    """What is said of edits that no error names: certain only if every error fits every one of them."""
    if not errors:
        return NO_ANSWER, False, status
    messages, status = messages_of(errors), http_status(errors, status)
    if edits == 1 or (len(messages) == 1 and len(errors) >= edits):
        return "; ".join(messages), True, status
    return NOT_NAMED + "; ".join(messages[:5]), False, status


def _number(entry: Any) -> int:
    """The edit that an error's ``path`` names, such as ``["site", "e3"]``; -1 if it names none."""
    path = entry.get("path") if isinstance(entry, dict) else None
    name = str(path[1]) if isinstance(path, list) and len(path) > 1 else ""
    return int(name[1:]) if re.fullmatch(r"e[0-9]{1,6}", name) else -1
