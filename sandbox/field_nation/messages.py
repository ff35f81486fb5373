"""Messages of a work order: the list, and posting, which answers with the whole list."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sandbox.field_nation.errors import FieldNationError, not_found
from sandbox.field_nation.moments import stamp, zone_of
from sandbox.field_nation.store import Event, FieldNationStore, Message, WorkOrder

TYPES = (
    "INTERNAL",
    "ASSIGNEDTECH",
    "REQUESTEDTECHS",
    "SPECIFICTECH",
    "FROMTECH",
    "REPLY",
    "TECHTOMANAGER",
    "ROUTEDTECHS",
    "REPLYTOTHREAD",
    "STAFF_NOTE",
)
DEFAULT_TYPE = "INTERNAL"  # assumed: what an absent type means is not published


def add_message(
    store: FieldNationStore, order: WorkOrder, author: dict[str, Any], text: str, kind: str, parent: int = 0
) -> Event:
    """Adds one message and returns its event."""
    number = store.number()
    label = order.status.label
    order.messages.append(Message(number, author, text, kind, datetime.now(UTC), label, parent))
    order.version += 1
    return Event("message_posted", {"message": _item(order, order.messages[-1])})


def post(
    store: FieldNationStore, order: WorkOrder, author: dict[str, Any], body: Any, parent: int | None = None
) -> Event:
    """A message or reply as the API takes it.

    Raises:
        FieldNationError: 400 without text or with an unknown type, 404 for an unknown message.
    """
    given = body if isinstance(body, dict) else {}
    text, kind = given.get("message"), given.get("type", DEFAULT_TYPE)
    if not isinstance(text, str) or not text.strip():
        raise FieldNationError(400, "Validation failed.", {"#/message": "is required"})
    if kind not in TYPES:
        raise FieldNationError(400, "Validation failed.", {"#/type": f"must be one of {', '.join(TYPES)}"})
    if parent is not None and parent not in {one.id for one in order.messages}:
        raise not_found("Message", parent)
    return add_message(store, order, author, text, "REPLY" if parent else kind, parent or 0)


def message_list(order: WorkOrder) -> dict[str, Any]:
    """Every message with its replies, oldest first; one page."""
    first = [one for one in order.messages if not one.parent]
    results = []
    for one in first:
        replies = [_item(order, reply) for reply in order.messages if reply.parent == one.id]
        results.append({**_item(order, one), "replies": replies})
    return {
        "metadata": {"total": len(first), "page": 1, "pages": 1, "per_page": max(25, len(first))},
        "results": results,
        "actions": ["add"],
        "correlation_id": order.correlation("messages"),
    }


def _item(order: WorkOrder, one: Message) -> dict[str, Any]:
    zone = zone_of(order.state)
    return {
        "msg_id": str(one.id),
        "parent_id": str(one.parent),
        "from": {"id": one.author["id"], "name": one.author["name"], "role": one.author["role"]},
        "role": one.type,
        "message": one.text,
        "read": True,
        "created": {**stamp(one.created, zone), "timezone": zone},
        "work_order_status": one.status,
        "actions": ["reply"],
    }
