"""What is done at the same time: every read to its end, and no more batches than the bound says."""

from __future__ import annotations

from collections.abc import Iterator

import anyio
import pytest

from connectors.errors import StopError
from tasks.shared.concurrency import (
    BATCHES_AT_ONCE,
    MOST_BATCHES,
    OnError,
    gather_all,
    groups,
    map_bounded,
    send_batches,
)

pytestmark = pytest.mark.anyio


async def test_calls_overlap_and_answer_in_their_order() -> None:
    second_has_begun = anyio.Event()

    async def first() -> str:
        with anyio.fail_after(5):
            await second_has_begun.wait()
        return "first"

    async def second() -> str:
        second_has_begun.set()
        return "second"

    assert await gather_all(first(), second()) == ["first", "second"]


async def test_the_first_error_is_raised_as_it_is_when_all_have_ended() -> None:
    ended = []

    async def fail(number: int, after: float) -> None:
        await anyio.sleep(after)
        ended.append(number)
        raise ValueError(number)

    with pytest.raises(ValueError, match="1"):
        await gather_all(fail(1, 0.02), fail(2, 0.0), fail(3, 0.04))
    assert ended == [2, 1, 3]


class Sending:
    """Notes how many batches are on their way, and how many had been taken when each was sent."""

    def __init__(self, batches: int) -> None:
        self.batches, self.taken, self.flying = batches, 0, 0
        self.seen: list[int] = []

    def __iter__(self) -> Iterator[int]:
        for number in range(self.batches):
            self.taken += 1
            yield number

    async def send(self, batch: int) -> None:
        self.flying += 1
        assert self.taken <= batch + BATCHES_AT_ONCE + 1
        for _ in range(3):
            await anyio.lowlevel.checkpoint()
        self.seen.append(self.flying)
        self.flying -= 1


async def test_the_first_batches_go_alone_and_the_others_a_few_at_once() -> None:
    sending = Sending(20)
    await send_batches(sending, sending.send, alone=lambda: len(sending.seen) < 4)
    assert sending.seen[:4] == [1, 1, 1, 1]
    assert len(sending.seen) == 20
    assert max(sending.seen) == BATCHES_AT_ONCE


async def test_no_batch_at_all_is_no_trouble() -> None:
    sending = Sending(0)
    await send_batches(sending, sending.send)
    assert sending.seen == []


@pytest.mark.parametrize("count", [0, 1, 2, 7, 20, 61, 300, 2_000])
def test_groups_hold_every_batch_in_its_order_and_leave_work_for_every_turn(count: int) -> None:
    found = list(groups(range(count)))
    assert [batch for group in found for batch in group] == list(range(count))
    assert all(len(group) <= MOST_BATCHES for group in found)
    assert len(found[0]) == 1 if count else found == []
    assert len(found) - 1 >= min(count - 1, 2 * BATCHES_AT_ONCE)


async def test_answers_come_in_the_order_of_the_items_and_no_more_calls_than_the_limit_run() -> None:
    running, most = 0, 0

    async def call(number: int) -> int:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await anyio.sleep(0.001 * (5 - number % 5))
        running -= 1
        return number * 10

    answers = await map_bounded(range(12), call, 3, on_error="finish_running")
    assert answers == [number * 10 for number in range(12)]
    assert most == 3


@pytest.mark.parametrize(
    ("on_error", "error", "ended"),
    [
        ("finish_running", ValueError, [1]),
        ("finish_running", StopError, [1]),
        ("cancel", ValueError, []),
        ("cancel", StopError, []),
        ("stop_errors", ValueError, []),
        ("stop_errors", StopError, [1]),
    ],
)
async def test_an_error_ends_it_as_the_policy_says(
    on_error: OnError, error: type[Exception], ended: list[int]
) -> None:
    begun, seen = [], []

    async def call(number: int) -> None:
        begun.append(number)
        if number == 0:
            await anyio.sleep(0.005)
            raise error("the first")
        await anyio.sleep(0.02)
        seen.append(number)

    with pytest.raises(error, match="the first"):
        await map_bounded(range(6), call, 2, on_error=on_error)
    assert begun == [0, 1]
    assert seen == ended
