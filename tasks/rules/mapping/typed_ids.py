"""Ids that a person typed, held against the records that ConnectWise has: every one is checked before a plan.

An id is easily one of another tenant, or one row off in a list; a run that believes it writes asset keys into
"Rack position". So an id must exist, be of the caption it stands beside, and be on configurations.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from typing import Any

from tasks.rules.mapping.compile import CustomFieldError, is_on_configurations
from tasks.rules.values import folded


def check_custom_field_ids(
    typed: Mapping[str, int],
    other_captions: Mapping[str, str],
    defined: Sequence[Mapping[str, Any]],
    *,
    setting: str = "Custom field ids",
    other_setting: str = "Other captions",
) -> None:
    """Raise one CustomFieldError with every typed id that is not what it stands for.

    Args:
        typed: caption -> id.
        other_captions: caption -> the caption that is meant instead, where a person says so.
        defined: the custom fields of the tenant.
        setting, other_setting: titles of the fields of the form in which they were typed.
    """
    by_id = {int(each["id"]): each for each in defined}
    problems = [
        problem
        for caption, record_id in typed.items()
        if (
            problem := _problem(
                caption, record_id, other_captions.get(caption), by_id, (setting, other_setting)
            )
        )
    ]
    if problems:
        raise CustomFieldError(" ".join(problems))


def _problem(
    caption: str,
    record_id: int,
    meant: str | None,
    by_id: Mapping[int, Mapping[str, Any]],
    settings: tuple[str, str],
) -> str | None:
    setting, other_setting = settings
    found = by_id.get(record_id)
    if found is None:
        return (
            f"{setting} gives {caption!r} the id {record_id}, "
            f"which no custom field of ConnectWise has. {_near(caption, by_id)}"
        )
    name = str(found.get("caption") or "").strip()
    if folded(name) not in (folded(caption), folded(meant or "")):
        return (
            f"{setting} gives {caption!r} the id {record_id}, which is the custom field {name!r}. "
            f"{_near(caption, by_id)} If {name!r} is meant, enter it beside {caption!r} under "
            f"{other_setting}."
        )
    if not is_on_configurations(found) and any(map(found.get, ("podDescription", "screenDescription"))):
        where = found.get("podDescription") or found.get("screenDescription")
        return (
            f"{setting} gives {caption!r} the id {record_id}, which is a field of {where}, not of "
            f"configurations. {_near(caption, by_id)}"
        )
    return None


def _near(caption: str, by_id: Mapping[int, Mapping[str, Any]]) -> str:
    """The field of that caption, else those that look like it."""
    ids: dict[str, list[int]] = {}
    shown: dict[str, str] = {}
    for record_id, each in by_id.items():
        name = str(each.get("caption") or "").strip()
        ids.setdefault(folded(name), []).append(record_id)
        shown.setdefault(folded(name), name)
    close = difflib.get_close_matches(folded(caption), ids, n=3, cutoff=0.5)
    near = [folded(caption)] if folded(caption) in ids else close
    named = ", ".join(f"{shown[name]!r} ({', '.join(map(str, ids[name]))})" for name in near)
    return f"Near it: {named}." if named else "Take the id from the field's row in Custom Fields."


def structure_level_problem(record_id: int, levels: Sequence[Mapping[str, Any]]) -> str | None:
    """What is wrong with a typed structure level, or None."""
    if any(int(each["id"]) == record_id for each in levels):
        return None
    named = ", ".join(f"{each['id']} ({each.get('name') or ''})" for each in levels)
    return (
        f"Structure level id is {record_id}, which ConnectWise does not have: no location could be created. "
        f"It has {named or 'none that this API member may see'}."
    )
