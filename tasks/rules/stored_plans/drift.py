"""A stored plan held against the plan as it is now: what is still to be written, done, or decided otherwise.

Only that may be written by a plan's id which a person has seen: an entry whose decision is the same as when
the plan was stored. What a run that was killed has written already is done and no drift; of a record whose
fields it wrote in part, the rest is still the same decision. Entries are taken one by one, so that the stored
plan is never in memory as a whole. A feature says of each what became of it (``judge``).
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from enum import StrEnum

from tasks.rules.isolation import bounded, convert_or, problem_words
from tasks.rules.stored_plans.entries import PlanEntry, marks
from tasks.rules.text import counted, plain_line
from tasks.rules.values import FieldChange

NAMED_IN_REFUSAL = 20
"""Records that a refusal names."""
FIELDS_TOLD = 3
"""Fields that are told of one record."""
SAME, WARNED, DONE = "same", "same with other warnings", "done"
"""What is said of a stored entry that has not drifted; any other text says why it has."""

UNSHOWN = "it could not be shown whole"


class DriftRule(StrEnum):
    """What is done where records of a stored plan are decided otherwise by now."""

    REFUSE = "refuse"
    REST = "rest"


@dataclass(frozen=True, slots=True)
class DriftedEntry:
    """An entry of the stored plan that is decided otherwise now, and why; ``key`` is that of its record."""

    key: str
    entry: PlanEntry
    why: str

    def words(self) -> str:
        key, number = self.entry.asset_key, self.entry.configuration_id
        record = f"asset {plain_line(key)}" if key else f"configuration {number}"
        return bounded(f"{plain_line(self.entry.name)} ({record}): {self.why}").removesuffix(".") + "."


def asset_of(entry: PlanEntry) -> str:
    """The key of an entry's asset, of which a plan has one entry."""
    return entry.asset_key


@dataclass(slots=True)
class PlanComparison:
    """Takes the entries of the stored plan and sorts them.

    ``judge``: ``SAME``, ``WARNED`` or ``DONE`` of an entry, or why it is decided otherwise. ``written``: keys
    of what the plan of now writes, as ``key_of`` has them; ``same``: those whose entry is still the decision.
    ``done``: entries that the vendor already shows. ``drifted``: entries that are decided otherwise.
    ``warned``: how many are the same decision with other warnings, as creations of a plan give each other.
    """

    judge: Callable[[PlanEntry], str]
    written: Collection[str]
    key_of: Callable[[PlanEntry], str] = asset_of
    same: set[str] = field(default_factory=set)
    done: int = 0
    warned: int = 0
    drifted: list[DriftedEntry] = field(default_factory=list)

    def take(self, entry: PlanEntry) -> None:
        """Sort one entry of the stored plan; those of which nothing is written say nothing."""
        if not entry.kind.writes:
            return
        found = convert_or(
            entry, self.judge, lambda _, error: f"it can't be compared: {problem_words(error)}"
        )
        key = self.key_of(entry)
        if found in (SAME, WARNED):
            self.same.add(key)
            self.warned += found == WARNED
        elif found == DONE:
            self.done += 1
        else:
            self.drifted.append(DriftedEntry(key, entry, found))

    def why_left(self, plan_id: str) -> dict[str, str]:
        """Why records of the current plan are not written: they drifted, or the stored plan has them not."""
        new = f"Not in {plan_id}, so it is left for another run."
        found = {key: new for key in self.written if key not in self.same}
        drifted = {each.key: each.why for each in self.drifted if each.key in self.written}
        return found | {key: f"Changed since {plan_id} was made: {why}" for key, why in drifted.items()}


def same_changes(entry: PlanEntry, now: PlanEntry, holds: Callable[[FieldChange], bool]) -> str:
    """``SAME``, or which fields are decided otherwise.

    ``holds``: whether the record already has what a change wants. A record that has some of the planned
    values, and is to get the others, is the same decision.
    """
    if not entry.digest or not now.digest:
        return UNSHOWN
    if now.digest == entry.digest:
        return SAME
    left = set(marks(now.changes))
    written = [each for each in entry.changes if not set(marks([each])) & left]
    if left <= set(marks(entry.changes)) and all(map(holds, written)):
        return SAME
    return difference(entry, now)


def done_or_given_up(entry: PlanEntry, holds: Callable[[FieldChange], bool]) -> str:
    """Of a record that nothing is written of now: ``DONE``, or which fields are no longer to be changed."""
    if not entry.digest:
        return UNSHOWN
    other = [each for each in entry.changes if not holds(each)]
    if not other:
        return DONE
    return f"{', '.join(each.field for each in other[:FIELDS_TOLD])} is not to be changed any more"


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
    new = len(comparison.written) - len(comparison.same)
    new -= sum(each.key in comparison.written for each in comparison.drifted)
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


def difference(planned: PlanEntry, now: PlanEntry) -> str:
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
        for name in fields[:FIELDS_TOLD]
    ]
    more = [f"and {counted(len(fields) - FIELDS_TOLD, 'more field')}"] if len(fields) > FIELDS_TOLD else []
    return "; ".join([*told, *more]) or UNSHOWN


def _change(change: FieldChange | None) -> str:
    if change is None:
        return "not to change"
    return f"{_shown(change.current)} → {_shown(change.wanted)}"


def _shown(value: object) -> str:
    return bounded(plain_line(value), 40) if value not in (None, "") else "empty"
