"""The callbacks and webhooks that are to be at the vendors, and the moves that bring them there. Pure.

Only entries with the receiver's own address are ours; everybody else's are listed and left alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from tasks.rules.dispatch.events import WorkOrderEvent
from tasks.rules.dispatch.reference import RecordKind

Record = Mapping[str, Any]
OWNER, OWNER_ID = "Owner", 1
"""The level at which every record of a type is told of; ``objectId`` is 1 there
(docs/vendors.md, ConnectWise 4.4)."""
BOARD = "Board"
PAYLOAD_VERSION = "3.0.0"
CALLBACK_DESCRIPTION = "connectwise-flows: dispatch"
_STATUSES = (
    "confirmed assigned assigned_cancelled on_my_way checked_in checked_out work_done approved paid "
    "cancelled deleted postponed"
)
EVENTS = (
    *(f"workorder.status.{name}" for name in _STATUSES.split()),
    "workorder.message_posted",
    "workorder.custom_field_value_updated",
    "workorder.schedule_updated",
)
"""What brings a work order back to its ticket. Each costs a look at the work order, so no more than that."""
OWN_STEPS = {
    WorkOrderEvent.CREATED: "workorder.created",
    WorkOrderEvent.PUBLISHED: "workorder.status.published",
    WorkOrderEvent.ROUTED: "workorder.status.routed",
}
"""What mostly this integration does itself: asked for only where a rule acts on it."""
_TYPES = {
    RecordKind.SERVICE_TICKET: "Ticket",
    RecordKind.PROJECT_TICKET: "Ticket",
    RecordKind.OPPORTUNITY: "Opportunity",
}


class EntryStep(StrEnum):
    """What is done with one entry; ``keep`` and ``leave`` are nothing."""

    CREATE = "create"
    CHANGE = "change"
    REMOVE = "remove"
    KEEP = "keep"
    LEAVE = "leave"
    """Somebody else's."""


@dataclass(frozen=True, slots=True)
class EntryMove:
    """One entry and what is done with it.

    Attributes:
        words: what the entry is, for a person.
        found: the vendor's record; None for one that is to be created.
        body: members to send when it is created or changed.
    """

    step: EntryStep
    words: str
    url: str
    found: Record | None = None
    body: dict[str, Any] = field(default_factory=dict)


def wanted_callbacks(
    kinds: Iterable[RecordKind], url: str, *, boards: Sequence[int] = (), suppress_own: bool = True
) -> list[dict[str, Any]]:
    """The callback entries for these kinds of record.

    Args:
        boards: ids of the boards whose tickets are told of; none: the tickets of every board.
        suppress_own: changes that the API member itself makes are not told of.
    """
    types = list(dict.fromkeys(_TYPES[kind] for kind in RecordKind if kind in set(kinds)))
    places = {
        "Ticket": [(BOARD, each) for each in dict.fromkeys(boards)] or [(OWNER, OWNER_ID)],
        "Opportunity": [(OWNER, OWNER_ID)],
    }
    return [
        {
            "description": CALLBACK_DESCRIPTION,
            "url": url,
            "type": each,
            "level": level,
            "objectId": number,
            "payloadVersion": PAYLOAD_VERSION,
            "inactiveFlag": False,
            "isSelfSuppressedFlag": suppress_own,
        }
        for each in types
        for level, number in places[each]
    ]


def callback_moves(there: Sequence[Record], wanted: Sequence[Record], url: str) -> list[EntryMove]:
    """What to do so that of the entries with this url exactly the wanted ones are there.

    An entry can't be changed, so one that is switched off or tells of other changes is made anew.
    """
    moves: list[EntryMove] = []
    satisfied: set[tuple[Any, ...]] = set()
    by_key = {_key(each): each for each in wanted}
    for found in there:
        key, words = _key(found), _callback_words(found)
        if found.get("url") != url:
            moves.append(EntryMove(EntryStep.LEAVE, words, str(found.get("url") or ""), found))
        elif key in by_key and key not in satisfied and _is_as_wanted(found, by_key[key]):
            satisfied.add(key)
            moves.append(EntryMove(EntryStep.KEEP, words, url, found))
        else:
            moves.append(EntryMove(EntryStep.REMOVE, words, url, found))
    # Removals come first: of entries with one key the vendor takes only one.
    return moves + [
        EntryMove(EntryStep.CREATE, _callback_words(each), url, body=dict(each))
        for key, each in by_key.items()
        if key not in satisfied
    ]


def webhook_moves(
    there: Sequence[Record], events: Sequence[str], url: str, *, secret: str = ""
) -> list[EntryMove]:
    """The same for webhooks. ``events`` empty: none is wanted.

    Args:
        secret: is to be sent to a webhook that stays, since a list of webhooks does not show theirs.
    """
    moves: list[EntryMove] = []
    for found in there:
        words = _webhook_words(found)
        if found.get("url") != url:
            moves.append(EntryMove(EntryStep.LEAVE, words, str(found.get("url") or ""), found))
        elif not events or any(each.step in (EntryStep.KEEP, EntryStep.CHANGE) for each in moves):
            moves.append(EntryMove(EntryStep.REMOVE, words, url, found))
        else:
            body = dict(_webhook_changes(found, events)) | ({"secret": secret} if secret else {})
            moves.append(EntryMove(EntryStep.CHANGE if body else EntryStep.KEEP, words, url, found, body))
    if events and not any(each.step in (EntryStep.KEEP, EntryStep.CHANGE) for each in moves):
        body = {"events": list(events)}
        moves.append(EntryMove(EntryStep.CREATE, _webhook_words(body), url, body=body))
    return moves


def wanted_events(rules: Iterable[WorkOrderEvent]) -> list[str]:
    """``EVENTS``, and those of ``OWN_STEPS`` that some outbound rule names."""
    named = set(rules)
    return [*EVENTS, *(name for event, name in OWN_STEPS.items() if event in named)]


def known_events(wanted: Sequence[str], catalogue: Iterable[Record]) -> tuple[list[str], list[str]]:
    """Those that the vendor's catalogue has, and those that it does not."""
    names = {str(each.get("name")) for each in catalogue}
    return [each for each in wanted if each in names], [each for each in wanted if each not in names]


def same_entry(found: Record, body: Record) -> bool:
    """Whether a callback entry is the one that was to be created."""
    return _key(found) == _key(body)


def _webhook_changes(found: Record, events: Sequence[str]) -> Iterator[tuple[str, Any]]:
    listed = found.get("events")
    if not isinstance(listed, list) or set(map(str, listed)) != set(events):
        yield "events", list(events)
    for name, value in (("status", "active"), ("method", "post")):
        if found.get(name) != value:
            yield name, value


def _key(entry: Record) -> tuple[Any, ...]:
    """What the vendor takes once; it writes type and level in any case."""
    words = (str(entry.get(name) or "").strip().lower() for name in ("type", "level"))
    return (*words, *(str(entry.get(name) or "") for name in ("objectId", "url")))


def _callback_words(entry: Record) -> str:
    off = ", switched off" if entry.get("inactiveFlag") else ""
    return f"callback: {entry.get('type')}, level {entry.get('level')} {entry.get('objectId')}{off}"


def _webhook_words(webhook: Record) -> str:
    status = webhook.get("status", "active")
    off = "" if status == "active" else f", {status}"
    events = webhook.get("events")
    return f"webhook: {len(events) if isinstance(events, list) else 0} events{off}"


def _is_as_wanted(found: Record, wanted: Record) -> bool:
    flags = ("inactiveFlag", "isSelfSuppressedFlag")
    return all(bool(found.get(name)) == bool(wanted.get(name)) for name in flags)
