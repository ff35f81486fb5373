"""The cheapest way is chosen among those that work; what is remembered is dropped when it is old."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.rules.enrichment.ways import (
    BUNDLES,
    LARGEST,
    ONE_BY_ONE,
    REPORT,
    Asking,
    BundleSize,
    Room,
    Ways,
    WayState,
    asking_way,
    bundle_way,
    cheapest_agreement_way,
    cheapest_ticket_way,
    cut,
    fewest_groups,
    remembered_ways,
)

NOW = datetime(2026, 11, 21, tzinfo=UTC)
ROOMS = {Asking.SEARCH: Room(9780), Asking.URL: Room(1380, comma=3), Asking.SINGLE: Room(2000, most=1)}
IDS = list(range(10_000, 25_000))


def ways(*closed: str, bundles: BundleSize | None = None) -> Ways:
    return Ways(states=dict.fromkeys(closed, WayState.REFUSED), bundles=bundles or BundleSize(20, 21))


NO_BUNDLES = BundleSize(0, 2)
SEARCH, URL, SINGLE = (asking_way("service", each) for each in Asking)


@pytest.mark.parametrize(
    ("known", "asking", "detail", "most"),
    [
        (ways(), Asking.SEARCH, BUNDLES, 110),
        (ways(bundles=NO_BUNDLES), Asking.SEARCH, ONE_BY_ONE, 250),
        (ways(SEARCH, bundles=NO_BUNDLES), Asking.URL, ONE_BY_ONE, 450),
        (ways(SEARCH, URL), None, BUNDLES, 220),
        (ways(SEARCH, URL, bundles=NO_BUNDLES), None, ONE_BY_ONE, 4250),
        (ways(SEARCH, URL, SINGLE, bundle_way("service tickets")), None, ONE_BY_ONE, 4250),
    ],
)
def test_cheapest_way_to_tickets(known: Ways, asking: Asking | None, detail: str, most: int) -> None:
    plan = cheapest_ticket_way(known, "service", 4250, IDS, ROOMS)
    assert (plan.asking, plan.detail) == (asking, detail)
    assert plan.requests <= most


def test_single_conditions_serve_where_configurations_are_few() -> None:
    plan = cheapest_ticket_way(ways(SEARCH, URL, bundles=NO_BUNDLES), "service", 4250, IDS[:300], ROOMS)
    assert plan.asking is Asking.SINGLE
    assert 300 <= plan.requests < 400


@given(st.integers(0, 5000), st.integers(0, 400), st.integers(1, 100))
def test_no_plan_is_dearer_than_child_collections(tickets: int, configurations: int, size: int) -> None:
    known = ways(bundles=BundleSize(size, size + 1))
    plan = cheapest_ticket_way(known, "project", tickets, IDS[:configurations], ROOMS)
    assert plan.requests <= tickets


@pytest.mark.parametrize(
    ("known", "rows", "way", "requests"),
    [
        (ways(), 900, REPORT, 3),
        (ways(), 15_000, BUNDLES, 12),
        (ways(bundles=NO_BUNDLES), 15_000, REPORT, 17),
        (ways(REPORT, bundles=NO_BUNDLES), 15_000, ONE_BY_ONE, 200),
        (ways(bundles=NO_BUNDLES), None, ONE_BY_ONE, 200),
    ],
)
def test_cheapest_way_to_agreements(known: Ways, rows: int | None, way: str, requests: int) -> None:
    plan = cheapest_agreement_way(known, 200, rows)
    assert (plan.way, plan.requests) == (way, requests)


def test_ways_are_remembered_but_for_what_only_broke() -> None:
    known = Ways("2026.3", NOW.isoformat(), bundles=BundleSize(20, 21))
    known.set(REPORT, WayState.WORKS)
    known.set(SEARCH, WayState.REFUSED, "no such endpoint")
    known.set(URL, WayState.FAILED, "500")
    value = orjson.loads(orjson.dumps(known.as_json()))
    again = remembered_ways(value, "2026.3", NOW + timedelta(days=29))
    assert (again.state(REPORT), again.state(SEARCH)) == (WayState.WORKS, WayState.REFUSED)
    assert again.state(URL) is WayState.UNKNOWN
    assert again.bundles == BundleSize(20, 21)
    assert again.as_json() == value


@pytest.mark.parametrize(
    ("value", "version", "days"),
    [
        (None, "2026.3", 0),
        ({}, "2026.3", 0),
        ({"found_at": "x", "version": "2026.3"}, "2026.3", 0),
        (Ways("2026.3", NOW.isoformat(), {REPORT: WayState.WRONG}).as_json(), "2026.4", 0),
        (Ways("2026.3", NOW.isoformat(), {REPORT: WayState.WRONG}).as_json(), "2026.3", 31),
        (Ways("2026.3", NOW.isoformat(), {REPORT: WayState.WRONG}).as_json(), "2026.3", -1),
    ],
)
def test_old_unreadable_or_other_servers_ways_are_tried_again(value: dict, version: str, days: int) -> None:  # type: ignore[type-arg]
    fresh = remembered_ways(value, version, NOW + timedelta(days=days))
    assert fresh.state(REPORT) is WayState.UNKNOWN
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
