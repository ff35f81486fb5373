"""The model of the asset synchronization: values by hand, and matching that agrees with the product's own."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.chaos.asset_matching import Matching, Place, same
from benchmarks.chaos.asset_model import REFERENCES, Field, Model, have
from tasks.rules.asset_sync.matching.match import match
from tasks.rules.asset_sync.matching.result import MatchOptions
from tasks.rules.values import AssetRecord, ConfigurationRecord

ASSET: dict[str, Any] = {
    "key": "k-1",
    "url": "https://app.lansweeper.com/x",
    "assetBasicInfo": {"name": " WS-1 ", "type": "Windows", "mac": "3C:00:00:00:00:01"},
    "assetCustom": {
        "manufacturer": "To be filled by O.E.M.",
        "stateName": "LS_Broken",
        "serialNumber": "0000",
        "model": "m" * 51,
        "purchaseDate": "2025-01-02T03:04:05.678Z",
        "location": "Nowhere",
    },
    "processors": [{"name": "i5"}],
    "softwares": [{"name": "b", "version": "2"}, {"name": "A"}, {"name": "b", "version": "2"}, {"name": "c"}],
}


def model(**settings: Any) -> Model:
    made = Model(settings)
    tables: dict[str, list[dict[str, Any]]] = {collection: [] for collection, _ in REFERENCES.values()}
    tables["procurement/manufacturers"] = [{"id": 1, "name": "Compaq", "inactiveFlag": True}]
    made.learn_names(tables)
    return made


def test_what_an_asset_wants() -> None:
    made = model(software_lines=2)
    wanted = {field.target: made.wanted(ASSET, field) for field in made.fields}
    assert {name: value for name, value in wanted.items() if value is not None} == {
        "name": "WS-1",
        "type.name": "ls_Windows",
        "status.name": "LS_Broken",
        "location.name": "Nowhere",
        "modelNumber": "m" * 51,
        "macAddress": "3C:00:00:00:00:01",
        "purchaseDate": "2025-01-02T03:04:05Z",
        "cpuSpeed": "i5",
        "customFields.ls_asset_id": "k-1",
        "customFields.ls_asset_url": "https://app.lansweeper.com/x",
        "customFields.ls_software": "A\nb 2\n... and 1 more",
        "customFields.ls_asset_location": "Nowhere",
    }
    left_out = wanted.keys() - {field.target for field, _ in made.written(ASSET)}
    assert {"modelNumber", "location.name"} <= left_out
    assert "type.name" not in left_out


def test_an_inactive_record_is_not_used() -> None:
    made = model()
    maker = next(each for each in made.fields if each.target == "manufacturer.name")
    assert not made.is_writable(maker, " compaq")
    assert made.is_writable(maker, "Dell")


@pytest.mark.parametrize(
    ("change", "possible"),
    [({}, True), ({"name": "n" * 101}, False), ({"type": None}, False), ({"type": "t" * 48}, False)],
)
def test_what_can_be_created(change: dict[str, Any], possible: bool) -> None:
    asset = {**ASSET, "assetBasicInfo": {**ASSET["assetBasicInfo"], **change}}
    assert model().can_be_created(asset) is possible


@pytest.mark.parametrize(
    ("kind", "held", "wanted", "alike"),
    [
        ("text", " a ", "a", True),
        ("text", "A", "a", False),
        ("reference", "ls_windows", "ls_Windows", True),
        ("mac", "3c00.0000.0001", "3C:00:00:00:00:01", True),
        ("date", "2025-01-02T00:00:00Z", "2025-01-02T03:04:05Z", True),
        ("date", "2025-01-02T03:04:06Z", "2025-01-02T03:04:05Z", False),
        ("custom", "a\r\nb", "a\nb", True),
        ("text", None, "a", False),
    ],
)
def test_sameness(kind: str, held: Any, wanted: Any, alike: bool) -> None:
    assert same(kind, held, wanted) is alike


def test_mappings_in_any_form() -> None:
    made = model(
        mappings={"assetBasicInfo.name": "name", "assetBasicInfo.type": "type.name"},
        custom_field_mappings=[{"url": "ls_asset_url"}],
    )
    assert [(each.target, each.authority) for each in made.fields] == [
        ("name", "lansweeper"),
        ("type.name", "connectwise"),
        ("customFields.ls_asset_url", "lansweeper"),
        ("customFields.ls_asset_id", "lansweeper"),
    ]
    record = {"name": "n", "type": {"id": 1, "name": "t"}, "customFields": [{"caption": "ls_asset_url"}]}
    assert [have(record, each) for each in made.fields] == ["n", "t", None, None]


SERIALS = st.sampled_from([None, "S1", "s1", "S2", "None", " S2 "])
MACS = st.sampled_from([None, "3C:00:00:00:00:01", "3c0000000001", "3C:00:00:00:00:02", "00:00:00:00:00:00"])
NAMES = st.sampled_from([None, "n1", "N1", "n2", "localhost", "10.1.1.1"])
LINKS = st.sampled_from([None, None, "a", "b", "gone"])
IDENTITY = st.tuples(NAMES, SERIALS, MACS)


@given(
    assets=st.lists(IDENTITY, max_size=4),
    configurations=st.lists(st.tuples(IDENTITY, LINKS), max_size=5),
    case_sensitive=st.booleans(),
)
def test_both_ways_of_matching_come_to_the_same(
    assets: list[Any], configurations: list[Any], case_sensitive: bool
) -> None:
    keys = "abcd"
    made = Model({"case_sensitive_match": case_sensitive})
    sides = [
        made.asset_side(
            {"key": key, "assetBasicInfo": {"name": n, "mac": m}, "assetCustom": {"serialNumber": s}}
        )
        for key, (n, s, m) in zip(keys, assets, strict=False)
    ]
    others = [
        made.configuration_side(
            {
                "id": number,
                "name": name,
                "serialNumber": serial,
                "macAddress": mac,
                "customFields": [{"caption": "ls_asset_id", "value": link}],
            }
        )
        for number, ((name, serial, mac), link) in enumerate(configurations, start=1)
    ]
    found = {key: (place.kind, place.ids) for key, place in Matching(sides, others).places().items()}
    assert found == _by_the_product(keys, assets, configurations, case_sensitive)


def _by_the_product(keys: str, assets: Any, configurations: Any, case_sensitive: bool) -> dict[str, Any]:
    result = match(
        [AssetRecord(key, n, s, m, ()) for key, (n, s, m) in zip(keys, assets, strict=False)],
        [
            ConfigurationRecord(number, n, link, s, m, True, ())
            for number, ((n, s, m), link) in enumerate(configurations, start=1)
        ],
        MatchOptions(case_sensitive=case_sensitive, complete=True),
    )
    found: dict[str, Any] = {}
    for each in result.matched:
        kind = "linked" if each.matched_on == "link" else "matched"
        found[each.asset.key] = (kind, (each.configuration.id,))
    for one in result.ambiguous:
        contested = any(link == one.asset.key for _, link in configurations)
        ids = tuple(each.id for each in one.candidates)
        found[one.asset.key] = ("contested" if contested else "ambiguous", ids)
    for left in result.unmatched:
        found[left.asset.key] = ("unmatched", ())
    return found


def test_places_say_by_what() -> None:
    made = Model({})
    asset = made.asset_side(
        {"key": "a", "assetBasicInfo": {"name": "n"}, "assetCustom": {"serialNumber": "S1"}}
    )
    other = made.configuration_side({"id": 3, "name": "x", "serialNumber": "S1"})
    assert Matching([asset], [other]).places() == {"a": Place("matched", (3,), "serial number")}


def test_fields_know_their_member() -> None:
    assert Field("type.name", "a", "lansweeper", "reference").member == "type"
    assert Field("customFields.x", "a", "lansweeper", "custom").member == "customFields.x"
