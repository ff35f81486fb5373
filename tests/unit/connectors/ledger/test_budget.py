"""The shared budget on a real database, with a clock that the test moves."""

from __future__ import annotations

from dataclasses import dataclass

import anyio
import anyio.lowlevel
import pytest

from connectors.errors import RetryableError
from connectors.ledger.database import Clock
from connectors.ledger.store import Ledger
from tests.support.ledger_places import place

__all__ = ["place"]
pytestmark = pytest.mark.anyio
SETTINGS = ("vendor:1", 100, 10.0)


@dataclass
class FakeTime:
    """One time for everything; sleeping moves it."""

    seconds: float = 1_000_000.0

    def now(self) -> float:
        return self.seconds

    async def sleep(self, seconds: float) -> None:
        self.seconds += seconds
        await anyio.lowlevel.checkpoint()

    def clock(self) -> Clock:
        return Clock(now=self.now, monotonic=self.now, sleep=self.sleep)


@pytest.fixture
def time() -> FakeTime:
    return FakeTime()


async def test_the_whole_limit_can_be_used_at_once(place: str, time: FakeTime) -> None:
    async with Ledger.open(place, clock=time.clock()) as ledger:
        started = time.seconds
        for _ in range(100):
            await ledger.rate_limiter(*SETTINGS).acquire()
        assert time.seconds == started
        assert await ledger.requests_used("vendor:1", 10.0) == 100


async def test_the_next_request_waits_for_the_window_to_pass(place: str, time: FakeTime) -> None:
    async with Ledger.open(place, clock=time.clock()) as ledger:
        started = time.seconds
        for _ in range(101):
            await ledger.rate_limiter(*SETTINGS).acquire()
        assert 10 < time.seconds - started < 11


async def test_tasks_of_one_process_share_a_slice_and_the_limit(place: str, time: FakeTime) -> None:
    starts: list[float] = []
    async with Ledger.open(place, clock=time.clock()) as ledger:
        limiter = ledger.rate_limiter("vendor:1", 20, 10.0)

        async def work() -> None:
            for _ in range(10):
                await limiter.acquire()
                starts.append(time.seconds)

        async with anyio.create_task_group() as tasks:
            for _ in range(4):
                tasks.start_soon(work)
    first = [start for start in starts if start < starts[0] + 10]
    assert (len(starts), len(first)) == (40, 20)


async def test_two_ledgers_never_exceed_the_limit_together(place: str, time: FakeTime) -> None:
    async with (
        Ledger.open(place, clock=time.clock()) as one,
        Ledger.open(place, clock=time.clock()) as other,
    ):
        started = time.seconds
        for _ in range(48):
            await one.rate_limiter(*SETTINGS).acquire()
            await other.rate_limiter(*SETTINGS).acquire()
        assert time.seconds == started
        for _ in range(5):
            await one.rate_limiter(*SETTINGS).acquire()
        assert time.seconds > started + 10


async def test_a_long_wait_is_left_to_the_task_and_says_how_long(place: str, time: FakeTime) -> None:
    async with Ledger.open(place, clock=time.clock()) as ledger:
        limiter = ledger.rate_limiter("vendor:1", 2, 300.0)
        await limiter.acquire()
        await limiter.acquire()
        started = time.seconds
        with pytest.raises(RetryableError, match="All 2 requests per 300 s are used") as refused:
            await limiter.acquire()
        assert time.seconds == started
        assert refused.value.retry_after == pytest.approx(300.5, abs=1)


async def test_a_pause_of_one_process_stops_the_others(place: str, time: FakeTime) -> None:
    async with (
        Ledger.open(place, clock=time.clock()) as one,
        Ledger.open(place, clock=time.clock()) as other,
    ):
        started = time.seconds
        await one.rate_limiter(*SETTINGS).pause(20)
        await one.rate_limiter(*SETTINGS).pause(5)
        await other.rate_limiter(*SETTINGS).acquire()
        assert time.seconds >= started + 20


async def test_a_pause_longer_than_the_patience_is_a_retry_of_the_task(place: str, time: FakeTime) -> None:
    async with Ledger.open(place, clock=time.clock()) as ledger:
        await ledger.rate_limiter(*SETTINGS).pause(61)
        with pytest.raises(RetryableError, match="The vendor asked for a pause") as refused:
            await ledger.rate_limiter(*SETTINGS).acquire()
        assert refused.value.retry_after == pytest.approx(61)


async def test_unused_requests_are_handed_back_on_close(place: str, time: FakeTime) -> None:
    async with Ledger.open(place, clock=time.clock()) as ledger:
        for _ in range(8):  # slices of 1, 2, 4 and one of 5, of which 4 stay unused
            await ledger.rate_limiter(*SETTINGS).acquire()
        assert await ledger.requests_used("vendor:1", 10.0) == 12
    async with Ledger.open(place, clock=time.clock()) as ledger:
        assert await ledger.requests_used("vendor:1", 10.0) == 8


async def test_a_killed_process_blocks_its_slice_for_one_window_only(place: str, time: FakeTime) -> None:
    killed = await Ledger.open(place, clock=time.clock())
    for _ in range(8):
        await killed.rate_limiter(*SETTINGS).acquire()
    await killed._engine.dispose()
    time.seconds += 11
    async with Ledger.open(place, clock=time.clock()) as ledger:
        started = time.seconds
        for _ in range(100):
            await ledger.rate_limiter(*SETTINGS).acquire()
        assert time.seconds == started


async def test_a_clock_set_back_blocks_for_one_window_only(place: str, time: FakeTime) -> None:
    async with Ledger.open(place, clock=time.clock()) as ledger:
        for _ in range(100):
            await ledger.rate_limiter(*SETTINGS).acquire()
        await ledger.rate_limiter("vendor:1", 5, 20.0).pause(10)
        time.seconds -= 86_400
        started = time.seconds
        await ledger.rate_limiter(*SETTINGS).acquire()
        assert time.seconds - started < 12


@pytest.mark.parametrize("ahead", [1800, 3500])
async def test_a_pause_noted_by_a_clock_ahead_is_no_longer_than_asked_for(
    place: str, time: FakeTime, ahead: float
) -> None:
    async with Ledger.open(place, clock=time.clock()) as ledger:
        time.seconds += ahead
        await ledger.rate_limiter(*SETTINGS).pause(20)
        time.seconds -= ahead
        started = time.seconds
        await ledger.rate_limiter(*SETTINGS).acquire()
        assert 19 <= time.seconds - started < 22


async def test_a_pause_asked_for_is_not_hidden_by_one_of_a_clock_ahead(place: str, time: FakeTime) -> None:
    async with Ledger.open(place, clock=time.clock()) as ledger:
        time.seconds += 1800
        await ledger.rate_limiter(*SETTINGS).pause(5)
        time.seconds -= 1800
        started = time.seconds
        await ledger.rate_limiter(*SETTINGS).pause(25)
        await ledger.rate_limiter(*SETTINGS).acquire()
        assert 24 <= time.seconds - started < 27


async def test_requests_granted_by_a_clock_ahead_count_for_one_window(place: str, time: FakeTime) -> None:
    async with Ledger.open(place, clock=time.clock()) as ledger:
        time.seconds += 1800
        for _ in range(100):
            await ledger.rate_limiter(*SETTINGS).acquire()
        time.seconds -= 1800
        started = time.seconds
        await ledger.rate_limiter(*SETTINGS).acquire()
        assert time.seconds - started < 12


async def test_several_limits_hold_together(place: str, time: FakeTime) -> None:
    async with Ledger.open(place, clock=time.clock()) as ledger:
        limiter = ledger.rate_limiters("vendor:1", [(5, 10.0), (8, 3600.0)])
        started = time.seconds
        for _ in range(5):
            await limiter.acquire()
        assert time.seconds == started
        for _ in range(3):
            await limiter.acquire()
        assert 10 < time.seconds - started < 12
        with pytest.raises(RetryableError, match="8 requests per 3600 s"):
            await limiter.acquire()


async def test_other_keys_are_other_budgets(place: str, time: FakeTime) -> None:
    async with Ledger.open(place, clock=time.clock()) as ledger:
        await ledger.rate_limiter("vendor:1", 1, 300.0).acquire()
        await ledger.rate_limiter("vendor:2", 1, 300.0).acquire()
        assert await ledger.requests_used("vendor:1", 300.0) == 1
