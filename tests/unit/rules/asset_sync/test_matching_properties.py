"""What holds of matching for any inventories, however odd."""

from __future__ import annotations

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.rules.asset_sync.match import match
from tasks.rules.asset_sync.match_result import MatchOptions
from tasks.rules.mapping.identifiers import normal_mac, normal_serial
from tasks.rules.values import AssetRecord, ConfigurationRecord

# Small pools, so that values meet; odd writings, so that normal forms are needed.
SERIALS = st.sampled_from(
    [None, "", "S1", " S1", "s1", "S2", "S3", "S4", "None", "0000", "Default string", "S2\u200b"]
)
MACS = st.sampled_from(
    [None, "", "00:1d:9c:00:00:01", "00-1D-9C-00-00-01", "001d.9c00.0002", "00:1D:9C:00:00:03", "0:0",
     "00:00:00:00:00:00"]
)  # fmt: skip
NAMES = st.sampled_from(
    [None, " ", "PC", "pc", "PC ", "Büro", "Bu\u0308ro", "10.0.0.7", "localhost", "x", "\u200bx"]
)
KEYS = st.sampled_from(["k1", "k2", "k3", "k4", "k5", "k6"])
LINKS = st.none() | st.sampled_from(["k1", "k2", "k3", "k9", "k8 ", ""])
OPTIONS = st.builds(MatchOptions, case_sensitive=st.booleans(), complete=st.booleans())


@st.composite
def assets(draw: st.DrawFn) -> list[AssetRecord]:
    keys = draw(st.lists(KEYS, unique=True, max_size=6))
    rows = [(key, draw(NAMES), draw(SERIALS), draw(MACS)) for key in keys]
    return [AssetRecord(*row, row[1:] + row[:1]) for row in rows]


@st.composite
def configurations(draw: st.DrawFn) -> list[ConfigurationRecord]:
    count = draw(st.integers(0, 7))
    rows = [(draw(NAMES), draw(LINKS), draw(SERIALS), draw(MACS), draw(st.booleans())) for _ in range(count)]
    return [
        ConfigurationRecord(at + 1, *row, (row[0], row[2], row[3], row[1])) for at, row in enumerate(rows)
    ]


@settings(max_examples=100)
@given(assets(), configurations(), OPTIONS, st.randoms(use_true_random=False))
def test_no_order_of_input_matters(
    mine: list[AssetRecord], theirs: list[ConfigurationRecord], options: MatchOptions, chance: random.Random
) -> None:
    first = match(mine, theirs, options)
    assert match(chance.sample(mine, len(mine)), chance.sample(theirs, len(theirs)), options) == first


@given(assets(), assets(), configurations(), OPTIONS, st.randoms(use_true_random=False))
def test_no_order_matters_with_keys_read_twice_either(
    mine: list[AssetRecord],
    more: list[AssetRecord],
    theirs: list[ConfigurationRecord],
    options: MatchOptions,
    chance: random.Random,
) -> None:
    both = mine + more
    result = match(both, theirs, options)
    assert match(chance.sample(both, len(both)), theirs, options) == result
    assert len(result.matched) + len(result.unmatched) + len(result.ambiguous) == len(both)


@settings(max_examples=100)
@given(assets(), configurations(), OPTIONS)
def test_every_asset_is_in_one_list_and_every_configuration_in_one_match(
    mine: list[AssetRecord], theirs: list[ConfigurationRecord], options: MatchOptions
) -> None:
    result = match(mine, theirs, options)
    lists = (result.matched, result.unmatched, result.ambiguous)
    assert sorted(each.asset.key for found in lists for each in found) == sorted(each.key for each in mine)
    used = [each.configuration.id for each in result.matched]
    assert len(used) == len(set(used))
    assert not set(used) & {each.id for each in result.orphaned}
    assert all(each.candidates for each in result.ambiguous)
    assert not {found.id for each in result.ambiguous for found in each.candidates} & set(used)


@settings(max_examples=100)
@given(assets(), configurations(), OPTIONS)
def test_a_stored_link_always_wins(
    mine: list[AssetRecord], theirs: list[ConfigurationRecord], options: MatchOptions
) -> None:
    result = match(mine, theirs, options)
    by_asset = {each.asset.key: each for each in result.matched}
    for each in mine:
        holders = [found for found in theirs if (found.asset_key or "").strip() == each.key]
        if len(holders) == 1:
            assert by_asset[each.key].configuration is holders[0]
            assert by_asset[each.key].matched_on == "link"
        elif holders:
            assert each.key not in by_asset


@settings(max_examples=100)
@given(assets(), configurations(), OPTIONS)
def test_no_filler_links_and_no_weaker_key_against_a_stronger_one(
    mine: list[AssetRecord], theirs: list[ConfigurationRecord], options: MatchOptions
) -> None:
    for each in match(mine, theirs, options).matched:
        have, want = each.configuration, each.asset
        serials = {normal_serial(have.serial, False), normal_serial(want.serial, False)}
        macs = {normal_mac(have.mac), normal_mac(want.mac)}
        if each.matched_on == "serial":
            assert len(serials) == 1
            assert None not in serials
        if each.matched_on in ("mac", "name"):
            assert len(serials - {None}) < 2
        if each.matched_on == "mac":
            assert len(macs) == 1
            assert None not in macs
        if each.matched_on == "name":
            assert len(macs - {None}) < 2


@given(assets(), configurations())
def test_a_partial_read_takes_nothing_over(
    mine: list[AssetRecord], theirs: list[ConfigurationRecord]
) -> None:
    result = match(mine, theirs, MatchOptions(complete=False))
    for each in result.matched:
        link = (each.configuration.asset_key or "").strip()
        assert link in ("", each.asset.key)
    assert result.orphaned == []
