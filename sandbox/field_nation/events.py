"""The catalogue of webhook events (webhooks v3)."""

from __future__ import annotations

_PLAIN = (
    "created routed requested declined undeclined task_completed task_incomplete provider_upload "
    "message_posted custom_field_value_updated schedule_updated tag_added tag_removed part_updated "
    "problem_reported problem_resolved"
)
_STATUS = (
    "draft routed published confirmed assigned assigned_cancelled at_risk delayed on_my_way checked_in "
    "checked_out work_done approved paid cancelled deleted postponed"
)
EVENTS = tuple(
    [f"workorder.{name}" for name in _PLAIN.split()]
    + [f"workorder.status.{name}" for name in _STATUS.split()]
)


def catalogue(model: str) -> list[dict[str, str]]:
    """Name, label, description and model of every event; another model than WorkOrder has none."""
    if model not in ("", "WorkOrder"):
        return []
    return [
        {"name": name, "label": _label(name), "description": _label(name), "model": "WorkOrder"}
        for name in EVENTS
    ]


def _label(name: str) -> str:
    return name.removeprefix("workorder.").replace("status.", "").replace("_", " ").capitalize()
