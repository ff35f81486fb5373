"""The answer of the Match action: what was given comes back, once each, ready for JSON."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tasks.rules.asset_sync.matching.match import match
from tasks.rules.asset_sync.matching.result import TYPE_CALL, MatchOptions, match_answer
from tasks.rules.mapping.compile import CompiledMapping, compile_mapping
from tasks.rules.mapping.model import read_mappings

MAPPING = compile_mapping(
    read_mappings({"n": "name", "s": "serialNumber", "m": "macAddress", "model": "modelNumber"}), prefixes={}
)


def wire(record_id: int, **members: Any) -> dict[str, Any]:
    return {"id": record_id, "activeFlag": True, **members}


def answer(
    objects: list[dict[str, Any]], records: list[dict[str, Any]], mapping: CompiledMapping = MAPPING
) -> dict[str, list[dict[str, Any]]]:
    assets = [mapping.read_asset(each) for each in objects]
    result = match(assets, [mapping.read_configuration(each) for each in records], MatchOptions())
    return match_answer(
        result, mapping, {id(asset): each for asset, each in zip(assets, objects, strict=True)}
    )


def test_a_match_tells_on_what_and_what_differs() -> None:
    given_asset = {"n": "PC 1", "s": "S1", "model": "T14", "more": {"kept": [1, 2]}}
    answered = answer([given_asset], [wire(7, name="PC 1", serialNumber="S1", modelNumber="T13")])
    assert answered == {
        "matched": [
            {
                "asset": given_asset,
                "configuration": {
                    "id": 7,
                    "name": "PC 1",
                    "serialNumber": "S1",
                    "macAddress": None,
                    "activeFlag": True,
                    "customFields": {"ls_asset_id": None},
                },
                "matchedOn": "serial",
                "unmatchedFields": [{"field": "modelNumber", "current": "T13", "wanted": "T14"}],
            }
        ],
        "unmatched": [],
        "ambiguous": [],
    }


def test_another_type_is_told_as_a_call_of_its_own() -> None:
    mapping = compile_mapping(
        read_mappings({"n": "name", "s": "serialNumber", "t": "type.name"}), prefixes={}
    )
    record = wire(7, name="PC 1", serialNumber="S1", type={"id": 1, "name": "Server"})
    [matched] = answer([{"n": "PC 2", "s": "S1", "t": "Laptop"}], [record], mapping)["matched"]
    assert matched["unmatchedFields"] == [
        {"field": "name", "current": "PC 1", "wanted": "PC 2"},
        {"field": "type.name", "current": "Server", "wanted": "Laptop", "ownCall": TYPE_CALL},
    ]
    for same in ("server ", None, "Unknown"):
        [matched] = answer([{"n": "PC 1", "s": "S1", "t": same}], [record], mapping)["matched"]
        assert matched["unmatchedFields"] == []


def test_what_a_stronger_key_contradicts_is_unmatched_with_a_warning() -> None:
    answered = answer([{"n": "PC 1", "s": "S2"}], [wire(7, name="PC 1", serialNumber="S1")])
    (unmatched,) = answered["unmatched"]
    assert unmatched["asset"] == {"n": "PC 1", "s": "S2"}
    assert "serial" in unmatched["warning"]


def test_two_equal_assets_keep_their_own_objects() -> None:
    first, second = {"n": "twin", "at": 1}, {"n": "twin", "at": 2}
    answered = answer([first, second], [wire(7, name="twin")])
    assert sorted(each["asset"]["at"] for each in answered["ambiguous"]) == [1, 2]
    assert all(each["reason"] and each["candidates"] for each in answered["ambiguous"])


values = st.none() | st.sampled_from(["a", "b", "c", "0", ""])
assets = st.lists(
    st.fixed_dictionaries({"n": values, "s": values, "key": values, "other": st.integers()}), max_size=6
)
records = st.lists(st.fixed_dictionaries({"name": values, "serialNumber": values}), max_size=6)


@given(assets, records)
def test_every_asset_comes_back_once_and_the_answer_is_json(
    objects: list[dict[str, Any]], found: list[dict[str, Any]]
) -> None:
    answered = answer(objects, [wire(number, **each) for number, each in enumerate(found, 1)])
    came_back = [each["asset"] for listed in answered.values() for each in listed]
    assert Counter(map(json.dumps, came_back)) == Counter(map(json.dumps, objects))
    assert json.loads(json.dumps(answered)) == answered
    matched = [each["configuration"]["id"] for each in answered["matched"]]
    assert len(matched) == len(set(matched))
