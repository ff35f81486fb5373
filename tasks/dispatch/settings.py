"""The rules of dispatch: one model, shown by the Prefect UI as a form, kept in the Dispatch Rules block.

The block is what every flow, the receiver's drain and the documented actions share.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Literal, cast

from prefect.blocks.core import Block
from pydantic import BaseModel, ConfigDict, Field, HttpUrl

from connectors.logos import PROCESS
from tasks.rules.dispatch.events import NoteSettings, OutboundRule, TimeEntrySettings, default_outbound_rules
from tasks.rules.dispatch.mapping_model import DispatchMappings, default_dispatch_mappings
from tasks.rules.dispatch.reference import NUMBER_FIELD, RecordKind
from tasks.rules.dispatch.triggers import Trigger, TriggerCondition
from tasks.rules.values import folded
from tasks.shared.connections import DEFAULT
from tasks.shared.retry import RetryPolicy

LONGEST_CREATION = 240.0
"""Seconds after which a creation without answer is given up: longer than one request may take in all."""


class CreateState(StrEnum):
    """How far a new work order is taken."""

    DRAFT = "draft"
    PUBLISH = "publish"


class OnLeave(StrEnum):
    """What happens when a ticket leaves the trigger, or closes, before a provider is assigned."""

    REPORT = "report"
    CANCEL = "cancel"


class WorkOrderDefaults(BaseModel):
    """What the default mapping takes from Field Nation's own set-up; one's own mapping needs none of it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    template_id: int | None = Field(
        default=None,
        ge=1,
        title="Template",
        description="Id of the Field Nation template that fills type of work, pay and description.",
    )
    type_of_work_id: int | None = Field(
        default=None, ge=1, title="Type of work", description="Id of Field Nation's type of work."
    )
    pay_type: Literal["fixed", "hourly", "device", "blended"] | None = Field(
        default=None, title="Pay type", description="How providers are paid."
    )
    pay_amount: float | None = Field(
        default=None, ge=0, title="Pay amount", description="Dollars: the whole if fixed, else for each unit."
    )
    pay_units: float | None = Field(
        default=None, ge=0, title="Pay units", description="1 if fixed, else the most hours or devices."
    )
    reference_field_id: int | None = Field(
        default=None,
        ge=1,
        title="Reference field",
        description="Id of a Field Nation custom field that takes the ticket's reference as well.",
    )
    incomplete_drafts: bool = Field(
        default=False,
        title="Incomplete drafts",
        description="Make drafts although fields are missing that Field Nation needs to publish them.",
    )


class RecordMappings(BaseModel):
    """The mapping of each kind of record; an empty list stands for the default mapping."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    service: DispatchMappings = Field(
        default_factory=DispatchMappings, title="Service tickets", description="Both directions."
    )
    project: DispatchMappings = Field(
        default_factory=DispatchMappings, title="Project tickets", description="Both directions."
    )
    opportunity: DispatchMappings = Field(
        default_factory=DispatchMappings, title="Opportunities", description="Both directions."
    )


class WriteBack(BaseModel):
    """What is written to the ticket once its work order exists: at most one request."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    custom_field: str = Field(
        default=NUMBER_FIELD,
        title="Custom field",
        description="Caption of a custom field that takes the work order's number. A service ticket "
        "without such a field gets none, and the run warns; with it, a ledger that was lost does no harm.",
    )
    note: bool = Field(
        default=True,
        title="Note instead",
        description="A project ticket or opportunity without that custom field gets one internal note with "
        "its work order's number and address.",
    )
    status: str = Field(
        default="", title="Status", description="Name of the status to set; empty: the status stays."
    )


class DispatchWaiting(RetryPolicy):
    """How long dispatch waits for what is not known yet. All in seconds."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    settle_seconds: float = Field(
        default=60,
        ge=0,
        title="Settle time",
        description="A creation without answer is looked for at least so many seconds after it was sent.",
    )
    pause_seconds: float = Field(
        default=2,
        gt=0,
        title="First pause",
        description="Seconds before such a creation is looked for again; each further pause is longer.",
    )
    unresolved_seconds: float = Field(
        default=21_600,
        ge=0,
        title="Long pause",
        description="A creation of which nothing was found is made once more after so many seconds.",
    )
    unanswered_creations: int = Field(
        default=2,
        ge=1,
        title="Unanswered creations",
        description="So many creations of one record may go unanswered without a trace; after that only a "
        "person's word makes another.",
    )
    creation_seconds: float = Field(
        default=LONGEST_CREATION,
        gt=0,
        title="Longest creation",
        description="A creation that takes longer is given up and looked for.",
    )
    hold_seconds: float = Field(
        default=120,
        gt=0,
        title="Hold",
        description="How long one process keeps a record to itself; after a kill others wait so long.",
    )
    busy_seconds: float = Field(
        default=5,
        gt=0,
        title="Busy",
        description="Seconds before a record that another process holds is tried again.",
    )


class PollingSettings(BaseModel):
    """How sweeps and the inbox read."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    overlap_seconds: float = Field(
        default=120,
        ge=1,
        title="Overlap",
        description="A sweep reads so many seconds again, since records arrive late and clocks differ.",
    )
    first_look_hours: float = Field(
        default=24,
        ge=0,
        title="First look",
        description="How far back the very first sweep looks for changed records.",
    )
    duplicate_days: int = Field(
        default=14,
        ge=0,
        title="Duplicates",
        description="A sweep looks among work orders of so many days for two with one reference; 0: never.",
    )
    cache_seconds: float = Field(
        default=600,
        ge=0,
        title="Cache",
        description="Companies, sites, contacts and boards are read again after so many seconds.",
    )
    inbox_batch: int = Field(
        default=50, ge=1, le=500, title="Batch", description="Messages that are taken from the inbox at once."
    )
    inbox_seconds: float = Field(
        default=1, gt=0, title="Pause", description="Seconds between two looks into an empty inbox."
    )
    inbox_attempts: int = Field(
        default=8, ge=1, title="Attempts", description="A message that fails so often is given up."
    )
    at_once: int = Field(
        default=4, ge=1, le=32, title="At once", description="Records that one process works on at a time."
    )


def default_triggers() -> list[Trigger]:
    """The two of the connector page's use cases; opportunities have none until one is set."""
    return [
        Trigger(
            kind=RecordKind.SERVICE_TICKET,
            conditions=(
                TriggerCondition(field="board", values=("Field Services",)),
                TriggerCondition(field="status", values=("Dispatch",)),
            ),
        ),
        Trigger(
            kind=RecordKind.PROJECT_TICKET,
            conditions=(
                TriggerCondition(field="type", values=("On-Site",)),
                TriggerCondition(field="status", values=("Scheduled",)),
            ),
        ),
    ]


class DispatchSettings(BaseModel):
    """Which records become work orders, how, and what comes back."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    triggers: list[Trigger] = Field(
        default_factory=default_triggers,
        title="Triggers",
        description="A record that comes to meet all conditions of one of these becomes a work order.",
    )
    mappings: RecordMappings = Field(
        default_factory=RecordMappings,
        title="Mappings",
        description="How a record becomes a work order, and what of it comes back.",
    )
    work_orders: WorkOrderDefaults = Field(
        default_factory=WorkOrderDefaults,
        title="Work orders",
        description="Field Nation's own ids and pay for the default mapping.",
    )
    reference_prefix: str = Field(
        default="CW",
        pattern=r"^[A-Za-z][A-Za-z0-9]{0,9}$",
        title="Reference prefix",
        description="Begins the reference in title and Incident ID, such as CW-S-123; give each ConnectWise "
        "its own where several share one Field Nation company.",
    )
    create_state: CreateState = Field(
        default=CreateState.DRAFT,
        title="New work orders",
        description="draft: a person publishes them. publish: providers see them at once.",
    )
    on_leave: OnLeave = Field(
        default=OnLeave.REPORT,
        title="Ticket leaves the trigger",
        description="Before a provider is assigned: report it, or cancel the work order. After that nothing "
        "is cancelled, since it can cost a fee.",
    )
    cancellations_a_day: int = Field(
        default=10,
        ge=0,
        title="Cancellations a day",
        description="So many work orders are cancelled within 24 hours because their tickets left; more wait "
        "for a person, since a board that is read wrong or renamed looks as if all tickets had left.",
    )
    write_back: WriteBack = Field(
        default_factory=WriteBack,
        title="Write back",
        description="What the ticket gets once its work order exists.",
    )
    outbound_rules: list[OutboundRule] = Field(
        default_factory=default_outbound_rules,
        title="Outbound events",
        description="What an event of the work order does to the ticket, each once.",
    )
    notes: NoteSettings = Field(
        default_factory=NoteSettings, title="Notes", description="Which notes are copied, in each direction."
    )
    time_entries: TimeEntrySettings = Field(
        default_factory=TimeEntrySettings,
        title="Time entries",
        description="How the time entries look that outbound events add.",
    )
    polling: PollingSettings = Field(
        default_factory=PollingSettings, title="Polling", description="How sweeps and the inbox read."
    )
    waiting: DispatchWaiting = Field(
        default_factory=DispatchWaiting,
        title="Waiting",
        description="How long dispatch waits for what is not known yet.",
    )

    def kinds(self) -> list[RecordKind]:
        """The kinds of record that some trigger names."""
        return [kind for kind in RecordKind if any(trigger.kind is kind for trigger in self.triggers)]

    def mappings_of(self, kind: RecordKind) -> DispatchMappings:
        """Both lists for a kind, each the default one where none is given."""
        given: DispatchMappings = getattr(self.mappings, kind.value)
        default = default_dispatch_mappings(
            kind, **self.work_orders.model_dump(exclude={"incomplete_drafts"})
        )
        return DispatchMappings(
            inbound=given.inbound or default.inbound, outbound=given.outbound or default.outbound
        )

    def active_rules(self) -> list[OutboundRule]:
        """The outbound rules that are in use."""
        return [rule for rule in self.outbound_rules if rule.enabled]

    def own_statuses(self) -> frozenset[str]:
        """Statuses that this integration sets itself, in lower case: reaching one is not leaving."""
        named = [rule.value for rule in self.active_rules() if rule.action == "set ticket status"]
        return frozenset(folded(name) for name in [*named, self.write_back.status] if name.strip())


class DispatchRules(Block):
    """Which ConnectWise records become Field Nation work orders, how, and what comes back. Holds no secret.

    Example:
        Load the saved rules:
        ```python
        from tasks.dispatch.settings import DispatchRules

        rules = DispatchRules.load("BLOCK_NAME")
        print(rules.rules.create_state)
        ```
    """

    _block_type_name = "Dispatch Rules"
    _block_type_slug = "dispatch-rules"
    _description = "Triggers, mappings and outbound events between ConnectWise PSA and Field Nation."
    # What the rules make; the project's own pages have no public address.
    _documentation_url = HttpUrl("https://developer.fieldnation.com")
    _logo_url = HttpUrl(PROCESS)

    rules: DispatchSettings = Field(
        default_factory=DispatchSettings,
        title="Rules",
        description="Triggers, mappings, outbound events, notes and waiting times.",
    )


async def load_dispatch_settings(name: str = DEFAULT) -> DispatchSettings:
    """The saved rules of that name; without a block named ``default``, the documented defaults.

    Raises:
        ValueError: there is no block of that other name.
    """
    try:
        return cast(DispatchRules, await DispatchRules.aload(name)).rules
    except ValueError:
        if name != DEFAULT:
            raise
        return DispatchSettings()
