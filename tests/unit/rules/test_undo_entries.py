"""A stored plan of an undo against the plan of now: what is the same, done or drifted, and what is left."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from tasks.rules.stored_plans.drift import PlanComparison
from tasks.rules.stored_plans.entries import EntryKind, PlanEntry, entry_of
from tasks.rules.undo import UndoPlan, UndoRefusal, UndoStep, undo_markdown, within
from tasks.rules.undo_entries import narrowed_undo, tally_of_undo, undo_compared_with, undo_entries
from tests.unit.rules.asset_sync.test_undo import write

PLAN = "plan-1a2b3c4d5e6f"
DELL, HP = {"id": 3, "name": "Dell"}, {"id": 4, "name": "HP"}


def fields(**values: Any) -> UndoStep:
    return UndoStep("modify", 5, "PC", "k5", values, dict.fromkeys(values, "as the run left it"))


TYPE = UndoStep("change_type", 5, "PC", "k5", {"type": DELL}, {"type": HP})
DELETION = UndoStep("delete", 6, "PC 2", None)
BEFORE = UndoPlan([fields(name="PC 1", manufacturer=DELL), TYPE, DELETION])


def stored(plan: UndoPlan) -> list[PlanEntry]:
    return [entry_of(orjson.loads(orjson.dumps(each.as_dict()))) for each in undo_entries(plan)]


def compared(before: UndoPlan, now: UndoPlan) -> PlanComparison:
    comparison = undo_compared_with(now)
    for each in stored(before):
        comparison.take(each)
    return comparison


def test_a_plan_against_itself_is_the_same_step_by_step() -> None:
    comparison = compared(BEFORE, BEFORE)
    assert (len(comparison.same), comparison.done, comparison.drifted) == (3, 0, [])
    assert narrowed_undo(BEFORE, comparison.why_left(PLAN)) == BEFORE


@pytest.mark.parametrize(
    ("now", "words"),
    [
        ([TYPE, DELETION], "name: Changed since"),
        ([fields(manufacturer=DELL), TYPE, DELETION], "name: Changed since"),
    ],
)
def test_a_record_that_a_person_changed_since_has_drifted(now: list[UndoStep], words: str) -> None:
    plan = UndoPlan(now, [UndoRefusal(5, "PC", "name", "Changed since: it is now 'B'.", "k5")])
    comparison = compared(BEFORE, plan)
    [drifted] = comparison.drifted
    assert words in drifted.words()
    left = narrowed_undo(plan, comparison.why_left(PLAN))
    assert left.steps == [TYPE, DELETION]


def test_other_values_and_records_that_are_gone_have_drifted() -> None:
    other = UndoPlan([fields(name="PC 1", manufacturer=HP), TYPE, DELETION])
    assert ["Dell (3), is" in each.why for each in compared(BEFORE, other).drifted] == [True]
    gone = UndoPlan([DELETION], [UndoRefusal(5, "PC", None, "The configuration was deleted since.", "k5")])
    comparison = compared(BEFORE, gone)
    assert [each.why for each in comparison.drifted] == ["The configuration was deleted since."] * 2
    assert (
        "configuration 6"
        in compared(UndoPlan([DELETION]), UndoPlan(refused=[UndoRefusal(6, "", None, "x")]))
        .drifted[0]
        .words()
    )


def test_a_type_that_stays_is_no_configuration_of_the_same_id() -> None:
    now = UndoPlan(list(BEFORE.steps))
    now.refuse(write("create_reference", record_kind="configuration type", record_id=5), "It stays.")
    assert compared(BEFORE, now).drifted == []


def test_what_is_as_before_already_is_done_and_the_rest_is_the_same() -> None:
    comparison = compared(BEFORE, UndoPlan([fields(manufacturer=DELL)], undone_already=3))
    assert (len(comparison.same), comparison.done, comparison.drifted) == (1, 2, [])


def test_steps_that_the_plan_has_not_are_refused() -> None:
    new = UndoStep("modify", 7, "PC 3", "k7", {"name": "A"}, {"name": "B"})
    now = UndoPlan([*BEFORE.steps, new])
    left = narrowed_undo(now, compared(BEFORE, now).why_left(PLAN))
    assert (left.steps, [each.name for each in left.refused]) == (BEFORE.steps, ["PC 3"])


def test_assets_have_no_ids_and_are_known_by_their_keys() -> None:
    def step(place: int, key: str) -> UndoStep:
        return UndoStep("modify", place, key, key, {"cw_sla": ""}, {"cw_sla": "Gold"})

    before = UndoPlan([step(0, "k1"), step(1, "k2"), step(2, "k3")], by_asset=True)
    refusal = UndoRefusal(None, "k1", "cw_sla", "Changed since: it is now 'Iron'.", "k1")
    now = UndoPlan([step(0, "k2"), step(1, "k3")], [refusal], by_asset=True)
    comparison = compared(before, now)
    assert [each.entry.asset_key for each in comparison.drifted] == ["k1"]
    assert len(comparison.same) == 2
    assert narrowed_undo(now, {"modify k2": "why"}).steps == now.steps[1:]


def test_a_step_that_has_no_text_costs_no_other_and_is_never_the_same() -> None:
    class Broken:
        def __str__(self) -> str:
            raise ValueError("no text")

    plan = UndoPlan([fields(name=Broken()), DELETION], [UndoRefusal(8, "PC", "notes", "Changed since.")])
    assert [(each.kind, bool(each.digest)) for each in stored(plan)] == [
        (EntryKind.MODIFY, False),
        (EntryKind.DELETE, True),
        (EntryKind.REFUSED, False),
    ]
    comparison = compared(plan, plan)
    assert [each.why for each in comparison.drifted] == ["it could not be shown whole"]
    assert narrowed_undo(plan, comparison.why_left(PLAN)).steps == [DELETION]


def test_the_page_says_the_kinds_of_change_before_the_steps() -> None:
    plan = UndoPlan(
        [*(UndoStep("modify", n, "PC", None, {"status": DELL}, {"status": HP}) for n in range(4)), DELETION]
    )
    lines = [each.replace("\\", "") for each in tally_of_undo(plan).lines()]
    assert lines == ["status: HP (4) → Dell (3), 4", "Configurations that are deleted: 1"]
    page = undo_markdown(plan, plan_id=PLAN, kinds="## Kinds of change", drifted=["1 of 5 changed."])
    assert (
        page.index(PLAN)
        < page.index("a real run is refused")
        < page.index("## Kinds")
        < page.index("## Steps")
    )


def test_only_what_the_shown_plan_has_is_written_when_records_are_read_again() -> None:
    again = [fields(name="PC 1", notes="new"), UndoStep("modify", 9, "PC", None, {"name": "A"}), DELETION]
    assert within(again, BEFORE.steps) == [
        UndoStep("modify", 5, "PC", "k5", {"name": "PC 1"}, again[0].current),
        DELETION,
    ]
    assert within([fields(notes="new")], BEFORE.steps) == []
