"""What kinds of change a plan holds: per field each value that becomes another, with how often, most first.

A plan of a thousand changes is seen on one screen this way, where its first records say little. Counting is
bounded: of a field with thousands of different changes, such as serial numbers, only their number is told.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from tasks.rules.isolation import convert_or, problem_words
from tasks.rules.stored_plans.entries import EntryKind, PlanEntry
from tasks.rules.text import EMPTY, ROWS, cell, counted, section, unescaped
from tasks.rules.values import FieldChange

MOST_DISTINCT = 2000
"""Different changes of one field that are counted each by itself."""
SHOWN_OF_FIELD = 10
"""Changes of one field that are told each by itself."""
TYPE_FIELD = "type.name"
"""The field by which creations are told."""
NO_TYPE = "no type"
KINDS_OF_CHANGE = "Kinds of change"
"""The heading above the first thing that a person reads of a plan."""


@dataclass(slots=True)
class ChangedFieldTally:
    """The changes of one field: each current and wanted value with how often, and how many all are."""

    total: int = 0
    pairs: Counter[tuple[str, str]] = field(default_factory=Counter)

    def add(self, current: str, wanted: str) -> None:
        self.total += 1
        pair = (current, wanted)
        if pair in self.pairs or len(self.pairs) < MOST_DISTINCT:
            self.pairs[pair] += 1

    def frequent(self) -> list[tuple[str, str, int]]:
        """The changes that several records share, the most frequent first; all of a field with few."""
        several = len(self.pairs) > SHOWN_OF_FIELD
        found = sorted(self.pairs.items(), key=lambda each: (-each[1], each[0]))
        return [(*pair, count) for pair, count in found if count > 1 or not several][:SHOWN_OF_FIELD]


@dataclass(slots=True)
class PlanTally:
    """The kinds of change of a plan. ``types``: how many configurations of each type are created.

    ``deleted``: how many are deleted.
    """

    fields: dict[str, ChangedFieldTally] = field(default_factory=dict)
    types: Counter[str] = field(default_factory=Counter)
    deleted: int = 0

    def change(self, change: FieldChange) -> None:
        found = self.fields.get(change.field)
        if found is None:
            found = self.fields[change.field] = ChangedFieldTally()
        found.add(*_pair(change))

    def entry(self, entry: PlanEntry) -> None:
        """Count an entry of a stored plan."""
        if entry.kind is EntryKind.CREATE:
            self.types[_type_of(entry)] += 1
        elif entry.kind is EntryKind.DELETE:
            self.deleted += 1
        elif entry.kind.writes:
            for each in entry.changes:
                self.change(each)

    def kinds(self) -> list[KindOfChange]:
        """Changes by field, the most frequent first, then creations by type, then deletions."""
        found: list[KindOfChange] = []
        for name, changed in sorted(self.fields.items(), key=lambda each: (-each[1].total, each[0])):
            found += _field_kinds(name, changed)
        for name, count in sorted(self.types.items(), key=lambda each: (-each[1], each[0])):
            found.append(KindOfChange(f"New configurations of {cell(name)}: {count:,}", ("", "create", name)))
        if self.deleted:
            found.append(KindOfChange(f"Configurations that are deleted: {self.deleted:,}", ("", "delete")))
        return found

    def lines(self) -> list[str]:
        """The kinds of change in words, as Markdown."""
        return [each.words for each in self.kinds()]


@dataclass(frozen=True, slots=True)
class KindOfChange:
    """One kind of change: ``words`` as Markdown, and the mark that a record's change of it has."""

    words: str
    mark: tuple[str, ...]


class KindNumbers:
    """Numbers the kinds of change from 1 on, and tells of a record which it has."""

    def __init__(self, tally: PlanTally) -> None:
        self.lines = tally.lines()
        self._numbers = {each.mark: number for number, each in enumerate(tally.kinds(), 1)}

    def of(self, entry: PlanEntry) -> list[int]:
        """The kinds of an entry, sorted; none where nothing is written."""
        return sorted({self._numbers[each] for each in self._marks(entry) if each in self._numbers})

    def of_change(self, change: FieldChange) -> int | None:
        """The kind of one changed field; None where the plan has none such."""
        return self._numbers.get(self._mark(change))

    def words(self, number: int) -> str:
        """The kind of that number as plain text, for forms and notes."""
        return unescaped(self.lines[number - 1].replace(EMPTY, "empty"))

    def _mark(self, change: FieldChange) -> tuple[str, ...]:
        mark = (change.field, *_pair(change))
        return mark if mark in self._numbers else (change.field,)

    def _marks(self, entry: PlanEntry) -> Iterator[tuple[str, ...]]:
        if entry.kind is EntryKind.CREATE:
            yield ("", "create", _type_of(entry))
        elif entry.kind is EntryKind.DELETE:
            yield ("", "delete")
        elif entry.kind.writes:
            yield from map(self._mark, entry.changes)


def _field_kinds(name: str, found: ChangedFieldTally) -> Iterator[KindOfChange]:
    frequent = found.frequent()
    for current, wanted, count in frequent:
        words = f"{cell(name)}: {cell(current, 60)} → {cell(wanted, 60)}, {count:,}"
        yield KindOfChange(words, (name, current, wanted))
    rest = found.total - sum(count for *_, count in frequent)
    if rest:
        what = counted(rest, "further change") if frequent else f"{counted(rest, 'change')}, no two alike"
        yield KindOfChange(f"{cell(name)}: {what}", (name,))


def _type_of(entry: PlanEntry) -> str:
    types = (shown_value(each.wanted) for each in entry.changes if each.field == TYPE_FIELD)
    return next(types, NO_TYPE)


def _pair(change: FieldChange) -> tuple[str, str]:
    return convert_or(change, _shown_change, _unshown_change)


def _shown_change(change: FieldChange) -> tuple[str, str]:
    return shown_value(change.current), shown_value(change.wanted)


def _unshown_change(_: FieldChange, error: Exception) -> tuple[str, str]:
    return "?", problem_words(error)


def shown_value(value: Any) -> str:
    """A value as it is told; a long one, of which only the start is, costs no more than that."""
    return "" if value is None else str(value)[:200]


def kinds_section(tally: PlanTally, plan_id: str = "", rows: int = ROWS) -> str:
    """The section of a plan's page that says what kinds of change there are; empty without any.

    They are numbered. With a ``plan_id`` it says how the records of one are shown.
    """
    lines = tally.lines()
    if not lines:
        return ""
    shown = [f"{number}. {line}" for number, line in enumerate(lines[:rows], 1)]
    more = [f"… and {len(lines) - rows:,} more"] if len(lines) > rows else []
    how = [f"The records of one: `{show_command(plan_id)} --kind NUMBER`"] if plan_id else []
    return section(KINDS_OF_CHANGE, "\n\n".join(["\n".join(shown), *more, *how]))


def plan_id_words(plan_id: str) -> list[str]:
    """Under which id the whole plan is kept, as Markdown; nothing where it is not."""
    return [f"Plan id: `{plan_id}`; every record: `{show_command(plan_id)}`"] if plan_id else []


def show_command(plan_id: str) -> str:
    """The command that shows a stored plan whole."""
    return f"connectwise-flows plans show {plan_id}"
