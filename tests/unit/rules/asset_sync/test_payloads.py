"""What is sent: creations, whole records of a PUT, operations of a PATCH."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tasks.rules.asset_sync.compare import differences
from tasks.rules.asset_sync.decide import decide_creation
from tasks.rules.asset_sync.payloads import creation_payload, overlay, patch_operations, without_info
from tasks.rules.mapping.compile import compile_mapping
from tasks.rules.mapping.model import read_mappings
from tasks.rules.values import FieldChange
from tests.support.factories.asset_sync import (
    COMPANY,
    REFERENCES,
    asset,
    compiled,
    configuration,
    payload_of,
    wire,
)


def created(**values: Any) -> dict[str, Any]:
    record = payload_of(asset(**values)).record
    assert record is not None
    return record


def test_a_creation_names_references_by_id_and_leaves_absent_values_out() -> None:
    assert created(
        manufacturer_name="Dell", serialNumber=" S1 ", purchaseDate="2025-10-11T07:35:18.250Z"
    ) == {
        "name": "PC k1",
        "type": {"id": 11},
        "company": {"id": COMPANY},
        "manufacturer": {"id": 31},
        "serialNumber": "S1",
        "purchaseDate": "2025-10-11T07:35:18Z",
        "customFields": [{"id": 5, "value": "k1"}],
    }


def test_an_unknown_location_is_left_out_with_a_warning() -> None:
    payload = payload_of(asset(location_name="Moon"))
    assert payload.record is not None
    assert "location" not in payload.record
    assert payload.warnings == ["location 'Moon' has no record in ConnectWise; location.name is left out"]


def test_a_too_long_model_is_left_out_not_cut() -> None:
    payload = payload_of(asset(modelNumber="m" * 300))
    assert payload.record is not None
    assert "modelNumber" not in payload.record
    assert "300 characters, ConnectWise allows 50" in payload.warnings[0]


def test_a_too_long_name_skips_the_asset() -> None:
    payload = payload_of(asset(name="n" * 101))
    assert payload.record is None
    assert payload.skipped == "name has 101 characters, ConnectWise allows 100"


def test_a_type_that_could_not_be_created_skips_the_asset() -> None:
    payload = payload_of(asset(type_name="Toaster"))
    assert payload.skipped == "configuration type 'ls_Toaster' has no record in ConnectWise"


def test_a_reference_that_could_not_be_created_after_the_plan_is_left_out_or_skips_the_asset() -> None:
    planned = decide_creation(
        asset(location_name="Moon", type_name="Toaster"), compiled(), lambda path, name: None
    )
    known = {**REFERENCES, "type.name": {**REFERENCES["type.name"], "ls_toaster": 12}}
    payload = creation_payload(planned.values, compiled(), known, COMPANY)
    assert payload.record is not None
    assert "location" not in payload.record
    assert payload.record["type"] == {"id": 12}
    assert payload.warnings == ["location 'Moon' has no record in ConnectWise; location.name is left out"]
    without = creation_payload(planned.values, compiled(), REFERENCES, COMPANY)
    assert without.skipped == "configuration type 'ls_Toaster' has no record in ConnectWise"


def test_an_asset_without_a_type_is_skipped() -> None:
    payload = payload_of(asset(type_name=None))
    assert payload.skipped == "No value for type.name, which a configuration needs"


def test_an_asset_that_could_not_be_linked_is_skipped() -> None:
    payload = payload_of(asset(key=""))
    assert payload.skipped == "Lansweeper gives no key for it"
    unlinked = compile_mapping(read_mappings({"name": "name", "type_name": "type.name"}))
    keyed = unlinked.read_asset({"key": "k", "name": "PC", "type_name": "Linux"})
    payload = payload_of(keyed, unlinked)
    assert (
        payload.skipped == "customFields.ls_asset_id is not a custom field of configurations in ConnectWise"
    )


def test_an_overlay_keeps_what_is_not_mapped_and_moves_the_twin_id() -> None:
    changes = [
        FieldChange("location.name", "Main", "Tampa"),
        FieldChange("customFields.ls_asset_url", None, "u"),
    ]
    record = overlay(wire(), changes, compiled(), REFERENCES)
    assert (record["location"], record["locationId"]) == ({"id": 41}, 41)
    assert record["customFields"][1:] == [
        {"id": 9, "caption": "Rack", "type": "Text", "value": "R1"},
        {"id": 6, "value": "u"},
    ]
    assert (record["vendorNotes"], record["questions"]) == ("kept", wire()["questions"])
    assert "_info" not in str(record)


def test_a_cleared_value_is_left_out_of_the_put_and_removed_by_the_patch() -> None:
    changes = [FieldChange("notes", "old", None)]
    assert "notes" not in overlay(wire(notes="old"), changes, compiled(), REFERENCES)
    operations = patch_operations(changes, configuration(notes="old"), compiled(), REFERENCES)
    assert operations[0] == {"op": "remove", "path": "notes"}


def test_a_patch_always_ends_with_all_mapped_custom_fields() -> None:
    changes = [FieldChange("manufacturer.name", None, "HP")]
    assert patch_operations(changes, configuration(), compiled(), REFERENCES) == [
        {"op": "replace", "path": "manufacturer", "value": {"id": 32}},
        {"op": "replace", "path": "customFields", "value": [{"id": 5, "value": "k1"}]},
    ]


def test_a_patch_of_a_custom_field_names_its_new_value() -> None:
    changes = [FieldChange("customFields.ls_asset_url", "a", "b")]
    operations = patch_operations(changes, configuration(), compiled(), REFERENCES)
    assert [each["path"] for each in operations] == ["customFields"]
    assert {"id": 6, "value": "b"} in operations[0]["value"]


texts = st.none() | st.text(alphabet="aB 1é|", max_size=6)
wanted = st.fixed_dictionaries(
    {
        "serialNumber": texts,
        "modelNumber": texts,
        "notes": texts,
        "macAddress": st.sampled_from([None, "00:1D:9C:D1:F6:DF", "001d.9cd1.f6df"]),
        "purchaseDate": st.sampled_from([None, "2025-10-11T07:35:18.9Z", "2025-10-11"]),
        "manufacturer_name": st.sampled_from([None, "Dell", "HP"]),
        "location_name": st.sampled_from([None, "Tampa", "DOCK 4"]),
        "activeFlag": st.sampled_from([None, True, False]),
        "customFields_ls_asset_url": texts,
    }
)
MAPPED = {"name", "type", "status", "manufacturer", "location", "locationId", "customFields"}


@given(wanted, wanted)
def test_an_overlay_leaves_no_difference_and_touches_nothing_unmapped(old: Any, new: Any) -> None:
    mapping = compiled()
    before = wire(**{key: value for key, value in old.items() if "_" not in key and value is not None})
    fresh = mapping.read_configuration(before)
    changes = differences(asset(**new), fresh, mapping)
    after = overlay(before, changes, mapping, REFERENCES)
    assert differences(asset(**new), mapping.read_configuration(_named(after)), mapping) == []
    changed = {change.field.partition(".")[0] for change in changes} | {"_info", "locationId"}
    assert {k: v for k, v in after.items() if k not in changed} == {
        k: without_info(v) for k, v in before.items() if k not in changed
    }
    assert after["customFields"][1] == before["customFields"][1]


def _named(record: dict[str, Any]) -> dict[str, Any]:
    """The record as the server would answer it: references with the names of their ids."""
    names = {i: name for by_name in REFERENCES.values() for name, i in by_name.items()}
    return {
        key: {"name": names[value["id"]], **value}
        if isinstance(value, dict) and value["id"] in names
        else value
        for key, value in record.items()
    }
