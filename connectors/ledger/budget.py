"""The request budget that all processes share: permission to start a request, taken in slices."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import anyio
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from connectors.errors import RetryableError
from connectors.ledger import grants
from connectors.ledger.clock import Clock
from connectors.ledger.database import writing
from connectors.ledger.window import Decision, WindowRule, decide

#: The longest that a client waits inside a call, in seconds; beyond it the task is to be run again later.
PATIENCE = 30.0
# Other processes hand tokens back early, so a long wait looks again every second.
LOOK_AGAIN = 1.0
SHORTEST_WAIT = 0.01


class Budget(Protocol):
    """What a client asks before each request."""

    async def take(self) -> None:
        """Waits until a request may start; RetryableError when that would take more than ``PATIENCE``."""

    async def pause(self, seconds: float) -> None:
        """The vendor said 429: no process starts a request for so many seconds."""


@dataclass(slots=True)
class _Slice:
    """Tokens in hand. ``usable_until`` and ``last_start`` are this process's monotonic seconds."""

    grant_id: int
    left: int
    usable_until: float
    used: int = 0
    last_start: float = 0.0


class SharedBudget:
    """At most ``rule.limit`` requests start in any ``rule.window`` seconds, over all processes of the ledger.

    ``key`` names the vendor and the credential without revealing it. Tasks of one process may share this
    object; it lives and ends with its ledger.
    """

    def __init__(self, engine: AsyncEngine, clock: Clock, key: str, rule: WindowRule) -> None:
        self._engine = engine
        self._clock = clock
        self._key = key
        self._bucket = bucket_of(key, rule.window)
        self._rule = rule
        self._lock = anyio.Lock()
        self._slice: _Slice | None = None
        self._next_size = 1

    async def take(self) -> None:
        """See ``Budget.take``."""
        give_up_at = self._clock.monotonic() + PATIENCE
        while True:
            async with self._lock:
                if self._use_one():
                    return
                decision = await self._refill()
                if self._use_one():
                    return
            if self._clock.monotonic() + decision.wait > give_up_at:
                raise self._refusal(decision)
            await self._clock.sleep(min(LOOK_AGAIN, max(SHORTEST_WAIT, decision.wait)))

    async def pause(self, seconds: float) -> None:
        """See ``Budget.pause``. Other processes notice within the validity of a slice, at most 2 s."""
        bounded = min(max(0.0, seconds), grants.LONGEST_PAUSE)
        async with self._lock, writing(self._engine, "note a pause of requests") as connection:
            await grants.lock_bucket(connection, self._key)
            now = await self._clock.now_of(connection)
            await self._hand_back(connection, now)
            await grants.add_pause(connection, self._key, now, bounded)

    async def close(self) -> None:
        """Hands unused tokens back at once instead of leaving them to run out."""
        if self._slice is None:
            return
        async with self._lock, writing(self._engine, "hand back unused requests") as connection:
            await self._hand_back(connection, await self._clock.now_of(connection))

    def _use_one(self) -> bool:
        held, now = self._slice, self._clock.monotonic()
        if held is None or held.left == 0 or now >= held.usable_until:
            return False
        held.left -= 1
        held.used += 1
        held.last_start = now
        return True

    async def _refill(self) -> Decision:
        """Takes the next slice; the decision says how long to wait when there is none."""
        self._adapt_size()
        async with writing(self._engine, "take requests from the budget") as connection:
            await grants.lock_bucket(connection, self._bucket)
            # Read before the shared clock, so that the slice never seems younger here than it is.
            started = self._clock.monotonic()
            now = await self._clock.now_of(connection)
            await self._hand_back(connection, now)
            await grants.forget_the_past(connection, self._bucket, self._rule, now)
            standing = await grants.standing_of(connection, self._bucket, self._key, now)
            decision = decide(self._rule, standing, now, self._next_size)
            if decision.tokens == 0:
                return decision
            until = self._rule.counts_until_after_grant(now)
            row = await grants.add_grant(connection, self._bucket, decision.tokens, now, until)
        self._slice = _Slice(row, decision.tokens, started + self._rule.validity)
        return decision

    def _adapt_size(self) -> None:
        """A slice used up asks for twice as much next time, one that ran out of time for half."""
        if self._slice is not None:
            wished = self._next_size // 2 if self._slice.left else self._next_size * 2
            self._next_size = max(1, min(wished, self._rule.largest_slice))

    async def _hand_back(self, connection: AsyncConnection, now: float) -> None:
        held, self._slice = self._slice, None
        if held is None:
            return
        last_start = now - (self._clock.monotonic() - held.last_start)
        until = self._rule.counts_until_after_use(last_start)
        await grants.shrink_grant(connection, held.grant_id, held.used, until)

    def _refusal(self, decision: Decision) -> RetryableError:
        rule, wait = self._rule, decision.wait
        used_up = (
            f"All {rule.limit} requests per {rule.window:g} s are used; the next is free in {wait:.0f} s"
        )
        paused = f"The vendor asked for a pause (429); the next request may start in {wait:.0f} s"
        return RetryableError(paused if decision.paused else used_up, retry_after=wait, system="ledger")


class BudgetOfSeveral:
    """Several limits of one vendor, such as 150 a minute and 2,000 an hour: a request needs them all."""

    def __init__(self, budgets: Sequence[Budget]) -> None:
        self._budgets = tuple(budgets)

    async def take(self) -> None:
        """What one limit gave stays counted when the next refuses: too few requests, never too many."""
        for budget in self._budgets:
            await budget.take()

    async def pause(self, seconds: float) -> None:
        """One pause serves all, since they have one key."""
        await self._budgets[0].pause(seconds)


def bucket_of(key: str, window: float) -> str:
    """The name under which the starts of one window are counted."""
    return f"{key}|{window:g}"
