"""Retry and polling of one step: an exhausted rate limit, a pause the vendor asks for, a short outage.

A run that wrote half of its records must not give the rest up because the next request is only free in four
minutes, and must not hammer a server that is away either.

Three layers retry, each for its own reason: the transport repeats a single request by its kind
(``connectors.retry``), a step waits here for what passes by itself, and Prefect repeats whole task runs of
documented actions (``tasks.shared.action``).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

import anyio
from pydantic import BaseModel, ConfigDict, Field

from connectors.errors import RetryableError
from tasks.shared.progress import run_logger

T = TypeVar("T")

_ATTEMPTS = 3
"""How often one step is tried when nobody says how long the trouble will last."""

_SHORTEST_WAIT = 0.5


class RetryPolicy(BaseModel):
    """How long one step is tried again: the base of all settings of waiting times."""

    model_config = ConfigDict(extra="forbid")

    pause_seconds: float = Field(
        default=5, gt=0, title="Pause", description="Seconds before a step is tried again."
    )
    patience_seconds: float = Field(
        default=900,
        ge=0,
        title="Patience",
        description="Seconds that one step waits, in all, when a vendor or the request budget asks it to.",
    )


class Waiting(RetryPolicy):
    """How long a creation without an answer is waited for before its outcome is taken as settled."""

    settle_seconds: float = Field(
        default=60,
        ge=0,
        title="Settle time",
        description="Seconds from the start of a request without answer.",
    )
    pause_seconds: float = Field(
        default=5,
        gt=0,
        title="Pause between reads",
        description="Seconds between two reads that must agree, and before a step is tried again.",
    )
    lease_seconds: float = Field(
        default=75, ge=0, title="Wait for the lease", description="Seconds to wait for another writing run."
    )


class Retries:
    """The retries that one step has left under a policy.

    Where the error says when to come back, that is waited for, up to the policy's seconds in all, and does
    not count as an attempt. Where it does not, a few attempts are made with doubled pauses.
    """

    def __init__(
        self,
        policy: RetryPolicy,
        attempts: int = _ATTEMPTS,
        sleep: Callable[[float], Awaitable[None]] = anyio.sleep,
    ) -> None:
        self.seconds_left = policy.patience_seconds
        self.attempts_left = attempts
        self._pause = policy.pause_seconds
        self._sleep = sleep

    @property
    def last_attempt(self) -> bool:
        return self.attempts_left == 1

    async def wait(self, error: RetryableError) -> bool:
        """Wait before the next attempt; return False at once when the policy is exhausted."""
        wait = self._next_wait(error)
        if wait is None:
            return False
        run_logger().warning("Going on in %.0f s: %s", wait, error)
        await self._sleep(wait)
        return True

    def _next_wait(self, error: RetryableError) -> float | None:
        if error.retry_after is not None:
            wait = max(_SHORTEST_WAIT, error.retry_after)
            self.seconds_left -= wait
            return wait if self.seconds_left >= 0 else None
        self.attempts_left -= 1
        wait, self._pause = self._pause, self._pause * 2
        return wait if self.attempts_left > 0 else None


async def retry(
    call: Callable[[], Awaitable[T]],
    policy: RetryPolicy,
    *,
    attempts: int = _ATTEMPTS,
    sleep: Callable[[float], Awaitable[None]] = anyio.sleep,
) -> T:
    """Call until it succeeds; RetryableError when policy or attempts without an answer are exhausted."""
    retries = Retries(policy, attempts, sleep)
    while True:
        try:
            return await call()
        except RetryableError as error:
            if not await retries.wait(error):
                raise


async def retry_result(
    call: Callable[[], Awaitable[T]],
    policy: RetryPolicy,
    *,
    again: Callable[[T], float | None],
    sleep: Callable[[float], Awaitable[None]] = anyio.sleep,
) -> T:
    """Call until its result is final, and return the last result; each call is retried as by ``retry``.

    ``again`` gives the seconds to wait before the next call, None when the result is final. Together they are
    at most the policy's ``patience_seconds``.
    """
    seconds_left = policy.patience_seconds
    while True:
        result = await retry(call, policy, sleep=sleep)
        pause = again(result)
        if pause is None or pause > seconds_left:
            return result
        seconds_left -= pause
        await sleep(pause)


async def poll(read: Callable[[], Awaitable[T | None]], *, until: float, pause: float) -> T | None:
    """Read until there is a value; None after a read begun at ``until``, of anyio's clock, or later."""
    while True:
        last = anyio.current_time() >= until
        found = await read()
        if found is not None or last:
            return found
        await anyio.sleep(pause)
