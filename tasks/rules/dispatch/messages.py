"""The messages in the inbox: where the receiver takes them, and which record or work order each is about.

No more of a message is trusted: it only says that something happened. What counts is what is fetched
afterwards, so any number of messages about one record is one look at it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tasks.rules.dispatch.paths import read_path
from tasks.rules.dispatch.reference import RecordKind

CONNECTWISE_SOURCE = "connectwise"
FIELD_NATION_SOURCE = "field_nation"
CONNECTWISE_PATH = "/connectwise/callbacks"
FIELD_NATION_PATH = "/field-nation/webhooks"
TICKET = "ticket"
WORK_ORDER = "work order"


@dataclass(frozen=True, slots=True)
class About:
    """``what`` is a RecordKind's value, ``ticket`` where its kind is not known yet, or ``work order``."""

    what: str
    number: int


def about(source: str, body: Mapping[str, Any]) -> About | None:
    """What a message is about; None for one that dispatch has nothing to do with.

    Args:
        source: ``connectwise`` or ``field_nation``, as the receiver noted it.
        body: the vendor's message as it came, or with it under ``body`` or ``payload``.
    """
    message = next((body[name] for name in ("payload", "body") if isinstance(body.get(name), Mapping)), body)
    return _of_work_order(message) if source == FIELD_NATION_SOURCE else _of_record(message)


def _of_record(message: Mapping[str, Any]) -> About | None:
    kind = str(message.get("Type") or "").strip().lower()
    number = _number(message.get("ID")) or _number(_entity(message).get("id"))
    if number is None or kind not in ("ticket", "opportunity"):
        return None
    if kind == "opportunity":
        return About(RecordKind.OPPORTUNITY.value, number)
    return About(_ticket_kind(_entity(message)), number)


def _ticket_kind(entity: Mapping[str, Any]) -> str:
    """By ``recordType``, which the vendor gives service tickets; what has a phase is a project's."""
    record_type = str(entity.get("recordType") or entity.get("RecordType") or "")
    if record_type.startswith("Project") or entity.get("phase") or entity.get("project"):
        return RecordKind.PROJECT_TICKET.value
    return RecordKind.SERVICE_TICKET.value if record_type.startswith("Service") else TICKET


def _of_work_order(message: Mapping[str, Any]) -> About | None:
    for path in ("workorder.id", "workorder.work_order_id", "event.params.work_order_id"):
        number = _number(read_path(message, path))
        if number is not None:
            return About(WORK_ORDER, number)
    return None


def _entity(message: Mapping[str, Any]) -> Mapping[str, Any]:
    """The record in the message: JSON in a text, or nothing for a deletion."""
    found = message.get("Entity")
    if isinstance(found, str):
        try:
            found = json.loads(found)
        except ValueError:
            return {}
    return found if isinstance(found, Mapping) else {}


def _number(value: Any) -> int | None:
    """A positive whole number, also as text."""
    if isinstance(value, bool):
        return None
    text = str(value).strip() if isinstance(value, int | str) else ""
    return int(text) if text.isdecimal() and 0 < len(text) <= 18 and int(text) > 0 else None


def callback_url(address: str) -> str:
    """The address for ConnectWise, which appends the record's id (docs/vendors.md, ConnectWise 4.4)."""
    return f"{_base(address)}{CONNECTWISE_PATH}?recordId="


def webhook_url(address: str) -> str:
    """The address that Field Nation is given."""
    return f"{_base(address)}{FIELD_NATION_PATH}"


def _base(address: str) -> str:
    return address.strip().rstrip("/")
