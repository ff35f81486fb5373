"""Reads a vendor's message and says what of it is kept: its name, and as much as says what it is about.

Whoever acts on a message reads the record again, so a customer's data need not lie in the inbox. The shapes
stay the vendors' own; ``tasks.rules.dispatch.messages`` reads them. A message that is not kept ends in one of
two errors: refused for good, or put off so that its sender repeats it.
"""

from __future__ import annotations

import asyncio
import hashlib
import ipaddress
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from starlette.requests import ClientDisconnect, Request

from deployments.receiver.settings import Network

_NAME = re.compile(r"[\x21-\x7e]{1,200}")
_CALLBACK = ("MessageId", "Type", "Action", "ID", "MemberId", "CompanyId", "CallbackObjectRecId")
_ENTITY = ("id", "recordType", "phase", "project")
READ_SECONDS = 2.0
"""For a whole body. Genuine ones are small and come at once; a stranger may send his for ever."""


def callback_name(message: Mapping[str, Any], raw: bytes) -> str:
    """The vendor's MessageId; without a proper one, a name made of the body, the same each time."""
    given = message.get("MessageId")
    if isinstance(given, str) and _NAME.fullmatch(given.strip()):
        return given.strip().lower()
    return f"sha256:{hashlib.sha256(raw).hexdigest()}"


def kept_callback(message: Mapping[str, Any]) -> dict[str, Any]:
    """A ConnectWise callback without the record's own members."""
    kept = {name: message[name] for name in _CALLBACK if name in message}
    return {**kept, "Entity": _of_entity(message.get("Entity"))}


def kept_webhook(message: Mapping[str, Any]) -> dict[str, Any]:
    """A Field Nation webhook with the event and the work order's id alone."""
    order = message.get("workorder")
    kept = {name: message[name] for name in ("event", "timestamp", "triggered_by_user") if name in message}
    return {**kept, "workorder": {"id": order["id"]} if isinstance(order, dict) and "id" in order else {}}


def _of_entity(given: Any) -> dict[str, Any] | None:
    if isinstance(given, str):
        given = _parsed(given)
    return {name: given[name] for name in _ENTITY if name in given} if isinstance(given, dict) else None


class RefusedError(Exception):
    """Not believed or not readable; sending it again would not help."""

    def __init__(self, status: int, reason: str, detail: str = "") -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason
        self.detail = detail


class PutOffError(Exception):
    """It can't be checked or kept at the moment: the sender is to send it again."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.detail = detail


def check_length(request: Request, limit: int) -> None:
    """RefusedError: more than ``limit`` bytes are announced, no number is, or two lengths are (400).

    With two lengths a proxy may see another end of the message than this server (RFC 9112, section 6.3).
    """
    if "content-length" in request.headers and "transfer-encoding" in request.headers:
        raise RefusedError(400, "two lengths")
    announced = request.headers.get("content-length", "0")
    if not (announced.isascii() and announced.isdecimal()) or len(announced) > 15 or int(announced) > limit:
        raise RefusedError(413, "too large")


async def read_body(request: Request, limit: int) -> bytes:
    """The raw bytes, on which the signature was made.

    Raises:
        RefusedError: 413, more than ``limit`` bytes come.
        PutOffError: it comes too slowly, or its sender went away.
    """
    parts: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(READ_SECONDS):
            async for part in request.stream():
                size += len(part)
                if size > limit:
                    raise RefusedError(413, "too large")
                parts.append(part)
    except TimeoutError:
        raise PutOffError("body too slow") from None
    except ClientDisconnect:
        raise PutOffError("sender went away") from None
    return b"".join(parts)


def json_object(raw: bytes) -> dict[str, Any]:
    """The body as a JSON object; RefusedError 400 for everything else, however deep it is nested."""
    found = _parsed(raw)
    if not isinstance(found, dict):
        raise RefusedError(400, "no JSON object")
    return found


def _parsed(text: bytes | str) -> Any:
    """What JSON says; None for what is none.

    Half an emoji in a ticket's summary is no reason to lose its message: orjson refuses it, the slower parser
    takes it, and the ledger keeps U+FFFD.
    """
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        pass
    try:
        return json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        return None


def _refuse_constant(word: str) -> None:
    raise ValueError(word)


def check_source(address: str | None, networks: Sequence[Network]) -> None:
    """Nothing for an address within one of the networks, or where none is listed; else RefusedError 403."""
    if networks and not _is_within(address or "", networks):
        raise RefusedError(403, "source address", address or "unknown")


def _is_within(address: str, networks: Sequence[Network]) -> bool:
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return False
    # A socket for both protocols shows IPv4 addresses within IPv6.
    found = getattr(found, "ipv4_mapped", None) or found
    return any(found in network for network in networks)


def sender_network(address: str | None) -> str:
    """The network that an address belongs to, as one holder has it: /24 of IPv4, /48 of IPv6."""
    try:
        found = ipaddress.ip_address(address or "")
    except ValueError:
        return ""
    found = getattr(found, "ipv4_mapped", None) or found
    return str(ipaddress.ip_network((found, 24 if found.version == 4 else 48), strict=False))
