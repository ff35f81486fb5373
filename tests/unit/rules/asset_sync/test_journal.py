"""The canary: did the first bulk PUT change more than it was told to, and what is sent to put that back."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.rules.asset_sync.undo import unmapped_changes, values_to_restore
from tasks.rules.values import FieldChange
from tests.support.factories.asset_sync import wire, with_values

CHANGES = [FieldChange("serialNumber", None, "S2"), FieldChange("location.name", "Main", "Tampa")]


def after(**members: Any) -> dict[str, Any]:
    info = {"lastUpdated": "2026-02-02T00:00:00Z"}
    return wire(serialNumber="S2", location={"id": 41}, locationId=41, _info=info, **members)


def test_only_what_was_written_changed() -> None:
    assert unmapped_changes(wire(), after(), CHANGES) == []


@pytest.mark.parametrize(
    "members",
    [
        {"vendorNotes": ""},
        {"vendorNotes": None},
        {"billFlag": True},
        {"parentConfigurationId": 4},
        {"status": {"id": 2, "name": "Active"}},
        {"questions": [{"questionId": 1, "answer": None}]},
        {"company": {"id": 7}},
    ],
)
def test_a_member_that_was_not_written_is_named(members: dict[str, Any]) -> None:
    assert unmapped_changes(wire(), after(**members), CHANGES) == list(members)


def test_a_reset_custom_field_is_named_by_its_caption() -> None:
    fields = [{"id": 5, "caption": "ls_asset_id", "value": "k1"}, {"id": 9, "caption": "Rack", "value": None}]
    assert unmapped_changes(wire(), after(customFields=fields), CHANGES) == ["customFields.Rack"]


def test_defaults_that_are_written_out_are_no_change() -> None:
    quiet = after(needsRenewalFlag=False, backupFailed=0, notes="", contact=None, vendorNotes=" kept ")
    quiet["status"] = {"id": 1, "name": "Active (renamed)"}
    assert unmapped_changes(wire(), quiet, CHANGES) == []


@pytest.mark.parametrize(
    ("member", "key", "value"),
    [
        ("vendorNotes", "vendorNotes", "kept"),
        ("customFields.Rack", "customFields/9", "R1"),
        ("status", "status", {"id": 2, "name": "Active"}),
        ("warrantyExpirationDate", "warrantyExpirationDate", None),
    ],
)
def test_a_member_gets_the_value_it_had(member: str, key: str, value: Any) -> None:
    before = wire(status={"id": 2, "name": "Active", "_info": {"status_href": "https://x"}})
    assert values_to_restore(before, [member]) == {key: value}


def test_a_custom_field_without_a_caption_is_named_by_its_id() -> None:
    before = wire(customFields=[{"id": 9, "value": "R1"}])
    assert values_to_restore(before, ["customFields.9"]) == {"customFields/9": "R1"}


texts = st.none() | st.sampled_from(["a", "b"])
members = st.fixed_dictionaries({"vendorNotes": texts, "notes": texts, "tagNumber": texts, "rack": texts})


def record(values: dict[str, Any]) -> dict[str, Any]:
    fields = [
        {"id": 5, "caption": "ls_asset_id", "value": "k1"},
        {"id": 9, "caption": "Rack", "value": values["rack"]},
    ]
    return wire(**{name: value for name, value in values.items() if name != "rack"}, customFields=fields)


@given(members, members)
def test_whatever_the_canary_names_is_put_back(old: dict[str, Any], new: dict[str, Any]) -> None:
    before, after = record(old), record(new)
    named = unmapped_changes(before, after, [])
    restored = with_values(after, values_to_restore(before, named))
    assert unmapped_changes(before, restored, []) == []
