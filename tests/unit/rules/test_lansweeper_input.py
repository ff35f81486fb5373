"""The edit of one asset, with no scanned field locked unasked, and what the types of custom fields need."""

from __future__ import annotations

from typing import Any

import pytest

from connectors.lansweeper.models import CustomField
from tasks.rules.lansweeper_input import FREE, SCANNED, FieldType, asset_edit, checked_props, custom_field_key
from tasks.rules.limits import LimitError


def defined(key: str, name: str) -> CustomField:
    return {"key": key, "name": name, "type": "TEXTAREA", "props": None}


FIELDS = [defined("k1", "cw_sla"), defined("k2", "CW_SLA"), defined("k3", "cw_agreement_id")]


def test_custom_fields_are_named_by_key_or_name_and_are_texts() -> None:
    edit = asset_edit({"cw_sla": "Gold", "CW_SLA": None, "CW_Agreement_Id ": 7}, {}, FIELDS)
    assert edit == {
        "assetCustom": {
            "fields": [
                {"fieldKey": "k1", "value": "Gold"},
                {"fieldKey": "k2", "value": ""},
                {"fieldKey": "k3", "value": "7"},
            ]
        }
    }


def test_the_same_spelling_goes_before_another_case() -> None:
    assert custom_field_key("CW_SLA", FIELDS) == "k2"
    assert custom_field_key("Cw_Sla", FIELDS) == "k1"


def test_an_unknown_name_is_told_with_its_neighbours() -> None:
    with pytest.raises(LimitError, match=r"no custom field 'cw_slas'.*Near it: cw_sla"):
        asset_edit({"cw_slas": "x"}, {}, FIELDS)
    with pytest.raises(LimitError, match=r"no custom field 'x'.*Create it first"):
        asset_edit({"x": "x"}, {}, [])


def test_one_field_named_twice_is_refused() -> None:
    with pytest.raises(LimitError, match="cw_sla is given twice"):
        asset_edit({"k1": "a", "cw_sla": "b"}, {}, FIELDS)


def test_free_members_are_written_beside_custom_fields() -> None:
    edit = asset_edit({"cw_sla": "Gold"}, {"assetCustom": {"comment": "on loan", "lastPatched": ""}}, FIELDS)
    assert edit["assetCustom"] == {
        "comment": "on loan",
        "lastPatched": None,
        "fields": [{"fieldKey": "k1", "value": "Gold"}],
    }


@pytest.mark.parametrize("value", ["mine", {"value": "mine"}])
def test_a_scanned_member_is_refused_with_the_reason_unless_asked_for(value: Any) -> None:
    fields = {"assetBasicInfo": {"name": value}}
    with pytest.raises(
        LimitError, match=r"scan fills assetBasicInfo\.name.*no longer change it.*Allow Locking"
    ):
        asset_edit({}, fields, [])
    assert asset_edit({}, fields, [], allow_locking=True) == {"assetBasicInfo": {"name": {"value": "mine"}}}


@pytest.mark.parametrize(
    ("section", "name"), [(section, name) for section, names in SCANNED.items() for name in sorted(names)]
)
def test_every_wrapped_member_is_guarded(section: str, name: str) -> None:
    with pytest.raises(LimitError, match="Allow Locking"):
        asset_edit({}, {section: {name: "2025-01-01"}}, [])


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({}, "nothing to write"),
        ({"assetCustom": {}}, "nothing to write"),
        (
            {"assetcustom": {"comment": "x"}},
            r"'assetcustom' can't be edited. Use assetBasicInfo, assetCustom",
        ),
        ({"assetCustom": "x"}, "assetCustom is not an object"),
        ({"assetCustom": {"stateName": "x"}}, r"assetCustom\.stateName can't be edited\. Members of"),
        ({"assetCustom": {"fields": []}}, "Give custom fields by name"),
        ({"assetCustom": {"comment": ["x"]}}, r"assetCustom\.comment is list, not a text"),
        ({"assetCustom": {"comment": True}}, r"assetCustom\.comment is bool, not a text"),
    ],
)
def test_what_cannot_be_written_is_one_clear_error(fields: dict[str, Any], words: str) -> None:
    with pytest.raises(LimitError, match=words):
        asset_edit({}, fields, [])


def test_no_member_is_both_scanned_and_free() -> None:
    assert SCANNED.keys() == FREE.keys()
    assert not any(SCANNED[section] & FREE[section] for section in FREE)


@pytest.mark.parametrize(
    ("kind", "props"),
    [
        ("SELECT", {"options": ["Gold", "Silver"]}),
        ("NUMERIC", {"minNumericValue": 0, "maxNumericValue": 0}),
        ("NUMERIC", {"maxNumericValue": -1}),
        ("CURRENCY", {"currencyType": "GPB"}),
        ("HYPERLINK", {"linkTag": "Open"}),
    ],
)
def test_what_a_type_takes_is_sent_as_it_is(kind: FieldType, props: dict[str, Any]) -> None:
    assert checked_props(kind, props) == props


@pytest.mark.parametrize("kind", ["INPUT", "TEXTAREA", "DATE", "TIME", "NUMERIC", "HYPERLINK", "CURRENCY"])
def test_most_types_need_nothing(kind: FieldType) -> None:
    assert checked_props(kind, None) is None
    assert checked_props(kind, {}) is None


@pytest.mark.parametrize(
    ("kind", "props", "words"),
    [
        ("TEXTAREA", {"options": ["a"]}, "a TEXTAREA custom field has no options. It takes none"),
        ("NUMERIC", {"linkTag": "a"}, "It takes minNumericValue and maxNumericValue"),
        ("SELECT", None, "needs options"),
        ("SELECT", {"options": []}, "needs options"),
        ("SELECT", {"options": ["a", " "]}, "needs options"),
        ("SELECT", {"options": "ab"}, "needs options"),
        ("SELECT", {"options": ["a", "a"]}, "stands there twice"),
        ("NUMERIC", {"minNumericValue": "1"}, "minNumericValue is '1'. Give a whole number"),
        ("NUMERIC", {"maxNumericValue": True}, "maxNumericValue is True"),
        ("NUMERIC", {"minNumericValue": 2, "maxNumericValue": 1}, "2 is above maxNumericValue 1"),
    ],
)
def test_what_a_type_does_not_take_is_one_clear_error(
    kind: FieldType, props: dict[str, Any] | None, words: str
) -> None:
    with pytest.raises(LimitError, match=words):
        checked_props(kind, props)
