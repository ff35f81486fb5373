"""The shared rate limit on a real database, with a clock that the test moves.

By property, no window holds more starts than the limit. The last test measures real processes.
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import anyio
import anyio.lowlevel
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.errors import RetryableError
from connectors.ledger.rate_limit import TenantLimiter, UseWarning, WindowRule, WindowState, grant_tokens
from connectors.ledger.store import Ledger
from tests.support.clock import FakeTime
from tests.support.ledger import place, start_python

__all__ = ["place"]
pytestmark = pytest.mark.anyio

SETTINGS = ("vendor:1", 100, 10.0)


@pytest.fixture
def watch() -> FakeTime:
    return FakeTime()


async def test_the_whole_limit_can_be_used_at_once(place: str, watch: FakeTime) -> None:
    async with Ledger.open(place, clock=watch.clock()) as ledger:
        started = watch.seconds
        for _ in range(100):
            await ledger.rate_limits.limiter(*SETTINGS).acquire()
        assert watch.seconds == started
        assert await ledger.rate_limits.used("vendor:1", 10.0) == 100


async def test_the_next_request_waits_for_the_window_to_pass(place: str, watch: FakeTime) -> None:
    async with Ledger.open(place, clock=watch.clock()) as ledger:
        started = watch.seconds
        for _ in range(101):
            await ledger.rate_limits.limiter(*SETTINGS).acquire()
        assert 10 < watch.seconds - started < 11


async def test_tasks_of_one_process_share_a_slice_and_the_limit(place: str, watch: FakeTime) -> None:
    starts: list[float] = []
    async with Ledger.open(place, clock=watch.clock()) as ledger:
        limiter = ledger.rate_limits.limiter("vendor:1", 20, 10.0)

        async def work() -> None:
            for _ in range(10):
                await limiter.acquire()
                starts.append(watch.seconds)

        async with anyio.create_task_group() as tasks:
            for _ in range(4):
                tasks.start_soon(work)
    first = [start for start in starts if start < starts[0] + 10]
    assert (len(starts), len(first)) == (40, 20)


async def test_two_ledgers_never_exceed_the_limit_together(place: str, watch: FakeTime) -> None:
    async with (
        Ledger.open(place, clock=watch.clock()) as one,
        Ledger.open(place, clock=watch.clock()) as other,
    ):
        started = watch.seconds
        for _ in range(48):
            await one.rate_limits.limiter(*SETTINGS).acquire()
            await other.rate_limits.limiter(*SETTINGS).acquire()
        assert watch.seconds == started
        for _ in range(5):
            await one.rate_limits.limiter(*SETTINGS).acquire()
        assert watch.seconds > started + 10


async def test_what_an_older_version_granted_by_credential_counts_for_the_tenant(
    place: str, watch: FakeTime
) -> None:
    async with Ledger.open(place, clock=watch.clock()) as ledger:
        started = watch.seconds
        for _ in range(96):
            await ledger.rate_limits.limiter("credential", 100, 10.0).acquire()
        tenant = ledger.rate_limits.limiter("tenant", 100, 10.0, earlier=["credential"])
        await ledger.rate_limits.limiter("credential", 100, 10.0).close()
        for _ in range(4):
            await tenant.acquire()
        assert watch.seconds == started
        await tenant.acquire()
        assert watch.seconds > started + 10
        await ledger.rate_limits.limiter("credential", 100, 10.0).pause(20)
        paused = watch.seconds
        await tenant.close()
        await tenant.acquire()
        assert watch.seconds >= paused + 20


async def test_the_last_day_is_kept_by_hour_and_bounded(place: str, watch: FakeTime) -> None:
    limits = [(10, 10.0), (1000, 3600.0)]
    async with Ledger.open(place, clock=watch.clock()) as ledger:
        limiter = ledger.rate_limits.combined("vendor:1", limits)
        for _ in range(12):
            await limiter.acquire()
        await limiter.pause(5)
        await ledger.rate_limits.limiter("vendor:2", 100, 10.0).acquire()
        await ledger.rate_limits.close()
        day = (await ledger.request_history.last_day())["vendor:1"]
        assert (day.requests, day.waits, day.refused) == (12, 1, 1)
        assert 9 < day.waited_seconds < 12
        for hour in range(30):
            watch.seconds += 3600
            for _ in range(hour):
                await ledger.rate_limits.limiter("vendor:2", 100, 10.0).acquire()
        await ledger.rate_limits.close()
        history = await ledger.request_history.last_day()
        assert set(history) == {"vendor:2"}
        # A slice counts in the hour in which it is handed back.
        assert history["vendor:2"].most_in_an_hour == pytest.approx(29, abs=3)
        assert history["vendor:2"].requests == pytest.approx(sum(range(6, 30)), abs=4)
        async with ledger._engine.connect() as connection:
            kept = (await connection.exec_driver_sql("SELECT count(*) FROM request_hours")).scalar_one()
        assert kept == 24


async def test_a_run_is_warned_once_a_window_before_it_is_slowed(place: str, watch: FakeTime) -> None:
    told: list[str] = []
    warning = UseWarning(0.8, told.append)
    async with Ledger.open(place, clock=watch.clock()) as ledger:
        limiter = ledger.rate_limits.limiter("vendor:1", 100, 10.0, warning=warning)
        started = watch.seconds
        for number in range(100):
            await limiter.acquire()
            assert not told or number >= 75
        assert watch.seconds == started
        assert len(told) == 1
        assert "of 100 requests per 10 s are used, by all runs together" in told[0]
        for _ in range(100):
            await limiter.acquire()
        assert len(told) == 2


async def test_a_tenant_that_is_learned_is_counted_from_then_on(place: str, watch: FakeTime) -> None:
    """Two tokens of one site: each has its own limit, and both have the site's."""
    limits, known = [(20, 10.0)], ["site"]
    async with Ledger.open(place, clock=watch.clock()) as ledger:
        one = TenantLimiter(ledger.rate_limits, "token 1", limits)
        other = TenantLimiter(ledger.rate_limits, "token 2", limits)
        await one.acquire()
        assert await ledger.rate_limits.used("site", 10.0) == 0
        one.tenant = other.tenant = lambda: known[0]
        started = watch.seconds
        for _ in range(10):
            await one.acquire()
            await other.acquire()
        assert watch.seconds == started
        await other.acquire()
        assert watch.seconds > started + 10
        await one.pause(20)
        paused = watch.seconds
        await other.acquire()
        assert watch.seconds >= paused + 20


async def test_a_long_wait_is_left_to_the_task_and_says_how_long(place: str, watch: FakeTime) -> None:
    async with Ledger.open(place, clock=watch.clock()) as ledger:
        limiter = ledger.rate_limits.limiter("vendor:1", 2, 300.0)
        await limiter.acquire()
        await limiter.acquire()
        started = watch.seconds
        with pytest.raises(RetryableError, match="All 2 requests per 300 s are used") as refused:
            await limiter.acquire()
        assert watch.seconds == started
        assert refused.value.retry_after == pytest.approx(300.5, abs=1)


async def test_a_pause_of_one_process_stops_the_others(place: str, watch: FakeTime) -> None:
    async with (
        Ledger.open(place, clock=watch.clock()) as one,
        Ledger.open(place, clock=watch.clock()) as other,
    ):
        started = watch.seconds
        await one.rate_limits.limiter(*SETTINGS).pause(20)
        await one.rate_limits.limiter(*SETTINGS).pause(5)
        await other.rate_limits.limiter(*SETTINGS).acquire()
        assert watch.seconds >= started + 20


async def test_a_pause_longer_than_the_patience_is_a_retry_of_the_task(place: str, watch: FakeTime) -> None:
    async with Ledger.open(place, clock=watch.clock()) as ledger:
        await ledger.rate_limits.limiter(*SETTINGS).pause(61)
        with pytest.raises(RetryableError, match="The vendor asked for a pause") as refused:
            await ledger.rate_limits.limiter(*SETTINGS).acquire()
        assert refused.value.retry_after == pytest.approx(61)


async def test_unused_requests_are_handed_back_on_close(place: str, watch: FakeTime) -> None:
    async with Ledger.open(place, clock=watch.clock()) as ledger:
        for _ in range(8):  # slices of 1, 2, 4 and one of 5, of which 4 stay unused
            await ledger.rate_limits.limiter(*SETTINGS).acquire()
        assert await ledger.rate_limits.used("vendor:1", 10.0) == 12
    async with Ledger.open(place, clock=watch.clock()) as ledger:
        assert await ledger.rate_limits.used("vendor:1", 10.0) == 8


async def test_a_killed_process_blocks_its_slice_for_one_window_only(place: str, watch: FakeTime) -> None:
    killed = await Ledger.open(place, clock=watch.clock())
    for _ in range(8):
        await killed.rate_limits.limiter(*SETTINGS).acquire()
    await killed._engine.dispose()
    watch.seconds += 11
    async with Ledger.open(place, clock=watch.clock()) as ledger:
        started = watch.seconds
        for _ in range(100):
            await ledger.rate_limits.limiter(*SETTINGS).acquire()
        assert watch.seconds == started


async def test_a_clock_set_back_blocks_for_one_window_only(place: str, watch: FakeTime) -> None:
    async with Ledger.open(place, clock=watch.clock()) as ledger:
        for _ in range(100):
            await ledger.rate_limits.limiter(*SETTINGS).acquire()
        await ledger.rate_limits.limiter("vendor:1", 5, 20.0).pause(10)
        watch.seconds -= 86_400
        started = watch.seconds
        await ledger.rate_limits.limiter(*SETTINGS).acquire()
        assert watch.seconds - started < 12


@pytest.mark.parametrize("ahead", [1800, 3500])
async def test_a_pause_noted_by_a_clock_ahead_is_no_longer_than_asked_for(
    place: str, watch: FakeTime, ahead: float
) -> None:
    async with Ledger.open(place, clock=watch.clock()) as ledger:
        watch.seconds += ahead
        await ledger.rate_limits.limiter(*SETTINGS).pause(20)
        watch.seconds -= ahead
        started = watch.seconds
        await ledger.rate_limits.limiter(*SETTINGS).acquire()
        assert 19 <= watch.seconds - started < 22


async def test_a_pause_asked_for_is_not_hidden_by_one_of_a_clock_ahead(place: str, watch: FakeTime) -> None:
    async with Ledger.open(place, clock=watch.clock()) as ledger:
        watch.seconds += 1800
        await ledger.rate_limits.limiter(*SETTINGS).pause(5)
        watch.seconds -= 1800
        started = watch.seconds
        await ledger.rate_limits.limiter(*SETTINGS).pause(25)
        await ledger.rate_limits.limiter(*SETTINGS).acquire()
        assert 24 <= watch.seconds - started < 27


async def test_requests_granted_by_a_clock_ahead_count_for_one_window(place: str, watch: FakeTime) -> None:
    async with Ledger.open(place, clock=watch.clock()) as ledger:
        watch.seconds += 1800
        for _ in range(100):
            await ledger.rate_limits.limiter(*SETTINGS).acquire()
        watch.seconds -= 1800
        started = watch.seconds
        await ledger.rate_limits.limiter(*SETTINGS).acquire()
        assert watch.seconds - started < 12


async def test_several_limits_hold_together(place: str, watch: FakeTime) -> None:
    async with Ledger.open(place, clock=watch.clock()) as ledger:
        limiter = ledger.rate_limits.combined("vendor:1", [(5, 10.0), (8, 3600.0)])
        started = watch.seconds
        for _ in range(5):
            await limiter.acquire()
        assert watch.seconds == started
        for _ in range(3):
            await limiter.acquire()
        assert 10 < watch.seconds - started < 12
        with pytest.raises(RetryableError, match="8 requests per 3600 s"):
            await limiter.acquire()


async def test_other_keys_are_other_budgets(place: str, watch: FakeTime) -> None:
    async with Ledger.open(place, clock=watch.clock()) as ledger:
        await ledger.rate_limits.limiter("vendor:1", 1, 300.0).acquire()
        await ledger.rate_limits.limiter("vendor:2", 1, 300.0).acquire()
        assert await ledger.rate_limits.used("vendor:1", 300.0) == 1


@dataclass
class Held:
    """A slice in the hands of one process."""

    granted_at: float
    tokens: int
    counts_until: float
    starts: list[float] = field(default_factory=list)


@dataclass
class Simulation:
    """The ledger and its processes, kept as lists; time only moves forward."""

    rule: WindowRule
    now: float = 0.0
    slices: list[Held] = field(default_factory=list)
    hands: dict[int, Held] = field(default_factory=dict)
    starts: list[float] = field(default_factory=list)

    def use(self, process: int, wanted: int) -> None:
        """Starts a request if the process holds a valid token, else hands back and asks for a slice."""
        held = self.hands.get(process)
        if held and len(held.starts) < held.tokens and self.now < held.granted_at + self.rule.validity:
            held.starts.append(self.now)
            self.starts.append(self.now)
            return
        self.hand_back(process)
        counting = [held for held in self.slices if held.counts_until > self.now]
        first = min((held.counts_until for held in counting), default=None)
        standing = WindowState(sum(held.tokens for held in counting), first)
        decision = grant_tokens(self.rule, standing, self.now, wanted)
        if decision.tokens:
            until = self.rule.counts_until_after_grant(self.now)
            self.hands[process] = Held(self.now, decision.tokens, until)
            self.slices.append(self.hands[process])

    def hand_back(self, process: int) -> None:
        """Reports the used tokens of a slice; a killed process (see below) never does."""
        held = self.hands.pop(process, None)
        if held is None:
            return
        held.tokens = len(held.starts)
        if held.starts:
            until = self.rule.counts_until_after_use(held.starts[-1])
            held.counts_until = min(held.counts_until, until)


def most_in_a_window(starts: Sequence[float], window: float) -> int:
    """The largest number of starts in any half-open window."""
    ordered = sorted(starts)
    return max((sum(1 for s in ordered if start <= s < start + window) for start in ordered), default=0)


STEPS = st.lists(
    st.tuples(
        st.floats(0, 3, allow_nan=False),
        st.sampled_from(["use", "use", "use", "hand_back", "kill"]),
        st.integers(0, 3),
        st.integers(1, 6),
    ),
    max_size=80,
)


@given(steps=STEPS, limit=st.integers(1, 12), window=st.floats(1, 10))
def test_no_window_ever_holds_more_starts_than_the_limit(
    steps: list[tuple[float, str, int, int]], limit: int, window: float
) -> None:
    simulation = Simulation(WindowRule.of(limit, window))
    for passed, action, process, wanted in steps:
        simulation.now += passed
        if action == "use":
            simulation.use(process, wanted)
        elif action == "hand_back":
            simulation.hand_back(process)
        else:
            simulation.hands.pop(process, None)
    assert most_in_a_window(simulation.starts, window) <= limit


@given(limit=st.integers(1, 5000), window=st.floats(0.1, 7200))
def test_the_safety_margin_costs_less_than_a_tenth_of_the_limit(limit: int, window: float) -> None:
    rule = WindowRule.of(limit, window)
    assert rule.window / (rule.window + rule.validity + rule.leeway) > 0.9
    assert 1 <= rule.largest_slice <= max(1, limit // 20)


@pytest.mark.parametrize(("left", "granted"), [(100, 5), (20, 5), (12, 3), (3, 1), (1, 1)])
def test_slices_become_small_while_little_is_left(left: int, granted: int) -> None:
    rule = WindowRule.of(100, 10)
    assert grant_tokens(rule, WindowState(100 - left, 5.0), now=1.0, wanted=5).tokens == granted


def test_a_used_up_window_says_when_the_first_token_is_free() -> None:
    rule = WindowRule.of(100, 10)
    decision = grant_tokens(rule, WindowState(100, 5.0), now=1.0, wanted=5)
    assert (decision.tokens, decision.wait) == (0, 4.0)


def test_a_pause_comes_before_everything() -> None:
    rule = WindowRule.of(100, 10)
    decision = grant_tokens(rule, WindowState(0, None, paused_until=61.0), now=1.0, wanted=5)
    assert (decision.tokens, decision.wait) == (0, 60.0)


@pytest.mark.parametrize(("limit", "window"), [(0, 10), (-1, 10), (5, 0)])
def test_a_limit_without_requests_or_time_is_refused(limit: int, window: float) -> None:
    with pytest.raises(ValueError, match="at least 1 request"):
        WindowRule.of(limit, window)


WINDOW = 10.0


@pytest.mark.speed
async def test_four_processes_use_at_most_100_requests_in_any_10_seconds_and_at_least_90(place: str) -> None:
    together_at = time.time() + 2
    words = [place, "100", str(WINDOW), str(together_at), str(WINDOW + 1.5)]
    workers = [start_python("-m", "tests.support.rate_limit_worker", *words) for _ in range(4)]
    answers = [json.loads(worker.communicate(timeout=60)[0]) for worker in workers]
    starts = sorted(start for answer in answers for start in answer)
    assert most_in_a_window(starts, WINDOW) <= 100
    assert sum(1 for start in starts if start < starts[0] + WINDOW) >= 90
    assert len(starts) > 100, "the next window does not open in time"
