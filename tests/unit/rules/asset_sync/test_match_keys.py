"""Which keys match, in which order, by type: the default is the order that always was."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from tasks.asset_sync.settings import AssetSynchronizationSettings
from tasks.rules.asset_sync.matching.keys import MatchKey, TypeKeys, key_orders
from tasks.rules.asset_sync.matching.match import match
from tasks.rules.asset_sync.matching.result import MatchOptions, MatchResult
from tasks.rules.values import AssetRecord, ConfigurationRecord

M1, M2 = "00:1D:9C:D1:F6:01", "00-1d-9c-d1-f6-02"
POSITIONS = {"tagNumber": 0, "deviceIdentifier": 1}
Texts = tuple[str | None, str | None, str | None, str | None, str | None]
"""Serial number, MAC address, name, tag number, device identifier."""


def asset(key: str, texts: Texts, of_type: str | None = None) -> AssetRecord:
    serial, mac, name, tag, device = texts
    return AssetRecord(key, name, serial, mac, (tag, device, key), of_type)


def configuration(number: int, texts: Texts, link: str | None = None) -> ConfigurationRecord:
    serial, mac, name, tag, device = texts
    return ConfigurationRecord(number, name, link, serial, mac, True, (tag, device, link))


def options(usual: str, **by_type: str) -> MatchOptions:
    rows = [TypeKeys(type=each, match_keys=keys.split()) for each, keys in by_type.items()]  # type: ignore[arg-type]
    return MatchOptions(orders=key_orders([MatchKey(each) for each in usual.split()], rows, POSITIONS))


def shown(result: MatchResult) -> dict[str, str]:
    seen = {each.asset.key: f"{each.matched_on} {each.configuration.id}" for each in result.matched}
    seen |= {each.asset.key: "new" for each in result.unmatched}
    for each in result.ambiguous:
        seen[each.asset.key] = " ".join(["?", *(str(found.id) for found in each.candidates)])
    return seen


DEFAULT = "link serial mac name"


@pytest.mark.parametrize(
    ("usual", "mine", "theirs", "expected"),
    [
        ("serial name mac", ("S1", M1, "PC", None, None), ("S1", M2, "PD", None, None), "serial 1"),
        ("name serial", ("S1", None, "PC", None, None), ("S2", None, "PC", None, None), "name 1"),
        ("serial name", ("S1", None, "PC", None, None), ("S2", None, "PC", None, None), "new"),
        ("link mac", ("S1", None, "PC", None, None), ("S1", None, "PC", None, None), "new"),
        ("link", ("S1", M1, "PC", None, None), ("S1", M1, "PC", None, None), "new"),
        ("tagNumber serial", (None, None, None, "T-1", None), (None, None, None, "T-1", None), "tagNumber 1"),
        ("tagNumber serial", ("S1", None, None, "T-1", None), ("S1", None, None, "T-2", None), "new"),
        ("serial", ("S1", None, None, "T-1", None), ("S1", None, None, "T-2", None), "serial 1"),
        (
            "deviceIdentifier",
            (None, None, None, None, "agent-7"),
            (None, None, None, None, " agent-7"),
            "deviceIdentifier 1",
        ),
        ("deviceIdentifier", (None, None, None, None, "N/A"), (None, None, None, None, "N/A"), "new"),
    ],
)
def test_the_order_says_what_matches_and_what_rules_out(
    usual: str, mine: Texts, theirs: Texts, expected: str
) -> None:
    found = match([asset("a", mine)], [configuration(1, theirs)], options(usual))
    assert shown(found) == {"a": expected}


def test_the_link_is_first_though_nobody_names_it() -> None:
    mine: Texts = ("S1", None, None, None, None)
    theirs = [configuration(1, mine), configuration(2, ("S2", None, None, None, None), link="a")]
    assert shown(match([asset("a", mine)], theirs, options("serial"))) == {"a": "link 2"}


def test_a_type_has_its_own_order_in_any_case_and_the_others_the_usual() -> None:
    mine: Texts = ("S1", None, "PRN", None, None)
    theirs: Texts = ("S2", None, "PRN", None, None)
    by_type = options(DEFAULT, Printer="name")
    assert shown(match([asset("a", mine, "PRINTER")], [configuration(1, theirs)], by_type)) == {"a": "name 1"}
    assert shown(match([asset("a", mine, "Switch")], [configuration(1, theirs)], by_type)) == {"a": "new"}
    assert shown(match([asset("a", mine)], [configuration(1, theirs)], by_type)) == {"a": "new"}


def test_what_two_types_claim_by_different_keys_is_nobodys_unless_a_further_key_decides() -> None:
    by_type = options(DEFAULT, Printer="name")
    theirs = configuration(1, ("S1", M1, "PRN", None, None))
    printer = asset("p", (None, None, "PRN", None, None), "Printer")
    computer = asset("c", ("S1", None, None, None, None), "Windows")
    result = match([printer, computer], [theirs], by_type)
    assert shown(result) == {"p": "? 1", "c": "? 1"}
    assert "another order of keys" in result.ambiguous[0].reason
    known = asset("c", ("S1", M1, None, None, None), "Windows")
    assert shown(match([printer, known], [theirs], by_type)) == {"p": "new", "c": "mac 1"}


def test_a_wrong_name_is_refused_with_its_near_matches() -> None:
    with pytest.raises(ValidationError, match=r"'serail' is no match key\. Did you mean serial"):
        AssetSynchronizationSettings(match_keys=["link", "serail"])  # type: ignore[list-item]
    with pytest.raises(ValidationError, match=r"'colour' is no match key\. It is one of link, serial, mac"):
        TypeKeys(type="Printer", match_keys=["colour"])  # type: ignore[list-item]
    with pytest.raises(ValidationError, match="link always comes first"):
        AssetSynchronizationSettings(match_keys=["serial", "link"])  # type: ignore[list-item]
    with pytest.raises(ValidationError, match="mac stands among the match keys more than once"):
        AssetSynchronizationSettings(match_keys=["mac", "macAddress"])  # type: ignore[list-item]
    with pytest.raises(ValidationError, match="Name link alone"):
        AssetSynchronizationSettings(match_keys=[])
    with pytest.raises(ValidationError, match="tagNumber is a match key, but no mapping fills it"):
        AssetSynchronizationSettings(match_keys=["link", "tagNumber"])  # type: ignore[list-item]
    twice = [TypeKeys(type="Printer"), TypeKeys(type="printer")]
    with pytest.raises(ValidationError, match="'Printer' has more than one order"):
        AssetSynchronizationSettings(match_keys_by_type=twice)


def test_names_are_taken_as_people_write_them() -> None:
    given = AssetSynchronizationSettings(match_keys=["MAC", "Serial Number"])  # type: ignore[list-item]
    assert given.match_keys == [MatchKey.MAC, MatchKey.SERIAL]


SERIALS = st.sampled_from([None, "S1", "s1", "S2", "None", "S3"])
MACS = st.sampled_from([None, M1, M2, "00:1D:9C:D1:F6:03"])
NAMES = st.sampled_from([None, "PC", "pc", "PD", "10.0.0.7", "localhost"])
TAGS = st.sampled_from([None, "T1", "T2", "N/A"])
TEXTS = st.tuples(SERIALS, MACS, NAMES, TAGS, TAGS)
TYPES = st.sampled_from([None, "Windows", "Printer", "printer "])
ASSETS = st.dictionaries(st.sampled_from("abcdef"), st.tuples(TEXTS, TYPES), max_size=6).map(
    lambda found: [asset(key, *each) for key, each in found.items()]
)
LINKS = st.none() | st.sampled_from(["a", "b", "gone"])
CONFIGURATIONS = st.lists(st.tuples(TEXTS, LINKS), max_size=6).map(
    lambda found: [configuration(at + 1, *each) for at, each in enumerate(found)]
)
ORDERS = st.permutations([each.value for each in MatchKey if each is not MatchKey.LINK]).flatmap(
    lambda keys: st.integers(1, 5).map(lambda count: " ".join(keys[:count]))
)


@given(ASSETS, CONFIGURATIONS, st.booleans(), st.booleans())
def test_the_default_written_out_gives_what_no_order_gives(
    mine: list[AssetRecord], theirs: list[ConfigurationRecord], case: bool, complete: bool
) -> None:
    bare = MatchOptions(case_sensitive=case, complete=complete)
    for orders in (options(DEFAULT).orders, options(DEFAULT, Printer=DEFAULT).orders):
        assert match(mine, theirs, replace(bare, orders=orders)) == match(mine, theirs, bare)


@settings(max_examples=150)
@given(ASSETS, CONFIGURATIONS, ORDERS, ORDERS, st.randoms(use_true_random=False))
def test_no_order_of_input_matters_and_each_is_matched_once(
    mine: list[AssetRecord],
    theirs: list[ConfigurationRecord],
    usual: str,
    printers: str,
    chance: random.Random,
) -> None:
    chosen = options(usual, Printer=printers)
    result = match(mine, theirs, chosen)
    assert match(chance.sample(mine, len(mine)), chance.sample(theirs, len(theirs)), chosen) == result
    used = [each.configuration.id for each in result.matched]
    assert len(used) == len(set(used))
    lists = (result.matched, result.unmatched, result.ambiguous)
    assert sorted(each.asset.key for found in lists for each in found) == sorted(each.key for each in mine)
    for each in result.matched:
        own = printers if (each.asset.type or "").strip().lower() == "printer" else usual
        assert each.matched_on in ("link", *own.split())
    assert not {found.id for each in result.ambiguous for found in each.candidates} & set(used)
