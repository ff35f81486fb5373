"""The cheapest strategy is chosen among those that work; what is kept is dropped when it is old."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.rules.enrichment.query_strategies import (
    BUNDLES,
    LARGEST,
    ONE_BY_ONE,
    REPORT,
    BundleSize,
    GroupQuery,
    QueryStrategies,
    Room,
    StrategyState,
    bundle_strategy,
    cheapest_agreement_strategy,
    cheapest_ticket_strategy,
    cut,
    fewest_groups,
    group_strategy,
    saved_strategies,
)

NOW = datetime(2026, 11, 21, tzinfo=UTC)
ROOMS = {
    GroupQuery.SEARCH: Room(9780),
    GroupQuery.URL: Room(1380, comma=3),
    GroupQuery.SINGLE: Room(2000, most=1),
}
IDS = list(range(10_000, 25_000))


def strategies(*closed: str, bundles: BundleSize | None = None) -> QueryStrategies:
    return QueryStrategies(
        states=dict.fromkeys(closed, StrategyState.REFUSED), bundles=bundles or BundleSize(20, 21)
    )


NO_BUNDLES = BundleSize(0, 2)
SEARCH, URL, SINGLE = (group_strategy("service", each) for each in GroupQuery)


@pytest.mark.parametrize(
    ("known", "asking", "detail", "most"),
    [
        (strategies(), GroupQuery.SEARCH, BUNDLES, 110),
        (strategies(bundles=NO_BUNDLES), GroupQuery.SEARCH, ONE_BY_ONE, 250),
        (strategies(SEARCH, bundles=NO_BUNDLES), GroupQuery.URL, ONE_BY_ONE, 450),
        (strategies(SEARCH, URL), None, BUNDLES, 220),
        (strategies(SEARCH, URL, bundles=NO_BUNDLES), None, ONE_BY_ONE, 4250),
        (strategies(SEARCH, URL, SINGLE, bundle_strategy("service tickets")), None, ONE_BY_ONE, 4250),
    ],
)
def test_cheapest_way_to_tickets(
    known: QueryStrategies, asking: GroupQuery | None, detail: str, most: int
) -> None:
    plan = cheapest_ticket_strategy(known, "service", 4250, IDS, ROOMS)
    assert (plan.query, plan.detail) == (asking, detail)
    assert plan.requests <= most


def test_single_conditions_serve_where_configurations_are_few() -> None:
    plan = cheapest_ticket_strategy(
        strategies(SEARCH, URL, bundles=NO_BUNDLES), "service", 4250, IDS[:300], ROOMS
    )
    assert plan.query is GroupQuery.SINGLE
    assert 300 <= plan.requests < 400


@given(st.integers(0, 5000), st.integers(0, 400), st.integers(1, 100))
def test_no_plan_is_dearer_than_child_collections(tickets: int, configurations: int, size: int) -> None:
    known = strategies(bundles=BundleSize(size, size + 1))
    plan = cheapest_ticket_strategy(known, "project", tickets, IDS[:configurations], ROOMS)
    assert plan.requests <= tickets


@pytest.mark.parametrize(
    ("known", "rows", "way", "requests"),
    [
        (strategies(), 900, REPORT, 3),
        (strategies(), 15_000, BUNDLES, 12),
        (strategies(bundles=NO_BUNDLES), 15_000, REPORT, 17),
        (strategies(REPORT, bundles=NO_BUNDLES), 15_000, ONE_BY_ONE, 200),
        (strategies(bundles=NO_BUNDLES), None, ONE_BY_ONE, 200),
    ],
)
def test_cheapest_way_to_agreements(
    known: QueryStrategies, rows: int | None, way: str, requests: int
) -> None:
    plan = cheapest_agreement_strategy(known, 200, rows)
    assert (plan.strategy, plan.requests) == (way, requests)


def test_strategies_are_kept_but_for_what_only_broke() -> None:
    known = QueryStrategies("2026.3", NOW.isoformat(), bundles=BundleSize(20, 21))
    known.set(REPORT, StrategyState.WORKS)
    known.set(SEARCH, StrategyState.REFUSED, "no such endpoint")
    known.set(URL, StrategyState.FAILED, "500")
    value = orjson.loads(orjson.dumps(known.as_json()))
    again = saved_strategies(value, "2026.3", NOW + timedelta(days=29))
    assert (again.state(REPORT), again.state(SEARCH)) == (StrategyState.WORKS, StrategyState.REFUSED)
    assert again.state(URL) is StrategyState.UNKNOWN
    assert again.bundles == BundleSize(20, 21)
    assert again.as_json() == value


@pytest.mark.parametrize(
    ("value", "version", "days"),
    [
        (None, "2026.3", 0),
        ({}, "2026.3", 0),
        ({"found_at": "x", "version": "2026.3"}, "2026.3", 0),
        (QueryStrategies("2026.3", NOW.isoformat(), {REPORT: StrategyState.WRONG}).as_json(), "2026.4", 0),
        (QueryStrategies("2026.3", NOW.isoformat(), {REPORT: StrategyState.WRONG}).as_json(), "2026.3", 31),
        (QueryStrategies("2026.3", NOW.isoformat(), {REPORT: StrategyState.WRONG}).as_json(), "2026.3", -1),
    ],
)
def test_old_unreadable_or_other_servers_ways_are_tried_again(value: dict, version: str, days: int) -> None:  # type: ignore[type-arg]
    fresh = saved_strategies(value, version, NOW + timedelta(days=days))
    assert fresh.state(REPORT) is StrategyState.UNKNOWN
    assert fresh.version == version


@given(st.integers(0, 300))
def test_the_bundle_size_that_a_server_takes_is_found(limit: int) -> None:
    size, sent, refused = BundleSize(), 0, 0
    while not size.is_found and not size.is_useless:
        sent += 1
        now = size.next()
        if now <= limit:
            size.take(now)
        else:
            refused += 1
            size.refuse(now)
        assert sent < 20
    reach = min(limit, LARGEST)
    assert refused <= 7
    assert size.is_useless if reach < 2 else reach * 0.9 - 1 <= size.next() <= reach


def test_a_limit_that_changed_is_found_again() -> None:
    size = BundleSize(20, 21)
    size.refuse(20)
    assert size.next() <= 19
    size.take(25)
    assert size.refused is None


@given(st.lists(st.integers(1, 10**9), max_size=300), st.integers(20, 400), st.sampled_from([1, 3]))
def test_lists_are_cut_to_the_room_there_is(ids: list[int], characters: int, comma: int) -> None:
    room = Room(characters, comma)
    lists = list(cut(ids, room))
    assert [each for part in lists for each in part] == ids
    assert all(len(("," * comma).join(map(str, part))) <= characters for part in lists)
    assert len(lists) <= 2 * fewest_groups(ids, room)


def test_so_many_at_most() -> None:
    room = Room(2000, most=1)
    assert list(cut([1, 2], room)) == [[1], [2]]
    assert fewest_groups([1, 2], room) == 2
