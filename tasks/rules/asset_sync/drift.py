"""A stored plan held against the plan as it is now: what is still to be written, done, or decided otherwise.

Only that may be written by a plan's id which a person has seen: an entry whose decision is the same as when
the plan was stored. What a run that was killed has written already is done and no drift; of a record whose
fields it wrote and whose type it did not, the rest is still the same decision. Entries are taken one by one,
so that the stored plan is never in memory as a whole.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from tasks.rules.asset_sync.matching.result import Match, MatchResult
from tasks.rules.asset_sync.plan import Creation, Modification, Plan, PlanOptions, Skipped
from tasks.rules.asset_sync.plan_entries import (
    EntryKind,
    PlanEntry,
    creation_entry,
    marks,
    modification_entry,
)
from tasks.rules.asset_sync.safety import WriteMode
from tasks.rules.isolation import bounded, problem_words
from tasks.rules.mapping.comparison import same
from tasks.rules.mapping.compile import CompiledMapping
from tasks.rules.text import counted, plain_line
from tasks.rules.values import ConfigurationRecord, FieldChange, folded

NAMED_IN_REFUSAL = 20
"""Records that a refusal names."""
_FIELDS_TOLD = 3


class DriftRule(StrEnum):
    """What is done where records of a stored plan are decided otherwise by now."""

    REFUSE = "refuse"
    REST = "rest"


@dataclass(frozen=True, slots=True)
class DriftedEntry:
    """An entry of the stored plan that is decided otherwise now, and why."""

    asset_key: str
    name: str
    why: str

    def words(self) -> str:
        return bounded(f"{plain_line(self.name)} (asset {plain_line(self.asset_key)}): {self.why}") + "."


@dataclass(slots=True)
class PlanComparison:
    """Takes the entries of the stored plan and sorts them; ``current`` is the plan as it is now.

    ``same``: keys of the assets whose entry is still the decision. ``done``: entries that ConnectWise
    already shows. ``drifted``: entries that are decided otherwise. ``warned``: how many are the same decision
    with other warnings, as the creations of a plan give each other.
    """

    current: Plan
    mapping: CompiledMapping
    matched: dict[str, Match]
    creations: dict[str, Creation]
    modifications: dict[str, Modification]
    left: dict[str, str]
    same: set[str] = field(default_factory=set)
    done: int = 0
    warned: int = 0
    drifted: list[DriftedEntry] = field(default_factory=list)

    @classmethod
    def start(cls, current: Plan, result: MatchResult, mapping: CompiledMapping) -> PlanComparison:
        """``result``: what was matched for the current plan."""
        return cls(
            current,
            mapping,
            {each.asset.key: each for each in result.matched},
            {each.asset.key: each for each in current.creations},
            {each.asset.key: each for each in current.modifications},
            {each.asset.key: each.reason for each in current.ambiguous}
            | {each.asset_key: each.reason for each in current.skipped},
        )

    def take(self, entry: PlanEntry) -> None:
        """Sort one entry of the stored plan; those of which nothing is written say nothing."""
        if not entry.kind.writes:
            return
        try:
            found = self._judge(entry)
        except Exception as error:
            found = f"it can't be compared: {problem_words(error)}"
        if found == _SAME:
            self.same.add(entry.asset_key)
        elif found == _DONE:
            self.done += 1
        else:
            self.drifted.append(DriftedEntry(entry.asset_key, entry.name, found))

    def _judge(self, entry: PlanEntry) -> str:
        key = entry.asset_key
        if key in self.creations:
            return self._as_creation(entry, self.creations[key])
        if key in self.modifications:
            return self._as_modification(entry, self.modifications[key])
        if key in self.left:
            return f"it is left alone now: {self.left[key]}"
        match = self.matched.get(key)
        if match is None:
            return "Lansweeper does not give the asset any more, or it is not among those of this run"
        return self._as_matched(entry, match.configuration)

    def _as_creation(self, entry: PlanEntry, creation: Creation) -> str:
        if entry.kind is not EntryKind.CREATE:
            return f"configuration {entry.configuration_id} is not matched any more; it would be created"
        now = creation_entry(creation, self.current.paths)
        if entry.digest and now.digest == entry.digest:
            self.warned += now.notes != entry.notes
            return _SAME
        return _difference(entry, now)

    def _as_modification(self, entry: PlanEntry, modification: Modification) -> str:
        configuration = modification.configuration
        if entry.kind is EntryKind.CREATE or configuration.id != entry.configuration_id:
            return self._as_matched(entry, configuration)
        now = modification_entry(modification)
        if entry.digest and now.digest == entry.digest:
            return _SAME
        written = [each for each in entry.changes if not set(marks([each])) & set(marks(now.changes))]
        subset = set(marks(now.changes)) <= set(marks(entry.changes))
        if subset and all(self._holds(configuration, each) for each in written):
            return _SAME
        return _difference(entry, now)

    def _as_matched(self, entry: PlanEntry, configuration: ConfigurationRecord) -> str:
        if entry.kind is EntryKind.CREATE:
            linked = (configuration.asset_key or "").strip() == entry.asset_key.strip()
            return _DONE if linked else f"it is matched to configuration {configuration.id} now"
        if configuration.id != entry.configuration_id:
            return f"it is matched to configuration {configuration.id} now, not {entry.configuration_id}"
        other = [each for each in entry.changes if not self._holds(configuration, each)]
        if not other:
            return _DONE
        return f"{', '.join(each.field for each in other[:_FIELDS_TOLD])} is not to be changed any more"

    def _holds(self, configuration: ConfigurationRecord, change: FieldChange) -> bool:
        """Whether the configuration already has what the change wants."""
        position = self.mapping.position(change.field)
        if position is None:
            return False
        kind = self.mapping.fields[position].target.kind
        return same(kind, configuration.current[position], change.wanted)

    def why_left(self, plan_id: str) -> dict[str, str]:
        """Why assets of the current plan are not written: they drifted, or the stored plan has them not."""
        written = {**self.creations, **self.modifications}
        new = f"Not in {plan_id}, so it is left for another run."
        found = {key: new for key in written if key not in self.same}
        drifted = {each.asset_key: each.why for each in self.drifted if each.asset_key in written}
        return found | {key: f"Changed since {plan_id} was made: {why}" for key, why in drifted.items()}


_SAME, _DONE = "same", "done"


def drift_refusal(plan_id: str, comparison: PlanComparison, rule: DriftRule) -> list[str]:
    """Why nothing is written: sentences, the first with the numbers, then the drifted by name; or none."""
    drifted = comparison.drifted
    if not drifted or rule is not DriftRule.REFUSE:
        return []
    total = len(comparison.same) + comparison.done + len(drifted)
    head = (
        f"{len(drifted):,} of the {counted(total, 'record')} of {plan_id} changed since it was made. Make a "
        "new plan, or set Drift to rest, which writes the others."
    )
    return [head, *drift_lines(drifted)]


def drift_lines(drifted: Collection[DriftedEntry]) -> list[str]:
    """What drifted, by name; beyond ``NAMED_IN_REFUSAL`` the number of the others."""
    shown = [each.words() for each in list(drifted)[:NAMED_IN_REFUSAL]]
    more = len(drifted) - len(shown)
    return [*shown, f"… and {more:,} more"] if more else shown


def comparison_words(plan_id: str, comparison: PlanComparison) -> str:
    """One sentence with the numbers, for the notes of a run."""
    new = len(comparison.creations) + len(comparison.modifications) - len(comparison.same)
    new -= sum(
        each.asset_key in comparison.creations or each.asset_key in comparison.modifications
        for each in comparison.drifted
    )
    warned = (
        f" {counted(comparison.warned, 'creation')} got other warnings since, see Warnings."
        if comparison.warned
        else ""
    )
    return (
        f"Of {plan_id}, {counted(len(comparison.same), 'record')} are as planned, {comparison.done:,} done "
        f"already, {len(comparison.drifted):,} decided otherwise by now; {new:,} that the plan does not "
        f"have are left for another run.{warned}"
    )


def narrowed(plan: Plan, left: Mapping[str, str], *, batch_size: int, mode: WriteMode) -> Plan:
    """The plan without the assets of ``left`` (key -> why), which are skipped; its counts add up.

    Of the reference records only those are created that the rest refers to.
    """
    creations = [each for each in plan.creations if each.asset.key not in left]
    modifications = [each for each in plan.modifications if each.asset.key not in left]
    planned = [*(each.asset for each in plan.creations), *(each.asset for each in plan.modifications)]
    without = [Skipped(each, left[each.key]) for each in planned if each.key in left]
    references = _used_references(plan, creations, modifications)
    options = PlanOptions(batch_size=batch_size, mode=mode, reads_done=plan.predicted.reads_done)
    counts = replace(
        plan.counts,
        created=len(creations),
        modified=len(modifications),
        skipped=plan.counts.skipped + len(without),
    )
    return replace(
        plan,
        counts=counts.check(),
        creations=creations,
        modifications=modifications,
        skipped=sorted([*plan.skipped, *without], key=lambda each: (each.name, each.asset_key)),
        reference_creations=references,
        predicted=options.prediction(references, len(creations), modifications),
    )


def _used_references(
    plan: Plan, creations: list[Creation], modifications: list[Modification]
) -> dict[str, list[str]]:
    """The names to create that something written refers to, by target path."""
    used: dict[str, set[str]] = {path: set() for path in plan.reference_creations}
    positions = {path: plan.paths.index(path) for path in used}
    for creation in creations:
        for path, position in positions.items():
            if path not in creation.left_out:
                _note(used[path], creation.asset.wanted[position])
    for modification in modifications:
        for change in modification.all_changes:
            if change.field in used:
                _note(used[change.field], change.wanted)
    names = {
        path: [name for name in found if folded(name) in used[path]]
        for path, found in plan.reference_creations.items()
    }
    return {path: found for path, found in names.items() if found}


def _note(names: set[str], name: object) -> None:
    if name is not None:
        names.add(folded(str(name)))


def _difference(planned: PlanEntry, now: PlanEntry) -> str:
    """The fields that are decided otherwise, each as it was planned and as it is now."""
    before = {each.field: each for each in planned.changes}
    after = {each.field: each for each in now.changes}
    fields = [
        name
        for name in dict.fromkeys([*before, *after])
        if marks([before[name]] if name in before else []) != marks([after[name]] if name in after else [])
    ]
    told = [
        f"{name} was {_change(before.get(name))}, is {_change(after.get(name))}"
        for name in fields[:_FIELDS_TOLD]
    ]
    more = [f"and {counted(len(fields) - _FIELDS_TOLD, 'more field')}"] if len(fields) > _FIELDS_TOLD else []
    return "; ".join([*told, *more]) or "it could not be shown whole"


def _change(change: FieldChange | None) -> str:
    if change is None:
        return "not to change"
    return f"{_shown(change.current)} → {_shown(change.wanted)}"


def _shown(value: object) -> str:
    return bounded(plain_line(value), 40) if value not in (None, "") else "empty"
