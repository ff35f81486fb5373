"""The entries of an undo's plan, what became of a stored one by now, and what is left of both.

A decision to undo is: these values go back to this record, or the record is deleted. That the record is
still as the undone run left it is what an undo looks at anyway.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from tasks.rules.isolation import convert_or, problem_words
from tasks.rules.stored_plans.drift import DONE, PlanComparison, same_changes
from tasks.rules.stored_plans.entries import (
    EntryKind,
    PlanEntry,
    digest_of,
    encodable_text,
    entries_of,
    json_value,
)
from tasks.rules.stored_plans.summary import PlanTally
from tasks.rules.undo import UndoPlan, UndoRefusal, UndoStep
from tasks.rules.values import FieldChange

_KINDS = {"modify": EntryKind.MODIFY, "change_type": EntryKind.CHANGE_TYPE, "delete": EntryKind.DELETE}


def undo_entries(plan: UndoPlan) -> Iterator[PlanEntry]:
    """Every entry of a plan: what is put back or deleted, then what is refused."""
    yield from (step_entry(each, plan.by_asset) for each in plan.steps)
    yield from entries_of(plan.refused, _refused, EntryKind.REFUSED)


def step_entry(step: UndoStep, by_asset: bool = False) -> PlanEntry:
    """The entry of a step; ``by_asset``: the record is an asset, and has no id.

    One whose values have no text says so, and is the same as no other.
    """
    key, number = encodable_text(step.asset_key or ""), None if by_asset else step.record_id
    whole = PlanEntry(_KINDS[step.action], key, number, encodable_text(step.name))

    def filled(step: UndoStep) -> PlanEntry:
        changes = tuple(
            FieldChange(encodable_text(each), _value(step.current.get(each)), _value(value))
            for each, value in step.values.items()
        )
        wanted = [FieldChange(each.field, None, each.wanted) for each in changes]
        return replace(whole, changes=changes, digest=digest_of(["undo", step.action, number, key], wanted))

    return convert_or(
        step, filled, lambda _, error: replace(whole, notes=(f"It can't be shown: {problem_words(error)}",))
    )


def tally_of_undo(plan: UndoPlan) -> PlanTally:
    """The kinds of change of a plan that was just made."""
    tally = PlanTally()
    for each in plan.steps:
        tally.entry(step_entry(each, plan.by_asset))
    return tally


def undo_compared_with(current: UndoPlan) -> PlanComparison:
    """Compares stored entries with the plan of now."""
    steps = {_step_key(each): each for each in (step_entry(one, current.by_asset) for one in current.steps)}
    refused: dict[tuple[str, str | None], str] = {}
    for each in current.refused:
        record = (each.asset_key or "") if current.by_asset else str(each.record_id)
        refused.setdefault((record, each.field), each.reason)
    return PlanComparison(_UndoJudge(steps, refused).judge, steps.keys(), _step_key)


def narrowed_undo(plan: UndoPlan, left: Mapping[str, str]) -> UndoPlan:
    """The plan without the steps of ``left`` (key -> why), which are refused."""
    keyed = [(_step_key(step_entry(each, plan.by_asset)), each) for each in plan.steps]
    refused = [
        UndoRefusal(None if plan.by_asset else each.record_id, each.name, None, left[key], each.asset_key)
        for key, each in keyed
        if key in left
    ]
    steps = [each for key, each in keyed if key not in left]
    return replace(plan, steps=steps, refused=[*plan.refused, *refused])


def _step_key(entry: PlanEntry) -> str:
    """The step that an entry stands for: one record may have its fields and its type put back apart."""
    return f"{entry.kind} {_record(entry)}"


@dataclass(slots=True)
class _UndoJudge:
    """Says what became of a stored entry, by the plan of now: its steps, and why what is refused."""

    steps: Mapping[str, PlanEntry]
    refused: Mapping[tuple[str, str | None], str]

    def judge(self, entry: PlanEntry) -> str:
        record = _record(entry)
        for name in (None, *(each.field for each in entry.changes)):
            if (why := self.refused.get((record, name))) is not None:
                return f"{name}: {why}" if name else why
        now = self.steps.get(_step_key(entry))
        # What is neither refused nor to be put back is as it was before the run.
        return DONE if now is None else same_changes(entry, now, lambda _: True)


def _record(entry: PlanEntry) -> str:
    return entry.asset_key if entry.configuration_id is None else str(entry.configuration_id)


def _value(value: Any) -> Any:
    """A value of the journal as JSON has it; of a reference its name and id."""
    if isinstance(value, Mapping) and "id" in value:
        return encodable_text(f"{value.get('name') or ''} ({value['id']})".strip())
    return json_value(value)


def _refused(each: UndoRefusal) -> PlanEntry:
    why = f"{each.field}: {each.reason}" if each.field else each.reason
    name, key = encodable_text(each.name), encodable_text(each.asset_key or "")
    return PlanEntry(EntryKind.REFUSED, key, each.record_id, name, notes=(encodable_text(why),))
