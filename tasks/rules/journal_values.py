"""The values of single fields as the journal keeps them: before and after a write, ready to be put back.

A key is a member of the record (``serialNumber``, ``manufacturer``) or ``customFields/<id>``. A reference is
kept with id and name, so that a person can read the journal and an undo needs no look-up.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from connectors.connectwise.models import PatchOperation
from tasks.rules.mapping import CompiledMapping
from tasks.rules.payloads import lay_member, set_member, without_info
from tasks.rules.records import FieldChange
from tasks.rules.targets import Kind

_CUSTOM = "customFields/"


def journal_values(
    record: Mapping[str, Any], changes: Iterable[FieldChange], mapping: CompiledMapping
) -> dict[str, Any]:
    """The wire values that ``record`` has in the changed fields: of the fresh record for ``before``, of the
    record to be put for ``after``. An absent value is None."""
    keys = []
    for change in changes:
        mapped = mapping.by_path[change.field]
        custom = mapped.target.kind is Kind.CUSTOM
        keys.append(f"{_CUSTOM}{mapped.custom_field_id}" if custom else mapped.target.field)
    return {key: kept_value(value_of(record, key)) for key in keys}


def value_of(record: Mapping[str, Any], key: str) -> Any:
    """The value under a journal key; None if there is none."""
    if not key.startswith(_CUSTOM):
        return record.get(key)
    fields = record.get("customFields") or []
    return next((each.get("value") for each in fields if f"{_CUSTOM}{each.get('id')}" == key), None)


def kept_value(value: Any) -> Any:
    """A value without what only the server writes; of a reference its id and name."""
    if isinstance(value, Mapping) and "id" in value:
        return {part: value[part] for part in ("id", "name") if part in value}
    return without_info(value)


def with_values(record: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """The whole record of a PUT that sets the journalled values again; None clears."""
    laid: dict[str, Any] = without_info(record)
    for key, value in values.items():
        if not key.startswith(_CUSTOM):
            lay_member(laid, key, _sent(value))
            continue
        field_id = int(key.removeprefix(_CUSTOM))
        others = [each for each in laid.get("customFields") or [] if each.get("id") != field_id]
        own = [each for each in laid.get("customFields") or [] if each.get("id") == field_id]
        laid["customFields"] = [*others, {**(own[0] if own else {"id": field_id}), "value": value}]
    return laid


def value_operations(values: Mapping[str, Any]) -> list[PatchOperation]:
    """The operations of a PATCH that sets the journalled values again, custom fields last."""
    members = [set_member(key, _sent(value)) for key, value in values.items() if not key.startswith(_CUSTOM)]
    custom = [
        {"id": int(key.removeprefix(_CUSTOM)), "value": value}
        for key, value in values.items()
        if key.startswith(_CUSTOM)
    ]
    return [*members, set_member("customFields", custom)]


def _sent(value: Any) -> Any:
    return {"id": value["id"]} if isinstance(value, Mapping) and "id" in value else value
