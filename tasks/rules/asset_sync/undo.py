"""Plan the reverse of a run from its journalled writes and the records as they are now.

Only what is still as the run left it is reversed: a field that somebody changed since is refused, a created
configuration is deleted only if nothing was changed in it or added to it. Reference records (types,
manufacturers, ...) that the run created stay, since others may use them by now.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal

from connectors.ledger.models import JournalledWrite
from tasks.rules.asset_sync.journal import journal_value
from tasks.rules.mapping.comparison import comparable, is_empty
from tasks.rules.undo import UndoPlan, UndoStep
from tasks.rules.values import folded

FieldAction = Literal["modify", "change_type"]
_FIELD_ACTIONS: tuple[FieldAction, ...] = ("modify", "change_type")

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
    return [_with_id(each, found.get(each.asset_key or "", ())) for each in writes]


def _with_id(write: JournalledWrite, ids: Sequence[int]) -> JournalledWrite:
    return replace(write, record_id=ids[0]) if len(ids) == 1 and _is_unknown(write) else write


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
        if not _concerns(write):
            plan.refuse(write, _untouched_reason(write))
        elif write.record_id is None:
            plan.refuse(
                write,
                f"Its id is not known. It may come to exist within a minute: undo again, "
                f"or look for ls_asset_id {write.asset_key} in ConnectWise.",
            )
        else:
            by_record.setdefault(write.record_id, []).append(write)
    for record_id in sorted(by_record):
        _undo_record(plan, by_record[record_id], current.get(record_id))
    return plan


def _concerns(write: JournalledWrite) -> bool:
    return write.operation in ("create", "modify", "change_type")


def _untouched_reason(write: JournalledWrite) -> str:
    if write.operation == "create_reference":
        return f"A {write.record_kind} that the run created stays: others may use it by now."
    return "A deleted record can't be brought back."


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
    step = UndoStep("delete", int(record["id"]), created.record_name, created.asset_key)
    plan.steps.append(step)


def _left_behind(created: JournalledWrite, writes: list[JournalledWrite]) -> dict[str, Any]:
    """What the run left in the record, by journal key: the payload, then what the run wrote later."""
    payload = dict(created.after or {})
    custom = payload.pop("customFields", None) or []
    left = {**payload, **{f"customFields/{each['id']}": each.get("value") for each in custom}}
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
    keys = [f"customFields/{each.get('id')}" for each in record.get("customFields") or []]
    return sorted(
        [*members, *(key for key in keys if key not in left and not is_empty(journal_value(record, key)))]
    )


def _answered(record: Mapping[str, Any]) -> bool:
    """Whether somebody answered a question of the record's type; no run of this project does."""
    return any(not is_empty(each.get("answer")) for each in record.get("questions") or [])


def _undo_fields(
    plan: UndoPlan,
    action: FieldAction,
    writes: list[JournalledWrite],
    record: Mapping[str, Any],
) -> None:
    before: dict[str, Any] = {}
    after: dict[str, Any] = {}
    for write in writes:
        before = {**(write.before or {}), **before}
        after.update(write.after or {})
    values = {}
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
    if values:
        first = writes[0]
        plan.steps.append(UndoStep(action, int(record["id"]), first.record_name, first.asset_key, values))


def _same(one: Any, other: Any) -> bool:
    """References compare by id, by name where the journal holds only that."""
    if isinstance(one, Mapping) and isinstance(other, Mapping) and (_without_id(one) or _without_id(other)):
        return folded(str(one.get("name"))) == folded(str(other.get("name")))
    return bool(comparable(one) == comparable(other))


def _without_id(value: Any) -> bool:
    """Whether it is a reference without an id."""
    return isinstance(value, Mapping) and "name" in value and value.get("id") is None


def _shown(value: Any) -> str:
    if isinstance(value, Mapping):
        value = value.get("name") or value.get("id")
    return "empty" if is_empty(value) else repr(value)[:60]
