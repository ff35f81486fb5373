"""Shrink: what is believed, what is refused, and what a person's acceptance covers."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.rules.guards import (
    Amount,
    ShrinkLimit,
    accepted,
    how_to_accept,
    marks_of_use,
    shrink_findings,
    used_up,
)

LIMIT = ShrinkLimit()


def configurations(known: int, read: int) -> Amount:
    return Amount("configurations", "Configurations", known, read)


@pytest.mark.parametrize(
    ("known", "read", "refused"),
    [
        *[(133, 0, True), (133, 106, True), (133, 107, False), (133, 133, False), (133, 400, False)],
        *[(10, 0, False), (11, 0, True), (11, 9, False), (11, 8, True), (0, 0, False)],
    ],
)
def test_fewer_by_more_than_a_fifth_is_refused_above_ten(known: int, read: int, refused: bool) -> None:
    assert bool(shrink_findings([configurations(known, read)], LIMIT, {})) is refused


def test_the_text_names_what_was_known_what_was_read_and_how_to_go_on() -> None:
    read_at = datetime(2026, 11, 28, 10, 30, tzinfo=UTC)

    (finding,) = shrink_findings([configurations(1330, 14)], LIMIT, {"assets": 3}, read_at)

    assert finding.refuses
    assert finding.text == (
        "Configurations: 1,330 known from the last reading on 2026-11-28 10:30 UTC, 14 read now, 99% fewer; "
        "more than 20% is not believed. If it is right, set Accept once to configurations = 14 for one run."
    )


@given(known=st.integers(11, 10**6), read=st.integers(0, 10**6), number=st.integers(0, 10**6))
def test_an_acceptance_never_lets_a_worse_reading_pass(known: int, read: int, number: int) -> None:
    for finding in shrink_findings([configurations(known, read)], LIMIT, {"configurations": number}):
        assert finding.refuses is (read < number)


def test_nothing_typed_accepts_nothing() -> None:
    assert not accepted("configurations", 0, {"configurations": None})
    assert accepted("configurations", 0, {"configurations": 0})
    typed = how_to_accept({"linked": 0, "assets": 4})
    assert typed == "set Accept once to linked = 0, assets = 4 for one run"


def test_a_number_counts_for_one_real_run_and_again_after_one_without_it() -> None:
    typed = {"recreated": 40, "linked": None}
    kept: dict[str, int] = {}
    assert used_up(typed, kept) == ([], [])
    kept |= marks_of_use(typed, kept)
    used, (finding,) = used_up(typed, kept)
    assert (used, finding.refuses) == (["recreated"], False)
    assert "recreated = 40" in finding.text
    assert used_up({"recreated": 41}, kept) == ([], [])
    kept |= marks_of_use({"recreated": None, "linked": None}, kept)
    assert used_up(typed, kept) == ([], [])
    assert marks_of_use({"linked": None}, {}) == {}
