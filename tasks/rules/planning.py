"""From matched records to the plan: compare, collect the names needed, decide, count.

Order of work: ``compare_matched`` -> ``needed_names`` -> ``plan_references`` a kind -> ``build_plan`` ->
``check_ceilings``. Nothing here depends on the order of the input.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from tasks.rules.batching import MAX_BATCH
from tasks.rules.comparing import differences
from tasks.rules.counts import Counts
from tasks.rules.deciding import Decision, decide_changes, decide_creation, planned_problems, unlinkable
from tasks.rules.mapping import CompiledMapping
from tasks.rules.matching import Match, MatchResult
from tasks.rules.plan import Creation, Modification, Plan, Skipped
from tasks.rules.plan_warnings import WarningTally
from tasks.rules.predictions import Prediction, WriteMode, predict_requests
from tasks.rules.records import AssetRecord, ConfigurationRecord, FieldChange
from tasks.rules.references import KINDS, ReferencePlan, folded
from tasks.rules.wire_values import is_empty


@dataclass(frozen=True, slots=True)
class Changed:
    """A matched asset with the differences found, before it is decided which may be written."""

    match: Match
    changes: list[FieldChange]


@dataclass(slots=True)
class Compared:
    """The matched assets compared: only those that differ are kept."""

    changed: list[Changed] = field(default_factory=list)
    unchanged: int = 0


@dataclass(frozen=True, slots=True)
class PlanOptions:
    """What the plan needs to know of the run. ``reads_done``: ConnectWise requests made so far."""

    batch_size: int = MAX_BATCH
    mode: WriteMode = WriteMode.BULK
    reactivate: bool = False
    reads_done: int = 0


def compare_matched(matched: Iterable[Match], mapping: CompiledMapping) -> Compared:
    """Compare each matched pair once; memory grows with what differs."""
    compared = Compared()
    for match in matched:
        if changes := differences(match.asset, match.configuration, mapping):
            compared.changed.append(Changed(match, changes))
        else:
            compared.unchanged += 1
    return compared


def needed_names(
    unmatched: Iterable[AssetRecord], changed: Iterable[Changed], mapping: CompiledMapping
) -> dict[str, list[str]]:
    """Per target path the names that creations and changes refer to, each once, sorted.

    Names of assets that match and do not change are not among them: nothing is created for those.
    """
    positions = [(i, each.path) for i, each in enumerate(mapping.fields) if each.path in KINDS]
    names: dict[str, dict[str, str]] = {path: {} for _, path in positions}
    wanted = [(path, asset.wanted[i]) for asset in unmatched for i, path in positions]
    wanted += [(c.field, c.wanted) for each in changed for c in each.changes if c.field in names]
    for path, name in wanted:
        if not is_empty(name):
            spelling = names[path].setdefault(folded(str(name)), str(name).strip())
            names[path][folded(str(name))] = min(spelling, str(name).strip())
    return {path: sorted(found.values()) for path, found in names.items()}


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
        mapping: the mapping that read both sides.
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
        self.problem = planned_problems(references)
        self.pending = {
            path: {folded(name): name for name in plan.missing} for path, plan in references.items()
        }
        self.used: dict[str, set[str]] = {}
        self.warnings = WarningTally()
        self.skipped: list[Skipped] = []
        self.unchanged = 0

    def build(self, result: MatchResult, compared: Compared) -> Plan:
        self.unchanged = compared.unchanged
        modifications = [each for changed in compared.changed if (each := self._modification(changed))]
        creations = [made for each in result.unmatched if (made := self._creation(each.asset, each.warning))]
        counts = Counts(
            read=len(result.matched) + len(result.unmatched) + len(result.ambiguous),
            created=len(creations),
            modified=len(modifications),
            unchanged=self.unchanged,
            ambiguous=len(result.ambiguous),
            skipped=len(self.skipped),
        )
        return Plan(
            counts=counts.check(),
            paths=tuple(each.path for each in self.mapping.fields),
            reference_creations=self._reference_creations(),
            creations=sorted(creations, key=lambda each: (each.name, each.asset.key)),
            modifications=sorted(modifications, key=lambda each: each.configuration.id),
            ambiguous=sorted(result.ambiguous, key=lambda each: (each.asset.key, str(each.asset.wanted))),
            skipped=sorted(self.skipped, key=lambda each: (each.name, each.asset_key)),
            orphaned=sorted(result.orphaned, key=lambda each: each.id),
            inactive=_inactive(result.matched),
            warnings=self.warnings.listed(),
            predicted=self._prediction(creations, modifications),
        )

    def _creation(self, asset: AssetRecord, warning: str | None) -> Creation | None:
        decision = decide_creation(asset, self.mapping, self.problem)
        if decision.skipped:
            self._skip(asset, decision.skipped)
            return None
        warnings = (*([warning] if warning else []), *decision.warnings)
        self._note(asset, warnings, decision.changes)
        return Creation(asset, warnings)

    def _modification(self, changed: Changed) -> Modification | None:
        match = changed.match
        decision = self._decide(changed)
        if why := unlinkable(match.asset) or decision.skipped:
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
        self._note(match.asset, made.warnings, made.all_changes)
        if not decision.nothing:
            return made
        self.unchanged += 1
        return None

    def _decide(self, changed: Changed) -> Decision:
        return decide_changes(
            changed.changes,
            changed.match.configuration,
            self.mapping,
            self.problem,
            reactivate=self.options.reactivate,
        )

    def _skip(self, asset: AssetRecord, reason: str) -> None:
        self.skipped.append(Skipped(asset, reason))

    def _note(self, asset: AssetRecord, warnings: Iterable[str], changes: Iterable[FieldChange]) -> None:
        for text in warnings:
            self.warnings.add(text, asset)
        for change in changes:
            if change.field in self.pending:
                self.used.setdefault(change.field, set()).add(folded(str(change.wanted)))

    def _reference_creations(self) -> dict[str, list[str]]:
        """The missing names that something written refers to; none is created for skipped assets."""
        names = {
            path: sorted(name for key, name in pending.items() if key in self.used.get(path, ()))
            for path, pending in self.pending.items()
        }
        return {path: found for path, found in sorted(names.items()) if found}

    def _prediction(self, creations: Sequence[Creation], modifications: Sequence[Modification]) -> Prediction:
        return predict_requests(
            reads_done=self.options.reads_done,
            reference_creations=sum(len(names) for names in self._reference_creations().values()),
            creations=len(creations),
            modifications=sum(bool(each.changes) for each in modifications),
            type_changes=sum(each.type_change is not None for each in modifications),
            batch_size=self.options.batch_size,
            mode=self.options.mode,
        )


def _inactive(matched: Iterable[Match]) -> list[ConfigurationRecord]:
    found = [each.configuration for each in matched if not each.configuration.active]
    return sorted(found, key=lambda each: each.id)
