"""What the vendor refuses of a callback entry, and which changes an entry wants to hear of."""

from collections.abc import Iterator
from urllib.parse import urlsplit

from sandbox.connectwise.callback_tables import CALLBACKS, EVERY, ITSELF, LEVELS, NEVER, TYPES
from sandbox.connectwise.errors import FieldFault
from sandbox.connectwise.fields import Table
from sandbox.connectwise.store import Record, Store
from sandbox.connectwise.watching import Change


def callback_faults(table: Table, record: Record, store: Store) -> list[FieldFault]:
    """What is wrong with an entry beside its members' own rules; empty for every other table."""
    return list(_faults(record, store)) if table.name == CALLBACKS.name else []


def wants(entry: Record, change: Change, own: str) -> bool:
    """Whether this entry's receiver is told of a change; `own` is the member whose entry it is."""
    record_type = TYPES.get(change.collection)
    if entry.get("inactiveFlag") or record_type is None or entry["type"].lower() != record_type:
        return False
    if entry.get("isSelfSuppressedFlag") and change.by == own:
        return False
    member = LEVELS[record_type][entry["level"].lower()]
    if member == EVERY:
        return True
    if member == ITSELF:
        return bool(entry["objectId"] == change.record_id)
    return member != NEVER and change.record.get(member) == {"id": entry["objectId"]}


def _faults(entry: Record, store: Store) -> Iterator[FieldFault]:
    parts = urlsplit(str(entry.get("url", "")).strip())
    if entry.get("url") and (parts.scheme.lower() not in ("http", "https") or not parts.hostname):
        yield FieldFault("InvalidField", "Invalid URL", "url")
    levels = LEVELS.get(str(entry.get("type", "")).lower())
    if entry.get("type") and levels is None:
        yield FieldFault("InvalidObject", f"Type {entry['type']} is invalid.", "type")
    elif levels is not None and entry.get("level") and entry["level"].lower() not in levels:
        message = f"Level {entry['level']} is invalid for type {entry['type']}."
        yield FieldFault("InvalidObject", message, "level")
    if any(_same(entry, other) for other in store.collection(CALLBACKS.name).values()):
        yield FieldFault("ObjectExists", "A matching callback entry already exists", "objectId")


def _same(entry: Record, other: Record) -> bool:
    return entry.get("id") != other["id"] and _key(entry) == _key(other)


def _key(entry: Record) -> tuple[object, ...]:
    """What may be there once; the vendor names no members, these are assumed."""
    words = tuple(str(entry.get(name, "")).lower() for name in ("type", "level"))
    return (entry.get("url"), entry.get("objectId"), *words)
