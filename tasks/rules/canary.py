"""Whether a bulk PUT changed more than it was told to: the check of a run's first bulk batch.

A server could reset members on PUT although they were sent. The first batch is read again; if a member that
was not to be changed is another one now, bulk stops and the run goes on with PATCH.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from tasks.rules.records import FieldChange
from tasks.rules.targets import CUSTOM_FIELD_PREFIX
from tasks.rules.wire_values import TWIN_MEMBERS, comparable, is_empty

_CUSTOM = "customFields"
_SERVER_MEMBERS = {"_info", _CUSTOM}


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
        for each in record.get(_CUSTOM) or []
        if not is_empty(each.get("value"))
    }
