"""Work orders as the sandbox keeps them, and the store that holds them."""

from __future__ import annotations

import hashlib
import itertools
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import IntEnum
from typing import Any

from sandbox.field_nation.errors import not_found

FIRST_ID = 410_001


class Status(IntEnum):
    """Numbers from the vendor's app (reference, section 3.7)."""

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
        """A new draft."""
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
        """An id for a part of a work order."""
        return next(self._parts)

    def seen(self, lag: float) -> list[WorkOrder]:
        """What lists and searches know of, which is what was created at least ``lag`` seconds ago."""
        border = self._now() - lag
        return [order for order in self.orders.values() if order.since <= border]
