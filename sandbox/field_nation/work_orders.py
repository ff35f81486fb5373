"""Work orders as the buyer writes them: creates, updates, and the steps of their life with their events.

A step that the status does not allow is refused with 400 (which of 400 and 409 is assumed: a switch).
``WORK_ORDER`` has the members of a create or update that Field Nation keeps; everything else, and a value of
another shape, is dropped without a word (docs/vendors.md, Field Nation 3.1). A shape is a kind (text, number,
flag, anything), a dictionary of members, or a list with the shape of its items.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from sandbox.field_nation.errors import FieldNationError
from sandbox.field_nation.store import (
    CUSTOM_FIELDS,
    PROVIDERS,
    STATES,
    TEMPLATES,
    Event,
    FieldNationStore,
    Status,
    WorkOrder,
    named,
    read_moment,
    zone_of,
)

OPEN = (Status.DRAFT, Status.PUBLISHED, Status.ROUTED)
NEEDED: dict[str, Callable[[dict[str, Any]], Any]] = {
    "#/types_of_work": lambda fields: fields.get("types_of_work") or fields.get("type_of_work"),
    "#/location": lambda fields: fields.get("location"),
    "#/schedule": lambda fields: fields.get("schedule", {}).get("service_window"),
    "#/pay": lambda fields: fields.get("pay", {}).get("base") or fields.get("pay", {}).get("type"),
    "#/description": lambda fields: fields.get("description", {}).get("html"),
}
"""What a work order needs before providers see it (assumed)."""


def publish(order: WorkOrder, checks: bool) -> list[Event]:
    _require(order, "published", Status.DRAFT)
    if checks:
        _require_whole(order)
    return _move(order, Status.PUBLISHED, "published")


def to_draft(order: WorkOrder) -> list[Event]:
    """Published or Routed back to Draft."""
    _require(order, "unpublished", Status.PUBLISHED, Status.ROUTED)
    order.routes.clear()
    return _move(order, Status.DRAFT, None)


def route(order: WorkOrder, provider: object, checks: bool) -> list[Event]:
    """Offer it to one provider; a draft becomes Routed, a published one stays published (assumed)."""
    _require(order, "routed", *OPEN)
    number = known_provider(provider)
    if checks:
        _require_whole(order)
    if number not in order.routes:
        order.routes.append(number)
    routed = [Event("routed", {"provider_id": number})]
    return routed + (_move(order, Status.ROUTED, "routed") if order.status is Status.DRAFT else [])


def unroute(order: WorkOrder, provider: object) -> list[Event]:
    """Take the offer back; without any offer a routed one is a draft again."""
    _require(order, "unrouted", *OPEN)
    number = known_provider(provider)
    if number in order.routes:
        order.routes.remove(number)
    last = order.status is Status.ROUTED and not order.routes
    return _move(order, Status.DRAFT, None) if last else []


def assign(order: WorkOrder, provider: object) -> list[Event]:
    _require(order, "assigned", *OPEN)
    order.assignee = known_provider(provider)
    order.before_assignment = order.status if order.status is not Status.DRAFT else Status.PUBLISHED
    return _move(order, Status.ASSIGNED, "assigned")


def unassign(order: WorkOrder) -> list[Event]:
    """Back to where it was before; also what happens when the provider cancels."""
    _require(order, "unassigned", Status.ASSIGNED)
    order.assignee = None
    return [Event("status.assigned_cancelled"), *_move(order, order.before_assignment, None)]


def complete(order: WorkOrder) -> list[Event]:
    _require(order, "marked complete", Status.ASSIGNED)
    return _move(order, Status.WORK_DONE, "workdone")


def reopen(order: WorkOrder) -> list[Event]:
    """Sent back as incomplete: Work Done to Assigned."""
    _require(order, "marked incomplete", Status.WORK_DONE)
    order.milestones.pop("workdone", None)
    return [Event("task_incomplete"), *_move(order, Status.ASSIGNED, None)]


def approve(order: WorkOrder) -> list[Event]:
    _require(order, "approved", Status.WORK_DONE)
    return _move(order, Status.APPROVED, "approved")


def unapprove(order: WorkOrder) -> list[Event]:
    """Approved back to Work Done."""
    _require(order, "unapproved", Status.APPROVED)
    order.milestones.pop("approved", None)
    return _move(order, Status.WORK_DONE, None)


def pay(order: WorkOrder) -> list[Event]:
    """What the platform does some days after the approval."""
    _require(order, "paid", Status.APPROVED)
    return _move(order, Status.PAID, "paid")


def cancel(order: WorkOrder, drafts_vanish: bool) -> list[Event]:
    """DELETE: a draft ends Deleted (assumed), anything before the approval Cancelled."""
    _require(order, "cancelled", *OPEN, Status.ASSIGNED, Status.WORK_DONE, Status.POSTPONED)
    vanishes = order.status is Status.DRAFT and drafts_vanish
    return _move(order, Status.DELETED if vanishes else Status.CANCELLED, "canceled")


def postpone(order: WorkOrder) -> list[Event]:
    """Put off until further notice."""
    _require(order, "postponed", *OPEN, Status.ASSIGNED)
    order.before_postponement = order.status
    return _move(order, Status.POSTPONED, None)


def resume(order: WorkOrder) -> list[Event]:
    """Postponed and back."""
    _require(order, "resumed", Status.POSTPONED)
    return _move(order, order.before_postponement, None)


def known_provider(number: object) -> int:
    """The id of a provider; FieldNationError 400 for an unknown one."""
    found = named(PROVIDERS, number)
    if found is None:
        raise FieldNationError(400, "Validation failed.", {"#/id": f"no provider has the id {number}"})
    return int(found["id"])


def status_event(order: WorkOrder, before: Status) -> Event:
    """The event of a status; its parameters as in the 2026 samples."""
    params: dict[str, Any] = {
        "status_id": int(order.status),
        "previous_status_id": int(before),
        "work_order_id": order.id,
    }
    return Event(f"status.{order.status.name.lower()}", params)


def _move(order: WorkOrder, status: Status, milestone: str | None) -> list[Event]:
    before, order.status, order.code = order.status, status, ""
    order.version += 1
    if milestone:
        order.milestones[milestone] = datetime.now(UTC)
    return [status_event(order, before)]


def _require(order: WorkOrder, verb: str, *allowed: Status) -> None:
    if order.status not in allowed:
        detail = f"A work order in status {order.status.label} can't be {verb}."
        raise StepRefusedError(400, detail)


def _require_whole(order: WorkOrder) -> None:
    missing = [pointer for pointer, given in NEEDED.items() if not given(order.fields)]
    if missing:
        raise FieldNationError(400, "Validation failed.", dict.fromkeys(missing, "is required"))


class StepRefusedError(FieldNationError):
    """The status does not allow the step; the HTTP status is a switch."""


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
PAY = {"type": TEXT, "hours": NUMBER, "base": _MONEY, "additional": _MONEY, "finance": ID}
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
LARGEST = 1e12  # of a number that is kept, so that amounts times units stay numbers


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
        return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < LARGEST
    return isinstance(value, str)


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
    elif mode == "exact":
        window.pop("end", None)  # An exact time needs only its start.
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
