"""The journal's values before and after a write, what a bulk PUT reset, and the reverse of a run.

A journal key is a member of the record (``serialNumber``, ``manufacturer``) or ``customFields/<id>``. A
reference is kept with id and name, so that a person can read the journal and an undo needs no look-up.

A server could reset members on PUT although they were sent. The canary reads a run's first batch again:
``unmapped_changes`` names members that were not to be changed and did, ``values_to_restore`` what they held.

Only what is still as the run left it is reversed: a field that somebody changed since is refused, a created
configuration is deleted only if nothing was changed in it or added to it. Reference records (types,
manufacturers, ...) that the run created stay, since others may use them by now.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal

from connectors.connectwise.models import PatchOperation
from connectors.ledger.models import JournalledWrite
from tasks.rules.asset_sync.payloads import set_member, without_info
from tasks.rules.isolation import problem_words
from tasks.rules.mapping.comparison import comparable, is_empty
from tasks.rules.mapping.compile import CompiledMapping
from tasks.rules.mapping.targets import CUSTOM_FIELD_PREFIX, TWIN_MEMBERS, ValueKind
from tasks.rules.undo import UndoPlan, UndoStep
from tasks.rules.values import FieldChange, folded

FieldAction = Literal["modify", "change_type"]
_FIELD_ACTIONS: tuple[FieldAction, ...] = ("modify", "change_type")

_CUSTOM = "customFields/"
_FILLED_BY_SERVER = {
    *("id", "_info", "company", "status", "site", "sla", "location", "locationId", "department"),
    *("businessUnitId", "companyLocationId", "customFields", "questions"),
}
"""Members that a new configuration gets without anybody writing them, or that are looked at apart."""


def record_ids(writes: Iterable[JournalledWrite]) -> list[int]:
    """The configurations to read before ``plan_undo``: those that the run wrote, or may have written."""
    return sorted({each.record_id for each in writes if each.record_id and _concerns(each)})


def unknown_creations(writes: Iterable[JournalledWrite]) -> set[str]:
    """The asset keys of creations that may have been done though the run never learned their ids."""
    return {each.asset_key for each in writes if _is_unknown(each) and each.asset_key}


def with_found_ids(
    writes: Sequence[JournalledWrite], found: Mapping[str, Sequence[int]]
) -> list[JournalledWrite]:
    """The writes, with the ids of such creations where exactly one configuration carries the asset key."""
    known = []
    for write in writes:
        ids = found.get(write.asset_key or "", ())
        known.append(replace(write, record_id=ids[0]) if len(ids) == 1 and _is_unknown(write) else write)
    return known


def _is_unknown(write: JournalledWrite) -> bool:
    return write.operation == "create" and write.record_id is None and write.outcome in (None, "unclear")


def plan_undo(writes: Sequence[JournalledWrite], current: Mapping[int, Mapping[str, Any]]) -> UndoPlan:
    """The undo of one run.

    Args:
        writes: all journalled writes of the run.
        current: whole records by id as they are now; an id that is missing was deleted since.

    Several writes to one record are undone as one: from what the last one left to what the first one found.
    Writes that were never done are ignored; of unclear ones the record tells whether they were.
    """
    plan = UndoPlan()
    by_record: dict[int, list[JournalledWrite]] = {}
    for write in sorted(writes, key=lambda each: each.id):
        if write.outcome in ("failed", "not_sent"):
            continue
        if write.operation == "create_reference":
            plan.refuse(write, f"A {write.record_kind} that the run created stays: others may use it by now.")
        elif not _concerns(write):
            plan.refuse(write, "A deleted record can't be brought back.")
        elif write.record_id is None:
            plan.refuse(
                write,
                f"Its id is not known. It may come to exist within a minute: undo again, "
                f"or look for ls_asset_id {write.asset_key} in ConnectWise.",
            )
        else:
            by_record.setdefault(write.record_id, []).append(write)
    for record_id in sorted(by_record):
        try:
            _undo_record(plan, by_record[record_id], current.get(record_id))
        except Exception as error:
            plan.refuse(by_record[record_id][0], f"It can't be compared: {problem_words(error)}.")
    return plan


def _concerns(write: JournalledWrite) -> bool:
    return write.operation in ("create", "modify", "change_type")


def _undo_record(plan: UndoPlan, writes: list[JournalledWrite], record: Mapping[str, Any] | None) -> None:
    created = next((each for each in writes if each.operation == "create"), None)
    if created and record is None:
        plan.undone_already += 1
    elif record is None:
        plan.refuse(writes[0], "The configuration was deleted since.")
    elif created:
        _undo_creation(plan, created, writes, record)
    else:
        for action in _FIELD_ACTIONS:
            _undo_fields(plan, action, [each for each in writes if each.operation == action], record)


def _undo_creation(
    plan: UndoPlan, created: JournalledWrite, writes: list[JournalledWrite], record: Mapping[str, Any]
) -> None:
    left = _left_behind(created, writes)
    changed = sorted(key for key, value in left.items() if not _same(journal_value(record, key), value))
    added = _added(record, left)
    if changed or added:
        told = ", ".join([*changed, *added])
        plan.refuse(created, f"Changed since it was created: {told}. Delete it by hand if it should go.")
        return
    plan.steps.append(UndoStep("delete", int(record["id"]), created.record_name, created.asset_key))


def _left_behind(created: JournalledWrite, writes: list[JournalledWrite]) -> dict[str, Any]:
    """What the run left in the record, by journal key: the payload, then what the run wrote later."""
    payload = dict(created.after or {})
    custom = payload.pop("customFields", None) or []
    left = {**payload, **{f"{_CUSTOM}{each['id']}": each.get("value") for each in custom}}
    for write in writes:
        if write.operation != "create":
            left.update(write.after or {})
    return left


def _added(record: Mapping[str, Any], left: Mapping[str, Any]) -> list[str]:
    """What holds something in the record that neither the run nor the server put there."""
    members = [
        name
        for name, value in record.items()
        if name not in left
        and name not in _FILLED_BY_SERVER
        and not name.endswith("Flag")
        and comparable(value) is not None
    ]
    if _answered(record):
        members.append("questions")
    keys = [f"{_CUSTOM}{each.get('id')}" for each in record.get("customFields") or []]
    return sorted(
        [*members, *(key for key in keys if key not in left and not is_empty(journal_value(record, key)))]
    )


def _answered(record: Mapping[str, Any]) -> bool:
    """Whether somebody answered a question of the record's type; no run of this project does."""
    return any(not is_empty(each.get("answer")) for each in record.get("questions") or [])


def _undo_fields(
    plan: UndoPlan, action: FieldAction, writes: list[JournalledWrite], record: Mapping[str, Any]
) -> None:
    before: dict[str, Any] = {}
    after: dict[str, Any] = {}
    for write in writes:
        before = {**(write.before or {}), **before}
        after.update(write.after or {})
    values, shown = {}, {}
    for key in sorted(after):
        current = journal_value(record, key)
        if _same(current, before.get(key)):
            plan.undone_already += 1
        elif not _same(current, after[key]):
            plan.refuse(writes[0], f"Changed since: it is now {_shown(current)}.", key)
        elif action == "change_type" and _answered(record):
            plan.refuse(writes[0], "Its questions were answered since; another type would drop them.", key)
        elif _without_id(before.get(key)):
            plan.refuse(writes[0], f"The journal does not hold the id of {_shown(before[key])}.", key)
        else:
            values[key] = before.get(key)
            shown[key] = kept_value(current)
    if values:
        first, number = writes[0], int(record["id"])
        plan.steps.append(UndoStep(action, number, first.record_name, first.asset_key, values, shown))


def _same(one: Any, other: Any) -> bool:
    """References compare by id, by name where the journal holds only that."""
    if isinstance(one, Mapping) and isinstance(other, Mapping) and (_without_id(one) or _without_id(other)):
        return folded(str(one.get("name"))) == folded(str(other.get("name")))
    return bool(comparable(one) == comparable(other))


def _without_id(value: Any) -> bool:
    return isinstance(value, Mapping) and "name" in value and value.get("id") is None


def _shown(value: Any) -> str:
    if isinstance(value, Mapping):
        value = value.get("name") or value.get("id")
    return "empty" if is_empty(value) else repr(value)[:60]


def journal_values(
    record: Mapping[str, Any], changes: Iterable[FieldChange], mapping: CompiledMapping
) -> dict[str, Any]:
    """The wire values that ``record`` has in the changed fields; an absent value is None.

    Of the fresh record they are the journal's ``before``, of the record to be put its ``after``.
    """
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
    members = sorted((before.keys() | after.keys()) - written - {"_info", "customFields"})
    moved = [name for name in members if comparable(before.get(name)) != comparable(after.get(name))]
    captions = {change.field.removeprefix(CUSTOM_FIELD_PREFIX) for change in changes}
    return moved + [f"{CUSTOM_FIELD_PREFIX}{name}" for name in _moved_fields(before, after, captions)]


def members_with_value(record: Mapping[str, Any]) -> set[str]:
    """The members that hold something, named as ``unmapped_changes`` names them.

    Without ``id``, which no server can change, and ``_info``. 0 and false count as nothing, as there.
    """
    plain = {name for name in record.keys() - {"id", "_info", "customFields"} if comparable(record[name])}
    return plain | {f"{CUSTOM_FIELD_PREFIX}{caption}" for _, caption in _custom_values(record).values()}


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
        for each in record.get("customFields") or []
        if not is_empty(each.get("value"))
    }


def values_to_restore(before: Mapping[str, Any], members: Sequence[str]) -> dict[str, Any]:
    """By journal key what the members held in ``before``; named as ``canary.unmapped_changes`` names them."""
    ids = {
        str(each.get("caption") or each.get("id")): each.get("id")
        for each in before.get("customFields") or []
    }
    keys = []
    for member in members:
        caption = member.removeprefix(CUSTOM_FIELD_PREFIX)
        keys.append(member if caption == member else f"{_CUSTOM}{ids.get(caption, caption)}")
    return {key: kept_value(journal_value(before, key)) for key in keys}
