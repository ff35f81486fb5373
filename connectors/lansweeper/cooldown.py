"""Lansweeper's cool-down: after 429 any call starts its minute anew, so nobody calls before it is over."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable

import anyio

from connectors.http import RequestBudget


class CoolDown:
    """Stands before the shared budget, if there is one: holds this client's other requests back as well."""

    def __init__(
        self,
        budget: RequestBudget | None,
        *,
        now: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = anyio.sleep,
    ) -> None:
        self._budget = budget
        self._now = now
        self._sleep = sleep
        self._quiet_until = 0.0

    async def take(self) -> None:
        """Waits until the cool-down is over, then for the budget's permission."""
        while (wait := self._quiet_until - self._now()) > 0:
            await self._sleep(wait)
        if self._budget is not None:
            await self._budget.take()

    async def pause(self, seconds: float) -> None:
        """Starts the cool-down for this client, and for all processes that share the budget."""
        self._quiet_until = max(self._quiet_until, self._now() + seconds)
        if self._budget is not None:
            await self._budget.pause(seconds)
