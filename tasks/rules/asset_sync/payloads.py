"""The bodies of configuration requests: a new record, a PUT's whole record, a PATCH's operations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from connectors.connectwise.models import PatchOperation
from tasks.rules.asset_sync.decide import REQUIRED, left_out, unknown_reference
from tasks.rules.mapping.comparison import is_empty
from tasks.rules.mapping.compile import CompiledMapping, MappedField
from tasks.rules.mapping.targets import (
    TWIN_MEMBERS,
    References,
    ValueKind,
    known_reference,
    wire_reference,
    wire_value,
)
from tasks.rules.values import ConfigurationRecord, FieldChange


@dataclass(slots=True)
class CreationPayload:
    """The record to post, or the reason why the asset is skipped."""

    record: dict[str, Any] | None
    warnings: list[str] = field(default_factory=list)
    skipped: str | None = None


def creation_payload(
    values: Sequence[Any], mapping: CompiledMapping, references: References, company_id: int
) -> CreationPayload:
    """The record that creates a configuration in the run's company; ``values`` as a creation's decision.

    A reference whose record could not be made is left out (with a warning); without a type there is no
    record. The asset is linked by its custom fields like any other mapped value.
    """
    record: dict[str, Any] = {"company": {"id": company_id}}
    custom, warnings = [], []
    for mapped, value in zip(mapping.fields, values, strict=True):
        if value is None:
            continue
        if mapped.custom_field_id is not None:
            custom.append({"id": mapped.custom_field_id, "value": value})
        elif mapped.target.kind is not ValueKind.REFERENCE:
            record[mapped.target.field] = value
        elif (reference := known_reference(mapped.target, value, references)) is not None:
            record[mapped.target.field] = reference
        elif mapped.target.path in REQUIRED:
            return CreationPayload(None, skipped=unknown_reference(mapped.target.path, str(value)))
        else:
            warnings.append(left_out(mapped, unknown_reference(mapped.target.path, str(value))))
    if custom:
        record["customFields"] = custom
    return CreationPayload(record, warnings)


def overlay(
    fresh: Mapping[str, Any], changes: Sequence[FieldChange], mapping: CompiledMapping, references: References
) -> dict[str, Any]:
    """The whole record of a PUT: the record as just read with the changed values laid over.

    PUT replaces, so everything that was read is sent back, except ``_info`` and its links. A value that is
    cleared is left out, which resets it; a cleared custom field is sent as null. A reference is replaced
    whole, and the plain id beside it (``locationId``) follows.
    """
    by_path = mapping.by_path
    record: dict[str, Any] = without_info(fresh)
    for change in changes:
        mapped = by_path[change.field]
        value = _wire(mapped, change.wanted, references)
        if mapped.target.kind is ValueKind.CUSTOM:
            record["customFields"] = _with_custom(record.get("customFields") or [], mapped, value)
        else:
            lay_member(record, mapped.target.field, value)
    return record


def lay_member(record: dict[str, Any], member: str, value: Any) -> None:
    """Set one member of a PUT record, or leave it out where there is no value; its twin id follows."""
    twin = TWIN_MEMBERS.get(member)
    if value is None:
        record.pop(member, None)
        record.pop(twin or member, None)
        return
    record[member] = value
    if twin in record:
        record[twin] = value["id"]


def patch_operations(
    changes: Sequence[FieldChange],
    configuration: ConfigurationRecord,
    mapping: CompiledMapping,
    references: References,
) -> list[PatchOperation]:
    """The operations of one PATCH: one a changed member, then always one ``replace customFields``.

    That one names id and value of every mapped custom field: the wanted value of those that change, the
    current value of the others. ConnectWise keeps fields that are not named, and may refuse a PATCH of a
    record with custom fields that names none.
    """
    by_path = mapping.by_path
    operations = [
        set_member(mapped.target.field, _wire(mapped, change.wanted, references))
        for change in changes
        if (mapped := by_path[change.field]).target.kind is not ValueKind.CUSTOM
    ]
    return [*operations, set_member("customFields", _custom_values(changes, configuration, mapping))]


def set_member(member: str, value: Any) -> PatchOperation:
    """The operation that gives a member this value, whole; None removes it, which clears it."""
    if value is None:
        return cast(PatchOperation, {"op": "remove", "path": member})
    return {"op": "replace", "path": member, "value": value}


def without_info(value: Any) -> Any:
    """A deep copy without ``_info``, which only the server writes."""
    if isinstance(value, Mapping):
        return {key: without_info(each) for key, each in value.items() if key != "_info"}
    return [without_info(each) for each in value] if isinstance(value, list) else value


def _custom_values(
    changes: Sequence[FieldChange], configuration: ConfigurationRecord, mapping: CompiledMapping
) -> list[dict[str, Any]]:
    wanted = {change.field: change.wanted for change in changes}
    values = []
    for mapped, current in zip(mapping.fields, configuration.current, strict=True):
        path = mapped.target.path
        if mapped.target.kind is not ValueKind.CUSTOM or mapped.custom_field_id is None:
            continue
        if path in wanted:
            values.append({"id": mapped.custom_field_id, "value": _wire(mapped, wanted[path], {})})
        elif not is_empty(current):
            values.append({"id": mapped.custom_field_id, "value": current})
    return values


def _with_custom(
    fields: Sequence[Mapping[str, Any]], mapped: MappedField, value: Any
) -> list[dict[str, Any]]:
    changed = [{**each, "value": value} if _is_field(each, mapped) else dict(each) for each in fields]
    if not any(_is_field(each, mapped) for each in fields):
        changed.append({"id": mapped.custom_field_id, "value": value})
    return changed


def _is_field(entry: Mapping[str, Any], mapped: MappedField) -> bool:
    return mapped.custom_field_id is not None and entry.get("id") == mapped.custom_field_id


def _wire(mapped: MappedField, value: Any, references: References) -> Any:
    if is_empty(value):
        return None
    if mapped.target.kind is ValueKind.REFERENCE:
        return wire_reference(mapped.target, value, references)
    return wire_value(mapped.target, value)
