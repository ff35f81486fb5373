"""What is asked again is what may have changed, and never less."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.rules.enrichment.ticket_changes import (
    KnownTicket,
    as_ranges,
    from_ranges,
    is_reconcile_due,
    stable_stamp,
    ticket_changes,
    tickets_by_configuration,
)

NOW = datetime(2026, 11, 21, 22, 0, 0, tzinfo=UTC)
KEYS = st.tuples(st.sampled_from(["service", "project"]), st.integers(1, 9))
STAMPS = st.sampled_from(["", "a", "b"])
HELD = st.frozensets(st.integers(1, 5), max_size=3)


@given(
    st.dictionaries(KEYS, STAMPS),
    st.dictionaries(KEYS, st.builds(KnownTicket, STAMPS, HELD)),
    st.none() | st.sets(st.integers(1, 5)),
    st.sets(st.integers(1, 5)),
)
def test_every_ticket_is_either_known_or_asked(
    swept: dict[tuple[str, int], str],
    remembered: dict[tuple[str, int], KnownTicket],
    asked_about: set[int] | None,
    wanted: set[int],
) -> None:
    changes = ticket_changes(swept, remembered, asked_about, wanted)
    assert set(changes.changed) | changes.unchanged.keys() == swept.keys()
    assert not set(changes.changed) & changes.unchanged.keys()
    assert set(changes.gone) == remembered.keys() - swept.keys()
    for key, held in changes.unchanged.items():
        assert swept[key] == remembered[key].last_updated != ""
        assert held == remembered[key].configurations
    known = wanted if asked_about is None else asked_about
    missing = wanted - known if changes.unchanged else set()
    assert set(changes.new_configurations) == missing


@pytest.mark.parametrize(
    ("stamp", "age", "kept"),
    [
        ("2026-11-21T21:59:57Z", 0, True),
        ("2026-11-21T21:59:59Z", 0, False),
        ("2026-11-21T22:00:00Z", 0, False),
        ("2026-11-21T22:00:00Z", 5, True),
        ("2026-11-21T22:00:05Z", 0, False),
        ("", 0, False),
        ("yesterday", 0, False),
        ("2026-11-21T21:00:00", 0, False),
    ],
)
def test_a_ticket_that_may_still_change_within_its_second_is_asked_again(
    stamp: str, age: int, kept: bool
) -> None:
    assert stable_stamp(stamp, NOW + timedelta(seconds=age)) == (stamp if kept else "")


def test_all_are_asked_every_n_runs() -> None:
    assert [is_reconcile_due(runs, 3) for runs in range(4)] == [False, False, True, True]
    assert is_reconcile_due(0, 1)
    assert not is_reconcile_due(1000, 0)


@given(st.sets(st.integers(1, 200)))
def test_ids_are_remembered_as_ranges(ids: set[int]) -> None:
    ranges = as_ranges(ids)
    assert from_ranges(ranges) == ids
    assert all(later[0] > earlier[1] + 1 for earlier, later in pairwise(ranges))


def test_a_ticket_counts_for_each_of_its_configurations_and_once_for_each() -> None:
    links = {("project", 2): {10, 11}, ("service", 1): {10, 99}, ("service", 3): set[int]()}
    tickets = {key: {"id": key[1]} for key in links}
    assert tickets_by_configuration(links, tickets, [10, 11, 12]) == {
        10: [{"id": 1}, {"id": 2}],
        11: [{"id": 2}],
        12: [],
    }
