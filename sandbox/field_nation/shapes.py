"""Which members of a create or update Field Nation keeps. Everything else is dropped without a word.

A shape is a kind (text, number, flag, moment), a dictionary of members, or a list with the shape of its
items. A value of another shape is dropped as an unknown member is (reference, section 3.1).
"""

from __future__ import annotations

from typing import Any

TEXT, NUMBER, FLAG, ANYTHING = "text", "number", "flag", "anything"
ID = {"id": NUMBER}
_HTML = {"html": TEXT}
_MONEY = {"amount": NUMBER, "units": NUMBER}
LOCATION = {
    "mode": TEXT,
    "address1": TEXT,
    "address2": TEXT,
    "city": TEXT,
    "state": TEXT,
    "zip": TEXT,
    "country": TEXT,
    "type": ID,
    "display_name": TEXT,
    "saved_location": {"id": NUMBER, "name": TEXT, "display_name": TEXT},
}
# Moments are read, or refused, where the schedule is laid: they are not dropped.
WINDOW = {"mode": TEXT, "start": ANYTHING, "end": ANYTHING}
CONTACT = {"name": TEXT, "role": TEXT, "phone": TEXT, "ext": TEXT, "email": TEXT, "notes": TEXT}
PAY = {
    "type": TEXT,
    "hours": NUMBER,
    "base": _MONEY,
    "additional": _MONEY,
    "finance": ID,
}
WORK_ORDER: dict[str, Any] = {
    "title": TEXT,
    "description": _HTML,
    "confidential": _HTML,
    "types_of_work": [{"id": NUMBER, "isPrimary": FLAG}],
    "type_of_work": ID,
    "service_types": [{"id": NUMBER, "name": TEXT}],
    "template": ID,
    "ignore_template": FLAG,
    "client": ID,
    "project": ID,
    "manager": ID,
    "contacts": {"results": [CONTACT]},
    "custom_fields": {"results": [{"results": [{"id": NUMBER, "value": ANYTHING}]}]},
    "location": LOCATION,
    "schedule": {"service_window": WINDOW, "time_zone": ID},
    "require_ontime": FLAG,
    "pay": PAY,
    "incident_id": TEXT,
    "allow_counter_offers": FLAG,
    "require_gps": FLAG,
    "printable": FLAG,
}
DROPPED = object()


def kept(value: Any, shape: Any = WORK_ORDER) -> Any:
    """What of a value the server keeps; ``DROPPED`` where nothing of it fits."""
    if isinstance(shape, dict):
        return _members(value, shape)
    if isinstance(shape, list):
        if not isinstance(value, list):
            return DROPPED
        items = (kept(item, shape[0]) for item in value)
        return [item for item in items if item is not DROPPED]
    return value if _fits(value, shape) else DROPPED


def _members(value: Any, shape: dict[str, Any]) -> Any:
    if not isinstance(value, dict):
        return DROPPED
    found = {name: kept(value[name], inner) for name, inner in shape.items() if name in value}
    return {name: inner for name, inner in found.items() if inner is not DROPPED}


def _fits(value: Any, kind: str) -> bool:
    if kind == ANYTHING:
        return True
    if kind == FLAG:
        return isinstance(value, bool)
    if kind == NUMBER:
        return isinstance(value, int | float) and not isinstance(value, bool)
    return isinstance(value, str)
