"""The settings of tickets-agreements-sla-sync: one model, shown by the Prefect UI as a form."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from tasks.rules.choices import ASK
from tasks.rules.enrichment.edits import EditedTexts
from tasks.rules.enrichment.safety import AcceptedReading, EnrichmentLimits
from tasks.rules.enrichment.texts import TextLimits
from tasks.rules.mapping.model import OnConflict
from tasks.rules.modes import PlanOrApply, with_mode
from tasks.rules.stored_plans.drift import DriftRule
from tasks.shared.next_run import ONLY_FAILED
from tasks.shared.retry import RetryPolicy
from tasks.shared.stored_plans import DRIFT, PLAN_DAYS, PLAN_TO_APPLY

MOST_ALIASES = 100
"""More edits in one request than that gain nothing: 25 already make 15,000 edits 600 requests."""

OF_THE_PLAN = ("asset_id_field", "asset_id_caption", "only_failed", "edited_texts", "on_conflict", "text")
"""The settings that shape a plan: a run that applies one has them from the plan."""


class EnrichmentWaiting(RetryPolicy):
    """How long a run waits for what passes by itself."""

    lease_seconds: float = Field(
        default=75, ge=0, title="Wait for the lease", description="Seconds to wait for another writing run."
    )
    patience_seconds: float = Field(
        default=4000,
        ge=0,
        title="Patience",
        description="Seconds that one step waits, in all, when a vendor or the request budget asks it to; "
        "Lansweeper's longest window of requests is an hour.",
    )


class EnrichmentSettings(BaseModel):
    """What a run of tickets-agreements-sla-sync reads and may write."""

    model_config = ConfigDict(extra="forbid")

    company: str = Field(
        default=ASK,
        title="Company",
        description='ConnectWise company of the configurations: identifier, or "identifier: name". '
        "Without one a run that you start asks for it, and a scheduled one fails.",
        examples=["BlueLightCo"],
    )
    mode: PlanOrApply = Field(
        default=PlanOrApply.PLAN,
        title="Mode",
        description="plan: show the plan and write nothing. apply: write at once.",
    )
    plan: str = PLAN_TO_APPLY
    drift: DriftRule = DRIFT
    aliases: int = Field(
        default=25,
        ge=1,
        le=MOST_ALIASES,
        title="Edits in one request",
        description="Assets that one mutation edits; 1: one by one. A server that takes fewer lowers it.",
    )
    reconcile_every: int = Field(
        default=7,
        ge=1,
        title="Full reconcile every n runs",
        description="Other runs ask only about tickets that are new or have changed.",
    )
    full_reconcile: bool = Field(
        default=False, title="Full reconcile now", description="Ask about every ticket in this run."
    )
    asset_id_field: int | None = Field(
        default=None,
        ge=1,
        title="Id of the ConnectWise custom field ls_asset_id",
        description="Typed by hand it wins; without it the field is found by its caption.",
    )
    asset_id_caption: str = Field(
        default="",
        max_length=100,
        title="Other caption of that field",
        description="Caption of the field with that id, where another one than ls_asset_id is meant.",
    )
    retry_refused: bool = Field(
        default=False,
        title="Try refused records again",
        description="Send once more the edits that Lansweeper refused in earlier runs. Without it a refused "
        "edit is held until its texts change.",
    )
    only_failed: str = ONLY_FAILED
    edited_texts: EditedTexts = Field(
        default=EditedTexts.KEEP,
        title="Texts that people changed",
        description="In Lansweeper, since they were written here: keep leaves them until ConnectWise's own "
        "value changes, replace writes over them. Both are in plan and report.",
    )
    on_conflict: OnConflict = Field(
        default=OnConflict.CONNECTWISE,
        title="On conflict",
        description="Where ConnectWise's value changed as well: whose value holds; report writes nothing "
        "until both are alike.",
    )
    text: TextLimits = Field(default_factory=TextLimits, title="Text limits")
    limits: EnrichmentLimits = Field(
        default_factory=EnrichmentLimits,
        title="What is not believed",
        description="Fewer records than last time, and plans that take text from many assets, are refused.",
    )
    accept_once: AcceptedReading = Field(
        default_factory=AcceptedReading,
        title="Accept once",
        description="The numbers of a refused plan that are right all the same. Leave them out of schedules.",
    )
    plan_days: int = PLAN_DAYS
    waiting: EnrichmentWaiting = Field(default_factory=EnrichmentWaiting, title="Waiting")

    @model_validator(mode="before")
    @classmethod
    def _earlier_switch(cls, values: Any) -> Any:
        return with_mode(values) if isinstance(values, Mapping) else values

    @property
    def dry_run(self) -> bool:
        """Whether nothing is written."""
        return self.mode is PlanOrApply.PLAN

    @field_validator("company")
    @classmethod
    def _without_outer_blanks(cls, value: str) -> str:
        return value.strip()

    def with_plan(self, stored: Self) -> Self:
        """The settings of a run that applies a plan: those that made the plan, and of this run its own."""
        shaping = {name: getattr(stored, name) for name in OF_THE_PLAN}
        company = self.company if self.company not in ("", ASK) else stored.company
        retry_refused = self.retry_refused or stored.retry_refused
        return self.model_copy(update=shaping | {"company": company, "retry_refused": retry_refused})

    def for_company(self, company: str) -> Self:
        """The same settings for the company that was chosen."""
        return self.model_copy(update={"company": company})
