"""Whose text holds, by what the journal says was written, what the asset has and what ConnectWise has."""

from __future__ import annotations

import pytest

from tasks.rules.edits import conflicts_of, kept_of
from tasks.rules.enrichment.edits import EditedTexts, may_be_edited, without_edits
from tasks.rules.enrichment.plan import AssetUpdate, ConfigurationName, EnrichmentPlan
from tasks.rules.enrichment.render import enrichment_plan_markdown
from tasks.rules.mapping.model import OnConflict
from tasks.rules.values import FieldChange
from tests.support.factories.enrichment import asset

PC = ConfigurationName(7, "PC", "k1")


def plan_of(*changes: FieldChange) -> EnrichmentPlan:
    return EnrichmentPlan(updates=[AssetUpdate(asset("k1"), PC, changes)], read=1)


def decided(
    base: list[str] | None,
    current: str | None,
    wanted: str,
    *,
    rule: EditedTexts = EditedTexts.KEEP,
    on_conflict: OnConflict = OnConflict.CONNECTWISE,
    name: str = "cw_sla",
) -> EnrichmentPlan:
    plan = plan_of(FieldChange(name, current, wanted))
    written = {} if base is None else {"k1": {name: base}}
    left = without_edits(plan, written, rule, on_conflict)
    assert left.counts.read == plan.counts.read == 1
    return left


@pytest.mark.parametrize(
    ("base", "current", "wanted", "written", "kept", "conflicts"),
    [
        # Nobody knows what was written: a first run, or a lost ledger.
        (None, "typed", "Gold", True, 0, 0),
        ([], "typed", "Gold", True, 0, 0),
        # Only ConnectWise's value changed.
        (["Gold"], "Gold", "Silver", True, 0, 0),
        # Only a person changed it.
        (["Gold"], "typed", "Gold", False, 1, 0),
        # Both did.
        (["Gold"], "typed", "Silver", True, 0, 1),
        # Emptied, or of a field that was deleted and made again: nothing typed is lost.
        (["Gold"], None, "Gold", True, 0, 0),
        (["Gold"], " ", "Gold", True, 0, 0),
        # Sent last without an answer: written, or not.
        (["Gold", "Silver"], "Silver", "Gold", True, 0, 0),
        (["Gold", "Silver"], "Gold", "Silver", True, 0, 0),
        (["Gold", "Silver"], "typed", "Silver", False, 1, 0),
        # ConnectWise has nothing any more, and the text is a person's.
        (["Gold"], "typed", "", True, 0, 1),
    ],
)
def test_whose_text_holds(
    base: list[str] | None, current: str | None, wanted: str, written: bool, kept: int, conflicts: int
) -> None:
    left = decided(base, current, wanted)
    assert (bool(left.updates), left.unchanged) == (written, not written)
    assert (len(kept_of(left.edits)), len(conflicts_of(left.edits))) == (kept, conflicts)


@pytest.mark.parametrize(
    ("rule", "on_conflict", "edit", "conflict"),
    [
        (EditedTexts.KEEP, OnConflict.CONNECTWISE, False, True),
        (EditedTexts.KEEP, OnConflict.LANSWEEPER, False, False),
        (EditedTexts.KEEP, OnConflict.REPORT, False, False),
        (EditedTexts.REPLACE, OnConflict.CONNECTWISE, True, True),
        (EditedTexts.REPLACE, OnConflict.LANSWEEPER, True, True),
    ],
)
def test_the_settings_say_what_is_written(
    rule: EditedTexts, on_conflict: OnConflict, edit: bool, conflict: bool
) -> None:
    for wanted, is_written in (("Gold", edit), ("Silver", conflict)):
        left = decided(["Gold"], "typed", wanted, rule=rule, on_conflict=on_conflict)
        assert bool(left.updates) is is_written
        assert [each.current for each in left.edits] == ["typed"]


def test_totals_compare_by_value_and_the_other_texts_of_an_asset_are_written() -> None:
    assert decided(["3"], "3.0", "4", name="cw_total_tickets").edits == []
    plan = plan_of(FieldChange("cw_sla", "typed", "Gold"), FieldChange("cw_open_tickets", "1", "2"))
    written = {"k1": {"cw_sla": ["Gold"], "cw_open_tickets": ["1"]}}
    left = without_edits(plan, written, EditedTexts.KEEP, OnConflict.CONNECTWISE)
    [update] = left.updates
    assert [each.field for each in update.changes] == ["cw_open_tickets"]
    page = enrichment_plan_markdown(left).replace("\\", "")
    assert "cw_sla: was Gold, Lansweeper has typed, ConnectWise Gold: kept" in page


def test_the_configurations_address_is_written_always() -> None:
    left = decided(["https://a"], "typed", "https://a", name="cw_configuration_url")
    assert (bool(left.updates), [each.on_conflict for each in left.edits]) == (True, [OnConflict.CONNECTWISE])


def test_only_assets_of_which_a_text_is_replaced_are_asked_about() -> None:
    assert may_be_edited(plan_of(FieldChange("cw_sla", None, "Gold"))) == []
    assert may_be_edited(plan_of(FieldChange("cw_sla", "Iron", "Gold"))) == ["k1"]


def test_a_text_that_can_not_be_compared_costs_no_other() -> None:
    class Broken(str):
        def strip(self, chars: str | None = None, /) -> str:
            raise ValueError("no text")

    plan = plan_of(FieldChange("cw_sla", Broken("x"), "Gold"))
    plan.updates.insert(0, AssetUpdate(asset("k2"), PC, (FieldChange("cw_sla", "Iron", "Gold"),)))
    plan.read = 2
    written = {"k1": {"cw_sla": ["Gold"]}, "k2": {"cw_sla": ["Iron"]}}
    left = without_edits(plan, written, EditedTexts.KEEP, OnConflict.CONNECTWISE)
    assert [each.asset.key for each in left.updates] == ["k2"]
    assert "no text" in left.skipped[0].reason
    assert left.counts.read == 2
