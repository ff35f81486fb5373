"""What people decided is honoured before all keys, and what one decision writes."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.ledger.models import MatchDecision
from tasks.rules.asset_sync.matching.decisions import Decided, Decision, decided_of, plan_decision
from tasks.rules.asset_sync.matching.match import match
from tasks.rules.asset_sync.matching.result import MatchOptions, MatchResult
from tasks.rules.values import AssetRecord, ConfigurationRecord


def asset(key: str, serial: str | None = None, name: str | None = None) -> AssetRecord:
    return AssetRecord(key, name, serial, None, (name, serial, key))


def configuration(
    number: int, serial: str | None = None, link: str | None = None, name: str | None = None
) -> ConfigurationRecord:
    return ConfigurationRecord(number, name, link, serial, None, True, (name, serial, link))


def options(*decisions: tuple[str, str, int], complete: bool = True) -> MatchOptions:
    return MatchOptions(complete=complete, decided=decided_of(MatchDecision(*each) for each in decisions))


def shown(result: MatchResult) -> dict[str, str]:
    seen = {each.asset.key: f"{each.matched_on} {each.configuration.id}" for each in result.matched}
    seen |= {each.asset.key: "new!" if each.warning else "new" for each in result.unmatched}
    for each in result.ambiguous:
        seen[each.asset.key] = " ".join(["?", *(str(found.id) for found in each.candidates)])
    return seen


@pytest.mark.parametrize(
    ("decisions", "assets", "configurations", "expected"),
    [
        (
            [("link", "a", 2)],
            [asset("a", "S1")],
            [configuration(1, "S1"), configuration(2, "S9")],
            {"a": "decision 2"},
        ),
        (
            [("link", "a", 2)],
            [asset("a", "S1")],
            [configuration(1, "S1", "a"), configuration(2)],
            {"a": "decision 2"},
        ),
        (
            [("link", "a", 2)],
            [asset("a")],
            [configuration(1, link="a"), configuration(2, link="a")],
            {"a": "link 2"},
        ),
        ([("link", "a", 9)], [asset("a", "S1")], [configuration(1, "S1")], {"a": "?"}),
        (
            [("link", "a", 1)],
            [asset("a"), asset("b")],
            [configuration(1, link="b")],
            {"a": "? 1", "b": "link 1"},
        ),
        ([("link", "a", 1)], [asset("a")], [configuration(1, link="gone")], {"a": "decision 1"}),
        (
            [("link", "a", 1)],
            [asset("a"), asset("b", "S1")],
            [configuration(1, "S1")],
            {"a": "decision 1", "b": "new!"},
        ),
        ([("never", "a", 1)], [asset("a", "S1")], [configuration(1, "S1")], {"a": "new!"}),
        (
            [("never", "a", 1)],
            [asset("a", "S1", "PC")],
            [configuration(1, "S1"), configuration(2, name="PC")],
            {"a": "name 2"},
        ),
        ([("never", "a", 1)], [asset("a")], [configuration(1, link="a")], {"a": "? 1"}),
        ([("ignore", "a", 0)], [asset("a", "S1")], [configuration(1, "S1")], {"a": "new"}),
        (
            [("ignore", "a", 0)],
            [asset("a", "S1"), asset("b", "S1")],
            [configuration(1, "S1")],
            {"a": "new", "b": "serial 1"},
        ),
        (
            [("ignore", "a", 0)],
            [asset("a"), asset("b", "S1")],
            [configuration(1, "S1", "a")],
            {"a": "link 1", "b": "new!"},
        ),
    ],
)
def test_a_decision_comes_before_all_keys(
    decisions: list[tuple[str, str, int]],
    assets: list[AssetRecord],
    configurations: list[ConfigurationRecord],
    expected: dict[str, str],
) -> None:
    assert shown(match(assets, configurations, options(*decisions))) == expected


def test_a_decided_take_over_is_not_orphaned_and_holds_in_a_partial_read() -> None:
    result = match([asset("a")], [configuration(1, link="away")], options(("link", "a", 1), complete=False))
    assert shown(result) == {"a": "decision 1"}
    assert match([asset("a")], [configuration(1, link="away")], options(("link", "a", 1))).orphaned == []


def test_what_an_ignored_asset_says() -> None:
    held = options(("ignore", "a", 0)).decided.held()
    assert "withdraw" in held["a"]
    assert Decided().held() == {}


KEYS = st.sampled_from(["a", "b", "c", "d"])
SERIALS = st.sampled_from([None, "S1", "S2", "S3"])
DECISIONS = st.lists(st.tuples(st.sampled_from(["link", "never", "ignore"]), KEYS, st.integers(1, 5)))


@settings(max_examples=150)
@given(
    st.dictionaries(KEYS, SERIALS),
    st.lists(st.tuples(SERIALS, st.none() | KEYS), max_size=5),
    DECISIONS,
    st.booleans(),
    st.randoms(use_true_random=False),
)
def test_whatever_is_decided_no_configuration_is_given_twice_and_none_against_a_decision(
    assets: dict[str, str | None],
    configurations: list[tuple[str | None, str | None]],
    decisions: list[tuple[str, str, int]],
    complete: bool,
    chance: random.Random,
) -> None:
    # As the ledger keeps them: a configuration is decided to be one asset's at most.
    links = {number: key for kind, key, number in decisions if kind == "link"}
    ones = {key: number for number, key in links.items()}
    others = [each for each in decisions if each[0] != "link"]
    chosen = options(*(("link", key, number) for key, number in ones.items()), *others, complete=complete)
    mine = [asset(key, serial) for key, serial in assets.items()]
    theirs = [configuration(at + 1, serial, link) for at, (serial, link) in enumerate(configurations)]
    result = match(mine, theirs, chosen)
    assert match(chance.sample(mine, len(mine)), chance.sample(theirs, len(theirs)), chosen) == result
    lists = (result.matched, result.unmatched, result.ambiguous)
    assert sorted(each.asset.key for found in lists for each in found) == sorted(assets)
    used = [each.configuration.id for each in result.matched]
    assert len(used) == len(set(used))
    for each in result.matched:
        if (wanted := ones.get(each.asset.key)) is not None:
            assert each.configuration.id == wanted
        elif each.matched_on != "link":
            assert ("never", each.asset.key, each.configuration.id) not in others
            assert each.asset.key not in chosen.decided.ignored
    assert not ones.keys() & {each.asset.key for each in result.unmatched}


def test_a_link_is_refused_where_another_one_stands_unless_it_is_moved() -> None:
    free, anothers = configuration(1), configuration(2, link="b")
    assert [each.asset_key for each in plan_decision(Decision.LINK, "a", free, [], move=False).writes] == [
        "a"
    ]
    refused = plan_decision(Decision.LINK, "a", anothers, [configuration(3, link="a")], move=False)
    assert len(refused.problems) == 2
    assert "linked to another asset, b" in refused.problems[0]
    moved = plan_decision(Decision.LINK, "a", anothers, [configuration(3, link="a")], move=True)
    assert [(each.configuration.id, each.asset_key) for each in moved.writes] == [(3, ""), (2, "a")]
    own = configuration(1, link="a")
    assert plan_decision(Decision.LINK, "a", own, [own], move=False).writes == []


def test_unlink_and_never_empty_the_link_of_that_pair_alone() -> None:
    own = configuration(1, link="a")
    for decision in (Decision.UNLINK, Decision.NEVER):
        plan = plan_decision(decision, "a", own, [own, configuration(2, link="a")], move=False)
        assert [(each.configuration.id, each.asset_key) for each in plan.writes] == [(1, "")]
    assert plan_decision(Decision.NEVER, "a", configuration(1), [], move=False).writes == []
    assert plan_decision(Decision.UNLINK, "a", configuration(1, link="b"), [], move=False).problems
    assert plan_decision(Decision.IGNORE, "a", None, [], move=False).problems == ()
