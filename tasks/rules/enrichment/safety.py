"""Whether a plan is plausible: what was read against what is known from before, and texts lost in bulk.

An empty or short answer makes the texts of many assets shorter at once, and it looks like any other. So a
run compares what it read with the numbers of the run before (``Reading``), and counts the assets that its
plan would take text from (``losses``). What is not plausible is a ``GuardFinding`` of ``tasks.rules.guards``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from tasks.rules.enrichment.plan import AssetUpdate, EnrichmentPlan
from tasks.rules.enrichment.texts import AGREEMENT_ID, CLOSED_TICKETS, SEPARATOR, TOTAL_TICKETS
from tasks.rules.guards import Amount, GuardFinding, ShrinkLimit, acceptable, shrink_findings
from tasks.rules.text import counted
from tasks.rules.values import FieldChange, read_number


class EnrichmentLimits(BaseModel):
    """What a run of tickets-agreements-sla-sync does not believe."""

    model_config = ConfigDict(extra="forbid")

    shrink: ShrinkLimit = Field(
        default_factory=ShrinkLimit,
        title="Shrinking",
        description="Of configurations, links, assets, texts, agreements and tickets.",
    )
    losing_share: float = Field(
        default=0.20,
        ge=0,
        le=1,
        title="Share of assets that lose text",
        description="0.2 is 20 %: a plan that takes text from more of the assets that have any is refused. A "
        "text that is emptied counts, cw_total_tickets and cw_closed_tickets that become 0, and an agreement "
        "that is left out.",
    )
    losing_minimum: int = Field(
        default=10,
        ge=0,
        title="Assets that may always lose text",
        description="A plan that takes text from no more assets than this is never refused for it.",
    )


class AcceptedReading(BaseModel):
    """Numbers that a person accepts for one run, as the refused plan names them; empty: none is accepted."""

    model_config = ConfigDict(extra="forbid")

    configurations: int | None = Field(default=None, ge=0, title="Configurations")
    linked: int | None = Field(default=None, ge=0, title="Configurations with an asset")
    assets: int | None = Field(default=None, ge=0, title="Assets")
    with_text: int | None = Field(default=None, ge=0, title="Assets with text")
    agreements_read: int | None = Field(default=None, ge=0, title="Agreements")
    covered: int | None = Field(default=None, ge=0, title="Agreements of configurations")
    tickets: int | None = Field(default=None, ge=0, title="Tickets")
    attached: int | None = Field(default=None, ge=0, title="Tickets of configurations")
    losing: int | None = Field(default=None, ge=0, title="Assets that lose text")
    custom_fields: int | None = Field(default=None, ge=0, title="Custom fields that Lansweeper names")


@dataclass(frozen=True, slots=True)
class Reading:
    """The numbers of one whole reading of a company and its site.

    Attributes:
        linked: configurations that claim an asset.
        with_text: claimed assets that have any of our texts.
        agreements_read, tickets: of the company; None: not asked for, since no configuration claims an asset.
        covered, attached: configurations of agreements and of tickets, each pair counted once.
    """

    configurations: int | None = 0
    linked: int = 0
    assets: int = 0
    with_text: int = 0
    agreements_read: int | None = None
    covered: int | None = None
    tickets: int | None = None
    attached: int | None = None

    def as_dict(self) -> dict[str, int | None]:
        return asdict(self)

    @classmethod
    def from_dict(cls, known: Mapping[str, Any]) -> Reading:
        """The numbers as they were kept; one that is not known, or no number, is not compared."""
        names = [each.name for each in fields(cls)]
        return cls(**{name: number for name in names if isinstance(number := known.get(name), int)})


_WORDS = {
    "configurations": "Configurations",
    "linked": "Configurations with an asset",
    "assets": "Assets of the site",
    "with_text": "Assets with ConnectWise texts",
    "agreements_read": "Agreements",
    "covered": "Agreements of configurations",
    "tickets": "Tickets",
    "attached": "Tickets of configurations",
}


@dataclass(frozen=True, slots=True)
class KnownReading:
    """The numbers of the last run that came to its end, and when it read."""

    reading: Reading
    read_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class TextLosses:
    """How many assets a plan takes text from, how many of those it read have any, and in which fields."""

    losing: int
    with_text: int
    by_field: Mapping[str, int]


def losses(plan: EnrichmentPlan, with_text: int) -> TextLosses:
    """Counts the assets of the plan that would show less than they do now."""
    by_field: Counter[str] = Counter()
    losing = 0
    for update in plan.updates:
        lost = list(_lost_fields(update))
        by_field.update(lost)
        losing += bool(lost)
    return TextLosses(losing, with_text, dict(by_field))


def _lost_fields(update: AssetUpdate) -> Iterator[str]:
    return (change.field for change in update.changes if _is_loss(change))


def _is_loss(change: FieldChange) -> bool:
    before = (change.current or "").strip()
    if not before:
        return False
    if change.field in (TOTAL_TICKETS, CLOSED_TICKETS):
        return read_number(before) != 0 and read_number(change.wanted) == 0
    if change.field == AGREEMENT_ID:
        return bool(_entries(before) - _entries(change.wanted))
    return not change.wanted


def _entries(text: str) -> set[str]:
    """The agreements that a text names; ``... and 3 more`` names none."""
    return {each for each in text.split(SEPARATOR) if each and not each.startswith("...")}


def enrichment_findings(
    read: Reading,
    known: KnownReading | None,
    lost: TextLosses,
    limits: EnrichmentLimits,
    accept_once: AcceptedReading,
    incomplete: Collection[str] = (),
) -> list[GuardFinding]:
    """What does not fit: fewer than last time, or too many assets that lose text.

    Args:
        known: None: no run of this company came to its end yet, so nothing can be compared.
        incomplete: sentences about answers that do not hold what the vendor counted.
    """
    numbers = accept_once.model_dump()
    found = [GuardFinding(text) for text in incomplete]
    if known is not None:
        before, now = known.reading.as_dict(), read.as_dict()
        amounts = [
            Amount(name, words, last, number)
            for name, words in _WORDS.items()
            if (last := before[name]) is not None and (number := now[name]) is not None
        ]
        found += shrink_findings(amounts, limits.shrink, numbers, known.read_at)
    return [*found, *_loss_findings(lost, limits, accept_once.losing)]


def _loss_findings(lost: TextLosses, limits: EnrichmentLimits, accepted: int | None) -> list[GuardFinding]:
    if lost.losing <= limits.losing_minimum or lost.losing <= limits.losing_share * lost.with_text:
        return []
    named = ", ".join(f"{name} {count:,}" for name, count in sorted(lost.by_field.items()))
    text = (
        f"The plan would take text from {lost.losing:,} of {counted(lost.with_text, 'asset')} that have any, "
        f"{lost.losing / max(lost.with_text, 1):.0%}; the ceiling is {limits.losing_share:.0%} ({named})."
    )
    is_accepted = accepted is not None and lost.losing <= accepted
    return [acceptable(text, "losing", lost.losing, is_accepted)]


def refusals(findings: Sequence[GuardFinding]) -> list[str]:
    """The findings that do not let a real run write, in words."""
    return [each.text for each in findings if each.refuses]
