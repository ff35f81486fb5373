"""The decision table of matching, line by line."""

from __future__ import annotations

import pytest

from tasks.rules.asset_sync.match import match
from tasks.rules.asset_sync.match_result import MatchOptions, MatchResult
from tasks.rules.values import AssetRecord, ConfigurationRecord

M1, M2 = "00:1D:9C:D1:F6:01", "00-1d-9c-d1-f6-02"
COMPLETE = MatchOptions(complete=True)


def asset(
    key: str, serial: str | None = None, mac: str | None = None, name: str | None = None
) -> AssetRecord:
    return AssetRecord(key, name, serial, mac, (name, serial, mac, key))


def configuration(
    identity: int,
    serial: str | None = None,
    mac: str | None = None,
    name: str | None = None,
    link: str | None = None,
    active: bool = True,
) -> ConfigurationRecord:
    return ConfigurationRecord(identity, name, link, serial, mac, active, (name, serial, mac, link))


def shown(result: MatchResult) -> dict[str, str]:
    """Per asset key where it ended: "serial 3", "new", "new!" with a warning, "? 3 4" with candidates."""
    seen = {each.asset.key: f"{each.matched_on} {each.configuration.id}" for each in result.matched}
    seen |= {each.asset.key: "new!" if each.warning else "new" for each in result.unmatched}
    for each in result.ambiguous:
        seen[each.asset.key] = " ".join(["?", *(str(found.id) for found in each.candidates)])
    return seen


A, C = asset, configuration
TABLE = {
    "serial": ([A("a", "S1")], [C(1, "S1")], {"a": "serial 1"}),
    "mac in another writing": ([A("a", None, M1)], [C(1, None, "001d.9cd1.f601")], {"a": "mac 1"}),
    "name": ([A("a", name="PC")], [C(1, name=" PC\u200b")], {"a": "name 1"}),
    "an inactive one is a candidate": ([A("a", "S1")], [C(1, "S1", active=False)], {"a": "serial 1"}),
    "nothing alike": ([A("a", "S1", M1, "PC")], [C(1, "S2", M2, "PD")], {"a": "new"}),
    "a link wins over everything": (
        [A("a", "S1", M1, "PC"), A("b", "S2")], [C(1, "S1", M1, "PC"), C(2, "S2", M2, "PD", "a")],
        {"a": "link 2", "b": "new!"},
    ),
    "a link held twice": ([A("a", "S1")], [C(1, "S1", link="a"), C(2, link="a")], {"a": "? 1 2"}),
    "a serial is stronger than a mac": (
        [A("a", "S1", M1)], [C(1, "S1"), C(2, None, M1)], {"a": "serial 1"}),
    "the stronger claim comes first": (
        [A("a", "S1"), A("b", None, M1)], [C(1, "S1", M1)], {"a": "serial 1", "b": "new!"}),
    "a filler serial never links": ([A("a", "Default string")], [C(1, "Default string")], {"a": "new"}),
    "a filler falls through to the next key": (
        [A("a", "None", M1)], [C(1, "None", M1)], {"a": "mac 1"}),
    "a filler mac never links": (
        [A("a", None, "00:00:00:00:00:00")], [C(1, None, "00-00-00-00-00-00")], {"a": "new"}),
    "another serial contradicts the mac": ([A("a", "S1", M1)], [C(1, "S2", M1)], {"a": "new!"}),
    "another serial contradicts the name": (
        [A("a", "S1", None, "PC")], [C(1, "S2", None, "PC")], {"a": "new!"}),
    "another mac contradicts the name": ([A("a", None, M1, "PC")], [C(1, None, M2, "PC")], {"a": "new!"}),
    "a filler contradicts nothing": (
        [A("a", "S1", None, "PC")], [C(1, "To be filled by O.E.M.", None, "PC")], {"a": "name 1"}),
    "a serial in another case contradicts nothing": ([A("a", "s1", M1)], [C(1, "S1", M1)], {"a": "mac 1"}),
    "a serial in another case alone": ([A("a", "ab1")], [C(1, "AB1")], {"a": "new!"}),
    "two configurations of one serial": ([A("a", "S1")], [C(1, "S1"), C(2, "S1")], {"a": "? 1 2"}),
    "two assets of one serial": (
        [A("a", "S1"), A("b", "S1")], [C(1, "S1")], {"a": "? 1", "b": "? 1"}),
    "two assets of one serial and no configuration": (
        [A("a", "S1"), A("b", "S1")], [], {"a": "new!", "b": "new!"}),
    "a weaker key picks among the stronger key's": (
        [A("a", "S1", None, "PC")], [C(1, "S1"), C(2, "S1", None, "PC")], {"a": "name 2"}),
    "a weaker key picks among the assets": (
        [A("a", "S1", M1), A("b", "S1", M2)], [C(1, "S1", M1)], {"a": "mac 1", "b": "new!"}),
    "a weaker key can't leave the stronger key's candidates": (
        [A("a", "S1", M1)], [C(1, "S1"), C(2, "S1"), C(3, None, M1)], {"a": "? 1 2 3"}),
    "a configuration of another asset's serial": (
        [A("a", None, M1), A("b", "S1"), A("c", "S1")], [C(1, "S1", M1)],
        {"a": "? 1", "b": "? 1", "c": "? 1"}),
    "a shared dock's mac": (
        [A("a", "S1", M1), A("b", "S2", M1)], [C(1, "S1", M1), C(2, None, M1)],
        {"a": "serial 1", "b": "? 2"}),
    "a shared dock's mac on known devices": (
        [A("a", "S1", M1), A("b", "S2", M1)], [C(1, "S1", M1), C(2, "S3", M1)],
        {"a": "serial 1", "b": "new!"}),
    "two assets of one name": (
        [A("a", name="PC"), A("b", name="PC")], [C(1, name="PC")], {"a": "? 1", "b": "? 1"}),
    "a name that is an address": ([A("a", name="10.0.0.7")], [C(1, name="10.0.0.7")], {"a": "? 1"}),
    "the page's name with a slot": (
        [A("a", name="166.246.143.187/1/7")], [C(1, name="166.246.143.187/1/7")], {"a": "name 1"}),
    "a blank link is none": ([A("a", "S1")], [C(1, "S1", link=" ")], {"a": "serial 1"}),
    "a blank key links nothing": ([A("", "S1")], [C(1, "S1", link="")], {"": "serial 1"}),
}  # fmt: skip


@pytest.mark.parametrize(("assets", "configurations", "expected"), TABLE.values(), ids=TABLE)
def test_decision(
    assets: list[AssetRecord], configurations: list[ConfigurationRecord], expected: dict[str, str]
) -> None:
    assert shown(match(assets, configurations)) == expected


@pytest.mark.parametrize(
    "found", [C(1, "S1", link="gone"), C(1, None, M1, link="gone"), C(1, name="PC", link="gone")]
)
def test_a_configuration_of_an_asset_that_is_gone_is_taken_over(found: ConfigurationRecord) -> None:
    result = match([A("a", "S1", M1, "PC")], [found], COMPLETE)
    assert result.matched[0].configuration.id == 1
    assert result.orphaned == []


@pytest.mark.parametrize(
    "found", [C(1, "S1", link="away"), C(1, None, M1, link="away"), C(1, name="PC", link="away")]
)
def test_a_partial_read_proves_nothing_gone(found: ConfigurationRecord) -> None:
    result = match([A("a", "S1", M1, "PC")], [found])
    assert shown(result) == {"a": "? 1"}
    assert "partial read" in result.ambiguous[0].reason
    assert result.orphaned == []


def test_what_nobody_takes_over_is_orphaned() -> None:
    found = [C(3, "S3", link="gone"), C(2, "S2", link="away"), C(1, "S1")]
    assert [each.id for each in match([A("a", "S1")], found, COMPLETE).orphaned] == [2, 3]


def test_case_does_not_count_if_the_setting_says_so() -> None:
    either = MatchOptions(case_sensitive=False)
    assets = [A("a", "ab1"), A("b", None, None, "Pc")]
    assert shown(match(assets, [C(1, "AB1"), C(2, name="pC")], either)) == {"a": "serial 1", "b": "name 2"}


def test_a_key_read_twice_counts_once_and_is_still_accounted_for() -> None:
    twice = [A("a", "S1"), A("a", "S1"), A("a", "S2")]
    result = match(twice, [C(1, "S1"), C(2, "S2")])
    assert (len(result.matched), len(result.ambiguous)) == (1, 2)
    assert "more than once" in result.ambiguous[0].reason


def test_a_configuration_read_twice_counts_once() -> None:
    assert shown(match([A("a", "S1")], [C(1, "S1"), C(1, "S1")])) == {"a": "serial 1"}


def test_the_words_say_what_was_found_and_what_to_do() -> None:
    result = match(
        [A("a", "S1"), A("b", "S2", M1, "PC")], [C(1, "S1"), C(2, "S1"), C(3, "S9", M1, "PC")], COMPLETE
    )
    assert "2 configurations have this serial number ('S1')" in result.ambiguous[0].reason
    assert "ls_asset_id" in result.ambiguous[0].reason
    assert (result.unmatched[0].warning or "").startswith(
        "Configuration 3 ('PC') has the same MAC address but another serial number."
    )


def test_a_common_name_costs_neither_endless_words_nor_endless_candidates() -> None:
    crowd = [C(number, name="printer") for number in range(300)]
    result = match([A(f"a{number}", name="printer") for number in range(300)], crowd)
    assert len(result.ambiguous) == 300
    assert {len(each.candidates) for each in result.ambiguous} == {25}
    others = [C(number, f"S-{number}", name="printer") for number in range(300)]
    warned = match([A("a", "S-x", name="printer")], others).unmatched[0].warning or ""
    assert warned.count("Configuration") == 3


def test_in_a_crowd_of_one_name_the_device_itself_is_still_found() -> None:
    crowd = [C(number, f"S-{number}", name="printer") for number in range(1, 300)]
    free = [C(900, name="printer")]
    assert shown(match([A("a", "s-7", name="printer")], crowd)) == {"a": "? 7"}
    assert shown(match([A("a", "S-x", name="printer")], crowd + free)) == {"a": "? 900"}
    assert shown(match([A("a", "S-x", name="printer")], crowd)) == {"a": "new!"}


def test_thousands_of_one_name_take_no_more_than_a_moment() -> None:
    many = range(6000)
    assets = [A(f"a{number}", f"S-{number}" if number % 2 else None, name="printer") for number in many]
    result = match(assets, [C(number, f"T-{number}", name="printer") for number in many])
    assert (len(result.unmatched), len(result.ambiguous)) == (3000, 3000)
