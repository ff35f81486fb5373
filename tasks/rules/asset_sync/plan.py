"""The plan of a run as a value: what will be created, changed and left alone, before anything is written.

Order of work: ``compare_matched`` -> ``needed_names`` -> ``plan_references`` a kind -> ``build_plan`` ->
``Plan.over_thresholds``, which lets a run refuse an implausible plan. Nothing depends on the order of the
input.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tasks.rules.asset_sync.compare import differences
from tasks.rules.asset_sync.decide import (
    WriteDecision,
    decide_changes,
    decide_creation,
    planned_problems,
    unlinkable,
)
from tasks.rules.asset_sync.matching.result import Ambiguous, Match, MatchResult, Unmatched
from tasks.rules.asset_sync.merge import NO_BASE, Bases, edits
from tasks.rules.asset_sync.plan_checksum import checksum_of
from tasks.rules.asset_sync.references import REFERENCE_KINDS, ReferencePlan, referred_names
from tasks.rules.asset_sync.report import PlanWarning, SyncCounts, WarningTally
from tasks.rules.asset_sync.safety import (
    Prediction,
    SafetyThresholds,
    WriteMode,
    over_thresholds,
    predict_requests,
)
from tasks.rules.bulk import MAX_BATCH
from tasks.rules.edits import Edit
from tasks.rules.isolation import convert_all, convert_all_or, problem_words
from tasks.rules.mapping.comparison import is_empty
from tasks.rules.mapping.compile import CompiledMapping
from tasks.rules.mapping.targets import CUSTOM_FIELD_PREFIX
from tasks.rules.values import AssetRecord, ConfigurationRecord, FieldChange, folded

_OWN_FIELDS = CUSTOM_FIELD_PREFIX + "ls_"


@dataclass(frozen=True, slots=True)
class Creation:
    """An asset that becomes a new configuration; ``warnings`` say which values are left out, and why.

    ``values`` are those that it is created with, one per field of the mapping (``CreationDecision``).
    """

    asset: AssetRecord
    values: tuple[Any, ...]
    warnings: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return self.asset.name or self.asset.key


@dataclass(frozen=True, slots=True)
class Modification:
    """A configuration that differs from its asset. ``type_change`` is its own call, never in ``changes``."""

    asset: AssetRecord
    configuration: ConfigurationRecord
    matched_on: str
    changes: tuple[FieldChange, ...]
    type_change: FieldChange | None = None
    warnings: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The name by which a person knows the configuration."""
        return self.configuration.name or self.asset.name or self.asset.key

    @property
    def all_changes(self) -> tuple[FieldChange, ...]:
        """Every field that changes, the type included."""
        return (*self.changes, self.type_change) if self.type_change else self.changes

    @property
    def only_own_fields(self) -> bool:
        """Whether it changes nothing but the integration's own ``ls_*`` custom fields."""
        own = all(change.field.startswith(_OWN_FIELDS) for change in self.changes)
        return own and self.type_change is None


@dataclass(frozen=True, slots=True)
class Skipped:
    """An asset of which nothing is written, and why."""

    asset: AssetRecord
    reason: str

    @property
    def asset_key(self) -> str:
        return self.asset.key

    @property
    def name(self) -> str:
        return self.asset.name or ""


@dataclass(slots=True)
class Plan:
    """Everything that a run is going to do. ``reference_creations``: target path -> names, sorted.

    ``orphaned``: configurations whose asset is gone; counted, never changed. ``inactive``: matched
    configurations that are inactive. ``edits``: what people changed in fields with the authority ``merge``,
    by configuration. ``paths`` are the fields of the mapping, in the assets' order.
    """

    counts: SyncCounts
    paths: tuple[str, ...]
    reference_creations: dict[str, list[str]]
    creations: list[Creation]
    modifications: list[Modification]
    ambiguous: list[Ambiguous]
    skipped: list[Skipped]
    orphaned: list[ConfigurationRecord]
    inactive: list[ConfigurationRecord]
    warnings: list[PlanWarning]
    predicted: Prediction
    edits: list[Edit] = field(default_factory=list)
    _checksum: str = field(default="", init=False, repr=False, compare=False)

    @property
    def type_changes(self) -> list[Modification]:
        """The modifications whose type changes too: a call each, after the others."""
        return [each for each in self.modifications if each.type_change]

    @property
    def field_modifications(self) -> list[Modification]:
        """The modifications that go into PUT batches or PATCH calls."""
        return [each for each in self.modifications if each.changes]

    @property
    def nothing_to_write(self) -> bool:
        """Whether the run will send no write request at all."""
        return not self.creations and not self.modifications

    def over_thresholds(
        self, existing: int, any_linked: bool, thresholds: SafetyThresholds | None = None
    ) -> list[str]:
        """What exceeds a safety threshold, with the numbers in words; an empty list lets the run go on.

        Args:
            existing: configurations of the run's company, inactive ones included.
            any_linked: whether any link is known: without one this is a first load, whose creations are
                not limited. Changes to only ``ls_*`` custom fields are never counted.
            thresholds: the default is 30 % each above 20 existing configurations.
        """
        return over_thresholds(
            modified=sum(not each.only_own_fields for each in self.modifications),
            created=len(self.creations) if any_linked else 0,
            existing=existing,
            thresholds=thresholds or SafetyThresholds(),
        )

    @property
    def checksum(self) -> str:
        """16 hex digits over everything that would be written as it is when they are asked for first."""
        if not self._checksum:
            self._checksum = checksum_of(
                self.reference_creations,
                self.paths,
                [(each.asset.key, each.values) for each in self.creations],
                [(each.asset.key, each.configuration.id, each.all_changes) for each in self.modifications],
            )
        return self._checksum


@dataclass(frozen=True, slots=True)
class Changed:
    """A matched asset with the differences found, before it is decided which may be written."""

    match: Match
    changes: list[FieldChange]


@dataclass(slots=True)
class Compared:
    """The matched assets compared: only those that differ are kept, and those that could not be."""

    changed: list[Changed] = field(default_factory=list)
    unchanged: int = 0
    problems: list[Skipped] = field(default_factory=list)
    edits: list[Edit] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class PlanOptions:
    """What the plan needs to know of the run.

    ``reads_done``: ConnectWise requests made so far. ``held``: asset key -> why nothing is written of it.
    """

    batch_size: int = MAX_BATCH
    mode: WriteMode = WriteMode.BULK
    reactivate: bool = False
    reads_done: int = 0
    held: Mapping[str, str] = field(default_factory=dict)

    def prediction(
        self, references: Mapping[str, Sequence[str]], creations: int, modifications: Sequence[Modification]
    ) -> Prediction:
        """What writing these costs; ``references``: names to create, by target path."""
        return predict_requests(
            reads_done=self.reads_done,
            reference_creations=sum(map(len, references.values())),
            creations=creations,
            modifications=sum(bool(each.changes) for each in modifications),
            type_changes=sum(each.type_change is not None for each in modifications),
            batch_size=self.batch_size,
            mode=self.mode,
        )


def compare_matched(
    matched: Iterable[Match],
    mapping: CompiledMapping,
    unread: Mapping[str, str] | None = None,
    bases: Bases | None = None,
) -> Compared:
    """Compare each matched pair once; memory grows with what differs.

    ``unread``: asset key -> why that pair can't be compared. ``bases`` learns what the pairs agree on.
    """
    compared = Compared()
    merged = bases if bases is not None and bases.matter else None
    for match in matched:
        if unread and (why := unread.get(match.asset.key)) is not None:
            compared.problems.append(Skipped(match.asset, why))
            continue
        try:
            changes = _differences(match, mapping, merged, compared.edits)
        except Exception as error:
            compared.problems.append(Skipped(match.asset, problem_words(error)))
            continue
        if changes:
            compared.changed.append(Changed(match, changes))
        else:
            compared.unchanged += 1
    return compared


def _differences(
    match: Match, mapping: CompiledMapping, bases: Bases | None, found: list[Edit]
) -> list[FieldChange]:
    asset, configuration = match.asset, match.configuration
    base = NO_BASE
    if bases is not None and asset.wanted != configuration.current:
        base = bases.of(asset, configuration)
        found += edits(asset, configuration, mapping, base)
    changes = differences(asset, configuration, mapping, base)
    if bases is not None:
        bases.see(asset, configuration)
    return changes


def needed_names(
    unmatched: Iterable[AssetRecord], changed: Iterable[Changed], mapping: CompiledMapping
) -> dict[str, list[str]]:
    """Per target path the names that creations and changes refer to, each once, sorted.

    Names of assets that match and do not change are not among them: nothing is created for those.
    """
    positions = [(i, each.path) for i, each in enumerate(mapping.fields) if each.path in REFERENCE_KINDS]
    names: dict[str, dict[str, str]] = {path: {} for _, path in positions}
    assets = list(unmatched)
    wanted = [(path, name) for i, path in positions for name in _distinct(each.wanted[i] for each in assets)]
    wanted += [(c.field, c.wanted) for each in changed for c in each.changes if c.field in names]

    def take(path_and_name: tuple[str, object]) -> None:
        path, name = path_and_name
        if not is_empty(name):
            spelling = names[path].setdefault(folded(str(name)), str(name).strip())
            names[path][folded(str(name))] = min(spelling, str(name).strip())

    # An asset whose name has no text can't be planned for the same reason, and says so then.
    convert_all(wanted, take, lambda each, error: None)
    return {path: sorted(found.values()) for path, found in names.items()}


def _distinct(values: Iterable[object]) -> list[object]:
    """Each text once, since the same few are on thousands of assets; what is no text as it comes."""
    texts: set[str] = set()
    others: list[object] = []
    for each in values:
        if each.__class__ is str:
            texts.add(str(each))
        elif each is not None:
            others.append(each)
    return [*texts, *others]


def build_plan(
    result: MatchResult,
    compared: Compared,
    mapping: CompiledMapping,
    references: Mapping[str, ReferencePlan],
    options: PlanOptions | None = None,
) -> Plan:
    """The plan of everything matched and compared; its counts add up.

    Args:
        result: every asset read, in exactly one of its lists.
        compared: ``compare_matched(result.matched, mapping)``.
        references: per target path what ``plan_references`` made of ``needed_names``.
        options: batch size, way of writing, requests made so far.
    """
    return _PlanBuilder(mapping, references, options or PlanOptions()).build(result, compared)


class _PlanBuilder:
    """Collects the parts of one plan; used once."""

    def __init__(
        self, mapping: CompiledMapping, references: Mapping[str, ReferencePlan], options: PlanOptions
    ) -> None:
        self.mapping = mapping
        self.options = options
        self.paths = tuple(each.path for each in mapping.fields)
        self.problem = planned_problems(references)
        self.missing = {path: plan.missing for path, plan in references.items()}
        self.warnings = WarningTally()
        self.skipped: list[Skipped] = []
        self.unchanged = 0

    def build(self, result: MatchResult, compared: Compared) -> Plan:
        self.unchanged = compared.unchanged
        self.skipped += compared.problems
        planned = convert_all_or(compared.changed, self._modification, self._unplannable)
        modifications = [each for each in planned if each is not None]
        made = convert_all_or(
            result.unmatched, lambda each: self._creation(each.asset, each.warning), self._unplannable
        )
        creations = [each for each in made if each is not None]
        inactive = [each.configuration for each in result.matched if not each.configuration.active]
        counts = SyncCounts(
            read=len(result.matched) + len(result.unmatched) + len(result.ambiguous),
            created=len(creations),
            modified=len(modifications),
            unchanged=self.unchanged,
            ambiguous=len(result.ambiguous),
            skipped=len(self.skipped),
        )
        changes = (change for each in modifications for change in each.all_changes)
        created = [each.values for each in creations]
        references = referred_names(self.missing, self.paths, created, changes)
        return Plan(
            counts=counts.check(),
            paths=self.paths,
            reference_creations=references,
            creations=sorted(creations, key=lambda each: (each.name, each.asset.key)),
            modifications=sorted(modifications, key=lambda each: each.configuration.id),
            ambiguous=sorted(result.ambiguous, key=lambda each: (each.asset.key, str(each.asset.wanted))),
            skipped=sorted(self.skipped, key=lambda each: (each.name, each.asset_key)),
            orphaned=sorted(result.orphaned, key=lambda each: each.id),
            inactive=sorted(inactive, key=lambda each: each.id),
            warnings=self.warnings.listed(),
            predicted=self.options.prediction(references, len(creations), modifications),
            edits=sorted(compared.edits, key=lambda each: (each.configuration_id, each.field)),
        )

    def _creation(self, asset: AssetRecord, warning: str | None) -> Creation | None:
        decision = decide_creation(asset, self.mapping, self.problem)
        if why := self.options.held.get(asset.key) or decision.skipped:
            self._skip(asset, why)
            return None
        warnings = (*([warning] if warning else []), *decision.warnings)
        self._warn(asset, warnings)
        return Creation(asset, decision.values, warnings)

    def _modification(self, changed: Changed) -> Modification | None:
        match = changed.match
        decision = self._decide(changed)
        held = self.options.held.get(match.asset.key)
        if why := unlinkable(match.asset) or held or decision.skipped:
            self._skip(match.asset, why)
            return None
        made = Modification(
            match.asset,
            match.configuration,
            match.matched_on,
            tuple(decision.changes),
            decision.type_change,
            tuple(decision.warnings),
        )
        self._warn(match.asset, made.warnings)
        if not decision.nothing:
            return made
        self.unchanged += 1
        return None

    def _decide(self, changed: Changed) -> WriteDecision:
        return decide_changes(
            changed.changes,
            changed.match.configuration,
            self.mapping,
            self.problem,
            reactivate=self.options.reactivate,
        )

    def _unplannable(self, each: Changed | Unmatched, error: Exception) -> None:
        asset = each.match.asset if isinstance(each, Changed) else each.asset
        self._skip(asset, f"It can't be planned: {problem_words(error)}")

    def _skip(self, asset: AssetRecord, reason: str) -> None:
        self.skipped.append(Skipped(asset, reason))

    def _warn(self, asset: AssetRecord, warnings: Iterable[str]) -> None:
        for text in warnings:
            self.warnings.add(text, asset)
