"""Work orders and their messages in memory, what the company has set up, the catalogue of webhook events.

People, types of work, templates and custom fields have fixed ids. Moments are written in UTC and in the time
zone of the work order's place.
"""

from __future__ import annotations

import hashlib
import itertools
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import IntEnum
from typing import Any
from zoneinfo import ZoneInfo

from sandbox.field_nation.errors import FieldNationError, not_found

FIRST_ID = 410_001


class Status(IntEnum):
    """Numbers from the vendor's app (docs/vendors.md, Field Nation 3.7)."""

    DRAFT = 1
    PUBLISHED = 2
    ASSIGNED = 3
    WORK_DONE = 4
    APPROVED = 5
    PAID = 6
    CANCELLED = 7
    POSTPONED = 8
    ROUTED = 9
    DELETED = 10

    @property
    def label(self) -> str:
        """``Work Done`` for ``WORK_DONE``."""
        return self.name.replace("_", " ").title()


@dataclass(frozen=True, slots=True)
class Event:
    """Something that webhooks are told: its name without ``workorder.``, and its parameters."""

    name: str
    params: dict[str, Any] = field(default_factory=dict)


@dataclass
class TimeLog:
    """One stay on site; ``ended`` None while the provider is there. Moments in UTC."""

    id: int
    started: datetime
    ended: datetime | None = None

    @property
    def hours(self) -> float:
        """Hours to two decimals; 0 while open."""
        return round((self.ended - self.started).total_seconds() / 3600, 2) if self.ended else 0.0


@dataclass
class Message:
    """One message; ``author`` has id, name and role (``buyer`` or ``provider``)."""

    id: int
    author: dict[str, Any]
    text: str
    type: str
    created: datetime
    status: str
    parent: int = 0


@dataclass
class WorkOrder:
    """``fields`` are the kept members of the create and of all updates; the rest is what happened since.

    Attributes:
        code: where the provider is while the status is Assigned (``checked_in``, ...), else empty.
        since: monotonic seconds of creation, for the search lag.
    """

    id: int
    fields: dict[str, Any]
    status: Status = Status.DRAFT
    code: str = ""
    delay: int = 0
    routes: list[int] = field(default_factory=list)
    assignee: int | None = None
    before_assignment: Status = Status.PUBLISHED
    before_postponement: Status = Status.DRAFT
    milestones: dict[str, datetime] = field(default_factory=dict)
    values: dict[int, str] = field(default_factory=dict)
    messages: list[Message] = field(default_factory=list)
    time_logs: list[TimeLog] = field(default_factory=list)
    attachments: list[dict[str, Any]] = field(default_factory=list)
    problems: list[dict[str, Any]] = field(default_factory=list)
    closing_notes: str = ""
    since: float = 0.0
    version: int = 0

    @property
    def state(self) -> str | None:
        """The two letters of the state where the work is, None where it has no address."""
        found = self.fields.get("location", {}).get("state")
        return found if isinstance(found, str) else None

    def correlation(self, section: str) -> str:
        """Forty hexadecimal digits that move with every change: not an external id."""
        return hashlib.sha1(f"{section}-{self.id}-{self.version}".encode(), usedforsecurity=False).hexdigest()


class FieldNationStore:
    """Every work order, by id; ids grow."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self.orders: dict[int, WorkOrder] = {}
        self.sticky: dict[str, str] = {}
        self._now = now
        self._numbers = itertools.count(FIRST_ID)
        self._parts = itertools.count(1)

    def add(self, fields: dict[str, Any]) -> WorkOrder:
        order = WorkOrder(next(self._numbers), fields, since=self._now())
        order.milestones["created"] = datetime.now(UTC)
        self.orders[order.id] = order
        return order

    def get(self, number: int) -> WorkOrder:
        """The work order of that id; FieldNationError 404 where there is none."""
        if number not in self.orders:
            raise not_found("Work order", number)
        return self.orders[number]

    def number(self) -> int:
        return next(self._parts)

    def seen(self, lag: float) -> list[WorkOrder]:
        """What lists and searches know of, which is what was created at least ``lag`` seconds ago."""
        border = self._now() - lag
        return [order for order in self.orders.values() if order.since <= border]


COMPANY = {"id": 7001, "name": "Sandbox Provider Services"}
API_USER = {"id": 9001, "first_name": "Ina", "last_name": "Integration", "username": "integration"}
MANAGERS = (
    API_USER,
    {"id": 9002, "first_name": "Mara", "last_name": "Manager", "username": "mara"},
    {"id": 9003, "first_name": "Noah", "last_name": "Nightshift", "username": "noah"},
)
PROVIDERS = (
    {"id": 5001, "first_name": "Priya", "last_name": "Rao", "phone": "555-0101"},
    {"id": 5002, "first_name": "Tomás", "last_name": "Vega", "phone": "555-0102"},
    {"id": 5003, "first_name": "Wei", "last_name": "Lin", "phone": "555-0103"},
)
TYPES_OF_WORK = (
    {"id": 101, "name": "Desktop or Laptop Computer", "industry_id": 1, "industry": "IT"},
    {"id": 102, "name": "Server", "industry_id": 1, "industry": "IT"},
    {"id": 103, "name": "Networking", "industry_id": 2, "industry": "Networking"},
    {"id": 104, "name": "Printer", "industry_id": 1, "industry": "IT"},
)
SERVICE_TYPES = ({"id": 1, "name": "Break-fix"}, {"id": 2, "name": "Install"}, {"id": 3, "name": "Survey"})
LOCATION_TYPES = {1: "Commercial", 2: "Governmental", 3: "Residential", 4: "Educational", 5: "Other"}
CLIENTS = ({"id": 301, "name": "Blue Light, Co."}, {"id": 302, "name": "Copper Kettle Brewing"})
PROJECTS = ({"id": 401, "name": "Field services"},)
TEMPLATES: dict[int, dict[str, Any]] = {
    601: {
        "name": "On-site visit",
        "fields": {
            "types_of_work": [{"id": 103, "isPrimary": True}],
            "pay": {"type": "fixed", "base": {"amount": 150, "units": 1}},
            "description": {"html": "<p>On-site visit</p>"},
        },
    }
}
INCOMPLETE_REASONS = ({"id": 1, "label": "Work is not complete"}, {"id": 2, "label": "Paperwork is missing"})


def _field(number: int, name: str, role: str, kind: str = "text", **more: Any) -> dict[str, Any]:
    return {"id": number, "name": name, "role": role, "type": kind, "options": [], "flags": [], **more}


CUSTOM_FIELDS = (
    _field(801, "Ticket Number", "buyer", flags=["internal_id"]),
    _field(802, "Site Access Code", "buyer"),
    _field(803, "Warranty", "buyer", "predefined", options=["yes", "no"]),
    _field(811, "Arrival Notes", "assigned_provider", flags=["required_during_checkin"]),
    _field(812, "Serial Number", "assigned_provider"),
)
INTERNAL_FIELD = 801
GROUPS = ((1, "Buyer", "buyer"), (2, "Provider", "assigned_provider"))


def named(records: tuple[dict[str, Any], ...], number: object) -> dict[str, Any] | None:
    return next((one for one in records if one["id"] == number), None)


def full_name(person: dict[str, Any]) -> str:
    return f"{person['first_name']} {person['last_name']}"


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


UTC_TEXT = "%Y-%m-%d %H:%M:%S"
_ZONES = {
    "America/New_York": (1, "EST", "CT DC DE FL GA IN KY MA MD ME MI NC NH NJ NY OH PA RI SC VA VT WV"),
    "America/Chicago": (2, "CST", "AL AR IA IL KS LA MN MO MS ND NE OK SD TN TX WI"),
    "America/Denver": (3, "MST", "AZ CO ID MT NM UT WY"),
    "America/Los_Angeles": (4, "PST", "CA NV OR WA"),
    "America/Anchorage": (5, "AKST", "AK"),
    "Pacific/Honolulu": (6, "HST", "HI"),
}
_BY_STATE = {state: name for name, (_, _, states) in _ZONES.items() for state in states.split()}
STATES = frozenset(_BY_STATE)
"""The states that the sandbox's geocoding knows, by their two letters."""


def zone_of(state: str | None) -> str:
    """The time zone of a state; that of New York where it is not known."""
    return _BY_STATE.get((state or "").upper(), "America/New_York")


def time_zone(zone: str) -> dict[str, Any]:
    """``{id, name, short, offset}``; the offset in hours from UTC at this time of the year."""
    number, short, _ = _ZONES[zone]
    offset = datetime.now(ZoneInfo(zone)).utcoffset()
    hours = offset.total_seconds() / 3600 if offset else 0
    return {"id": number, "name": zone, "short": short, "offset": hours}


def stamp(moment: datetime, zone: str) -> dict[str, Any]:
    """``{utc, local: {date, time}}``."""
    local = moment.astimezone(ZoneInfo(zone))
    return {
        "utc": moment.astimezone(UTC).strftime(UTC_TEXT),
        "local": {"date": local.strftime("%Y-%m-%d"), "time": local.strftime("%H:%M:%S")},
    }


def no_moment() -> dict[str, Any]:
    """What stands where the model requires a moment and nothing has happened yet (the words are assumed)."""
    return {"utc": "", "local": {"date": "", "time": ""}}


def read_moment(value: Any, zone: str, pointer: str) -> datetime:
    """The moment of ``{"utc"}`` or ``{"local": {date, time}}``; FieldNationError 400 for anything else."""
    try:
        if isinstance(value, dict) and isinstance(value.get("utc"), str):
            return _within(datetime.strptime(value["utc"], UTC_TEXT).replace(tzinfo=UTC))
        if isinstance(value, dict) and isinstance(value.get("local"), dict):
            text = f"{value['local'].get('date')} {value['local'].get('time')}"
            return _within(datetime.strptime(text, UTC_TEXT).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC))
    except (ValueError, OverflowError):
        pass
    fault = 'must be {"utc": "YYYY-MM-DD HH:mm:ss"} or {"local": {"date", "time"}}'
    raise FieldNationError(400, "Validation failed.", {pointer: fault})


def _within(moment: datetime) -> datetime:
    """The moment; ValueError outside the years of ``YEARS``, whose ends are assumed."""
    if not YEARS[0] <= moment.year <= YEARS[1]:
        raise ValueError(f"the year {moment.year} is out of range")
    return moment


YEARS = 1970, 2199
TYPES = (
    "INTERNAL", "ASSIGNEDTECH", "REQUESTEDTECHS", "SPECIFICTECH", "FROMTECH", "REPLY", "TECHTOMANAGER",
    "ROUTEDTECHS", "REPLYTOTHREAD", "STAFF_NOTE",
)  # fmt: skip
DEFAULT_TYPE = "INTERNAL"  # assumed: what an absent type means is not published


def add_message(
    store: FieldNationStore, order: WorkOrder, author: dict[str, Any], text: str, kind: str, parent: int = 0
) -> Event:
    number = store.number()
    label = order.status.label
    order.messages.append(Message(number, author, text, kind, datetime.now(UTC), label, parent))
    order.version += 1
    return Event("message_posted", {"message": _item(order, order.messages[-1])})


def post(
    store: FieldNationStore, order: WorkOrder, author: dict[str, Any], body: Any, parent: int | None = None
) -> Event:
    """A message or reply by the API; FieldNationError 400: no text, unknown type, 404: unknown message."""
    given = body if isinstance(body, dict) else {}
    text, kind = given.get("message"), given.get("type", DEFAULT_TYPE)
    if not isinstance(text, str) or not text.strip():
        raise FieldNationError(400, "Validation failed.", {"#/message": "is required"})
    if kind not in TYPES:
        raise FieldNationError(400, "Validation failed.", {"#/type": f"must be one of {', '.join(TYPES)}"})
    if parent is not None and parent not in {one.id for one in order.messages}:
        raise not_found("Message", parent)
    return add_message(store, order, author, text, "REPLY" if parent else kind, parent or 0)


def message_list(order: WorkOrder) -> dict[str, Any]:
    """Every message with its replies, oldest first; one page."""
    first = [one for one in order.messages if not one.parent]
    results = []
    for one in first:
        replies = [_item(order, reply) for reply in order.messages if reply.parent == one.id]
        results.append({**_item(order, one), "replies": replies})
    return {
        "metadata": {"total": len(first), "page": 1, "pages": 1, "per_page": max(25, len(first))},
        "results": results,
        "actions": ["add"],
        "correlation_id": order.correlation("messages"),
    }


def _item(order: WorkOrder, one: Message) -> dict[str, Any]:
    zone = zone_of(order.state)
    return {
        "msg_id": str(one.id),
        "parent_id": str(one.parent),
        "from": {"id": one.author["id"], "name": one.author["name"], "role": one.author["role"]},
        "role": one.type,
        "message": one.text,
        "read": True,
        "created": {**stamp(one.created, zone), "timezone": zone},
        "work_order_status": one.status,
        "actions": ["reply"],
    }
