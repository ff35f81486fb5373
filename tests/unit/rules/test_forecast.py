"""The forecast plays the limiter's windows through: by property as the real limiter, in little time."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import anyio
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.errors import RetryableError
from connectors.ledger.rate_limit import SlidingWindowLimiter
from connectors.ledger.store import Ledger
from connectors.ledger.window import WindowRule, WindowUse
from tasks.rules.forecast import (
    MOST_PLAYED,
    Forecast,
    RequestSeconds,
    SlidingWindow,
    Step,
    duration,
    forecast,
    forecast_lines,
    seconds_of,
)
from tests.support.clock import FakeTime

VENDOR = "ConnectWise PSA"


@dataclass(frozen=True)
class Case:
    """Others' requests with pauses after them, a pause of the vendor, then own ones of so many seconds."""

    limit: int
    window: float
    others: Sequence[float]
    paused: float
    own: int
    seconds: float


cases = st.builds(
    Case,
    limit=st.sampled_from([1, 3, 20, 45]),
    window=st.sampled_from([2.0, 8.0]),
    others=st.lists(st.floats(0, 1), max_size=12),
    paused=st.one_of(st.just(0.0), st.floats(0.5, 6)),
    own=st.integers(1, 50),
    seconds=st.floats(0.0, 0.4),
)


async def acquired(limiter: SlidingWindowLimiter, watch: FakeTime) -> None:
    """As a step does that comes again when the limiter says so."""
    while True:
        try:
            return await limiter.acquire()
        except RetryableError as error:
            await watch.sleep(error.retry_after or 0)


async def both_seconds(few: Sequence[Case], place: Path) -> list[tuple[Case, float, float]]:
    """Each with the seconds that the real limiter takes for it, and those that were forecast before."""
    watch = FakeTime()
    async with (
        Ledger.open(place, clock=watch.clock()) as others,
        Ledger.open(place, clock=watch.clock()) as own,
    ):
        return [(case, *await both(case, f"key {n}", others, own, watch)) for n, case in enumerate(few)]


async def both(case: Case, key: str, others: Ledger, own: Ledger, watch: FakeTime) -> tuple[float, float]:
    for pause in case.others:
        await acquired(others.rate_limits.limiter(key, case.limit, case.window), watch)
        await watch.sleep(pause)
    limiter = own.rate_limits.limiter(key, case.limit, case.window)
    if case.paused:
        await limiter.pause(case.paused)
    uses = {VENDOR: await limiter.windows()}
    predicted = seconds_of([Step(VENDOR, case.own, (case.seconds,))], uses)
    began = watch.seconds
    for _ in range(case.own):
        await acquired(limiter, watch)
        await watch.sleep(case.seconds)
    return watch.seconds - began, predicted


@settings(max_examples=3)
@given(st.lists(cases, min_size=5, max_size=5))
def test_it_takes_as_long_as_with_the_real_limiter(few: list[Case]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        found = anyio.run(both_seconds, few, Path(folder) / "ledger.db")
    for case, used, predicted in found:
        # A wait of the limiter is a hundredth of a second at least.
        assert predicted == pytest.approx(used, abs=0.02 * case.own), case


def free(limit: int, window: float) -> WindowUse:
    return WindowUse(WindowRule.of(limit, window))


@given(
    st.integers(1, 50),
    st.sampled_from([1.0, 10.0, 300.0]),
    st.lists(st.floats(0, 5), min_size=1, max_size=120),
)
def test_no_window_holds_more_starts_than_the_limit(limit: int, window: float, pauses: list[float]) -> None:
    simulated, ready, starts = SlidingWindow(free(limit, window)), 0.0, []
    for pause in pauses:
        starts.append(simulated.start_at(ready))
        assert starts[-1] >= ready
        ready = starts[-1] + pause
    for first, after in zip(starts, starts[limit:], strict=False):
        assert after - first > window


@given(st.integers(0, 60), st.floats(0.1, 9), st.integers(1, 5))
def test_without_a_limit_only_the_lanes_count(units: int, seconds: float, width: int) -> None:
    turns = -(-units // width)
    found = seconds_of([Step(VENDOR, units, (seconds, seconds), width)], {})
    assert found == pytest.approx(2 * seconds * turns)


@given(st.integers(1, 40), st.integers(0, 80), st.integers(0, 200))
def test_what_others_use_never_makes_a_run_shorter(limit: int, held: int, units: int) -> None:
    rule = WindowRule.of(limit, 60.0)
    busy = WindowUse(rule, ((30.0, held),) if held else ())
    steps = [Step(VENDOR, units, (0.5,), 3)]
    assert seconds_of(steps, {VENDOR: [busy]}) >= seconds_of(steps, {VENDOR: [free(limit, 60.0)]})


def test_a_budget_half_used_by_others_is_taken_into_account() -> None:
    used = WindowUse(WindowRule.of(1000, 300.0), ((200.0, 500),))
    steps = [Step(VENDOR, 600, (0.1,), 3)]
    found = forecast(steps, {VENDOR: [used]}, requests={VENDOR: 604, "Lansweeper": 30}, elapsed=10.0)
    # 500 go at once; the others' 500 stop counting after 200 s, and the last 100 go then.
    assert found.seconds == pytest.approx(10 + 200 + 100 * 0.1 / 3, abs=1)
    assert found.waiting == pytest.approx(200 - 500 * 0.1 / 3, abs=1)
    assert forecast_lines(found, ["Lansweeper"]) == [
        "Requests to Lansweeper: 30 predicted",
        "Time: 3 min 33 s predicted, 3 min 3 s of it for request limits",
        "Request limit of ConnectWise PSA: 500 of 1,000 requests in 5 min are used by other runs",
    ]


def test_a_request_must_fit_in_each_window_of_its_vendor_and_costs_what_the_vendor_counts() -> None:
    minute, hour = free(150, 60.0), free(2000, 3600.0)
    singly = [Step("Lansweeper", 12, (0.1,), cost=25)]
    found = seconds_of(singly, {"Lansweeper": [hour, minute]})
    assert found == pytest.approx(60, abs=5)
    assert seconds_of([Step("Lansweeper", 100, (0.1,), cost=25)], {"Lansweeper": [hour, minute]}) > 3600


def test_the_pause_that_a_vendor_asked_for_is_waited_out_and_told() -> None:
    uses = {VENDOR: [WindowUse(WindowRule.of(100, 60.0), paused=45.0)]}
    found = forecast([Step(VENDOR, 1, (1.0,))], uses, requests={}, elapsed=0)
    assert found.seconds == pytest.approx(46)
    assert "asked for a pause of 45 s" in forecast_lines(found, [])[-1]


def test_a_million_requests_are_forecast_in_a_moment_and_at_the_pace_of_the_limit() -> None:
    began = time.process_time()
    found = seconds_of([Step(VENDOR, 1_000_000, (0.01,), 3)], {VENDOR: [free(1000, 300.0)]})
    assert time.process_time() - began < 2
    assert found == pytest.approx(300_000, rel=0.05)
    assert MOST_PLAYED < 1_000_000


def test_a_run_that_writes_nothing_ends_with_its_plan() -> None:
    assert forecast([], {}, requests={VENDOR: 3}, elapsed=0.4) == Forecast({VENDOR: 3}, 0.4)
    assert forecast_lines(Forecast(), [VENDOR])[-1] == "Time: under 1 s predicted"


def test_how_long_a_request_takes_is_known_from_this_run_then_from_earlier_ones() -> None:
    known = RequestSeconds.of({"GET /a": 4, "GET /b": 1}, {"GET /a": 2.0, "GET /b": 3.0}, {"POST /a": 7.0})
    assert (known.mean("GET /a"), known.mean("POST /a")) == (0.5, 7.0)
    assert not known.guessed
    assert known.mean("PUT /a") == 1.0
    assert known.guessed
    assert RequestSeconds.of({}, {}, {}).mean("GET /a") == 0.0


def test_a_forecast_without_any_write_seen_says_so() -> None:
    found = forecast([], {}, requests={}, elapsed=3.0, guessed=True)
    assert forecast_lines(found, []) == [
        "Time: 3 s predicted, if writes take no longer than reads: no run has written here yet"
    ]


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.2, "under 1 s"),
        (12.4, "12 s"),
        (60, "1 min"),
        (130, "2 min 10 s"),
        (3600, "1 h"),
        (3905, "1 h 5 min"),
    ],
)
def test_a_duration_has_its_two_largest_units(seconds: float, words: str) -> None:
    assert duration(seconds) == words
