"""Validation: members brought into stored form, and whether a whole stored record keeps its table's rules.

References are found by id, identifier or name. Members that a PATCH did not touch are validated too.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

from sandbox.connectwise.computed import PLACES, TICKET_NOTES
from sandbox.connectwise.condition_paths import shown_name
from sandbox.connectwise.errors import FieldError, missing
from sandbox.connectwise.schema.company import COMPANIES_NAME
from sandbox.connectwise.schema.fields import Field, Kind, Table
from sandbox.connectwise.schema.system import CALLBACK_LEVELS, CALLBACKS
from sandbox.connectwise.schema.tables import table_of
from sandbox.connectwise.store import Record, Store, answers
from sandbox.requests import is_number, read_address

WIRE_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
ADDRESS = ("addressLine1", "addressLine2", "city", "state", "zip", "country")


class Resolver:
    """Turns members into stored form, collecting what is wrong in `errors`; writes nothing."""

    def __init__(self, table: Table, store: Store) -> None:
        self._table = table
        self._store = store
        self._record: Record = {}
        self.errors: list[FieldError] = []

    def resolved(self, members: Record, owners: Callable[[Record], Record] = dict) -> Record:
        """The members in stored form; a null stays None; what has no effect or is not kept is left out.

        `owners` gives the record as it becomes: a status' name is looked for among those of its board.
        """
        fields = self._table.fields
        owned = {name for name in members if name in fields and fields[name].named_within}
        found = self._resolved({name: one for name, one in members.items() if name not in owned})
        if owned:
            if any(isinstance(one := members[name], dict) and one.get("id") is None for name in owned):
                self._record = owners(found)
            found |= self._resolved({name: members[name] for name in members if name in owned})
        return found

    def _resolved(self, members: Record) -> Record:
        found: Record = {}
        for name, value in members.items():
            field = self._table.fields.get(name)
            if field is None or not field.kept or not field.settable:
                continue
            if field.mirrors:
                if field.mirrors not in members:
                    reference = None if value is None else self._reference(name, field, {"id": value})
                    found[field.mirrors] = reference
                continue
            found[name] = None if value is None else self._value(name, field, value)
        return found

    def _value(self, name: str, field: Field, value: Any) -> Any:
        match field.kind:
            case Kind.REFERENCE:
                return self._reference(name, field, value)
            case Kind.REFERENCES:
                return [one for each in value if (one := self._reference(name, field, each)) is not None]
            case Kind.CUSTOM:
                return self._custom_values(value)
            case Kind.ITEMS:
                return [self._item(name, field, one) for one in value]
            case Kind.ANSWERS:
                return answers({"questionId": one.get("questionid"), **one} for one in value)
            case _:
                return value

    def _item(self, name: str, field: Field, item: Record) -> Record:
        """One item of a list, the references in it in stored form."""
        found: Record = {}
        for member, one in item.items():
            inner = field.items[member]
            is_reference = inner.kind is Kind.REFERENCE
            found[member] = self._reference(f"{name}/{member}", inner, one) if is_reference else one
        return {member: one for member, one in found.items() if one is not None}

    def _reference(self, name: str, field: Field, value: Record) -> Record | None:
        """`{"id": n}`; an id is not looked up here: whether it exists is part of validating the record."""
        record_id = value.get("id")
        if record_id is not None:
            return {"id": record_id}
        for key in ("identifier", "name"):
            if value.get(key) is not None:
                return self._named(name, field, key, str(value[key]))
        return None

    def _named(self, name: str, field: Field, key: str, wanted: str) -> Record | None:
        """The one record of that identifier or name; none, or several, is a fault."""
        table, folded = table_of(field.target), wanted.strip().casefold()
        owner = self._record.get(field.within) if field.named_within else None
        ids = [
            record_id
            for record_id, record in self._store.collection(field.target).items()
            if (_word(table, record, key) or "").casefold() == folded
            and (owner is None or record.get(field.within) == owner)
        ]
        if len(ids) == 1:
            return {"id": ids[0]}
        message = f"{table.label} {wanted} not found"
        if owner is not None:
            message += f" for {_owners(table, field).label} {owner['id']}"
        self.errors.append(FieldError("NotFound", message, name))
        return None

    def _custom_values(self, values: list[Record]) -> dict[int, Any]:
        definitions = {one["id"]: one for one in self._store.custom_fields(self._table.name)}
        by_caption = {one["caption"].casefold(): one["id"] for one in definitions.values()}
        found: dict[int, Any] = {}
        for one in values:
            field_id = one.get("id")
            if field_id is None:
                field_id = by_caption.get(str(one.get("caption")).casefold())
            definition = definitions.get(int(field_id or 0)) if is_number(str(field_id)) else None
            if definition is None:
                self._refuse("NotFound", f"Custom field {one.get('id') or one.get('caption')} not found")
            elif not _fits(definition["fieldTypeIdentifier"], one.get("value")):
                self._refuse("InvalidField", f"The value of {definition['caption']} is invalid.")
            else:
                found[definition["id"]] = one.get("value")
        return found

    def _refuse(self, code: str, message: str) -> None:
        self.errors.append(FieldError(code, message, "customFields"))


def _word(table: Table, record: Record, key: str) -> str | None:
    return record.get(key) if key == "identifier" else shown_name(table, record)


def _fits(field_type: str, value: Any) -> bool:
    """Whether a custom field of this type can hold the value: always a scalar."""
    if isinstance(value, dict | list):
        return False
    if value is None or value == "":
        return True
    if field_type in ("Number", "Currency", "Percent"):
        try:
            return math.isfinite(float(value)) and not isinstance(value, bool)
        except (ValueError, OverflowError):
            return False
    if field_type == "Checkbox":
        return isinstance(value, bool) or str(value).lower() in ("true", "false")
    return True


def field_errors(table: Table, record: Record, store: Store) -> list[FieldError]:
    """What is wrong with a record in stored form, member by member; empty if nothing is."""
    found: list[FieldError] = []
    for name, field in table.fields.items():
        value = record.get(name)
        if field.required and (value is None or (isinstance(value, str) and not value.strip())):
            found.append(missing(name))
        elif value is not None:
            found.extend(_member_errors(name, field, value, record, store))
    if "questions" in record:
        found.extend(_question_errors(record, store))
    return found


def duplicate_errors(table: Table, record: Record, changed: Record, store: Store) -> list[FieldError]:
    """The changed members whose value another record of the collection (of the same parent) has already."""
    return [
        FieldError("ObjectExists", f"A matching {table.resource} entry already exists", name)
        for name in table.unique
        if name in changed and _held_elsewhere(table, record, name, store)
    ]


def address_errors(table: Table, record: Record) -> list[FieldError]:
    """A company is created with at least one part of its address."""
    if table.name != COMPANIES_NAME or any(record.get(name) for name in ADDRESS):
        return []
    message = "At least one address field is required."
    return [FieldError("MissingRequiredField", message, ADDRESS[0])]


def _member_errors(name: str, field: Field, value: Any, record: Record, store: Store) -> Iterator[FieldError]:
    if field.max_length is not None and len(value) > field.max_length:
        message = f"The field {name} must be a string with a maximum length of {field.max_length}."
        yield FieldError("MaxLengthField", message, name)
    if field.minimum is not None and not field.minimum <= value <= (field.maximum or value):
        message = f"The field {name} must be between {field.minimum} and {field.maximum}."
        yield FieldError("OutOfRange", message, name)
    if field.kind is Kind.MOMENT and not _is_wire_time(value):
        yield FieldError("InvalidField", f"Unsupported format applied to {name}", name)
    if field.kind is Kind.REFERENCE:
        yield from _reference_errors(name, field, value["id"], record, store)
    if field.kind is Kind.ITEMS:
        for one in value:
            for member, inner in field.items.items():
                if inner.kind is Kind.REFERENCE and member in one:
                    yield from _reference_errors(f"{name}/{member}", inner, one[member]["id"], record, store)
    if field.kind is Kind.REFERENCES:
        for one in value:
            yield from _reference_errors(name, field, one["id"], record, store)


def _reference_errors(
    name: str, field: Field, record_id: int, record: Record, store: Store
) -> Iterator[FieldError]:
    target, found = table_of(field.target), store.get(field.target, record_id)
    if found is None:
        yield FieldError("NotFound", f"{target.label} {record_id} not found", f"{name}/id")
        return
    owner = record.get(field.within) if field.within else None
    if owner is not None and found.get(field.within) != owner:
        message = f"{target.label} {record_id} not found for {_owners(target, field).label} {owner['id']}"
        yield FieldError("NotFound", message, f"{name}/id")


def _owners(target: Table, field: Field) -> Table:
    """The table of what a record of `target` belongs to: a team shows its board as a number alone."""
    return table_of(target.parent_target or target.fields[field.within].target)


def _question_errors(record: Record, store: Store) -> Iterator[FieldError]:
    type_id = record.get("type", {}).get("id")
    asked = {one["id"] for one in store.questions(type_id)}
    for question_id in record["questions"]:
        if question_id not in asked:
            message = f"Question {question_id} not found for Configuration Type {type_id}"
            yield FieldError("NotFound", message, "questions/questionId")


def _held_elsewhere(table: Table, record: Record, name: str, store: Store) -> bool:
    wanted = str(record.get(name, "")).strip().casefold()
    parent = record.get(table.parent) if table.parent else None
    return any(
        one["id"] != record.get("id")
        and str(one.get(name, "")).strip().casefold() == wanted
        and (not table.parent or one.get(table.parent) == parent)
        for one in store.collection(table.name).values()
    )


def _is_wire_time(value: str) -> bool:
    if WIRE_TIME.fullmatch(value) is None:
        return False
    try:
        datetime.fromisoformat(value)
    except ValueError:
        return False
    return True


def note_errors(table: Table, record: Record) -> list[FieldError]:
    """A ticket's note says where it is shown (docs/vendors.md, ConnectWise 4.3); empty for other tables."""
    if table.name not in TICKET_NOTES or any(record.get(name) for name in PLACES):
        return []
    message = "Please choose where to display the notes in order to save this record."
    return [FieldError("InvalidObject", message, PLACES[0])]


def callback_errors(table: Table, record: Record, store: Store) -> list[FieldError]:
    """What is wrong with an entry beside its members' own rules; empty for every other table."""
    return list(_callback_errors(record, store)) if table.name == CALLBACKS.name else []


def _callback_errors(entry: Record, store: Store) -> Iterator[FieldError]:
    address = read_address(entry["url"].strip()) if entry.get("url") else None
    if entry.get("url") and (address is None or address.scheme not in ("http", "https")):
        yield FieldError("InvalidField", "Invalid URL", "url")
    levels = CALLBACK_LEVELS.get(str(entry.get("type", "")).lower())
    if entry.get("type") and levels is None:
        yield FieldError("InvalidObject", f"Type {entry['type']} is invalid.", "type")
    elif levels is not None and entry.get("level") and entry["level"].lower() not in levels:
        message = f"Level {entry['level']} is invalid for type {entry['type']}."
        yield FieldError("InvalidObject", message, "level")
    others = (one for one in store.collection(CALLBACKS.name).values() if one["id"] != entry.get("id"))
    if any(_key(entry) == _key(other) for other in others):
        yield FieldError("ObjectExists", "A matching callback entry already exists", "objectId")


def _key(entry: Record) -> tuple[object, ...]:
    """What may be there once; the vendor names no members, these are assumed."""
    words = tuple(str(entry.get(name, "")).lower() for name in ("type", "level"))
    return (entry.get("url"), entry.get("objectId"), *words)
