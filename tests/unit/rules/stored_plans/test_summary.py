"""A plan's kinds of change: counted per field and value, the same of a plan and of its stored entries."""

from __future__ import annotations

from tasks.rules.asset_sync.matching.result import MatchResult, Unmatched
from tasks.rules.asset_sync.plan_entries import plan_entries, tally_of
from tasks.rules.asset_sync.render import plan_markdown
from tasks.rules.stored_plans.summary import MOST_DISTINCT, PlanTally
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
    assert list(tally.lines()) == list(tally_of(plan).lines())


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
