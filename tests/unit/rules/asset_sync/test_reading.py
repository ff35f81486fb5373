"""What was read, held against what is known: shrink, completeness, known links, what is kept after a run."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.ledger.models import KnownAmount
from tasks.rules.asset_sync.matching.result import Match, MatchedOn, MatchResult, Unmatched
from tasks.rules.asset_sync.reading import (
    AcceptOnce,
    FoundConfiguration,
    LinkVerdict,
    amount_findings,
    assets_incomplete,
    incomplete,
    judge_links,
    links_to_keep,
    links_to_look_up,
    unreadable_keys,
)
from tasks.rules.guards import ShrinkLimit
from tasks.rules.values import AssetRecord, ConfigurationRecord

COMPANY, OTHER = 6, 9
AT = datetime(2026, 11, 28, 10, 0, tzinfo=UTC)
NOTHING = AcceptOnce()


def asset(key: str) -> AssetRecord:
    return AssetRecord(key, f"name of {key}", None, None, ())


def configuration(record_id: int, key: str | None = None) -> ConfigurationRecord:
    return ConfigurationRecord(record_id, f"name {record_id}", key, None, None, True, ())


def found(
    record_id: int, key: str | None, company: int = OTHER, *, active: bool = True
) -> FoundConfiguration:
    return FoundConfiguration(record_id, key, active, company, "Blue Light")


def findings(
    read: list[ConfigurationRecord], links: dict[str, int], accept: AcceptOnce = NOTHING
) -> list[str]:
    amounts = {
        ("configurations", ""): KnownAmount(40, AT),
        ("linked", ""): KnownAmount(30, AT),
        ("assets", "site"): KnownAmount(20, AT),
    }
    told = amount_findings(amounts, links, read, (4, "site"), accept, ShrinkLimit())
    return [each.text for each in told if each.refuses]


def test_both_sides_are_compared_and_each_number_is_accepted_for_itself() -> None:
    read = [configuration(n, f"k{n}" if n < 3 else None) for n in range(5)]
    told = findings(read, {})
    assert [each.partition(":")[0] for each in told] == [
        "Configurations of the company",
        "Configurations with an asset key (ls_asset_id)",
        "Assets in Lansweeper",
    ]
    assert "40 known from the last reading on 2026-11-28 10:00 UTC, 5 read now" in told[0]
    assert "set Accept once to linked = 3 for one run" in told[1]
    assert findings(read, {}, AcceptOnce(configurations=5, linked=3, assets=4)) == []
    assert len(findings(read, {}, AcceptOnce(configurations=6, linked=3, assets=5))) == 2


def test_records_read_twice_count_once() -> None:
    read = [configuration(n % 5, f"k{n % 5}") for n in range(40)]
    assert "5 read now" in findings(read, {})[0]


def test_another_site_or_filter_is_not_compared_and_links_serve_where_no_amount_is_known() -> None:
    known = {f"k{n}": n for n in range(20)}
    told = amount_findings(
        {("assets", "site")[0:2]: KnownAmount(20, AT)}, known, [], (1, "other site"), NOTHING, ShrinkLimit()
    )
    assert ["20 known" in each.text for each in told] == [True]


def test_links_that_were_read_empty_are_told_and_refuse_nothing_by_themselves() -> None:
    read = [configuration(1), configuration(2, "other"), configuration(3, "c")]
    told = amount_findings({}, {"a": 1, "b": 2, "c": 3, "d": 4}, read, (1, ""), NOTHING, ShrinkLimit())
    assert [(each.text.partition(" known")[0], each.refuses) for each in told] == [("1 link", False)]


def test_a_count_that_differs_is_not_believed() -> None:
    assert incomplete("configurations", "Configurations", 5, 5, NOTHING) is None
    assert incomplete("configurations", "Configurations", 5, None, NOTHING) is None
    told = incomplete("configurations", "Configurations", 5, 9, NOTHING)
    assert told is not None
    assert told.refuses
    assert "set Accept once to configurations = 5" in told.text
    told = incomplete("configurations", "Configurations", 5, 9, AcceptOnce(configurations=5))
    assert told is not None
    assert not told.refuses


@pytest.mark.parametrize(("read", "total", "odd"), [(500, 520, False), (490, 520, True), (0, 10, False)])
def test_some_assets_may_vanish_between_pages(read: int, total: int, odd: bool) -> None:
    assert assets_incomplete(read, total) is odd
    assert not assets_incomplete(read, None)


def judge(
    known: dict[str, int],
    configurations: list[ConfigurationRecord],
    looked_up: list[FoundConfiguration],
    *,
    matched: dict[str, tuple[int, MatchedOn]] | None = None,
    accept: AcceptOnce = NOTHING,
    not_looked_up: tuple[int, ...] = (),
) -> LinkVerdict:
    pairs = matched or {}
    result = MatchResult(
        matched=[Match(asset(key), configuration(to), on) for key, (to, on) in pairs.items()],
        unmatched=[Unmatched(asset(key)) for key in known if key not in pairs],
    )
    by_id = {each.id: each for each in looked_up}
    return judge_links(result, known, configurations, by_id, not_looked_up, COMPANY, accept)


def test_an_asset_whose_configuration_is_in_another_company_is_left_alone() -> None:
    verdict = judge({"a": 1, "b": 2}, [], [found(1, "a"), found(2, None, active=False)])
    assert verdict.held == {
        "a": "Left alone: configuration 1 of Blue Light (id 9) carries it.",
        "b": "Left alone: configuration 2 of Blue Light (id 9) carries it, inactive.",
    }
    assert [each.refuses for each in verdict.findings] == [False]
    assert "2 assets are linked to configurations of Blue Light (id 9) now" in verdict.findings[0].text


def test_a_configuration_that_carries_another_key_now_holds_nobody() -> None:
    assert judge({"a": 1, "b": 2}, [configuration(2, "c")], [found(1, "x")]).held == {}


def test_a_configuration_that_the_list_did_not_show_proves_the_reading_wrong() -> None:
    verdict = judge({"a": 1}, [], [found(1, "a", COMPANY)])
    assert [each.refuses for each in verdict.findings] == [True]
    assert "the list did not show it" in verdict.held["a"]


def test_what_is_gone_is_created_again_only_when_so_many_are_accepted() -> None:
    verdict = judge({"a": 1, "b": 2}, [], [])
    assert set(verdict.held) == {"a", "b"}
    assert "set Accept once to recreated = 2" in verdict.findings[0].text
    assert set(judge({"a": 1, "b": 2}, [], [], accept=AcceptOnce(recreated=1)).held) == {"a", "b"}
    assert judge({"a": 1, "b": 2}, [], [], accept=AcceptOnce(recreated=2)).held == {}


def test_an_emptied_link_and_one_that_was_not_asked_for_are_left_alone() -> None:
    verdict = judge({"a": 1, "b": 2}, [configuration(1)], [], not_looked_up=(2,))
    assert "whose ls_asset_id is empty now" in verdict.held["a"]
    assert "was not read" in verdict.held["b"]


def test_an_asset_matched_by_another_key_does_not_get_a_second_configuration() -> None:
    matched: dict[str, tuple[int, MatchedOn]] = {"a": (5, "serial"), "b": (6, "serial"), "c": (7, "link")}
    known = {"a": 1, "b": 2, "c": 3}
    verdict = judge(known, [], [found(1, "a"), found(3, "c")], matched=matched)
    # The one whose configuration is gone may be linked to what matches, and a link is a link.
    assert set(verdict.held) == {"a"}


def test_only_configurations_that_were_not_read_are_looked_up() -> None:
    result = MatchResult(
        matched=[
            Match(asset("l"), configuration(1, "l"), "link"),
            Match(asset("s"), configuration(2), "serial"),
        ],
        unmatched=[Unmatched(asset("u")), Unmatched(asset("r")), Unmatched(asset("new"))],
    )
    known = {"l": 1, "s": 20, "u": 30, "r": 2}
    assert links_to_look_up(result, known, [configuration(1, "l"), configuration(2)]) == {"s": 20, "u": 30}


def test_after_a_run_links_that_changed_are_kept_and_void_ones_go() -> None:
    read = [configuration(1, "a"), configuration(2, "moved"), configuration(3), configuration(4, "old")]
    known = {"a": 1, "was-2": 2, "unread": 9, "old": 4}
    changed, void = links_to_keep(read, {"new": 10, "taken": 3, "takes-4": 4}, known)
    assert changed == {"moved": 2, "new": 10, "taken": 3, "takes-4": 4}
    assert sorted(void) == ["old", "was-2"]


def test_a_key_on_several_configurations_says_nothing() -> None:
    assert links_to_keep([configuration(1, "a"), configuration(2, "a")], {}, {}) == ({}, [])


KEYS = st.sampled_from("abcdef")
IDS = st.integers(1, 8)


@given(
    read=st.dictionaries(IDS, st.none() | KEYS),
    written=st.dictionaries(KEYS, st.integers(5, 12)),
    known=st.dictionaries(KEYS, st.integers(1, 12)),
)
def test_what_is_kept_is_one_configuration_a_key_and_a_second_time_nothing(
    read: dict[int, str | None], written: dict[str, int], known: dict[str, int]
) -> None:
    configurations = [configuration(record_id, key) for record_id, key in read.items()]
    changed, void = links_to_keep(configurations, written, known)
    after = {key: record_id for key, record_id in (known | changed).items() if key not in void}
    assert not set(changed) & set(void)
    # Whatever was known stays known, unless its configuration is another asset's now.
    for key in void:
        assert any(owner != key for owner, record_id in after.items() if record_id == known[key])
    assert links_to_keep(configurations, written, after) == ({}, [])


@pytest.mark.parametrize(
    ("read", "counted", "accepted", "refuses"),
    [(0, 0, None, None), (9, 10, None, None), (0, 1, None, True), (7, 10, None, True), (7, 10, 7, False)],
)
def test_keys_that_the_vendor_counts_and_does_not_show_are_refused_however_few(
    read: int, counted: int, accepted: int | None, refuses: bool | None
) -> None:
    accept = AcceptOnce(linked=accepted)
    found = unreadable_keys(read, counted, "the company", accept, ShrinkLimit())
    assert (found.refuses if found else None) is refuses
