"""What comes back from a work order: which event does what to the ticket, and which notes are copied."""

from __future__ import annotations

from enum import StrEnum
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator


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
    """The four of the connector page. Time entries are billed, so they come only with a rule of one's own."""
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
        default="DoNotBill", title="Billable", description="Billable, DoNotBill, NoCharge or NoDefault."
    )
