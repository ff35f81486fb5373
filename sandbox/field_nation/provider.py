"""The provider's hand: what a provider, or the platform, does to a work order outside of the buyer's API."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from sandbox.field_nation import work_orders
from sandbox.field_nation.store import (
    API_USER,
    CUSTOM_FIELDS,
    MANAGERS,
    PROVIDERS,
    Event,
    FieldNationStore,
    Status,
    TimeLog,
    WorkOrder,
    add_message,
    full_name,
    named,
)
from sandbox.field_nation.work_orders import StepRefusedError, custom_field_event

Given = dict[str, Any]
Step = Callable[[FieldNationStore, WorkOrder, Given], list[Event]]


def accept(store: FieldNationStore, order: WorkOrder, given: Given) -> list[Event]:
    """A provider (``provider``) who was offered it takes it."""
    return work_orders.assign(order, given.get("provider", PROVIDERS[0]["id"]))


def request(store: FieldNationStore, order: WorkOrder, given: Given) -> list[Event]:
    """A provider asks for it."""
    return [Event("requested", {"provider_id": given.get("provider", PROVIDERS[0]["id"])})]


def decline(store: FieldNationStore, order: WorkOrder, given: Given) -> list[Event]:
    """A provider does not want it."""
    return [Event("declined", {"reason_id": given.get("reason_id", 1)})]


def _walk(code: str) -> Step:
    def step(store: FieldNationStore, order: WorkOrder, given: Given) -> list[Event]:
        _require_assigned(order)
        order.code = code
        order.version += 1
        params = {"status_id": int(order.status), "work_order_id": order.id}
        return [Event(f"status.{code}", params)]

    return step


def delay(store: FieldNationStore, order: WorkOrder, given: Given) -> list[Event]:
    """Late by ``seconds``: a status, a problem and a message (docs/vendors.md, Field Nation 6.2)."""
    _require_assigned(order)
    order.code, order.delay = "delayed", int(given.get("seconds", 600))
    order.problems.append({"id": store.number(), "name": "I'm running late"})
    text = f"I'm running late by {order.delay // 60} minutes"
    told = add_message(store, order, _provider(order), text, "TECHTOMANAGER")
    late = Event("status.delayed", {"work_order_id": order.id, "estimated_delay": order.delay})
    return [late, Event("problem_reported"), told]


def check_in(store: FieldNationStore, order: WorkOrder, given: Given) -> list[Event]:
    """Arrives, ``at`` an ISO moment (default now); the check-in task is complete with it."""
    _require_assigned(order)
    log = TimeLog(store.number(), _moment(given))
    order.time_logs.append(log)
    order.code = "checked_in"
    order.version += 1
    params = {"work_order_id": order.id, "time_log": {"id": log.id}}
    return [Event("status.checked_in", params), Event("task_completed")]


def check_out(store: FieldNationStore, order: WorkOrder, given: Given) -> list[Event]:
    """Leaves, ``at`` an ISO moment or ``hours`` after the arrival (default now)."""
    _require_assigned(order)
    log = next((one for one in order.time_logs if one.ended is None), None)
    if log is None:
        raise StepRefusedError(400, "Nobody is checked in.")
    hours = given.get("hours")
    log.ended = log.started + timedelta(hours=float(hours)) if hours is not None else _moment(given)
    order.code = "checked_out"
    order.version += 1
    params = {"work_order_id": order.id, "time_log": {"id": log.id}}
    return [Event("status.checked_out", params), Event("task_completed")]


def work_done(store: FieldNationStore, order: WorkOrder, given: Given) -> list[Event]:
    """Finishes, with ``closing_notes``."""
    order.closing_notes = str(given.get("closing_notes", order.closing_notes))
    return work_orders.complete(order)


def provider_cancel(store: FieldNationStore, order: WorkOrder, given: Given) -> list[Event]:
    """Gives it back."""
    return work_orders.unassign(order)


def message(store: FieldNationStore, order: WorkOrder, given: Given) -> list[Event]:
    """Writes ``message``: the provider (default), or a person of the buyer's own (``user`` an id)."""
    manager = named(MANAGERS, given.get("user")) if "user" in given else None
    author = _person(manager, "buyer") if manager else _provider(order)
    kind = given.get("type", "INTERNAL" if manager else "TECHTOMANAGER")
    return [add_message(store, order, author, str(given["message"]), kind)]


def set_value(store: FieldNationStore, order: WorkOrder, given: Given) -> list[Event]:
    """Fills in custom field ``id`` with ``value``."""
    field = named(CUSTOM_FIELDS, given.get("id"))
    if field is None:
        raise StepRefusedError(400, f"No custom field has the id {given.get('id')}.")
    order.values[field["id"]] = str(given["value"])
    order.version += 1
    return [custom_field_event(order, field["id"])]


def upload(store: FieldNationStore, order: WorkOrder, given: Given) -> list[Event]:
    """Uploads a file of that ``name``."""
    file = {"id": store.number(), "name": str(given["name"])}
    file |= {"author": _provider(order), "created": _moment({})}
    order.attachments.append(file)
    order.version += 1
    return [Event("provider_upload", {"id": file["id"]})]


STEPS: dict[str, Step] = {
    "request": request,
    "decline": decline,
    "accept": accept,
    "confirm": _walk("confirmed"),
    "on-my-way": _walk("on_my_way"),
    "at-risk": _walk("at_risk"),
    "delay": delay,
    "check-in": check_in,
    "check-out": check_out,
    "work-done": work_done,
    "provider-cancel": provider_cancel,
    "message": message,
    "custom-field": set_value,
    "upload": upload,
    "pay": lambda store, order, given: work_orders.pay(order),
    "postpone": lambda store, order, given: work_orders.postpone(order),
    "resume": lambda store, order, given: work_orders.resume(order),
}


def actor(step: str, order: WorkOrder, given: Given) -> int:
    """The user id behind a step: the provider, or the named person of the buyer."""
    return int(str(given.get("user") or order.assignee or given.get("provider") or API_USER["id"]))


def _require_assigned(order: WorkOrder) -> None:
    if order.status is not Status.ASSIGNED:
        raise StepRefusedError(400, f"No provider works on a work order in status {order.status.label}.")


def _moment(given: Given) -> datetime:
    text = given.get("at")
    return datetime.fromisoformat(text).astimezone(UTC) if text else datetime.now(UTC).replace(microsecond=0)


def _provider(order: WorkOrder) -> dict[str, Any]:
    return _person(named(PROVIDERS, order.assignee) or PROVIDERS[0], "provider")


def _person(person: dict[str, Any], role: str) -> dict[str, Any]:
    return {"id": person["id"], "name": full_name(person), "role": role}
