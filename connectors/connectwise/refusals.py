"""Reads ConnectWise's refusals: the vendor's code and words, what they stop, and the remedy.

Body shapes: ``{code, message, errors: [{code, message, resource, field}]}``; for 429 ``{error, message}``;
plain text from the cloud's gateway; HTML from proxies (docs/vendors.md, ConnectWise 7).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import httpx

from connectors.errors import ConnectorError, ErrorDetail, RejectedError, StopError
from connectors.responses import Refusal, json_of, one_line, words_of

CHECK_KEYS = (
    "Check the company ID and the public and private key, and that the API member is active. "
    "On ConnectWise's cloud wrong keys may also give 404."
)
CHECK_COMPANY = "Check the site and the company ID: it is the company that you type when you log in."
CHECK_CLIENT_ID = "Check the client ID: it is the GUID from developer.connectwise.com, and it is required."
CHECK_RIGHTS = "Give the API member's security role the right to do this in the module of that record."
CHECK_SITE = "Use https and the API's host, the site with api- in front, such as api-na.myconnectwise.net."
SHORTEN = "Shorten the conditions, or ask for fewer ids at once."
CHECK_FIELDS = "Check the field names in the conditions."
NOT_OFFERED = "This server does not offer the operation; its version may be too old."
NOT_ALLOWED = "The API member may not do this; what it brings can be had in other ways, by more requests."

_REDIRECTS = range(300, 400)
_LOOKUP = "/login/companyinfo/"
_SAVING = r"/tickets/search|/system/bundles|/system/reports(/.*)?"
"""Reads that only save requests: a member without the right to them can still read everything."""
_NOT_NEEDED = re.compile(f".*({_SAVING})")
_NOT_EVERYWHERE = re.compile(f".*(/bulk|/changeType|{_SAVING})")
Advice = tuple[type[ConnectorError], str]


def read_connectwise_refusal(response: httpx.Response) -> Refusal | None:
    """The vendor's no, or None for any 2xx (a bulk answer's items are read elsewhere)."""
    if response.is_success:
        return None
    body = json_of(response)
    if not isinstance(body, dict):
        body = {"message": words_of(response)}
    code = one_line(body.get("code") or body.get("error") or "")
    message = one_line(body.get("message") or "").rstrip(".") or code or words_of(response)
    details = tuple(_details(body.get("errors")))
    error, remedy = _advice(response, code, message) or (None, "")
    return Refusal(message=message, code=code, details=details, remedy=remedy, error=error)


def words_of_error(error: Any) -> str:
    """A refusal inside an accepted answer, such as of one item of a bundle, as one line."""
    if not isinstance(error, dict):
        return one_line(error or "") or "refused without a reason"
    parts = [one_line(error.get("message") or error.get("code") or "").rstrip(".")]
    parts += [f"{d.field}: {d.message}" if d.field else d.message for d in _details(error.get("errors"))]
    return "; ".join(part for part in parts if part) or "refused without a reason"


def _details(errors: Any) -> Iterator[ErrorDetail]:
    for entry in errors if isinstance(errors, list) else []:
        if isinstance(entry, dict):
            message = one_line(entry.get("message") or entry.get("code") or "").rstrip(".")
            yield ErrorDetail(message, one_line(entry.get("code") or ""), one_line(entry.get("field") or ""))


def _advice(response: httpx.Response, code: str, message: str) -> Advice | None:
    """Whom the refusal stops and what helps; None leaves both to the status."""
    status, words = response.status_code, message.lower()
    if status == 429 or status >= 500:
        return None
    if "cannot route" in words:
        return StopError, CHECK_COMPANY
    if "ssl is required" in words:
        return StopError, CHECK_SITE
    if status in (400, 401, 403) and "clientid" in words.replace(" ", ""):
        return StopError, CHECK_CLIENT_ID
    if status in _REDIRECTS:
        return StopError, CHECK_SITE
    if status == 403 and _NOT_NEEDED.fullmatch(response.request.url.path):
        return RejectedError, NOT_ALLOWED
    if status == 404:
        return _not_found(response.request, words)
    return _BY_STATUS.get(status) or _BY_CODE.get(code)


_BY_STATUS: dict[int, Advice] = {
    401: (StopError, CHECK_KEYS),
    403: (StopError, CHECK_RIGHTS),
    405: (RejectedError, NOT_OFFERED),
    414: (RejectedError, SHORTEN),
}
_BY_CODE: dict[str, Advice] = {"ApiFindCondition": (RejectedError, CHECK_FIELDS)}


def _not_found(request: httpx.Request, words: str) -> Advice:
    """A missing record stops only itself; a collection that is not there means wrong keys or address.

    Every server has the collections, whereas bulk calls and the change of a type came with some version.
    """
    path = request.url.path
    if path.startswith(_LOOKUP):
        return StopError, CHECK_COMPANY
    if _NOT_EVERYWHERE.fullmatch(path):
        return RejectedError, NOT_OFFERED
    # A reference may bear a number that no record has, such as -1.
    if any(part.removeprefix("-").isdecimal() for part in path.split("/")):
        return RejectedError, NOT_OFFERED if "endpoint does not exist" in words else ""
    return StopError, CHECK_KEYS
