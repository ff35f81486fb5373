"""Creates and updates: what is kept, what is dropped silently, what is refused."""

from __future__ import annotations

from typing import Any

from sandbox.field_nation.company import CUSTOM_FIELDS, TEMPLATES, named
from sandbox.field_nation.errors import FieldNationError
from sandbox.field_nation.moments import STATES, read_moment, zone_of
from sandbox.field_nation.orders import Event, FieldNationStore, Status, WorkOrder
from sandbox.field_nation.shapes import kept

WINDOW_MODES = ("exact", "between", "hours")
PAY_TYPES = ("fixed", "hourly", "device", "blended")
LOCKED = (Status.PAID, Status.CANCELLED, Status.DELETED)
Fields = dict[str, Any]


def create(store: FieldNationStore, body: Any) -> tuple[WorkOrder, list[Event]]:
    """A new draft of what the body says; FieldNationError 400 without a title."""
    fields = _readable(body)
    if not fields.get("title", "").strip():
        raise _invalid({"#/title": "is required"})
    values = _custom_values(fields.pop("custom_fields", {}))
    fields = _with_template(fields)
    _lay_location(fields, {})
    _check(fields)
    order = store.add(fields)
    order.values.update(values)
    return order, [Event("created"), Event("status.draft")]


def update(order: WorkOrder, body: Any) -> list[Event]:
    """Changes what was sent and nothing else; FieldNationError 400 once the work order is locked."""
    refuse_locked(order)
    changes = _readable(body)
    if "title" in changes and not changes["title"].strip():
        raise _invalid({"#/title": "must not be empty"})
    values = _custom_values(changes.pop("custom_fields", {}))
    if "location" in changes:
        _lay_location(changes, order.fields)
    _check({**order.fields, **changes})
    moved = "schedule" in changes and changes["schedule"] != order.fields.get("schedule")
    order.fields.update(changes)
    order.values.update(values)
    order.version += 1
    events = [Event("schedule_updated")] if moved else []
    return [*events, *(custom_field_event(order, number) for number in values)]


def set_custom_field(order: WorkOrder, number: int, body: Any) -> list[Event]:
    """``{value}`` of one custom field; FieldNationError 404 for an unknown one."""
    refuse_locked(order)
    if named(CUSTOM_FIELDS, number) is None:
        raise FieldNationError(404, f"Custom field {number} was not found.")
    if not isinstance(body, dict) or not isinstance(body.get("value"), str):
        raise _invalid({"#/value": "is required and must be a string"})
    order.values[number] = body["value"]
    order.version += 1
    return [custom_field_event(order, number)]


def custom_field_event(order: WorkOrder, number: int) -> Event:
    """The event of one value, with the field as its parameter."""
    return Event("custom_field_value_updated", {"id": number, "value": order.values[number]})


def refuse_locked(order: WorkOrder) -> None:
    """FieldNationError 400 for a work order that is paid, cancelled or deleted."""
    if order.status in LOCKED:
        raise FieldNationError(400, f"A work order in status {order.status.label} can't be changed.")


def _readable(body: Any) -> Fields:
    if not isinstance(body, dict):
        raise _invalid({"#": "must be an object"})
    found: Fields = kept(body)
    return found


def _with_template(fields: Fields) -> Fields:
    """A template fills what is missing, unless ``ignore_template``."""
    template = TEMPLATES.get(fields.get("template", {}).get("id", 0))
    if template is None or fields.get("ignore_template"):
        return fields
    return {**template["fields"], **fields}


def _lay_location(fields: Fields, before: Fields) -> None:
    """An address without ``mode: custom`` is dropped silently; a country other than US isn't found."""
    location = fields.pop("location", None)
    if location is None:
        return
    mode = location.get("mode")
    if mode == "remote":
        fields["location"] = {"mode": "remote"}
    elif mode == "location" and location.get("saved_location"):
        fields["location"] = location
    elif mode == "custom":
        fields["location"] = {**before.get("location", {}), **location}
        _check_address(fields["location"])


def _check_address(location: Fields) -> None:
    if location.get("country", "US") != "US":
        raise _invalid({"#/location/country": "could not be geocoded; use the two letters US"})
    if location.get("state") and location["state"].upper() not in STATES:
        raise _invalid({"#/location/state": "must be the two letters of a state"})


def _check(fields: Fields) -> None:
    _check_schedule(fields)
    kind = fields.get("pay", {}).get("type")
    if kind is not None and kind not in PAY_TYPES:
        raise _invalid({"#/pay/type": f"must be one of {', '.join(PAY_TYPES)}"})


def _check_schedule(fields: Fields) -> None:
    window = fields.get("schedule", {}).get("service_window")
    if not window:
        return
    zone = zone_of(fields.get("location", {}).get("state"))
    mode = window.get("mode")
    if mode not in WINDOW_MODES:
        raise _invalid({"#/schedule/service_window/mode": f"must be one of {', '.join(WINDOW_MODES)}"})
    start = read_moment(window.get("start"), zone, "#/schedule/service_window/start")
    if mode != "exact" and window.get("end") is not None:
        end = read_moment(window["end"], zone, "#/schedule/service_window/end")
        if end < start:
            raise _invalid({"#/schedule/service_window/end": "must not be before the start"})
    elif mode == "between":
        raise _invalid({"#/schedule/service_window/end": "is required for mode between"})


def _custom_values(section: Fields) -> dict[int, str]:
    """The values of known fields; unknown ones and values that are no text are dropped silently."""
    given = [one for group in section.get("results", []) for one in group.get("results", [])]
    return {
        one["id"]: one["value"]
        for one in given
        if named(CUSTOM_FIELDS, one.get("id")) and isinstance(one.get("value"), str)
    }


def _invalid(pointers: dict[str, str]) -> FieldNationError:
    return FieldNationError(400, "Validation failed.", pointers)
