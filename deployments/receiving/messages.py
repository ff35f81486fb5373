"""What is kept of a vendor's message: its name, and as much as says what it is about.

Whoever acts on a message reads the record again, so a customer's data need not lie in the inbox. The shapes
stay the vendors' own; ``tasks.rules.dispatch_messages`` reads them.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from typing import Any

import orjson

_NAME = re.compile(r"[\x21-\x7e]{1,200}")
_CALLBACK = ("MessageId", "Type", "Action", "ID", "MemberId", "CompanyId", "CallbackObjectRecId")
_ENTITY = ("id", "recordType", "phase", "project")


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
        try:
            given = orjson.loads(given)
        except orjson.JSONDecodeError:
            return None
    return {name: given[name] for name in _ENTITY if name in given} if isinstance(given, dict) else None
