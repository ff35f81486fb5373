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
from tasks.rules.text import ROWS, bullets, cell, counted, section
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
        found = self.fields.setdefault(change.field, ChangedFieldTally())
        found.add(*convert_or(change, _shown_change, _unshown_change))

    def entry(self, entry: PlanEntry) -> None:
        """Count an entry of a stored plan."""
        if entry.kind is EntryKind.CREATE:
            types = (shown_value(each.wanted) for each in entry.changes if each.field == TYPE_FIELD)
            self.types[next(types, NO_TYPE)] += 1
        elif entry.kind is EntryKind.DELETE:
            self.deleted += 1
        elif entry.kind.writes:
            for each in entry.changes:
                self.change(each)

    def lines(self) -> Iterator[str]:
        """Markdown lines: changes by field, the most frequent first, then creations by type, deletions."""
        for name, found in sorted(self.fields.items(), key=lambda each: (-each[1].total, each[0])):
            yield from _field_lines(name, found)
        for name, count in sorted(self.types.items(), key=lambda each: (-each[1], each[0])):
            yield f"New configurations of {cell(name)}: {count:,}"
        if self.deleted:
            yield f"Configurations that are deleted: {self.deleted:,}"


def _field_lines(name: str, found: ChangedFieldTally) -> Iterator[str]:
    frequent = found.frequent()
    for current, wanted, count in frequent:
        yield f"{cell(name)}: {cell(current, 60)} → {cell(wanted, 60)}, {count:,}"
    rest = found.total - sum(count for *_, count in frequent)
    if rest:
        what = counted(rest, "further change") if frequent else f"{counted(rest, 'change')}, no two alike"
        yield f"{cell(name)}: {what}"


def _shown_change(change: FieldChange) -> tuple[str, str]:
    return shown_value(change.current), shown_value(change.wanted)


def _unshown_change(_: FieldChange, error: Exception) -> tuple[str, str]:
    return "?", problem_words(error)


def shown_value(value: Any) -> str:
    """A value as it is told; a long one, of which only the start is, costs no more than that."""
    return "" if value is None else str(value)[:200]


def kinds_section(tally: PlanTally, rows: int = ROWS) -> str:
    """The section of a plan's page that says what kinds of change there are; empty without any."""
    lines = list(tally.lines())
    return section(KINDS_OF_CHANGE, bullets(lines, rows, len(lines)))


def plan_id_words(plan_id: str) -> list[str]:
    """Under which id the whole plan is kept, as Markdown; nothing where it is not."""
    command = f"connectwise-flows plans show {plan_id}"
    return [f"Plan id: `{plan_id}`; every record: `{command}`"] if plan_id else []
