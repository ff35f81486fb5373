"""The decision on the record as it is right before it is written."""

from __future__ import annotations

from typing import Any

import pytest

from tasks.rules.asset_sync.compare import differences
from tasks.rules.asset_sync.decide import FreshDecision, decide_changes, decide_fresh, known_problems
from tasks.rules.mapping.compile import compile_mapping
from tasks.rules.mapping.model import FieldMapping
from tasks.rules.values import AssetRecord, FieldChange
from tests.support.factories.asset_sync import COMPANY, REFERENCES, asset, compiled, configuration, wire


def again(
    asset_record: AssetRecord,
    planned_on: dict[str, Any],
    fresh: dict[str, Any] | None,
    **authorities: str,
) -> FreshDecision:
    """Plan on one state of the record, decide again on the other."""
    mapping = compiled(**authorities)
    planned = differences(asset_record, mapping.read_configuration(planned_on), mapping)
    return decide_fresh(
        asset_record,
        planned,
        fresh,
        mapping,
        REFERENCES,
        company_id=COMPANY,
        planned_key=mapping.read_configuration(planned_on).asset_key,
    )


def test_nothing_moved() -> None:
    decision = again(asset(serialNumber="S2"), wire(), wire())
    assert (decision.changes, decision.moved, decision.refused) == (
        [FieldChange("serialNumber", None, "S2")],
        [],
        None,
    )


@pytest.mark.parametrize("member", ["name", "type", "company", "customFields"])
def test_a_record_that_is_not_whole_is_not_written_back(member: str) -> None:
    part = {name: value for name, value in wire().items() if name != member}
    assert "take away what was not read" in str(again(asset(serialNumber="S2"), wire(), part).refused)


def test_an_edit_to_an_unmapped_field_does_not_matter() -> None:
    assert again(asset(serialNumber="S2"), wire(), wire(vendorNotes="edited")).moved == []


def test_an_edit_to_a_mapped_field_meets_the_authority_again() -> None:
    edited = wire(serialNumber="typed by hand")
    lansweeper = again(asset(serialNumber="S2"), wire(), edited)
    assert lansweeper.changes == [FieldChange("serialNumber", "typed by hand", "S2")]
    assert lansweeper.moved == ["serialNumber"]
    fill = again(asset(serialNumber="S2"), wire(), edited, serialNumber="fill")
    assert (fill.changes, fill.moved) == ([], ["serialNumber"])


def test_a_value_that_somebody_already_set_is_not_written() -> None:
    decision = again(asset(serialNumber="S2"), wire(), wire(serialNumber="S2"))
    assert (decision.changes, decision.refused) == ([], None)


def test_a_mapped_field_that_was_fine_and_is_edited_is_written_too() -> None:
    decision = again(asset(serialNumber="S2"), wire(), wire(name="renamed"))
    assert [change.field for change in decision.changes] == ["name", "serialNumber"]


def test_a_record_without_its_custom_fields_is_not_written_back() -> None:
    bare = wire()
    del bare["customFields"]
    assert "without its custom fields" in str(again(asset(serialNumber="S2"), wire(key=None), bare).refused)
    emptied = again(asset(serialNumber="S2"), wire(), wire(key=None))
    assert (emptied.changes, emptied.refused is not None) == ([], True)


def test_a_record_that_had_no_key_at_the_plan_is_linked() -> None:
    decision = again(asset(serialNumber="S2"), wire(key=None), wire(key=None))
    assert decision.refused is None
    assert "customFields.ls_asset_id" in [change.field for change in decision.changes]


def test_a_record_of_another_asset_is_refused() -> None:
    decision = again(asset(serialNumber="S2"), wire(key=None), wire(key="k9"))
    assert decision.refused == "The configuration is now linked to asset k9."
    assert decision.changes == []


def test_a_planned_take_over_goes_on() -> None:
    decision = again(asset(), wire(key="gone"), wire(key="gone"))
    assert ("customFields.ls_asset_id", "gone", "k1") in [
        (change.field, change.current, change.wanted) for change in decision.changes
    ]


def test_a_record_that_is_gone_or_moved_is_refused() -> None:
    assert again(asset(), wire(), None).refused == "The configuration no longer exists."
    moved = again(asset(), wire(), wire(company={"id": 8}))
    assert moved.refused == "The configuration was moved to the company with id 8."


def test_a_reference_whose_creation_failed_is_left_out() -> None:
    decision = again(asset(manufacturer_name="Cray", serialNumber="S2"), wire(), wire())
    assert [change.field for change in decision.changes] == ["serialNumber"]


def test_a_type_change_is_never_among_the_changes() -> None:
    decision = again(asset(type_name="Linux"), wire(), wire(), type_name="lansweeper")
    assert (decision.changes, decision.moved) == ([], [])


def test_a_name_is_never_cleared_and_a_company_never_changed() -> None:
    changes = [FieldChange("name", "PC", None)]
    decision = decide_changes(changes, configuration(), compiled(), known_problems(REFERENCES))
    assert (decision.nothing, decision.warnings) == (
        True,
        ["name can't be empty in ConnectWise; it is left alone"],
    )


def test_an_object_in_place_of_a_value_is_left_out_with_words_and_the_rest_is_written() -> None:
    mapping = compile_mapping(
        [
            FieldMapping(source=source, target=target)
            for source, target in {
                "a": "notes",
                "b": "ram",
                "a ": "serialNumber",
                "[a]": "modelNumber",
                "c": "osType",
                "d": "vendorNotes",
            }.items()
        ]
    )
    asset = mapping.read_asset({"key": "k1", "a": {"x": 1}, "b": ["8 GB", 16], "c": "W\t11", "d": {}})
    assert asset.serial is None
    found = differences(asset, mapping.read_configuration(wire()), mapping)
    decision = decide_changes(found, mapping.read_configuration(wire()), mapping, known_problems({}))
    assert {each.field: each.wanted for each in decision.changes} == {"ram": "8 GB, 16", "osType": "W 11"}
    assert [warning.partition(" ")[0] for warning in decision.warnings] == [
        "notes",
        "serialNumber",
        "modelNumber",
    ]
    assert all("takes one value, the mapping gives several" in warning for warning in decision.warnings)
