"""The entries of a plan: one a record, the same after the ledger, another digest for another decision."""

from __future__ import annotations

from typing import Any

import orjson
from hypothesis import given
from hypothesis import strategies as st

from tasks.rules.asset_sync.matching.result import Ambiguous, MatchResult, Unmatched
from tasks.rules.asset_sync.plan import Creation, Modification, Skipped
from tasks.rules.asset_sync.plan_entries import (
    creation_entry,
    modification_entry,
    plan_entries,
)
from tasks.rules.stored_plans.entries import EntryKind, PlanEntry, entry_of, json_value, marks
from tasks.rules.values import AssetRecord, FieldChange
from tests.support.factories.asset_sync import asset, compiled, configuration
from tests.unit.rules.asset_sync.test_plan import match, planned

PATHS = tuple(each.path for each in compiled().fields)


def stored(entry: PlanEntry) -> PlanEntry:
    return entry_of(orjson.loads(orjson.dumps(entry.as_dict())))


def test_every_record_of_the_plan_has_one_entry() -> None:
    result = MatchResult(
        matched=[match("k1"), match("k2", 101, serialNumber="S2"), match("k3", 102, type_name="Linux")],
        unmatched=[Unmatched(asset("k4"), "looks alike"), Unmatched(asset("k5", name="n" * 101))],
        ambiguous=[Ambiguous(asset("k6"), [configuration(103, None)], "two of one serial number")],
        orphaned=[configuration(104, "gone")],
    )
    found = list(plan_entries(planned(result, compiled(type_name="lansweeper"))))
    assert [(each.kind.value, each.asset_key, each.configuration_id) for each in found] == [
        ("create", "k4", None),
        ("modify", "k2", 101),
        ("change type", "k3", 102),
        ("ambiguous", "k6", None),
        ("skipped", "k5", None),
        ("orphaned", "gone", 104),
    ]
    assert found[0].notes == ("looks alike",)
    assert found[1].changes == (FieldChange("serialNumber", None, "S2"),)
    assert found[3].notes == ("two of one serial number", "candidate: PC None (103)")
    assert [each.kind.writes for each in found] == [bool(each.digest) for each in found]
    assert [stored(each) for each in found] == found


def test_a_creation_has_the_values_that_are_written_and_no_other() -> None:
    made = planned(MatchResult(unmatched=[Unmatched(asset(location_name="Moon", serialNumber="S2"))]))
    [entry] = plan_entries(made)
    assert {each.field: each.wanted for each in entry.changes} == {
        "name": "PC k1",
        "type.name": "ls_Windows",
        "serialNumber": "S2",
        "customFields.ls_asset_id": "k1",
    }
    assert "location.name is left out" in entry.notes[0]


values = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.characters(categories=["Cs"])
)


@given(values, values)
def test_a_value_is_the_same_before_and_after_the_ledger(one: Any, other: Any) -> None:
    change = FieldChange("name", json_value(one), json_value(other))
    again = FieldChange("name", *orjson.loads(orjson.dumps([change.current, change.wanted])))
    assert marks([again]) == marks([change]) == marks([FieldChange("name", one, other)])


@given(st.lists(values, min_size=len(PATHS), max_size=len(PATHS)), st.text())
def test_an_entry_is_the_same_before_and_after_the_ledger(wanted: list[Any], key: str) -> None:
    entry = creation_entry(Creation(AssetRecord(key, None, None, None, ()), tuple(wanted), ("w",)), PATHS)
    assert stored(entry) == entry
    assert (
        entry.digest
        != creation_entry(
            Creation(AssetRecord(key + "x", None, None, None, ()), tuple(wanted), ("w",)), PATHS
        ).digest
    )


def test_another_decision_has_another_digest() -> None:
    made = Modification(asset(), configuration(1, "k1"), "link", (FieldChange("name", "a", "b"),))
    others = [
        Modification(asset(), configuration(2, "k1"), "link", made.changes),
        Modification(asset("k2"), configuration(1, "k1"), "link", made.changes),
        Modification(asset(), configuration(1, "k1"), "link", (FieldChange("name", "c", "b"),)),
        Modification(
            asset(), configuration(1, "k1"), "link", made.changes, FieldChange("type.name", "x", "y")
        ),
    ]
    digests = {modification_entry(each).digest for each in [made, *others]}
    assert len(digests) == len(others) + 1
    warned = Modification(asset(), configuration(1, "k1"), "serial", made.changes, warnings=("left out",))
    assert modification_entry(warned).digest == modification_entry(made).digest
    values = asset().wanted
    creation = Creation(asset(), values)
    assert (
        creation_entry(creation, PATHS).digest
        == creation_entry(Creation(asset(), values, ("w",)), PATHS).digest
    )
    left_out = Creation(asset(), (None, *values[1:]), ("no such name",))
    assert creation_entry(creation, PATHS).digest != creation_entry(left_out, PATHS).digest


def test_a_record_that_has_no_text_costs_no_other() -> None:
    class Broken:
        def __str__(self) -> str:
            raise ValueError("no text")

    made = planned(MatchResult(unmatched=[Unmatched(asset("k1")), Unmatched(asset("k2"))]))
    made.creations[0] = Creation(AssetRecord("k1", None, None, None, ()), (Broken(),) * len(made.paths))
    made.skipped = [Skipped(asset("k3"), "why")]
    found = list(plan_entries(made))
    assert [(each.kind, each.asset_key, bool(each.digest)) for each in found] == [
        (EntryKind.CREATE, "k1", False),
        (EntryKind.CREATE, "k2", True),
        (EntryKind.SKIPPED, "k3", False),
    ]
    assert "no text" in found[0].notes[0]
