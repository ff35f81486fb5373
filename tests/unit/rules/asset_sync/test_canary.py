"""The check of the first bulk batch: did the PUT change more than it was told to?"""

from __future__ import annotations

from typing import Any

import pytest

from tasks.rules.asset_sync.journal import unmapped_changes
from tasks.rules.values import FieldChange
from tests.support.factories.asset_sync import wire

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
