"""Retrying one step, retrying by its result, and polling."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import anyio
import pytest

from connectors.errors import RejectedError, RetryableError
from tasks.shared.retry import RetryPolicy, poll, retry, retry_result

pytestmark = pytest.mark.anyio
POLICY = RetryPolicy(pause_seconds=1, patience_seconds=10)


class Clock:
    """A sleep that only notes its length."""

    def __init__(self) -> None:
        self.slept: list[float] = []

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)


def failing(*errors: Exception) -> Callable[[], Awaitable[str]]:
    left = list(errors)

    async def call() -> str:
        if left:
            raise left.pop(0)
        return "done"

    return call


async def test_pauses_double_and_a_few_attempts_are_made() -> None:
    clock = Clock()
    assert await retry(failing(*[RetryableError("away")] * 2), POLICY, sleep=clock.sleep) == "done"
    assert clock.slept == [1, 2]
    with pytest.raises(RetryableError):
        await retry(failing(*[RetryableError("away")] * 3), POLICY, sleep=clock.sleep)
    with pytest.raises(RetryableError):
        await retry(failing(RetryableError("away")), POLICY, attempts=1, sleep=clock.sleep)


async def test_a_pause_that_the_vendor_asks_for_is_no_attempt_but_has_its_limit() -> None:
    clock = Clock()
    asked = [RetryableError("later", retry_after=2)] * 5
    assert await retry(failing(*asked), POLICY, sleep=clock.sleep) == "done"
    assert clock.slept == [2] * 5
    with pytest.raises(RetryableError):
        await retry(failing(*asked, *asked), POLICY, sleep=clock.sleep)


async def test_another_error_is_not_retried() -> None:
    clock = Clock()
    with pytest.raises(RejectedError):
        await retry(failing(RejectedError("no")), POLICY, sleep=clock.sleep)
    assert clock.slept == []


async def test_a_result_that_is_not_final_is_asked_for_again_within_the_policy() -> None:
    clock, calls = Clock(), 0

    async def call() -> int:
        nonlocal calls
        calls += 1
        return calls

    assert (
        await retry_result(call, POLICY, again=lambda found: 3 if found < 3 else None, sleep=clock.sleep) == 3
    )
    assert clock.slept == [3, 3]
    calls, clock.slept = 0, []
    assert await retry_result(call, POLICY, again=lambda found: 4, sleep=clock.sleep) == 3
    assert clock.slept == [4, 4]


async def test_polling_ends_with_the_value_or_with_the_last_read_after_the_deadline() -> None:
    found: list[str | None] = [None, None, "there"]

    async def read() -> str | None:
        return found.pop(0)

    assert await poll(read, until=anyio.current_time() + 5, pause=0.001) == "there"
    found = [None, "too late"]
    assert await poll(read, until=anyio.current_time() - 1, pause=0.001) is None
    assert found == ["too late"]
