"""The buyer's steps of a work order's life. Each returns the events that it fires.

A step that the status does not allow is refused with 400 (which of 400 and 409 is assumed: a switch).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from sandbox.field_nation.company import PROVIDERS, named
from sandbox.field_nation.errors import FieldNationError
from sandbox.field_nation.orders import Event, Status, WorkOrder

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
    """Draft to Published."""
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
    """Give it to a provider."""
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
    """Work done, by the provider or marked by the buyer."""
    _require(order, "marked complete", Status.ASSIGNED)
    return _move(order, Status.WORK_DONE, "workdone")


def reopen(order: WorkOrder) -> list[Event]:
    """Sent back as incomplete: Work Done to Assigned."""
    _require(order, "marked incomplete", Status.WORK_DONE)
    order.milestones.pop("workdone", None)
    return [Event("task_incomplete"), *_move(order, Status.ASSIGNED, None)]


def approve(order: WorkOrder) -> list[Event]:
    """Work Done to Approved."""
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
