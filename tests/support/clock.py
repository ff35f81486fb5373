"""A ledger's clock that stands still until somebody sleeps."""

from __future__ import annotations

from dataclasses import dataclass

import anyio.lowlevel

from connectors.ledger.database import Clock


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
