"""Waits out what passes by itself: an exhausted request budget, a pause the vendor asks for, a short outage.

A run that wrote half of its records must not give the rest up because the next request is only free in four
minutes, and must not hammer a server that is away either.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Protocol, TypeVar

import anyio

from connectors.errors import RetryableError
from tasks.shared.progress import run_logger

T = TypeVar("T")

TRIES = 3
"""How often one step is tried when nobody says how long the trouble will last."""

SHORTEST_WAIT = 0.5


class Waiting(Protocol):
    """What settings say of waiting; see ``tasks.asset_sync.settings.Waiting``."""

    @property
    def pause_seconds(self) -> float: ...

    @property
    def patience_seconds(self) -> float: ...


class Patience:
    """How often and how long one step is tried again.

    Where the error says when to come back, that is waited for, up to the patience that is set, and is
    no try lost.    Where it does not, a few tries are made with doubled pauses.
    """

    def __init__(self, waiting: Waiting) -> None:
        self.seconds = waiting.patience_seconds
        self.tries_left = TRIES
        self._pause = waiting.pause_seconds

    @property
    def last_try(self) -> bool:
        return self.tries_left == 1

    async def wait(self, error: RetryableError) -> bool:
        """Wait before the step is tried again; False, at once, when it is time to give up."""
        wait = self._next_wait(error)
        if wait is None:
            return False
        run_logger().warning("Going on in %.0f s: %s", wait, error)
        await anyio.sleep(wait)
        return True

    def _next_wait(self, error: RetryableError) -> float | None:
        if error.retry_after is not None:
            wait = max(SHORTEST_WAIT, error.retry_after)
            self.seconds -= wait
            return wait if self.seconds >= 0 else None
        self.tries_left -= 1
        wait, self._pause = self._pause, self._pause * 2
        return wait if self.tries_left > 0 else None


async def patiently(call: Callable[[], Awaitable[T]], waiting: Waiting) -> T:
    """Call until it is not refused for now.

    Raises:
        RetryableError: it still is after all the waiting, or after a few tries without an answer.
    """
    patience = Patience(waiting)
    while True:
        try:
            return await call()
        except RetryableError as error:
            if not await patience.wait(error):
                raise
