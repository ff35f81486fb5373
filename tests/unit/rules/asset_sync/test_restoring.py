"""What puts members back that a PUT reset: named by the canary, sent as the journal's values."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.rules.asset_sync.journal import unmapped_changes, values_to_restore
from tests.support.factories.asset_sync import wire, with_values


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
