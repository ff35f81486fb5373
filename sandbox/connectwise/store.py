"""The records of the sandbox's ConnectWise, in memory, and the links of their owners to configurations.

A stored record is the wire record without what is derived: references are kept as `{"id": n}` (their names
are rendered when asked), `customFields` as id -> value, `questions` as question id -> answer, and a member
without a value is absent. `Watch` tells a listener of changes, several of one record within one request as
one.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Literal

from sandbox.connectwise.computed import AUTHORSHIP, compute, fill_authorship, initial_notes
from sandbox.connectwise.defaults import forget_repeated
from sandbox.connectwise.schema.company import (
    CONFIGURATION_QUESTIONS_NAME,
    CONFIGURATION_STATUSES_NAME,
    CONFIGURATIONS_NAME,
)
from sandbox.connectwise.schema.fields import Field, Kind, Table
from sandbox.connectwise.schema.system import CUSTOM_FIELDS_NAME
from sandbox.connectwise.schema.tables import PODS, TABLES, table_of
from sandbox.credentials import SigningKeys
from sandbox.history import History

Action = Literal["added", "updated", "deleted"]
Record = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Change:
    """What happened to a record; `by` is the member who did it, `record` the stored record."""

    collection: str
    record_id: int
    action: Action
    by: str
    record: dict[str, Any]


class Watch:
    """Hands every change to `listener`, if there is one."""

    def __init__(self) -> None:
        self.listener: Callable[[Change], None] | None = None
        self._held: dict[tuple[str, int], Change] | None = None

    def note(self, change: Change) -> None:
        """Tell of a change, at once or when `one_change` ends."""
        if self.listener is None:
            return
        if self._held is None:
            self.listener(change)
            return
        key = (change.collection, change.record_id)
        earlier = self._held.get(key)
        if earlier is not None and earlier.action == "added" and change.action == "updated":
            change = replace(change, action="added")
        self._held[key] = change

    @contextmanager
    def one_change(self, *, told: bool = True) -> Iterator[None]:
        """Tell of everything done inside as one change for each record; `told` False: tell nobody.

        Nothing may wait inside: it would hold back the changes of others.
        """
        self._held, before = {}, self._held
        try:
            yield
        finally:
            held, self._held = self._held, before
        for change in held.values() if told else ():
            self.note(change)


class Links:
    """The pairs (owner, configuration) of one kind of owner. A pair is there once."""

    def __init__(self) -> None:
        self._of: dict[int, set[int]] = {}
        self._owners: dict[int, set[int]] = {}

    def add(self, owner_id: int, configuration_id: int) -> bool:
        """Tie the two together; False if they were already."""
        found = self._of.setdefault(owner_id, set())
        if configuration_id in found:
            return False
        found.add(configuration_id)
        self._owners.setdefault(configuration_id, set()).add(owner_id)
        return True

    def remove(self, owner_id: int, configuration_id: int) -> bool:
        """Take the pair away; False if it was not there."""
        if configuration_id not in self._of.get(owner_id, ()):
            return False
        self._of[owner_id].discard(configuration_id)
        self._owners[configuration_id].discard(owner_id)
        return True

    def of(self, owner_id: int) -> Collection[int]:
        return self._of.get(owner_id, ())

    def are_any_of(self, owner_id: int, configuration_ids: frozenset[int]) -> bool:
        """Whether the owner has one of the configurations."""
        found = self._of.get(owner_id)
        return found is not None and not found.isdisjoint(configuration_ids)

    def forget_owner(self, owner_id: int) -> None:
        for configuration_id in self._of.pop(owner_id, ()):
            self._owners[configuration_id].discard(owner_id)

    def forget_configuration(self, configuration_id: int) -> None:
        for owner_id in self._owners.pop(configuration_id, ()):
            self._of[owner_id].discard(configuration_id)

    def pairs(self) -> Iterator[tuple[int, int]]:
        """Every pair, in order of owner and configuration."""
        for owner_id in sorted(self._of):
            for configuration_id in sorted(self._of[owner_id]):
                yield owner_id, configuration_id


def utc_now() -> datetime:
    return datetime.now(UTC)


def wire_time(moment: datetime) -> str:
    """A point in time as ConnectWise writes it: UTC, whole seconds."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class Store:
    """All collections, keyed by API path without the leading slash, as in `tables.TABLES`.

    Collections that are not served (countries, SLAs) may be inserted too, so that references to them exist.
    `clock` gives the time that `_info` records. Nothing here validates: that is the API's task.
    """

    def __init__(self, *, clock: Callable[[], datetime] = utc_now) -> None:
        self._clock = clock
        self._records: dict[str, dict[int, Record]] = {}
        self._last_ids: dict[str, int] = {}
        self._links: dict[str, Links] = {}
        self._questions: dict[int, list[Record]] | None = None
        self.watch = Watch()
        self.history = History()
        self.keys = SigningKeys()

    def now(self) -> str:
        return wire_time(self._clock())

    def collection(self, name: str) -> dict[int, Record]:
        """The stored records of a collection by id, in order of id unless ids were given out of order."""
        return self._records.setdefault(name, {})

    def get(self, collection: str, record_id: int) -> Record | None:
        return self.collection(collection).get(record_id)

    def links(self, name: str) -> Links:
        """Which configurations belong to which owner, by the name of the owners' child collection."""
        return self._links.setdefault(name, Links())

    def insert(self, collection: str, record: Record, *, by: str = "admin") -> Record:
        """Add a record in wire form and give back the stored one.

        An id is assigned unless given; defaults are filled in, a configuration gets the default status.
        `_info` may be given (`{"lastUpdated": ...}`) to date a record back. A question takes `typeId`, a
        site `companyId` for its parent. What follows from other members is filled in unless given.

        Raises:
            ValueError: a member that the collection's table does not have.
        """
        table = table_of(collection)
        stored: Record = {"id": self._take_id(collection, record.get("id")), **table.defaults}
        stored.update(self.stored_members(table, record))
        if collection == CONFIGURATIONS_NAME and "status" not in stored:
            stored.update(self.default_status())
        self._describe_pod(collection, stored)
        compute(table, stored, self.collection, self.now, record)
        if table.info is not None:
            stored["_info"] = {**self._stamps(table, by), **record.get("_info", {})}
        fill_authorship(table, stored, self.collection, self.now(), by)
        self.collection(collection)[stored["id"]] = stored
        self._changed(collection)
        self.history.note(collection, stored["id"], "added", by, stored)
        for note in initial_notes(table, record, stored):
            self.insert(f"{collection}/notes", note, by=by)
        if self.watch.listener is not None:
            self.watch.note(Change(collection, stored["id"], "added", by, stored))
        return stored

    def edit(self, collection: str, record_id: int, values: Record, *, by: str = "a person") -> Record:
        """Change members of a record as a person on the screen would: only these, and lastUpdated moves.

        None removes a member; custom fields named by id or caption change, the others stay.

        Raises:
            KeyError: no such record.
            ValueError: a member that the collection's table does not have.
        """
        table = table_of(collection)
        stored = self.collection(collection)[record_id]
        fresh = self.stored_members(table, values)
        if "customFields" in fresh:
            changes = self.custom_values(table, values["customFields"])
            fresh["customFields"] = merge_values(stored.get("customFields", {}), changes)
        if fresh.get("type", stored.get("type")) != stored.get("type"):
            stored.pop("questions", None)
        before = {**stored}
        for name in values:
            stored.pop(name, None)
        stored.update(fresh)
        forget_repeated(collection, stored, values, before)
        compute(table, stored, self.collection, self.now, values)
        self.touch(table, stored, by=by)
        return stored

    def replace(self, table: Table, record_id: int, stored: Record, *, by: str) -> Record:
        """Put a whole stored record in the place of another; lastUpdated moves, who entered it stays."""
        before = self.collection(table.name)[record_id]
        fresh = {**stored, "id": record_id}
        if table.info is not None:
            fresh["_info"] = dict(before.get("_info", {}))
        fresh |= {name: before[name] for name in AUTHORSHIP if name in before and name not in fresh}
        self._describe_pod(table.name, fresh)
        self.collection(table.name)[record_id] = fresh
        self.touch(table, fresh, by=by)
        return fresh

    def touch(self, table: Table, stored: Record, *, by: str) -> None:
        """Note in `_info` that the record was changed now."""
        if table.info:
            stored["_info"] = {**stored.get("_info", {}), "lastUpdated": self.now(), "updatedBy": by}
        self._changed(table.name)
        self.history.note(table.name, stored["id"], "updated", by, stored)
        self.watch.note(Change(table.name, stored["id"], "updated", by, stored))

    def delete(self, collection: str, record_id: int, *, by: str = "a person") -> Record | None:
        """Remove a record and give it back; None if there was none."""
        self._changed(collection)
        if collection == CONFIGURATIONS_NAME:
            for links in self._links.values():
                links.forget_configuration(record_id)
        self.links(f"{collection}/configurations").forget_owner(record_id)
        gone = self.collection(collection).pop(record_id, None)
        if gone is not None:
            self.history.note(collection, record_id, "deleted", by, gone)
            self.watch.note(Change(collection, record_id, "deleted", by, gone))
        return gone

    def default_status(self) -> Record:
        """`{"status": {"id": n}}` of the status that is the default, or nothing."""
        for record_id, status in self.collection(CONFIGURATION_STATUSES_NAME).items():
            if status.get("defaultFlag"):
                return {"status": {"id": record_id}}
        return {}

    def custom_fields(self, collection: str) -> list[Record]:
        """The custom field definitions of a record type, in their order on the screen."""
        pod = PODS.get(collection, (None,))[0]
        found = [one for one in self.collection(CUSTOM_FIELDS_NAME).values() if one.get("podId") == pod]
        return sorted(found, key=lambda one: (one.get("sequenceNumber", 0), one["id"]))

    def questions(self, type_id: int) -> list[Record]:
        """The questions of a configuration type, in order."""
        if self._questions is None:
            self._questions = _by_type(self.collection(CONFIGURATION_QUESTIONS_NAME).values())
        return self._questions.get(type_id, [])

    def stored_members(self, table: Table, record: Record) -> Record:
        """A wire record's members in stored form, nulls left out; ValueError: a member the table lacks."""
        stored: Record = {}
        parent_id = record.get("typeId" if table.parent == "configurationType" else "companyId")
        if table.parent and parent_id is not None:
            stored[table.parent] = {"id": parent_id}
        for name, value in record.items():
            if value is None or name in ("id", "_info") or name == "typeId" or name == "companyId":
                continue
            field = table.fields.get(name)
            if field is None and table.name in TABLES:
                raise ValueError(f"{table.name} has no member {name}")
            self._keep(table, stored, name, field, value)
        return stored

    def _keep(self, table: Table, stored: Record, name: str, field: Field | None, value: Any) -> None:
        if field is None:
            stored[name] = value
        elif field.kind is Kind.REFERENCE:
            stored[name] = {"id": _id_of(name, value)}
        elif field.kind is Kind.REFERENCES:
            stored[name] = [{"id": _id_of(name, one)} for one in value]
        elif field.mirrors:
            stored.setdefault(field.mirrors, {"id": int(value)})
        elif field.kind is Kind.CUSTOM:
            stored[name] = merge_values({}, self.custom_values(table, value))
        elif field.kind is Kind.ANSWERS:
            stored[name] = answers(value)
        elif field.kept:
            stored[name] = value

    def custom_values(self, table: Table, values: Iterable[Record]) -> dict[int, Any]:
        """Custom fields as id -> value (or None), found by id or caption; ValueError: an unknown caption."""
        found: dict[int, Any] = {}
        for one in values:
            field_id = one.get("id")
            if field_id is None:
                field_id = self._captioned(table, one.get("caption"))
            found[int(field_id)] = one.get("value")
        return found

    def _captioned(self, table: Table, caption: object) -> int:
        for one in self.custom_fields(table.name):
            if one["caption"] == caption:
                return int(one["id"])
        raise ValueError(f"{table.name} has no custom field {caption}")

    def _stamps(self, table: Table, by: str) -> Record:
        now = self.now()
        stamps = {"lastUpdated": now, "updatedBy": by, "dateEntered": now, "enteredBy": by}
        stamps |= {"createdDate": now, "createdBy": by}
        return {name: stamps[name] for name in table.info or ()}

    def _take_id(self, collection: str, wanted: int | None) -> int:
        sequence = table_of(collection).sequence or collection
        last = self._last_ids.get(sequence, 0)
        record_id = last + 1 if wanted is None else wanted
        self._last_ids[sequence] = max(last, record_id)
        return record_id

    def _describe_pod(self, collection: str, stored: Record) -> None:
        if collection != CUSTOM_FIELDS_NAME:
            return
        for pod_id, screen_id, words in PODS.values():
            if pod_id == stored.get("podId"):
                stored.setdefault("screenId", screen_id)
                stored["podDescription"] = stored["screenDescription"] = words
        stored.setdefault("dateCreated", self.now())

    def _changed(self, collection: str) -> None:
        if collection == CONFIGURATION_QUESTIONS_NAME:
            self._questions = None


def merge_values(values: dict[int, Any], changes: dict[int, Any]) -> dict[int, Any]:
    """Custom field values with changes laid over; a null takes a value away."""
    return {key: value for key, value in {**values, **changes}.items() if value is not None}


def answers(questions: Iterable[Record]) -> dict[int, Record]:
    """A wire `questions` array as question id -> answer; unanswered ones are left out."""
    return {
        int(one["questionId"]): {"answer": one["answer"]}
        for one in questions
        if one.get("questionId") is not None and one.get("answer") is not None
    }


def _id_of(name: str, reference: Record) -> int:
    if reference.get("id") is None:
        raise ValueError(f"{name} needs the id of a record")
    return int(reference["id"])


def _by_type(questions: Iterable[Record]) -> dict[int, list[Record]]:
    found: dict[int, list[Record]] = {}
    for one in sorted(questions, key=lambda one: (one.get("sequenceNumber", 0), one["id"])):
        found.setdefault(one["configurationType"]["id"], []).append(one)
    return found
