"""Wire shapes of Field Nation and its words: statuses, base lists, message types, contact roles. Pure.

The vendor drops unknown and misplaced members of a create or an update without a word; ``dropped_fields``
compares what was sent with what came back.
"""

from __future__ import annotations

import html
from collections.abc import Iterator, Mapping
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
    given = section.get("name")
    name = "_".join(given.lower().replace("_", " ").split()) if isinstance(given, str) else ""
    if name in set(Status):
        return Status(name)
    number = section.get("id")
    return _BY_ID.get(number, Status.UNKNOWN) if isinstance(number, int) else Status.UNKNOWN


def sub_status_of(work_order: Mapping[str, Any]) -> str:
    """Where the provider is while the status is Assigned, such as ``checked_in``; empty if not known."""
    found = work_order.get("status")
    section: Mapping[str, Any] = found if isinstance(found, Mapping) else {}
    code = section.get("code") or section.get("sub_status")
    return code.lower() if isinstance(code, str) else ""


@dataclass(frozen=True, slots=True)
class WorkOrderPage:
    """One page of a list: its records, its number from 1, and how many pages and records there are in all."""

    items: list[Record]
    page: int
    pages: int
    total: int


NOT_SHOWN = frozenset({"ignore_template", "require_ontime", "defaultTemplateId", "isUniversalTemplate"})
"""Members that a work order does not show again under the same name."""
_DATES = frozenset({"utc", "local"})


def dropped_fields(sent: Mapping[str, Any], work_order: Mapping[str, Any]) -> list[str]:
    """Dotted paths of sent values that the answered work order does not have.

    Absent, null and empty count alike; texts are compared without HTML entities and outer blanks, numbers by
    value, lists by their length. Moments are compared only as far as both are UTC or both local.
    """
    members = {name: value for name, value in sent.items() if name not in NOT_SHOWN}
    fields = members.pop("custom_fields", None)
    return [*_differences(members, work_order, ""), *_lost_values(fields, work_order.get("custom_fields"))]


def _differences(sent: Any, kept: Any, path: str) -> Iterator[str]:
    if _is_nothing(sent):
        return
    if isinstance(sent, Mapping):
        have = kept if isinstance(kept, Mapping) else {}
        for name, value in sent.items():
            if not (name in _DATES and name not in have and _DATES & set(have)):
                yield from _differences(value, have.get(name), f"{path}.{name}" if path else name)
    elif isinstance(sent, list):
        if not isinstance(kept, list) or len(kept) < len(sent):
            yield path
    elif not _same(sent, kept):
        yield path


def _lost_values(sent: Any, kept: Any) -> Iterator[str]:
    given, have = list(_values(sent)), dict(_values(kept))
    if not given and not _is_nothing(sent) and sent != {"results": []}:
        # Of another shape than groups of fields, so that the vendor saw no field in it.
        yield "custom_fields"
    for number, value in given:
        if not _is_nothing(value) and not _same(value, have.get(number)):
            yield f"custom_fields.{number}"


def _values(section: Any) -> Iterator[tuple[Any, Any]]:
    for group in _results(section):
        for field in _results(group):
            yield field.get("id"), field.get("value")


def _results(section: Any) -> list[Mapping[str, Any]]:
    found = section.get("results") if isinstance(section, Mapping) else None
    return [each for each in found if isinstance(each, Mapping)] if isinstance(found, list) else []


def _is_nothing(value: Any) -> bool:
    return value is None or value in ("", [], {})


def _same(sent: Any, kept: Any) -> bool:
    if isinstance(sent, bool) or isinstance(kept, bool):
        return bool(sent == kept)
    if isinstance(sent, int | float) and isinstance(kept, int | float):
        return abs(sent - kept) < 0.005
    return _plain(sent) == _plain(kept)


def _plain(value: Any) -> str:
    return html.unescape(str(value)).strip() if value is not None else ""
