"""The events of a work order, read from the work order itself, and the rules of what they do to its ticket.

Milestones and time logs are facts that stay; what the provider does on the way is only seen in the status'
code. An event has a number, since a work order can be assigned or completed more than once, and a key such as
``completed`` or ``completed-2`` under which it is kept as handled. The same work order seen again gives the
same keys, so a process that takes over from a killed one repeats nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from connectors.field_nation.models import Status, status_of, sub_status_of
from tasks.rules.dispatch.paths import is_nothing, objects_of, read_path


class WorkOrderEvent(StrEnum):
    """What happens to a work order, by the page's words; ``completed`` is the vendor's Work Done."""

    CREATED = "created"
    PUBLISHED = "published"
    ROUTED = "routed"
    ASSIGNED = "assigned"
    CONFIRMED = "confirmed"
    ON_MY_WAY = "on_my_way"
    CHECKED_IN = "checked_in"
    CHECKED_OUT = "checked_out"
    COMPLETED = "completed"
    APPROVED = "approved"
    PAID = "paid"
    CANCELLED = "cancelled"


class OutboundAction(StrEnum):
    """What an event does in ConnectWise."""

    SET_STATUS = "set ticket status"
    ADD_NOTE = "add internal note"
    SET_CUSTOM_FIELD = "set custom field"
    ADD_TIME_ENTRY = "add time entry"


class OutboundRule(BaseModel):
    """One event and what it does; several rules may name one event."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    event: WorkOrderEvent = Field(title="Event", description="What happened to the work order.")
    action: OutboundAction = Field(title="Action", description="What it does to the ticket, once.")
    value: str = Field(
        default="",
        title="Value",
        description="Status: its name on the ticket's board. Note, custom field, time entry: the text; "
        "{{path}} in it stands for a value of the work order, such as {{closing_notes}}.",
    )
    custom_field: str = Field(
        default="", title="Custom field", description="Caption of the ticket's custom field to set."
    )
    enabled: bool = Field(
        default=True,
        title="In use",
        description="Off: the rule does nothing. The default rule for time entries is off. Switched on, each "
        "stay of a provider becomes a time entry of its whole length when the work order is complete, "
        "billed as Billable under Time entries says: DoNotBill unless you change it.",
    )

    @model_validator(mode="after")
    def _has_what_it_needs(self) -> Self:
        if self.action is OutboundAction.SET_STATUS and not self.value.strip():
            raise ValueError(f"The rule for {self.event} sets a status but names none: fill in Value")
        if self.action is OutboundAction.SET_CUSTOM_FIELD and not self.custom_field.strip():
            raise ValueError(
                f"The rule for {self.event} sets a custom field but names none: give its caption"
            )
        return self


def default_outbound_rules() -> list[OutboundRule]:
    """The four of the connector page, and one for time entries, which may be billed: it is off."""
    return [
        OutboundRule(event=WorkOrderEvent.ASSIGNED, action=OutboundAction.SET_STATUS, value="Assigned"),
        OutboundRule(
            event=WorkOrderEvent.CHECKED_IN,
            action=OutboundAction.SET_CUSTOM_FIELD,
            custom_field="FN check-in",
            value="{{time_logs.results[-1].in.created.utc}}",
        ),
        OutboundRule(
            event=WorkOrderEvent.COMPLETED,
            action=OutboundAction.ADD_NOTE,
            value="Work order {{id}} is complete. {{closing_notes}}",
        ),
        OutboundRule(event=WorkOrderEvent.APPROVED, action=OutboundAction.SET_STATUS, value="Completed"),
        OutboundRule(event=WorkOrderEvent.COMPLETED, action=OutboundAction.ADD_TIME_ENTRY, enabled=False),
    ]


class NoteSettings(BaseModel):
    """Which notes are copied, each once; a copy is never copied back."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    to_field_nation: bool = Field(
        default=True,
        title="To Field Nation",
        description="Notes of the ticket's discussion become messages of the work order.",
    )
    to_connectwise: bool = Field(
        default=True, title="To ConnectWise", description="Messages of the work order become ticket notes."
    )
    visible_to_provider: bool = Field(
        default=True,
        title="Visible to the provider",
        description="Messages made of discussion notes are shown to the assigned provider; off: to the own "
        "company only.",
    )
    internal_too: bool = Field(
        default=False,
        title="Internal notes too",
        description="Internal notes are copied as well, as messages that only the own company sees.",
    )
    provider_messages_internal: bool = Field(
        default=True,
        title="Providers' messages stay internal",
        description="They become internal notes; off: notes of the discussion, which the customer may see.",
    )
    own_authors: tuple[str, ...] = Field(
        default=(),
        title="Authors that are not copied",
        description="Identifiers or names of members and Field Nation users whose notes are never copied, "
        "such as the API member of another integration.",
    )


class TimeEntrySettings(BaseModel):
    """How the time entries look that outbound rules add."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    member: str = Field(
        default="",
        title="Member",
        description="Identifier of the member the time is entered for; empty: the API member's own.",
    )
    billable: str = Field(
        default="DoNotBill",
        title="Billable",
        description="Billable, DoNotBill, NoCharge or NoDefault. Billable puts the hours on the customer's "
        "next invoice, as the agreement and the work role say.",
    )


WorkOrder = Mapping[str, Any]
_MILESTONES = {
    "created": WorkOrderEvent.CREATED,
    "published": WorkOrderEvent.PUBLISHED,
    "routed": WorkOrderEvent.ROUTED,
    "assigned": WorkOrderEvent.ASSIGNED,
    "workdone": WorkOrderEvent.COMPLETED,
    "approved": WorkOrderEvent.APPROVED,
    "paid": WorkOrderEvent.PAID,
    "canceled": WorkOrderEvent.CANCELLED,
}
_REACHED = {
    Status.DRAFT: WorkOrderEvent.CREATED,
    Status.PUBLISHED: WorkOrderEvent.PUBLISHED,
    Status.ROUTED: WorkOrderEvent.ROUTED,
    Status.ASSIGNED: WorkOrderEvent.ASSIGNED,
    Status.WORK_DONE: WorkOrderEvent.COMPLETED,
    Status.APPROVED: WorkOrderEvent.APPROVED,
    Status.PAID: WorkOrderEvent.PAID,
    Status.CANCELLED: WorkOrderEvent.CANCELLED,
    Status.DELETED: WorkOrderEvent.CANCELLED,
}
_RANKS = {
    Status.DRAFT: 0,
    Status.PUBLISHED: 1,
    Status.ROUTED: 1,
    Status.POSTPONED: 3,
    Status.ASSIGNED: 3,
    Status.WORK_DONE: 4,
    Status.APPROVED: 5,
    Status.PAID: 6,
}
_FROM = {
    WorkOrderEvent.ASSIGNED: 3,
    WorkOrderEvent.COMPLETED: 4,
    WorkOrderEvent.APPROVED: 5,
    WorkOrderEvent.PAID: 6,
}
"""Events that a step back takes back: a provider who cancels leaves a work order that is not assigned."""
_CODES = {"confirmed": WorkOrderEvent.CONFIRMED, "on_my_way": WorkOrderEvent.ON_MY_WAY}
_ORDER = {event: place for place, event in enumerate(WorkOrderEvent)}
_ENDED = frozenset({Status.CANCELLED, Status.DELETED})

VANISHED = "vanished"
"""Handled like an event, of a work order that Field Nation has no more."""
_LAST = frozenset({WorkOrderEvent.PAID.value, WorkOrderEvent.CANCELLED.value, VANISHED})


@dataclass(frozen=True, slots=True)
class HappenedEvent:
    """One event. ``number`` counts from 1; ``at`` is UTC as the vendor writes it, "" where not known."""

    event: WorkOrderEvent
    number: int = 1
    at: str = ""

    @property
    def key(self) -> str:
        """``completed``, and ``completed-2`` for the second time."""
        return f"{self.event}" if self.number == 1 else f"{self.event}-{self.number}"


@dataclass(frozen=True, slots=True)
class WorkOrderState:
    """What is remembered of a work order between two looks.

    Attributes:
        milestones: name -> the moment last seen, and how many different ones were seen.
        handled: keys of events for which nothing is left to do; they never count again.
        mapped: target -> the value that an outbound mapping wrote last.
    """

    milestones: Mapping[str, tuple[str, int]] = field(default_factory=dict)
    handled: frozenset[str] = frozenset()
    mapped: Mapping[str, Any] = field(default_factory=dict)

    @property
    def over(self) -> bool:
        """Whether nothing more will happen to it."""
        return bool(_LAST & self.handled)


def counted_milestones(work_order: WorkOrder, known: WorkOrderState) -> dict[str, tuple[str, int]]:
    """The milestones with their numbers: another moment than the last one is one more time.

    Remember them before anything is done for an event, so that a second time is not taken for the first.
    """
    counted = dict(known.milestones)
    for name, at in _moments(work_order):
        before, number = counted.get(name, ("", 0))
        counted[name] = (at or before, max(1, number + (bool(before) and bool(at) and at != before)))
    return counted


def events_of(work_order: WorkOrder, known: WorkOrderState) -> list[HappenedEvent]:
    """Every event that stands, in order: by moment, and where none is known by the order of a life."""
    counted = counted_milestones(work_order, known)
    found = [*_of_milestones(work_order, counted), *_of_logs(work_order), *_of_code(work_order, counted)]
    return sorted(found, key=lambda each: (each.at or "~", _ORDER[each.event], each.number))


def open_events(work_order: WorkOrder, known: WorkOrderState) -> list[HappenedEvent]:
    """Those of ``events_of`` that are not handled yet."""
    return [each for each in events_of(work_order, known) if each.key not in known.handled]


def closed_logs(work_order: WorkOrder) -> list[Mapping[str, Any]]:
    """Stays on site that have an end, oldest first."""
    return [log for log in _logs(work_order) if log_end(log)]


def log_start(log: Mapping[str, Any]) -> str:
    """When a stay began, in UTC."""
    return _moment_at(log, "in.created.utc")


def log_end(log: Mapping[str, Any]) -> str:
    """When a stay ended, in UTC; "" while it lasts."""
    return _moment_at(log, "out.created.utc")


def _moment_at(members: Mapping[str, Any], path: str) -> str:
    """The moment as the vendor writes it, "" where there is none: a null date says that nothing happened."""
    found = read_path(members, path)
    return "" if is_nothing(found) else str(found)


def status_doubt(work_order: WorkOrder) -> str:
    """A sentence where the status' name and number disagree (the name counts); else ""."""
    number = read_path(work_order, "status.id")
    by_number = status_of({"status": {"id": number}})
    by_name = status_of(work_order)
    if Status.UNKNOWN in (by_name, by_number) or by_name is by_number:
        return ""
    return f"Field Nation calls the status {by_name} but numbers it {number}, which stood for {by_number}"


def _moments(work_order: WorkOrder) -> Iterator[tuple[str, str]]:
    """Milestone names with their moments; the status' own one even where its milestone is missing."""
    given = work_order.get("milestones")
    found: Mapping[str, Any] = given if isinstance(given, Mapping) else {}
    reached = _REACHED.get(status_of(work_order))
    for name, event in _MILESTONES.items():
        at = _moment_at(found, f"{name}.utc")
        if at or event is reached:
            yield name, at


def _of_milestones(work_order: WorkOrder, counted: Mapping[str, tuple[str, int]]) -> Iterator[HappenedEvent]:
    status = status_of(work_order)
    for name, at in _moments(work_order):
        event = _MILESTONES[name]
        if _stands(event, status):
            yield HappenedEvent(event, counted[name][1], at or counted[name][0])


def _stands(event: WorkOrderEvent, status: Status) -> bool:
    if event is WorkOrderEvent.CANCELLED:
        return status in _ENDED
    if status in _ENDED:
        return event not in _FROM
    # A status that is not known takes nothing back.
    return _RANKS.get(status, 99) >= _FROM.get(event, 0)


def _of_logs(work_order: WorkOrder) -> Iterator[HappenedEvent]:
    for event, moment, codes in (
        (WorkOrderEvent.CHECKED_IN, log_start, ("checked_in", "checked_out")),
        (WorkOrderEvent.CHECKED_OUT, log_end, ("checked_out",)),
    ):
        moments = [at for at in map(moment, _logs(work_order)) if at]
        if not moments and sub_status_of(work_order) in codes:
            moments = [""]
        yield from (HappenedEvent(event, number, at) for number, at in enumerate(moments, start=1))


def _of_code(work_order: WorkOrder, counted: Mapping[str, tuple[str, int]]) -> Iterator[HappenedEvent]:
    """On the way and confirmed count once for each assignment: nothing else tells two of them apart."""
    event = _CODES.get(sub_status_of(work_order))
    if event is not None and status_of(work_order) is Status.ASSIGNED:
        yield HappenedEvent(event, counted.get("assigned", ("", 1))[1])


def _logs(work_order: WorkOrder) -> list[Mapping[str, Any]]:
    logs = [each for each in objects_of(read_path(work_order, "time_logs.results")) if log_start(each)]
    return sorted(logs, key=lambda each: (log_start(each), str(each.get("id"))))
