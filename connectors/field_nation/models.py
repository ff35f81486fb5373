"""Wire shapes of Field Nation, and its words: statuses, base lists, message types, contact roles."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Literal

Record = dict[str, Any]
"""A record with the vendor's own names, whole."""

BaseList = Literal[
    "workorders_all",
    "workorders_in_flight",
    "workorders_draft",
    "workorders_published_routed",
    "workorders_assigned",
    "workorders_problem",
    "workorders_work_done",
    "workorders_approved",
]
MessageType = Literal[
    "INTERNAL",
    "STAFF_NOTE",
    "ASSIGNEDTECH",
    "REQUESTEDTECHS",
    "ROUTEDTECHS",
    "SPECIFICTECH",
    "FROMTECH",
    "TECHTOMANAGER",
    "REPLY",
    "REPLYTOTHREAD",
]
INTERNAL: MessageType = "INTERNAL"
"""Seen by the own company only."""
CONTACT_ROLES = (
    "Project manager",
    "Location Contact",
    "Resource coordinator",
    "Emergency contact",
    "Technical help",
    "Check-in / Check-out",
)
"""The only texts that a contact's role may have."""


class Status(StrEnum):
    """Where a work order is, by its name with blanks as underscores; ids differ between sources."""

    DRAFT = "draft"
    PUBLISHED = "published"
    ROUTED = "routed"
    ASSIGNED = "assigned"
    WORK_DONE = "work_done"
    APPROVED = "approved"
    PAID = "paid"
    CANCELLED = "cancelled"
    POSTPONED = "postponed"
    DELETED = "deleted"
    UNKNOWN = "unknown"


LIVING = frozenset(
    {
        Status.DRAFT,
        Status.PUBLISHED,
        Status.ROUTED,
        Status.ASSIGNED,
        Status.WORK_DONE,
        Status.APPROVED,
        Status.POSTPONED,
    }
)
"""A ticket with a work order in one of these gets no second one; paid, cancelled, deleted ones are over."""
_BY_ID = {
    1: Status.DRAFT,
    2: Status.PUBLISHED,
    3: Status.ASSIGNED,
    4: Status.WORK_DONE,
    5: Status.APPROVED,
    6: Status.PAID,
    7: Status.CANCELLED,
    8: Status.POSTPONED,
    9: Status.ROUTED,
    10: Status.DELETED,
}


def status_of(work_order: Mapping[str, Any]) -> Status:
    """A work order's status by name (case, blanks and underscores don't count), else by id, else UNKNOWN."""
    found = work_order.get("status")
    section: Mapping[str, Any] = found if isinstance(found, Mapping) else {}
    name = "_".join(str(section.get("name") or "").lower().replace("_", " ").split())
    if name in set(Status):
        return Status(name)
    number = section.get("id")
    return _BY_ID.get(number, Status.UNKNOWN) if isinstance(number, int) else Status.UNKNOWN


def sub_status_of(work_order: Mapping[str, Any]) -> str:
    """Where the provider is while the status is Assigned, such as ``checked_in``; empty if not known."""
    found = work_order.get("status")
    section: Mapping[str, Any] = found if isinstance(found, Mapping) else {}
    return str(section.get("code") or section.get("sub_status") or "").lower()


@dataclass(frozen=True, slots=True)
class WorkOrderPage:
    """One page of a list: its records, its number from 1, and how many pages and records there are in all."""

    items: list[Record]
    page: int
    pages: int
    total: int
