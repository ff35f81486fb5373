"""Whether a whole stored record keeps its table's rules; members that a PATCH did not touch count too."""

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from sandbox.connectwise.company_tables import COMPANIES_NAME
from sandbox.connectwise.errors import FieldFault
from sandbox.connectwise.fields import Field, Kind, Table
from sandbox.connectwise.store import Record, Store
from sandbox.connectwise.tables import table_of

WIRE_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
ADDRESS = ("addressLine1", "addressLine2", "city", "state", "zip", "country")


def faults(table: Table, record: Record, store: Store) -> list[FieldFault]:
    """What is wrong with a record in stored form, member by member; empty if nothing is."""
    found: list[FieldFault] = []
    for name, field in table.fields.items():
        value = record.get(name)
        if field.required and (value is None or (isinstance(value, str) and not value.strip())):
            found.append(FieldFault("MissingRequiredField", f"The {name} field is required.", name))
        elif value is not None:
            found.extend(_member_faults(name, field, value, record, store))
    if "questions" in record:
        found.extend(_question_faults(record, store))
    return found


def taken(table: Table, record: Record, changed: Record, store: Store) -> list[FieldFault]:
    """The changed members whose value another record of the collection (of the same parent) has already."""
    return [
        FieldFault("ObjectExists", f"A matching {table.resource} entry already exists", name)
        for name in table.unique
        if name in changed and _held_elsewhere(table, record, name, store)
    ]


def address_fault(table: Table, record: Record) -> list[FieldFault]:
    """A company is created with at least one part of its address."""
    if table.name != COMPANIES_NAME or any(record.get(name) for name in ADDRESS):
        return []
    message = "At least one address field is required."
    return [FieldFault("MissingRequiredField", message, ADDRESS[0])]


def _member_faults(name: str, field: Field, value: Any, record: Record, store: Store) -> Iterator[FieldFault]:
    if field.max_length is not None and len(value) > field.max_length:
        message = f"The field {name} must be a string with a maximum length of {field.max_length}."
        yield FieldFault("MaxLengthField", message, name)
    if field.minimum is not None and not field.minimum <= value <= (field.maximum or value):
        message = f"The field {name} must be between {field.minimum} and {field.maximum}."
        yield FieldFault("OutOfRange", message, name)
    if field.kind is Kind.MOMENT and not _is_wire_time(value):
        yield FieldFault("InvalidField", f"Unsupported format applied to {name}", name)
    if field.kind is Kind.REFERENCE:
        yield from _reference_faults(name, field, value["id"], record, store)
    if field.kind is Kind.REFERENCES:
        for one in value:
            yield from _reference_faults(name, field, one["id"], record, store)


def _reference_faults(
    name: str, field: Field, record_id: int, record: Record, store: Store
) -> Iterator[FieldFault]:
    target, found = table_of(field.target), store.get(field.target, record_id)
    if found is None:
        yield FieldFault("NotFound", f"{target.label} {record_id} not found", f"{name}/id")
        return
    owner = record.get(field.within) if field.within else None
    if owner is not None and found.get(field.within) != owner:
        owners = table_of(target.fields[field.within].target).label
        message = f"{target.label} {record_id} not found for {owners} {owner['id']}"
        yield FieldFault("NotFound", message, f"{name}/id")


def _question_faults(record: Record, store: Store) -> Iterator[FieldFault]:
    type_id = record.get("type", {}).get("id")
    asked = {one["id"] for one in store.questions(type_id)}
    for question_id in record["questions"]:
        if question_id not in asked:
            message = f"Question {question_id} not found for Configuration Type {type_id}"
            yield FieldFault("NotFound", message, "questions/questionId")


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
