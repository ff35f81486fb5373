"""A record that can't be matched, compared or planned is left alone with why, and the others go on."""

from __future__ import annotations

from typing import Any

import pytest

from tasks.rules.asset_sync.matching.match import match
from tasks.rules.asset_sync.matching.result import Match, MatchOptions, MatchResult, Unmatched, match_answer
from tasks.rules.asset_sync.plan import build_plan, compare_matched, needed_names
from tasks.rules.mapping.compile import compile_mapping
from tasks.rules.mapping.model import FieldMapping
from tasks.rules.values import AssetRecord, ConfigurationRecord
from tests.support.factories.asset_sync import asset as sample_asset
from tests.support.factories.asset_sync import compiled
from tests.unit.rules.asset_sync.test_plan import planned

MAPPED = compiled()


class _Spoilt:
    """A value that can't be compared."""

    def __eq__(self, other: object) -> bool:
        raise OverflowError("date value out of range")

    __hash__ = None  # type: ignore[assignment]


def test_an_asset_that_can_not_be_compared_is_skipped() -> None:
    mapping = compile_mapping([FieldMapping(source="a.name", target="name")])
    pairs = [
        Match(
            AssetRecord(f"key{number}", "pc", None, None, (value, f"key{number}")),
            ConfigurationRecord(number, "old", f"key{number}", None, None, True, ("old", f"key{number}")),
            "link",
        )
        for number, value in enumerate(["new", _Spoilt(), "old"])
    ]
    compared = compare_matched(pairs, mapping)
    plan = build_plan(MatchResult(matched=pairs), compared, mapping, {})
    assert (plan.counts.modified, plan.counts.unchanged, plan.counts.skipped) == (1, 1, 1)
    assert [each.asset_key for each in plan.skipped] == ["key1"]
    assert plan.skipped[0].reason.startswith("a number or date in it is out of range")


class _Unfoldable(str):
    """A text that fails in an unforeseen way wherever it is brought into a form that compares."""

    def strip(self, *_: Any) -> str:
        raise RecursionError("maximum recursion depth exceeded")


def _asset(key: str, serial: str | None, name: str | None = None, mac: str | None = None) -> AssetRecord:
    return AssetRecord(key, name, serial, mac, ())


def _configuration(number: int, key: str | None, serial: str | None, name: str | None = None) -> Any:
    return ConfigurationRecord(number, name, key, serial, None, True, ())


ODD = _Unfoldable("odd")


@pytest.mark.parametrize("member", ["serial", "name", "mac"])
def test_an_asset_whose_keys_can_not_be_compared_is_ambiguous_and_the_others_match(member: str) -> None:
    bad = _asset("k2", "S200", "pc2")
    setattr(bad, member, ODD)
    assets = [_asset("k1", "S100"), bad, _asset("k3", "S300"), _asset("k4", None)]
    result = match(assets, [_configuration(1, None, "S100"), _configuration(3, "k3", ODD)])
    assert [(each.asset.key, each.matched_on) for each in result.matched] == [
        ("k1", "serial"),
        ("k3", "link"),
    ]
    assert [each.asset.key for each in result.unmatched] == ["k4"]
    [left] = result.ambiguous
    assert left.asset.key == "k2"
    assert "Its keys can't be compared: it is nested too deeply" in left.reason


def test_nothing_is_linked_or_created_beside_a_configuration_whose_keys_can_not_be_compared() -> None:
    """It may be any asset's that is not linked already; but for that the run goes on."""
    assets = [_asset("k1", "S100"), _asset("k2", "S200"), _asset("k3", None)]
    configurations = [
        _configuration(1, "k1", "S100"),
        _configuration(2, None, "S200"),
        _configuration(7, None, None, ODD),
    ]
    result = match(assets, configurations, MatchOptions(complete=True))
    assert [each.asset.key for each in result.matched] == ["k1"]
    assert result.unmatched == []
    assert [each.asset.key for each in result.ambiguous] == ["k2", "k3"]
    assert "The keys of configuration 7 can't be compared" in result.ambiguous[0].reason


def test_a_key_read_twice_whose_values_have_no_text_ends_nothing() -> None:
    twice = [
        AssetRecord("k1", None, "S1", None, (_Spoilt(),)),
        AssetRecord("k1", None, "S1", None, (_Textless(),)),
    ]
    result = match([*twice, _asset("k2", "S2")], [])
    assert [each.asset.key for each in result.ambiguous] == ["k1"]
    assert {each.asset.key for each in result.unmatched} == {"k1", "k2"}


class _Textless:
    def __repr__(self) -> str:
        raise OverflowError("too large")


def test_an_asset_that_can_not_be_planned_is_skipped() -> None:
    """Its reference has no text, so neither the names that are needed nor the plan can be made of it."""
    assets = [sample_asset(f"k{number}") for number in range(3)]
    at = [each.path for each in MAPPED.fields].index("manufacturer.name")
    assets[1].wanted = (*assets[1].wanted[:at], _Textless(), *assets[1].wanted[at + 1 :])
    plan = planned(MatchResult(unmatched=[Unmatched(each) for each in assets]), MAPPED)
    assert [each.asset.key for each in plan.creations] == ["k0", "k2"]
    assert [each.asset_key for each in plan.skipped] == ["k1"]
    assert "a number or date in it is out of range" in plan.skipped[0].reason
    assert needed_names(assets, [], MAPPED)["type.name"] == ["ls_Windows"]


def test_an_answer_of_match_keeps_what_can_be_compared() -> None:
    mapping = compile_mapping([FieldMapping(source="a.name", target="name")])
    records = [
        AssetRecord(f"k{n}", "pc", None, None, (value, f"k{n}")) for n, value in enumerate(["new", _Spoilt()])
    ]
    pairs = [
        Match(each, ConfigurationRecord(n, "old", each.key, None, None, True, ("old", each.key)), "link")
        for n, each in enumerate(records)
    ]
    answer = match_answer(
        MatchResult(matched=pairs), mapping, {id(each): {"n": each.key} for each in records}
    )
    assert [each["asset"] for each in answer["matched"]] == [{"n": "k0"}]
    assert [each["asset"] for each in answer["ambiguous"]] == [{"n": "k1"}]
    assert "Its fields can't be compared" in answer["ambiguous"][0]["reason"]
