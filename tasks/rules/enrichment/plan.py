"""What an enrichment is going to write, and what becomes of every configuration read.

``build_enrichment_plan`` compares the texts that ConnectWise makes with those that the assets have. The
counts and the report say afterwards what was done of it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import ClassVar

from tasks.rules.edits import Edit
from tasks.rules.enrichment.texts import (
    FIELD_TYPES,
    AssetState,
    ConfigurationFacts,
    TextLimits,
    changed_texts,
    named_configuration,
    wanted_texts,
)
from tasks.rules.isolation import problem_words
from tasks.rules.report import Counts, Report
from tasks.rules.values import FieldChange


@dataclass(frozen=True, slots=True)
class EnrichmentCounts(Counts):
    """Every configuration read ends in exactly one of the seven outcomes."""

    unit: ClassVar[str] = "configurations"
    planned_names: ClassVar[Mapping[str, str]] = {"updated": "to update"}

    read: int = 0
    updated: int = 0
    unchanged: int = 0
    failed: int = 0
    asset_gone: int = 0
    no_asset_id: int = 0
    contested: int = 0
    skipped: int = 0


@dataclass(frozen=True, slots=True)
class ConfigurationName:
    """A configuration as plans and reports name it."""

    id: int
    name: str
    asset_key: str | None = None


@dataclass(frozen=True, slots=True)
class AssetUpdate:
    """One asset whose texts differ. ``changes`` name custom fields."""

    asset: AssetState
    configuration: ConfigurationName
    changes: tuple[FieldChange, ...]

    @property
    def name(self) -> str:
        """What a person knows it by."""
        return self.asset.name or self.configuration.name or self.asset.key

    def before(self) -> dict[str, str]:
        """The earlier texts of the changed fields, empty where there was none."""
        return {change.field: change.current or "" for change in self.changes}

    def after(self) -> dict[str, str]:
        return {change.field: change.wanted for change in self.changes}


@dataclass(frozen=True, slots=True)
class Contest:
    """An asset that several configurations claim: none of them is written.

    ``elsewhere``: one of another company, whose run wrote the texts that the asset has. It is not counted.
    """

    asset: AssetState
    configurations: tuple[ConfigurationName, ...]
    elsewhere: ConfigurationName | None = None


@dataclass(frozen=True, slots=True)
class SkippedConfiguration:
    """A configuration of which nothing is written, and why."""

    configuration: ConfigurationName
    reason: str


@dataclass(frozen=True, slots=True)
class FieldTally:
    """How many assets get a first text in a field, another one, or none any more."""

    filled: int = 0
    changed: int = 0
    cleared: int = 0


@dataclass(slots=True)
class EnrichmentPlan:
    """What is to be written and what is left alone.

    ``left_behind``: assets with texts of ours that no configuration of the company claims. They may belong to
    another company's configuration, so they are reported and never cleared. ``edits``: texts that people
    changed in Lansweeper.
    """

    updates: list[AssetUpdate] = field(default_factory=list)
    unchanged: int = 0
    asset_gone: list[ConfigurationName] = field(default_factory=list)
    no_asset_id: list[ConfigurationName] = field(default_factory=list)
    contested: list[Contest] = field(default_factory=list)
    left_behind: list[AssetState] = field(default_factory=list)
    skipped: list[SkippedConfiguration] = field(default_factory=list)
    read: int = 0
    edits: list[Edit] = field(default_factory=list)

    @property
    def counts(self) -> EnrichmentCounts:
        """What the run would end with if no edit failed.

        Raises:
            CountsError: a configuration was lost or counted twice.
        """
        return EnrichmentCounts(
            read=self.read,
            updated=len(self.updates),
            unchanged=self.unchanged,
            asset_gone=len(self.asset_gone),
            no_asset_id=len(self.no_asset_id),
            contested=sum(len(each.configurations) for each in self.contested),
            skipped=len(self.skipped),
        ).check()

    def final_counts(self, failed: int) -> EnrichmentCounts:
        """The counts after the edits, of which so many failed."""
        planned = self.counts
        return replace(planned, updated=planned.updated - failed, failed=failed).check()

    def tallies(self) -> dict[str, FieldTally]:
        """By custom field, in the order of the fields; fields that nothing happens to are left out."""
        counted = {name: [0, 0, 0] for name in FIELD_TYPES}
        for update in self.updates:
            for change in update.changes:
                kind = 2 if not change.wanted else 1 if change.current else 0
                counted[change.field][kind] += 1
        return {name: FieldTally(*each) for name, each in counted.items() if any(each)}


def edit_requests(updates: int, aliases: int) -> int:
    """Requests that so many edits cost, ``aliases`` of them in one request."""
    return -(-updates // aliases)


def build_enrichment_plan(
    configurations: Sequence[ConfigurationFacts],
    assets: Iterable[AssetState],
    limits: TextLimits | None = None,
    rivals: Mapping[str, ConfigurationName] | None = None,
    unread: Mapping[str, str] | None = None,
    skipped: Sequence[SkippedConfiguration] = (),
) -> EnrichmentPlan:
    """Compare what ConnectWise knows with what the assets have; the order of either does not matter.

    ``rivals`` are other companies' configurations that claim an asset too, by its key. Asset
    keys compare exactly, since Lansweeper says nothing of their form. ``unread``: asset key -> why nothing is
    written of that asset. ``skipped``: configurations that could not be read; they are counted, and
    an asset that one of them may claim is left alone.
    """
    by_key = {each.key: each for each in assets}
    plan = EnrichmentPlan(read=len(configurations) + len(skipped), skipped=list(skipped))
    left_alone = unread or {}
    claims: dict[str, list[ConfigurationFacts]] = defaultdict(list)
    for facts in sorted(configurations, key=lambda each: each.id):
        if not facts.asset_key:
            plan.no_asset_id.append(_named(facts))
        elif (why := left_alone.get(facts.asset_key)) is not None:
            plan.skipped.append(SkippedConfiguration(_named(facts), why))
        elif facts.asset_key not in by_key:
            plan.asset_gone.append(_named(facts))
        else:
            claims[facts.asset_key].append(facts)
    by_asset, by_id = _unread_claims(skipped)
    for key, claimants in claims.items():
        hidden = by_asset.get(key) or by_id.get(named_configuration(by_key[key]) or 0)
        if hidden is not None:
            why = f"configuration {hidden.id}, which could not be read, may claim its asset as well"
            plan.skipped += [SkippedConfiguration(_named(each), why) for each in claimants]
            continue
        _decide(plan, by_key[key], claimants, limits, (rivals or {}).get(key))
    claimed = claims.keys() | {each.configuration.asset_key for each in plan.skipped}
    unclaimed = (asset for key, asset in sorted(by_key.items()) if key not in claimed)
    plan.left_behind = [asset for asset in unclaimed if any(asset.values.values())]
    return plan


def _unread_claims(
    skipped: Sequence[SkippedConfiguration],
) -> tuple[dict[str, ConfigurationName], dict[int, ConfigurationName]]:
    """The configurations that could not be read, by the asset that they claim, if it is known, and by id.

    Of the others only an asset's own texts tell that it may be theirs. To leave every asset alone for one of
    them would let a single record stop a company.
    """
    names = [each.configuration for each in skipped]
    return {each.asset_key: each for each in names if each.asset_key}, {each.id: each for each in names}


def _decide(
    plan: EnrichmentPlan,
    asset: AssetState,
    claimants: Sequence[ConfigurationFacts],
    limits: TextLimits | None,
    rival: ConfigurationName | None,
) -> None:
    if len(claimants) > 1 or rival is not None:
        plan.contested.append(Contest(asset, tuple(map(_named, claimants)), rival))
        return
    try:
        changes = changed_texts(asset.values, wanted_texts(claimants[0], limits))
    except Exception as error:
        plan.skipped.append(SkippedConfiguration(_named(claimants[0]), problem_words(error)))
        return
    if changes:
        plan.updates.append(AssetUpdate(asset, _named(claimants[0]), changes))
    else:
        plan.unchanged += 1


def _named(facts: ConfigurationFacts) -> ConfigurationName:
    return ConfigurationName(facts.id, facts.name, facts.asset_key)


@dataclass(frozen=True, slots=True)
class SearchCost:
    """How the agreements or the tickets were found, and what it cost in requests to ConnectWise.

    ``asked`` and ``remembered`` are tickets; ``last_reconcile`` is the time, in words, of the last run that
    asked about every ticket, empty where that has no meaning.
    """

    what: str
    strategy: str
    predicted: int
    used: int
    asked: int | None = None
    remembered: int | None = None
    last_reconcile: str = ""


@dataclass(slots=True)
class EnrichmentReport(Report[EnrichmentCounts]):
    """The report of tickets-agreements-sla-sync.

    ``fields_created``: Lansweeper custom fields that the run made, or in a dry run would make. Requests are
    those that the clients sent, probes and repeated ones included. ``plan_id``: of the stored plan.
    ``edits_kept``: texts that only people changed.
    """

    fields_created: list[str] = field(default_factory=list)
    searches: list[SearchCost] = field(default_factory=list)
    connectwise_predicted: int = 0
    connectwise_used: int = 0
    lansweeper_predicted: int = 0
    lansweeper_used: int = 0
    mutations: int = 0
    plan_id: str = ""
    edits_kept: int = 0
