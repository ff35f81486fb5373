"""The settings of asset-synchronization: one model, shown by the Prefect UI as a form."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from tasks.rules.asset_sync.matching.keys import (
    DEFAULT_KEYS,
    Key,
    KeyOrders,
    MatchKey,
    TypeKeys,
    check_match_keys,
    key_orders,
    key_problems,
)
from tasks.rules.asset_sync.reading import AcceptOnce
from tasks.rules.asset_sync.safety import SafetyThresholds, WriteMode
from tasks.rules.bulk import MAX_BATCH
from tasks.rules.choices import ASK
from tasks.rules.guards import ShrinkLimit
from tasks.rules.mapping.compile import CompiledMapping
from tasks.rules.mapping.fillers import FILLERS, Fillers, MoreFillers
from tasks.rules.mapping.model import (
    FieldMapping,
    ReferenceValues,
    default_custom_field_mappings,
    default_mappings,
    read_custom_field_mappings,
    read_mappings,
)
from tasks.rules.modes import RunMode, with_mode
from tasks.rules.stored_plans.drift import DriftRule
from tasks.shared.next_run import ONLY_FAILED
from tasks.shared.retry import Waiting
from tasks.shared.review import DEFAULT_REVIEW_HOURS, MOST_REVIEW_HOURS
from tasks.shared.stored_plans import DRIFT, PLAN_DAYS, PLAN_TO_APPLY

OF_THE_RUN = (
    "mode",
    "review_hours",
    "plan",
    "drift",
    "ceilings",
    "shrink",
    "accept_once",
    "waiting",
    "plan_days",
)
"""The settings that shape no plan: a run that applies one has its own."""


class AssetCondition(BaseModel):
    """One condition of a Lansweeper asset filter, as its API takes it."""

    model_config = ConfigDict(extra="forbid")

    path: str = Field(title="Path", description="Lansweeper path.", examples=["assetBasicInfo.type"])
    operator: str = Field(default="EQUAL", title="Operator", description="EQUAL, LIKE, REGEXP, EXISTS, ...")
    value: str = Field(title="Value", description="Always text; dates in ISO form.", examples=["Windows"])


class AssetSynchronizationSettings(BaseModel):
    """What a run of asset-synchronization reads, matches and may write."""

    model_config = ConfigDict(extra="forbid")

    company: str = Field(
        default=ASK,
        title="Company",
        description='ConnectWise company of the configurations: identifier, or "identifier: name". '
        "Without one a run that you start asks for it, and a scheduled one fails.",
        examples=["BlueLightCo"],
    )
    mode: RunMode = Field(
        default=RunMode.PLAN,
        title="Mode",
        description="plan: show the plan and write nothing. review: show it, wait for a person who resumes "
        "the run, and write what that person approves. apply: write at once, within the ceilings.",
    )
    plan: str = PLAN_TO_APPLY
    drift: DriftRule = DRIFT
    asset_filter: list[AssetCondition] = Field(
        default_factory=list,
        title="Asset filter",
        description="Only assets that meet all of these conditions; none: every asset of the site.",
    )
    mappings: list[FieldMapping] = Field(
        default=default_mappings(),
        title="Field mappings",
        description="Lansweeper path (JMESPath) to ConnectWise path, with authority and value table.",
    )
    custom_field_mappings: list[FieldMapping] = Field(
        default=default_custom_field_mappings(),
        title="Custom field mappings",
        description="Lansweeper path to the caption of a ConnectWise custom field.",
    )
    custom_field_ids: dict[str, int] = Field(
        default_factory=dict,
        title="Custom field ids",
        description="Caption -> id, typed by hand; a caption that is not here is looked up.",
    )
    other_captions: dict[str, str] = Field(
        default_factory=dict,
        title="Other captions",
        description="Caption -> caption of the field that is meant, where a typed id is of another name.",
    )
    prefix: str = Field(
        default="ls_", max_length=20, title="Prefix", description="Put before types and statuses."
    )
    reference_values: ReferenceValues = Field(
        default_factory=ReferenceValues,
        title="Value tables",
        description="Which existing record a Lansweeper value means; a value that stands in no table keeps "
        "its own name.",
    )
    fillers: MoreFillers = Field(
        default_factory=MoreFillers,
        title="Fillers",
        description="Values of this site that say nothing, beside those that are known (To be filled by "
        "O.E.M., 123456789, 00:50:56:c0:00:01, ...). None of them links, is written or overwrites anything.",
    )
    structure_level_id: int | None = Field(
        default=None,
        ge=1,
        title="Structure level id",
        description="With it, missing locations are created on this corporate structure level.",
    )
    case_sensitive_match: bool = Field(
        default=True, title="Case sensitive match", description="Governs serial number and name."
    )
    match_keys: list[Key] = Field(
        default=list(DEFAULT_KEYS),
        title="Match keys",
        description="What an asset is matched by, strongest first. The link (ls_asset_id) is first always, "
        "named or not; deviceIdentifier and tagNumber need a mapping that fills them.",
    )
    match_keys_by_type: list[TypeKeys] = Field(
        default_factory=list,
        title="Match keys by type",
        description="An order of its own for the assets of a Lansweeper type; the others have the one above.",
    )
    reactivate: bool = Field(
        default=False, title="Reactivate", description="Set matched inactive configurations active again."
    )
    write_mode: WriteMode = Field(
        default=WriteMode.BULK,
        title="Write mode",
        description="bulk: whole records, 50 a request. patch: changed fields, one request a record.",
    )
    batch_size: int = Field(
        default=MAX_BATCH, ge=1, le=MAX_BATCH, title="Batch size", description="Records in a bulk request."
    )
    software_lines: int = Field(
        default=200, ge=1, title="Software lines", description="Lines of ls_software before it is cut."
    )
    retry_refused: bool = Field(
        default=False,
        title="Try refused records again",
        description="Send once more what ConnectWise refused in earlier runs. Without it a refused record is "
        "held until its values, the record or the mapping change.",
    )
    only_failed: str = ONLY_FAILED
    ceilings: SafetyThresholds = Field(
        default_factory=SafetyThresholds,
        title="Ceilings",
        description="How much one run may change before it refuses; shares of the company's configurations.",
    )
    shrink: ShrinkLimit = Field(
        default_factory=ShrinkLimit,
        title="Fewer than last time",
        description="How many fewer configurations, links or assets than last time are still believed.",
    )
    accept_once: AcceptOnce = Field(
        default_factory=AcceptOnce,
        title="Accept once",
        description="Numbers of a refused reading that you have found right; the refusal says what to type.",
    )
    plan_days: int = PLAN_DAYS
    review_hours: float = Field(
        default=DEFAULT_REVIEW_HOURS,
        gt=0,
        le=MOST_REVIEW_HOURS,
        title="Hours for a review",
        description="So long a run in the mode review waits for a person; then it ends, and writes nothing.",
    )
    waiting: Waiting = Field(
        default_factory=Waiting,
        title="Waiting",
        description="How long a run waits for answers, for another run, and for a vendor that asks it to.",
    )

    @model_validator(mode="before")
    @classmethod
    def _earlier_switch(cls, values: Any) -> Any:
        return with_mode(values) if isinstance(values, Mapping) else values

    @field_validator("company")
    @classmethod
    def _without_outer_blanks(cls, value: str) -> str:
        return value.strip()

    @field_validator("mappings", mode="before")
    @classmethod
    def _any_mapping_form(cls, value: Any) -> Any:
        return read_mappings(value)

    @field_validator("custom_field_mappings", mode="before")
    @classmethod
    def _any_custom_mapping_form(cls, value: Any) -> Any:
        return read_custom_field_mappings(value)

    @field_validator("match_keys")
    @classmethod
    def _keys_in_order(cls, keys: list[MatchKey]) -> list[MatchKey]:
        return check_match_keys(keys)

    @model_validator(mode="after")
    def _keys_are_mapped(self) -> Self:
        targets = [each.target for each in self.mappings]
        if problems := key_problems(self.match_keys, self.match_keys_by_type, targets):
            raise ValueError(" ".join(problems))
        return self

    def key_orders(self, mapping: CompiledMapping) -> KeyOrders:
        """The orders of match keys, for this mapping."""
        positions = {each.path: at for at, each in enumerate(mapping.fields)}
        return key_orders(self.match_keys, self.match_keys_by_type, positions)

    def all_fillers(self) -> Fillers:
        """The known fillers and this run's own."""
        return FILLERS.and_more(self.fillers)

    @property
    def dry_run(self) -> bool:
        """Whether nothing is written."""
        return self.mode is RunMode.PLAN

    def in_mode(self, mode: RunMode, plan: str | None = None) -> Self:
        """The settings in another mode, and of another plan where one is given."""
        return self.model_copy(update={"mode": mode} | ({} if plan is None else {"plan": plan}))

    def for_company(self, company: str) -> Self:
        return self.model_copy(update={"company": company})

    def all_mappings(self) -> list[FieldMapping]:
        """Field and custom field mappings, with the value tables of references laid in."""
        tables = self.reference_values.by_target()
        mapped = [
            each.model_copy(update={"values": tables.get(each.target, {}) | each.values})
            for each in self.mappings
        ]
        # Every asset wants an active configuration, unless a mapping of one's own decides that.
        decided = any(each.target == "activeFlag" for each in self.mappings)
        active = (
            [FieldMapping(source="`true`", target="activeFlag")] if self.reactivate and not decided else []
        )
        return [*mapped, *active, *self.custom_field_mappings]

    def with_plan(self, stored: Self) -> Self:
        """The settings of a run that applies a plan: those that made the plan, and of this run its own."""
        own = {name: getattr(self, name) for name in OF_THE_RUN}
        own["retry_refused"] = self.retry_refused or stored.retry_refused
        own["company"] = self.company if self.company not in ("", ASK) else stored.company
        return stored.model_copy(update=own)

    def lansweeper_filter(self) -> dict[str, Any] | None:
        """The filter as Lansweeper's API takes it; None for every asset."""
        if not self.asset_filter:
            return None
        return {"conjunction": "AND", "conditions": [each.model_dump() for each in self.asset_filter]}
