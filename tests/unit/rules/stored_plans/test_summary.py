"""A plan's kinds of change: counted per field and value, the same of a plan and of its stored entries."""

from __future__ import annotations

from collections import Counter

from tasks.rules.asset_sync.matching.result import MatchResult, Unmatched
from tasks.rules.asset_sync.plan_entries import plan_entries, tally_of
from tasks.rules.asset_sync.render import plan_markdown
from tasks.rules.stored_plans.entries import EntryKind, PlanEntry
from tasks.rules.stored_plans.summary import (
    MOST_DISTINCT,
    SHOWN_OF_FIELD,
    KindNumbers,
    PlanTally,
    kinds_section,
)
from tasks.rules.values import FieldChange
from tests.support.factories.asset_sync import asset, compiled
from tests.unit.rules.asset_sync.test_plan import match, planned


def sample() -> MatchResult:
    status = {"status": {"id": 1, "name": "Active"}}
    return MatchResult(
        matched=[match(f"m{n}", n, status_name="ls_Active", current=status) for n in range(1, 119)]
        + [match(f"s{n}", n + 200, serialNumber=f"serial {n}") for n in range(12)]
        + [match("t", 300, type_name="Linux")],
        unmatched=[Unmatched(asset(f"n{n}", type_name="Linux" if n else "Windows")) for n in range(3)],
    )


def test_changes_are_told_per_field_and_value_and_creations_per_type() -> None:
    plan = planned(sample(), compiled(type_name="lansweeper"))
    lines = [line.replace("\\", "") for line in tally_of(plan).lines()]
    assert lines == [
        "status.name: Active → ls_Active, 118",
        "serialNumber: 12 changes, no two alike",
        "type.name: ls_Windows → ls_Linux, 1",
        "New configurations of ls_Linux: 2",
        "New configurations of ls_Windows: 1",
    ]
    text = plan_markdown(plan, plan_id="plan-1a2b3c4d5e6f")
    assert text.index("Active → ls\\_Active, 118") < text.index("## Changes")
    assert "`plan-1a2b3c4d5e6f`" in text


def test_a_stored_plan_tells_the_same() -> None:
    plan = planned(sample(), compiled(type_name="lansweeper"))
    tally = PlanTally()
    for each in plan_entries(plan):
        tally.entry(each)
    assert tally.lines() == tally_of(plan).lines()
    numbers = KindNumbers(tally)
    found = Counter(number for each in plan_entries(plan) for number in numbers.of(each))
    # As many records as each line says, each line once.
    assert [found[number] for number in range(1, len(tally.lines()) + 1)] == [118, 12, 1, 2, 1]


def test_kinds_are_numbered_and_the_page_says_how_the_records_of_one_are_shown() -> None:
    tally = tally_of(planned(sample(), compiled(type_name="lansweeper")))
    page = kinds_section(tally, "plan-1a2b", rows=2)
    assert [line[:3] for line in page.splitlines() if " Active" in line or "12 changes" in line] == [
        "1. ",
        "2. ",
    ]
    assert "… and 3 more" in page
    assert "`connectwise-flows plans show plan-1a2b --kind NUMBER`" in page
    assert "--kind" not in kinds_section(tally)
    assert kinds_section(PlanTally(), "plan-1a2b") == ""


def test_a_field_with_many_changes_has_a_kind_for_the_frequent_and_one_for_the_rest() -> None:
    tally = PlanTally()
    entries = [
        PlanEntry(EntryKind.MODIFY, f"k{n}", n, "PC", (FieldChange("notes", None, text),))
        for n, text in enumerate(["often", "often", *map(str, range(SHOWN_OF_FIELD))])
    ]
    for each in entries:
        tally.entry(each)
    assert [KindNumbers(tally).of(each) for each in entries] == [[1], [1], *[[2]] * SHOWN_OF_FIELD]
    left = PlanEntry(EntryKind.SKIPPED, "k", None, "PC")
    deleted = PlanEntry(EntryKind.DELETE, "", 5, "PC")
    tally.entry(deleted)
    assert [KindNumbers(tally).of(each) for each in (left, deleted)] == [[], [3]]


def test_counting_is_bounded_and_every_change_is_counted() -> None:
    tally = PlanTally()
    for n in range(3 * MOST_DISTINCT):
        tally.change(FieldChange("notes", None, f"text {n}"))
        tally.change(FieldChange("notes", "a", "b"))
    assert len(tally.fields["notes"].pairs) == MOST_DISTINCT
    assert list(tally.lines()) == [
        f"notes: a → b, {3 * MOST_DISTINCT:,}",
        f"notes: {3 * MOST_DISTINCT:,} further changes",
    ]
