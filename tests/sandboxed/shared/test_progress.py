"""Progress lines of long steps: often enough to follow, and not one a request."""

from __future__ import annotations

import logging

import pytest

from tasks.shared.progress import PAUSE_SECONDS, Progress


class Clock:
    """Stands still until it is set."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.INFO)
    return caplog


def test_first_and_last_line_are_always_there_and_one_each_pause_between(
    lines: pytest.LogCaptureFixture,
) -> None:
    clock = Clock()
    progress = Progress("records written", 1_000, clock)
    for step in range(20):
        clock.now = 100.0 + step * PAUSE_SECONDS / 4
        progress.advance(50)
    told = [record.getMessage() for record in lines.records]
    assert told == [f"records written: {done:,} of 1,000" for done in (50, 250, 450, 650, 850, 1_000)]


def test_without_a_total_every_page_is_told_since_nobody_knows_which_is_the_last(
    lines: pytest.LogCaptureFixture,
) -> None:
    progress = Progress("records read", clock=Clock())
    for _ in range(3):
        progress.advance(1_000)
    assert [record.getMessage() for record in lines.records] == [
        f"records read: {done}" for done in ("1,000", "2,000", "3,000")
    ]
