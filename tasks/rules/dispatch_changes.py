"""What of a work order must be sent again: the mapped values that differ from what was last sent.

What a person changed in Field Nation stays, as long as the ticket's own value stays. A value that the ticket
no longer has is left alone too.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tasks.rules.dispatch_paths import is_nothing

FIELDS = "custom_fields"
Record = dict[str, Any]


def changed_sections(sent: Mapping[str, Any], wanted: Mapping[str, Any]) -> Record:
    """The members to PUT: a section whole if anything in it differs, custom fields one by one."""
    changes: Record = {}
    for name, value in wanted.items():
        before = sent.get(name)
        if is_nothing(value):
            continue
        if name == FIELDS:
            if fields := _changed_fields(before, value):
                changes[name] = fields
        elif (laid := laid_over(before, value)) != before:
            changes[name] = laid
    return changes


def after_sending(sent: Mapping[str, Any], changes: Mapping[str, Any]) -> Record:
    """What counts as last sent once the changes are."""
    fields = {**_values(sent.get(FIELDS)), **_values(changes.get(FIELDS))}
    merged = {**sent, **changes}
    return {**merged, FIELDS: _section(fields)} if fields else merged


def laid_over(before: Any, value: Any) -> Any:
    """``value`` with what ``before`` has besides, member by member; lists are taken whole, nothing leaves."""
    if is_nothing(value):
        return before
    if not isinstance(value, Mapping) or _is_moment(value):
        return value
    known = before if isinstance(before, Mapping) else {}
    laid = {name: laid_over(known.get(name), each) for name, each in value.items()}
    merged = {**known, **{name: each for name, each in laid.items() if not is_nothing(each)}}
    return merged or before


def half_changed(sent: Mapping[str, Any], changes: Mapping[str, Any]) -> list[str]:
    """Sections of which only a part differs from what was last sent: they are sent whole, the rest too."""
    return [
        name
        for name, value in changes.items()
        if name != FIELDS
        and isinstance(value, Mapping)
        and isinstance(before := sent.get(name), Mapping)
        and any(before.get(member) == each for member, each in value.items() if member != "mode")
    ]


def laid_on_current(before: Any, value: Any, current: Any) -> Any:
    """``value``, and where it is as last sent what the work order has now: what a person changed stays."""
    if isinstance(value, Mapping) and not _is_moment(value):
        known, has = (each if isinstance(each, Mapping) else {} for each in (before, current))
        return {name: laid_on_current(known.get(name), each, has.get(name)) for name, each in value.items()}
    if value != before or is_nothing(current):
        return value
    if isinstance(value, Mapping):
        shown = {name: current.get(name) for name in value} if isinstance(current, Mapping) else {}
        return value if any(is_nothing(each) for each in shown.values()) or not shown else shown
    return value if isinstance(value, list) or isinstance(current, list | Mapping) else current


def _is_moment(value: Mapping[str, Any]) -> bool:
    """Both shapes of a moment exclude each other, so one is never laid over the other."""
    return bool(value) and set(value) <= {"utc", "local"}


def _changed_fields(before: Any, value: Any) -> Record:
    known = _values(before)
    changed = {
        number: text
        for number, text in _values(value).items()
        if not is_nothing(text) and known.get(number) != text
    }
    return _section(changed) if changed else {}


def _values(section: Any) -> dict[int, Any]:
    groups = section.get("results") or [] if isinstance(section, Mapping) else []
    return {field["id"]: field.get("value") for group in groups for field in group.get("results") or []}


def _section(values: Mapping[int, Any]) -> Record:
    return {"results": [{"results": [{"id": number, "value": value} for number, value in values.items()]}]}
