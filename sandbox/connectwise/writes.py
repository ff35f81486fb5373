"""Writes to one record of any collection: create, replace, patch, delete; and what they do to its owner.

PATCH is an array of `{op, path, value}`, applied to the record as the wire shows it. Whole references are
replaced; `site/id` works too, any other path inside a reference changes nothing, and neither does a path that
names no member: the vendor answers 200 to those. Paths mind their case.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import Any

from sandbox.connectwise.body import Body
from sandbox.connectwise.computed import (
    CHARGED,
    PLACES,
    charge_errors,
    charge_type,
    charged_ticket,
    compute,
    fill_authorship,
    initial_notes,
)
from sandbox.connectwise.defaults import forget_repeated
from sandbox.connectwise.errors import FieldError, VendorError, invalid, missing, not_found
from sandbox.connectwise.schema.company import CONFIGURATION_STATUSES_NAME, CONFIGURATIONS_NAME
from sandbox.connectwise.schema.fields import Kind, Table
from sandbox.connectwise.schema.service import TIME_ENTRIES
from sandbox.connectwise.schema.tables import SERVED, references_to, table_of
from sandbox.connectwise.store import Record, Store, merge_values
from sandbox.connectwise.validation import (
    Resolver,
    address_errors,
    callback_errors,
    duplicate_errors,
    field_errors,
    note_errors,
)
from sandbox.requests import is_number

OPERATIONS = ("add", "replace", "remove")
API_MEMBER = "apimember"


def apply_patch(table: Table, shown: Record, body: Body) -> Record:
    """The members that the operations change, as `Body.members` gives them; None where one is removed.

    Raises:
        VendorError: the body is not an array of operations, or a value is of the wrong kind.
    """
    working: Record = {}
    for operation in _operations(body.value):
        parts = [part for part in str(operation["path"]).split("/") if part]
        field = table.fields.get(parts[0]) if parts else None
        if field is None:
            continue
        name, value = parts[0], operation.get("value")
        if operation["op"].lower() == "remove":
            value = None
        if len(parts) == 1:
            working[name] = value
        elif field.kind is Kind.REFERENCE:
            if parts[1:] == ["id"] and value is not None:
                working[name] = {"id": value}
        elif field.kind in (Kind.ITEMS, Kind.ANSWERS, Kind.CUSTOM, Kind.REFERENCES):
            items = working.setdefault(name, copy.deepcopy(shown.get(name, [])))
            if items is None:  # An earlier operation took the whole list away.
                items = working[name] = []
            if isinstance(items, list):
                _inside_list(items, operation["op"].lower(), parts[1:], value)
    found = {name: body.coerced(table.fields[name], value, name) for name, value in working.items()}
    if found.get("customFields", ...) is None:
        del found["customFields"]  # Removing the whole array clears nothing, as sending an empty one.
    return found


def sets_custom_fields(body: Body) -> bool:
    return any(str(one.get("path", "")).strip("/") == "customFields" for one in _operations(body.value))


def _operations(value: Any) -> list[Record]:
    if not isinstance(value, list):
        raise VendorError(400, "InvalidObject", "The patch document must be an array of operations.")
    for one in value:
        path = one.get("path") if isinstance(one, dict) else None
        if not path or not isinstance(path, str) or str(one.get("op")).lower() not in OPERATIONS:
            raise VendorError(400, "InvalidObject", "An operation needs op (add, replace, remove) and path.")
    return value


def _inside_list(items: list[Any], op: str, rest: list[str], value: Any) -> None:
    """`list/1/value` sets a member of an item, `list/1` an item, `list/-` appends; add always appends."""
    at = int(rest[0]) if is_number(rest[0]) else len(items)
    if len(rest) > 1:
        if at < len(items) and isinstance(items[at], dict):
            items[at] = {**items[at], rest[1]: value}
    elif op == "add":
        items.append(value)
    elif at < len(items):
        items[at : at + 1] = [] if op == "remove" else [value]


class Writer:
    """Writes to one collection under the vendor's rules; `parent_id` where it is a child of another."""

    def __init__(self, table: Table, store: Store, parent_id: int | None = None) -> None:
        self.table = table
        self._store = store
        self._parent_id = parent_id

    def stored(self, record_id: int) -> Record:
        """The stored record; VendorError 404 if it is not there or another parent's."""
        found = self._store.get(self.table.of or self.table.name, record_id)
        if found is None or not self.belongs(found):
            raise not_found(self.table.label, record_id)
        return found

    def belongs(self, record: Record) -> bool:
        if self.table.belongs is not None:
            return self.table.belongs(record, self._parent_id or 0)
        return self._parent_id is None or record.get(self.table.parent) == {"id": self._parent_id}

    def create(self, members: Record) -> Record:
        """Add a record, defaults filled in; VendorError InvalidObject with a fault for each member."""
        record = self._candidate(members, {})
        with self._one_change(members):
            new = self._store.insert(self.table.name, {}, by=API_MEMBER)
            kept = self._keep(new["id"], record)
            fill_authorship(self.table, kept, self._store.collection, self._store.now(), API_MEMBER)
            for note in initial_notes(self.table, members, kept):
                self._store.insert(f"{self.table.name}/notes", note, by=API_MEMBER)
        return kept

    def replace(self, record_id: int, members: Record, resets: list[str] | None = None) -> Record:
        """Put the members in the place of the record: what is not sent, or in `resets`, gets its default.

        Raises:
            VendorError: 404, or InvalidObject.
        """
        before = self.stored(record_id)
        self._require_on_update(members)
        sent = {name: value for name, value in members.items() if name not in (resets or [])}
        fixed = [name for name, one in self.table.fields.items() if not one.settable]
        kept: Record = {"id": record_id} | {name: before[name] for name in fixed if name in before}
        if self.table.keeps_custom_fields and "customFields" in before:
            kept["customFields"] = before["customFields"]
        record = self._candidate(sent, kept, before=before)
        with self._one_change(members):
            return self._keep(record_id, record)

    def patch(self, record_id: int, body: Body, shown: Record) -> Record:
        """Apply a PATCH document to the record as the wire has it, `shown`; all of it is validated.

        Raises:
            VendorError: 404, InvalidObject, or an unreadable document.
        """
        before = self.stored(record_id)
        members = apply_patch(self.table, shown, body)
        changes = self._resolved(members, before)
        record = self._laid_over(before, changes)
        self._same_type(before, record)
        with self._one_change(members):
            return self._keep(record_id, self._validated(record, changes))

    def delete(self, record_id: int) -> None:
        """Remove a record; VendorError: 404, or 409 where other records refer to it."""
        self.stored(record_id)
        used = users(self.table.name, record_id, self._store)
        if used:
            raise VendorError(409, "ConflictError", f"{self.table.label} {record_id} is in use by {used}.")
        remove(self.table.name, record_id, self._store, by=API_MEMBER)

    def _one_change(self, members: Record) -> AbstractContextManager[None]:
        """Callbacks tell of what is done inside once, or of nothing where the body says `skipCallback`."""
        return self._store.watch.one_change(told=not members.get("skipCallback"))

    def _candidate(self, members: Record, kept: Record, before: Record | None = None) -> Record:
        changes = self._resolved(members, {**self.table.defaults, **kept})
        record = self._laid_over({**self.table.defaults, **kept}, changes)
        if self.table.name == CONFIGURATIONS_NAME and "status" not in record:
            record.update(self._store.default_status())
        if before is not None:
            self._same_type(before, record)
        return self._validated(record, changes, new=before is None)

    def _require_on_update(self, members: Record) -> None:
        fields = self.table.fields.items()
        found = [missing(name) for name, one in fields if one.on_update and members.get(name) is None]
        if found:
            raise invalid(self.table.resource, found)

    def _resolved(self, members: Record, before: Record) -> Record:
        resolver = Resolver(self.table, self._store)
        changes = resolver.resolved(members, lambda changes: self._laid_over(before, changes))
        if resolver.errors:
            raise invalid(self.table.resource, resolver.errors)
        return changes

    def _laid_over(self, before: Record, changes: Record) -> Record:
        record = {**before, **changes}
        if changes.get("customFields") is not None:
            record["customFields"] = merge_values(before.get("customFields", {}), changes["customFields"])
        for name in [name for name, value in record.items() if value is None]:
            del record[name]
            if name in self.table.defaults:
                record[name] = self.table.defaults[name]
        forget_repeated(self.table.name, record, changes, before)
        compute(self.table, record, self._store.collection, self._store.now)
        if self._parent_id is not None:
            record[self.table.parent] = {"id": self._parent_id}
        return record

    def _validated(self, record: Record, changes: Record, *, new: bool = False) -> Record:
        found: list[FieldError] = field_errors(self.table, record, self._store)
        found += duplicate_errors(self.table, record, changes, self._store)
        found += address_errors(self.table, record) if new else []
        found += callback_errors(self.table, record, self._store)
        found += note_errors(self.table, record)
        found += charge_errors(self.table, record, self._store.collection)
        if found:
            raise invalid(self.table.resource, found)
        return record

    def _same_type(self, before: Record, record: Record) -> None:
        if self.table.name != CONFIGURATIONS_NAME or record.get("type") is None:
            return
        if before.get("type") != record["type"]:
            message = "The type of a configuration can only be changed by changeType."
            raise invalid(self.table.resource, [FieldError("InvalidField", message, "type/id")])

    def _keep(self, record_id: int, record: Record) -> Record:
        kept = self._store.replace(self.table, record_id, record, by=API_MEMBER)
        if self.table.name == CONFIGURATION_STATUSES_NAME and kept.get("defaultFlag"):
            for other in self._store.collection(CONFIGURATION_STATUSES_NAME).values():
                if other["id"] != record_id:
                    other["defaultFlag"] = False
        return kept


def change_type(writer: Writer, record_id: int, body: Body, shown: Record, store: Store) -> Record:
    """PATCH `/changeType`: the answers to the old type's questions go, the new type's questions come.

    Raises:
        VendorError: 404, or the document names no type that exists.
    """
    before = writer.stored(record_id)
    changed = apply_patch(writer.table, shown, body).get("type")
    resolver = Resolver(writer.table, store)
    record = {**before, **resolver.resolved({"type": changed})}
    if record["type"] != before.get("type"):
        record.pop("questions", None)
    found = resolver.errors or field_errors(writer.table, record, store)
    if found:
        raise invalid(writer.table.resource, found)
    return store.replace(writer.table, record_id, record, by=API_MEMBER)


def users(collection: str, record_id: int, store: Store) -> str:
    """The first collection whose records refer to this one, its own children aside; empty if none does."""
    for table, name in references_to(collection):
        records = store.collection(table.name).values()
        if name != table.parent and any(one.get(name) == {"id": record_id} for one in records):
            return table.name
    return ""


def remove(collection: str, record_id: int, store: Store, *, by: str) -> None:
    """Delete a record and those that go with it: a type's questions, a company's sites, a ticket's notes."""
    store.delete(collection, record_id, by=by)
    children = [
        (table.name, one["id"])
        for table in SERVED
        if table.parent and not table.gathered and table.parent_target == collection
        for one in store.collection(table.name).values()
        if one.get(table.parent) == {"id": record_id}
    ]
    for child, one in children:
        store.delete(child, one, by=by)


def require_custom_fields(writer: Writer, body: Body, store: Store) -> None:
    """The switch `patch_requires_custom_fields`: a PATCH without a customFields operation is refused."""
    if store.custom_fields(writer.table.name) and not sets_custom_fields(body):
        raise invalid(writer.table.resource, [missing("customFields")])


def all_notes(store: Store, table: Table, ticket_id: int) -> dict[int, Record]:
    """A ticket's own notes, then its time entries', in stored form; the keys are places, as ids repeat."""
    owner = table.fields["ticket"].target
    ticket = {"ticket": {"id": ticket_id}}
    notes = [
        {**one, "noteType": "TicketNote", "_info": _entered(one)}
        for one in store.collection(f"{owner}/notes").values()
        if one.get("ticket") == ticket["ticket"]
    ]
    found = [*notes, *_of_time_entries(store, charge_type(owner), ticket_id)]
    return {place: {**table.defaults, **one, **ticket} for place, one in enumerate(found)}


def _of_time_entries(store: Store, charged: str, ticket_id: int) -> Iterator[Record]:
    for one in store.collection("time/entries").values():
        if one.get("chargeToId") != ticket_id or one.get("chargeToType") != charged or not one.get("notes"):
            continue
        flags = ("addToDetailDescriptionFlag", "addToInternalAnalysisFlag", "addToResolutionFlag")
        note = {name: bool(one.get(flag)) for name, flag in zip(PLACES, flags, strict=True)}
        note |= {name: one[name] for name in ("id", "member", "timeStart", "timeEnd") if name in one}
        yield {**note, "noteType": "TimeEntryNote", "text": one["notes"], "_info": _entered(one)}


def _entered(record: Record) -> Record:
    info = record.get("_info", {})
    author = record.get("createdBy") or record.get("enteredBy") or info.get("updatedBy")
    entered = record.get("dateCreated") or record.get("dateEntered") or info.get("lastUpdated")
    return {**info, "dateEntered": entered, "enteredBy": author}


def move_owner(store: Store, table: Table, record: Record, *, notes_move: bool, by: str) -> None:
    """Change a record's owner as a write does: a note changes it if `notes_move`, a time entry its hours."""
    if table.owner and notes_move:
        owner = store.get(table.owner, record.get(table.parent, {}).get("id", 0))
        if owner is not None:
            store.touch(table_of(table.owner), owner, by=by)
    elif table.name == TIME_ENTRIES.name and record.get("chargeToType") in CHARGED:
        ticket = charged_ticket(record, store.collection)
        if ticket is not None:
            ticket["actualHours"] = _hours(store, record)
            store.touch(table_of(CHARGED[record["chargeToType"]]), ticket, by=by)


def _hours(store: Store, entry: Record) -> float:
    names = ("chargeToType", "chargeToId")
    entries = store.collection(TIME_ENTRIES.name).values()
    same = (one for one in entries if all(one.get(name) == entry[name] for name in names))
    return round(sum(float(one.get("actualHours", 0)) for one in same), 2)
