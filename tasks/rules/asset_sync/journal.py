"""Values before and after a write, as the journal keeps them, and what a bulk PUT changed without being told.

A key is a member of the record (``serialNumber``, ``manufacturer``) or ``customFields/<id>``. A reference is
kept with id and name, so that a person can read the journal and an undo needs no look-up.

A server could reset members on PUT although they were sent. The canary reads a run's first batch again:
``unmapped_changes`` names members that were not to be changed and did, ``values_to_restore`` what they held.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from connectors.connectwise.models import PatchOperation
from tasks.rules.asset_sync.payloads import set_member, without_info
from tasks.rules.mapping.comparison import comparable, is_empty
from tasks.rules.mapping.compile import CompiledMapping
from tasks.rules.mapping.targets import CUSTOM_FIELD_PREFIX, TWIN_MEMBERS, ValueKind
from tasks.rules.values import FieldChange

_CUSTOM = "customFields/"

_CUSTOM_FIELDS = "customFields"
_SERVER_MEMBERS = {"_info", _CUSTOM_FIELDS}


def journal_values(
    record: Mapping[str, Any], changes: Iterable[FieldChange], mapping: CompiledMapping
) -> dict[str, Any]:
    """The wire values that ``record`` has in the changed fields: of the fresh record for ``before``, of the
    record to be put for ``after``. An absent value is None."""
    keys = []
    for change in changes:
        mapped = mapping.by_path[change.field]
        custom = mapped.target.kind is ValueKind.CUSTOM
        keys.append(f"{_CUSTOM}{mapped.custom_field_id}" if custom else mapped.target.field)
    return {key: kept_value(journal_value(record, key)) for key in keys}


def journal_value(record: Mapping[str, Any], key: str) -> Any:
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


def unmapped_changes(
    before: Mapping[str, Any], after: Mapping[str, Any], changes: Sequence[FieldChange]
) -> list[str]:
    """The members that differ between the record read before the PUT and the one read after it, sorted.

    Left out of the comparison: the fields of ``changes`` (they were meant to change), ``_info``, and the
    plain id beside a changed reference. References compare by id; absent, null, empty, 0 and false are
    alike (a default that the server writes out is no loss). Custom fields are named
    ``customFields.<caption>``.
    """
    written = set(_written_members(changes))
    members = sorted((before.keys() | after.keys()) - written - _SERVER_MEMBERS)
    moved = [name for name in members if comparable(before.get(name)) != comparable(after.get(name))]
    captions = {change.field.removeprefix(CUSTOM_FIELD_PREFIX) for change in changes}
    return moved + [f"{CUSTOM_FIELD_PREFIX}{name}" for name in _moved_fields(before, after, captions)]


def _written_members(changes: Iterable[FieldChange]) -> Iterable[str]:
    for change in changes:
        if not change.field.startswith(CUSTOM_FIELD_PREFIX):
            member = change.field.partition(".")[0]
            yield from (member, TWIN_MEMBERS.get(member, member))


def _moved_fields(before: Mapping[str, Any], after: Mapping[str, Any], written: set[str]) -> list[str]:
    old, new = _custom_values(before), _custom_values(after)
    moved = [
        key for key in old.keys() | new.keys() if old.get(key, (None, ""))[0] != new.get(key, (None, ""))[0]
    ]
    captions = [(new.get(key) or old[key])[1] for key in moved]
    return sorted(caption for caption in captions if caption not in written)


def _custom_values(record: Mapping[str, Any]) -> dict[Any, tuple[Any, str]]:
    """By id: value and caption of the custom fields that have a value."""
    return {
        each.get("id"): (each.get("value"), str(each.get("caption") or each.get("id")))
        for each in record.get(_CUSTOM_FIELDS) or []
        if not is_empty(each.get("value"))
    }


def values_to_restore(before: Mapping[str, Any], members: Sequence[str]) -> dict[str, Any]:
    """By journal key what the members held in ``before``; named as ``canary.unmapped_changes`` names them."""
    ids = {
        str(each.get("caption") or each.get("id")): each.get("id")
        for each in before.get("customFields") or []
    }
    keys = [_key(member, ids) for member in members]
    return {key: kept_value(journal_value(before, key)) for key in keys}


def _key(member: str, ids: Mapping[str, Any]) -> str:
    if not member.startswith(CUSTOM_FIELD_PREFIX):
        return member
    caption = member.removeprefix(CUSTOM_FIELD_PREFIX)
    return f"customFields/{ids.get(caption, caption)}"
