"""PATCH: an array of `{op, path, value}`, applied to a record as the wire shows it.

Whole references are replaced; `site/id` works too, any other path inside a reference changes nothing, and
neither does a path that names no member: the vendor answers 200 to those. Paths mind their case.
"""

import copy
from typing import Any

from sandbox.connectwise.errors import VendorError
from sandbox.connectwise.fields import Kind, Table
from sandbox.connectwise.reading import Body
from sandbox.connectwise.store import Record

OPERATIONS = ("add", "replace", "remove")


def patched(table: Table, shown: Record, body: Body) -> Record:
    """The members that the operations change, as `Body.members` gives them; None where one is removed.

    `shown` is the wire record; it is not altered.

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
            _inside_reference(working, name, parts[1:], value)
        elif field.kind in (Kind.ITEMS, Kind.ANSWERS, Kind.CUSTOM, Kind.REFERENCES):
            items = working.setdefault(name, copy.deepcopy(shown.get(name, [])))
            _inside_list(items, operation["op"].lower(), parts[1:], value)
    found = {name: body.coerced(table.fields[name], value, name) for name, value in working.items()}
    if found.get("customFields", ...) is None:
        del found["customFields"]  # Removing the whole array clears nothing, as sending an empty one.
    return found


def sets_custom_fields(body: Body) -> bool:
    """Whether the operations hold a replace of customFields."""
    return any(str(one.get("path", "")).strip("/") == "customFields" for one in _operations(body.value))


def _operations(value: Any) -> list[Record]:
    if not isinstance(value, list):
        raise VendorError(400, "InvalidObject", "The patch document must be an array of operations.")
    for one in value:
        if not isinstance(one, dict) or str(one.get("op")).lower() not in OPERATIONS or not one.get("path"):
            raise VendorError(400, "InvalidObject", "An operation needs op (add, replace, remove) and path.")
    return value


def _inside_reference(working: Record, name: str, rest: list[str], value: Any) -> None:
    if rest == ["id"] and value is not None:
        working[name] = {"id": value}


def _inside_list(items: list[Any], op: str, rest: list[str], value: Any) -> None:
    """`list/1/value` sets a member of an item, `list/1` an item, `list/-` appends; add always appends."""
    at = int(rest[0]) if rest[0].isdecimal() else len(items)
    if len(rest) > 1:
        if at < len(items) and isinstance(items[at], dict):
            items[at] = {**items[at], rest[1]: value}
    elif op == "add":
        items.append(value)
    elif at < len(items):
        items[at : at + 1] = [] if op == "remove" else [value]
