"""A filler is nowhere written, links nobody and names nothing, in matching and in mapping."""

from __future__ import annotations

import unicodedata
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.rules.asset_sync.compare import differences
from tasks.rules.asset_sync.matching.match import match
from tasks.rules.asset_sync.matching.result import MatchOptions
from tasks.rules.mapping.compile import compile_mapping
from tasks.rules.mapping.fillers import FILLERS, MoreFillers
from tasks.rules.mapping.model import FieldMapping, read_mappings
from tasks.rules.values import AssetRecord, ConfigurationRecord

PAIRS = {
    "n": "name",
    "s": "serialNumber",
    "m": "modelNumber",
    "mac": "macAddress",
    "tag": "tagNumber",
    "p": "ram",
    "warranty": "warrantyExpirationDate",
    "ip": "ipAddress",
}
MAPPING = compile_mapping([*read_mappings(PAIRS), FieldMapping(source="maker", target="manufacturer.name")])


def read(asset: dict[str, Any]) -> AssetRecord:
    return MAPPING.read_asset({"key": "k", "n": "WS-7", **asset})


def held(**values: Any) -> ConfigurationRecord:
    record = {"id": 1, "name": "WS-7", "customFields": [{"caption": "ls_asset_id", "value": "k"}], **values}
    return MAPPING.read_configuration(record)


@pytest.mark.parametrize(
    "asset",
    [
        {"s": "123456790"},
        {"m": "To Be Filled By O.E.M."},
        {"mac": "ac:de:48:00:11:22"},
        {"tag": "No Asset Tag"},
        {"maker": "System manufacturer"},
        {"p": "Not Specified"},
        {"m": "0001-01-01T00:00:00Z"},
        {"n": "localhost"},
        {"n": "To be filled by OEM"},
        {"warranty": "1970-01-01T00:00:00Z"},
        {"warranty": "0001-01-01T00:00:00Z"},
        {"warranty": "1900-01-01"},
        {"warranty": "1900-01-01T00:00:00.000Z"},
        {"warranty": "1969-12-31T19:00:00-05:00"},
        {"warranty": "00010101"},
        {"warranty": "01/01/1970"},
        {"warranty": 0},
        {"warranty": -62135596800000},
        {"ip": "169.254.3.4"},
    ],
)
def test_a_filler_overwrites_nothing(asset: dict[str, str]) -> None:
    real = held(
        serialNumber="5CG1", modelNumber="X1", macAddress="3C:00:00:00:00:01", tagNumber="T1", ram="8 GB",
        manufacturer={"id": 1, "name": "Dell"}, warrantyExpirationDate="2026-05-01T00:00:00Z",
        ipAddress="10.0.0.7",
    )  # fmt: skip
    assert differences(read(asset), real, MAPPING) == []


def test_a_name_that_says_nothing_is_kept_for_a_new_configuration() -> None:
    assert read({"n": "localhost"}).wanted[0] == "localhost"


@pytest.mark.parametrize("authority", ["lansweeper", "fill"])
def test_a_real_value_takes_the_place_of_a_filler(authority: str) -> None:
    mapping = compile_mapping([FieldMapping(source="s", target="serialNumber", authority=authority)])
    asset = mapping.read_asset({"key": "k", "s": "5CG1"})
    record = mapping.read_configuration({"id": 1, "serialNumber": "To be filled by O.E.M."})
    assert [(each.field, each.wanted) for each in differences(asset, record, mapping)] == [
        ("serialNumber", "5CG1"),
        ("customFields.ls_asset_id", "k"),
    ]


@pytest.mark.parametrize("value", ["To be filled by O.E.M.", "0000-0000", "123456790", "N/A"])
def test_two_strangers_with_one_filler_are_not_linked(value: str) -> None:
    asset = AssetRecord("k", "A", value, None, ())
    record = ConfigurationRecord(1, "B", None, value, None, True, ())
    assert [each.asset.key for each in match([asset], [record]).unmatched] == ["k"]


@given(st.text(), st.text(), st.text())
def test_nothing_of_what_was_written_is_written_again(name: str, model: str, serial: str) -> None:
    """Whatever the text, and in whichever normal form ConnectWise keeps it."""
    asset = read({"n": name, "m": model, "s": serial, "p": model})
    wanted = dict(zip(("name", "serialNumber", "modelNumber", "", "", "ram"), asset.wanted, strict=False))
    for form in ("NFC", "NFD"):
        kept = {path: unicodedata.normalize(form, value) for path, value in wanted.items() if path and value}
        assert [each for each in differences(asset, held(**kept), MAPPING) if each.field in kept] == []


def test_added_fillers_hold_in_matching_and_in_mapping() -> None:
    added = FILLERS.and_more(MoreFillers(serials=["POOL"], models=["Loaner"]))
    asset = AssetRecord("k", "A", "Pool", None, ())
    record = ConfigurationRecord(1, "B", None, "POOL", None, True, ())
    options = MatchOptions(case_sensitive=False, fillers=added)
    assert match([asset], [record], options).matched == []
    mapping = compile_mapping(read_mappings({"m": "modelNumber"}), fillers=added)
    assert mapping.read_asset({"key": "k", "m": "loaner"}).wanted[0] is None


def test_the_link_is_taken_as_it_is() -> None:
    mapping = compile_mapping([FieldMapping(source="id", target="customFields.ls_asset_id")])
    assert mapping.read_asset({"id": "None"}).key == "None"
    assert mapping.read_asset({"id": "1234"}).wanted == ("1234",)


def test_what_a_custom_field_holds_is_told_by_its_source() -> None:
    mapping = compile_mapping(
        [
            FieldMapping(source="assetCustom.serialNumber", target="customFields.Serial"),
            FieldMapping(source="assetCustom.comment", target="customFields.Comment"),
        ]
    )
    asset = {"key": "k", "assetCustom": {"serialNumber": "123456", "comment": "123456"}}
    assert mapping.read_asset(asset).wanted[:2] == (None, "123456")


REFERENCES = compile_mapping(
    [
        FieldMapping(source="maker", target="manufacturer.name"),
        FieldMapping(source="place", target="site.name"),
        FieldMapping(source="note", target="customFields.Location"),
    ]
)


@pytest.mark.parametrize(
    "value", ["Unknown", "Default string", "N/A", "unbekannt", "Unkn\u043ewn", "0001-01-01", "--"]
)
def test_a_filler_is_no_name_of_a_reference_and_no_custom_field(value: str) -> None:
    asset = REFERENCES.read_asset({"key": "k", "maker": value, "place": value, "note": value})
    assert asset.wanted == (None, None, None, "k")


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_a_number_that_json_does_not_know_empties_no_custom_field(value: float) -> None:
    assert REFERENCES.read_asset({"key": "k", "note": value}).wanted[2] is None
