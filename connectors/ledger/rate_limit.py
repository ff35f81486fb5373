"""A sliding-window rate limiter over all processes of the ledger: permission to start a request.

From top to bottom: the statements (each runs in the caller's transaction), and the limiters that clients ask
before each request.

All times are seconds of one clock; tokens are requests. Which requests may start is decided by ``window``.
"""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import anyio
from sqlalchemy import ColumnElement, delete, func, insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from connectors.errors import RetryableError, StopError
from connectors.ledger.database import Clock, Repository, reading, writing
from connectors.ledger.request_history import HistoryWriter
from connectors.ledger.schema import request_grants as grants
from connectors.ledger.schema import request_pauses as pauses
from connectors.ledger.window import (
    LOOK_AGAIN,
    SHORTEST_WAIT,
    Grant,
    WindowRule,
    WindowState,
    WindowUse,
    grant_tokens,
)

logger = logging.getLogger(__name__)


LONGEST_PAUSE = 3600.0
"""Seconds; no vendor asks for more."""
# Clocks that are set right every now and then jump by less; what reaches further was noted by one ahead.
CLOCK_SLACK = 1.0


async def lock_bucket(connection: AsyncConnection, bucket: str) -> None:
    """One process at a time decides about a window. SQLite's transaction is that lock already."""
    if connection.dialect.name == "postgresql":
        await connection.execute(text("SELECT pg_advisory_xact_lock(hashtextextended(:b, 0))"), {"b": bucket})


async def drop_expired(connection: AsyncConnection, bucket: str, rule: WindowRule, now: float) -> None:
    """Drops what no longer counts, and bounds what a clock set back would keep counting for hours."""
    await connection.execute(delete(grants).where(grants.c.bucket == bucket, grants.c.counts_until <= now))
    latest = rule.counts_until_after_grant(now)
    ahead = update(grants).where(grants.c.bucket == bucket, grants.c.counts_until > latest + CLOCK_SLACK)
    await connection.execute(ahead.values(granted_at=now, counts_until=latest))


async def window_state(
    connection: AsyncConnection, keys: Sequence[str], window: float, now: float
) -> WindowState:
    """The tokens of all ``keys`` that count now, when the first stops counting, and the longest pause."""
    await _bound_pauses(connection, keys, now)
    pause = select(func.max(pauses.c.paused_until)).where(pauses.c.budget_key.in_(keys))
    query = select(
        func.coalesce(func.sum(grants.c.tokens), 0),
        func.min(grants.c.counts_until),
        func.coalesce(pause.scalar_subquery(), 0.0),
    )
    row = (await connection.execute(query.where(*_counting(keys, window, now)))).one()
    return WindowState(int(row[0]), row[1], float(row[2]))


def _counting(keys: Sequence[str], window: float, now: float) -> list[ColumnElement[bool]]:
    buckets = [bucket_of(key, window) for key in keys]
    return [grants.c.bucket.in_(buckets), grants.c.counts_until > now]


async def slices_held(
    connection: AsyncConnection, keys: Sequence[str], window: float, now: float
) -> list[tuple[int, float, int]]:
    """Row, seconds until it stops counting and tokens of each slice that counts now, the first to end first.

    Of more than ``MOST_SLICES`` those that count longest.
    """
    query = select(grants.c.id, grants.c.counts_until, grants.c.tokens).where(*_counting(keys, window, now))
    rows = await connection.execute(query.order_by(grants.c.counts_until.desc()).limit(MOST_SLICES))
    return [(int(row), float(until) - now, int(tokens)) for row, until, tokens in rows][::-1]


async def add_grant(connection: AsyncConnection, bucket: str, tokens: int, now: float, until: float) -> int:
    """Notes a slice of ``tokens`` and returns its row's id."""
    row = insert(grants).values(bucket=bucket, tokens=tokens, granted_at=now, counts_until=until)
    return int((await connection.execute(row.returning(grants.c.id))).scalar_one())


async def shrink_grant(connection: AsyncConnection, grant_id: int, used: int, until: float) -> None:
    """Hands the unused tokens of a slice back; a slice that nobody used disappears."""
    this = grants.c.id == grant_id
    if used == 0:
        await connection.execute(delete(grants).where(this))
        return
    earlier = update(grants).where(this, grants.c.counts_until > until)
    await connection.execute(earlier.values(tokens=used, counts_until=until))


async def add_pause(connection: AsyncConnection, key: str, now: float, seconds: float) -> None:
    """Nobody starts a request for so many ``seconds``; a longer pause that stands already is kept."""
    await _bound_pauses(connection, [key], now)
    until = now + seconds
    await connection.execute(delete(pauses).where(pauses.c.budget_key == key, pauses.c.paused_until <= until))
    standing = select(pauses.c.paused_until).where(pauses.c.budget_key == key)
    if (await connection.execute(standing)).first() is None:
        await connection.execute(
            insert(pauses).values(budget_key=key, paused_until=until, asked_seconds=seconds)
        )


async def _bound_pauses(connection: AsyncConnection, keys: Sequence[str], now: float) -> None:
    """A pause that reaches further than the vendor asked for was noted by a clock ahead: it starts now."""
    longest = now + pauses.c.asked_seconds
    of_keys = pauses.c.budget_key.in_(keys)
    ahead = update(pauses).where(of_keys, pauses.c.paused_until > longest + CLOCK_SLACK)
    await connection.execute(ahead.values(paused_until=longest))


@dataclass(frozen=True, slots=True)
class UseWarning:
    """From which share of a limit on ``tell`` is called with the words, once a window."""

    share: float
    tell: Callable[[str], None]


MOST_SLICES = 5000
"""Slices of one window that a look at it reads; the usual limits have at most 2,000."""
OWN_SLICES = 1000
PATIENCE = 30.0
"""Seconds that ``acquire`` waits at most; beyond it the task is to be run again later."""


@dataclass(slots=True)
class _Slice:
    """Tokens in hand. ``usable_until`` and ``last_start`` are this process's monotonic seconds."""

    grant_id: int
    left: int
    usable_until: float
    used: int = 0
    last_start: float = 0.0


class LedgerLimiter(ABC):
    """What a client asks before each request, and a forecast about what is to come."""

    @abstractmethod
    async def acquire(self) -> None:
        """Waits until a request may start; RetryableError if that takes more than ``PATIENCE``."""

    @abstractmethod
    async def pause(self, seconds: float) -> None:
        """The vendor answered 429: no process starts a request; others notice within 2 s."""

    @abstractmethod
    async def windows(self) -> list[WindowUse]:
        """What is used of each window that a request must fit in, in the order in which they are asked.

        Unused tokens are handed back first. No request; a transaction of the ledger for each window.
        """


class SlidingWindowLimiter(LedgerLimiter, Repository):
    """At most ``rule.limit`` requests start in any ``rule.window`` seconds, over all processes of the ledger.

    ``key`` names the tenant or credential without revealing it; what was granted under ``earlier`` names of
    it counts too. It lives and ends with its ledger.
    """

    def __init__(
        self,
        engine: AsyncEngine,
        clock: Clock,
        key: str,
        rule: WindowRule,
        *,
        earlier: Sequence[str] = (),
        counts: bool = True,
        warning: UseWarning | None = None,
    ) -> None:
        super().__init__(engine, clock)
        self._key = key
        self._history = HistoryWriter(key, requests=counts)
        self._warning = warning
        self._warned_until = 0.0
        self._keys = (key, *earlier)
        self._bucket = bucket_of(key, rule.window)
        self._rule = rule
        self._lock = anyio.Lock()
        self._slice: _Slice | None = None
        self._next_size = 1
        self._own: deque[int] = deque(maxlen=OWN_SLICES)

    async def acquire(self) -> None:
        give_up_at = self._clock.monotonic() + PATIENCE
        first = True
        while True:
            async with self._lock:
                if self._use_one():
                    return
                grant = await self._refill()
                if self._use_one():
                    return
            if self._clock.monotonic() + grant.wait > give_up_at:
                self._history.waited(0.0, first=first)
                raise self._refusal(grant)
            pause = min(LOOK_AGAIN, max(SHORTEST_WAIT, grant.wait))
            self._history.waited(pause, first=first)
            first = False
            await self._clock.sleep(pause)

    async def pause(self, seconds: float) -> None:
        bounded = min(max(0.0, seconds), LONGEST_PAUSE)
        async with self._lock, writing(self._engine, "note a pause of requests") as connection:
            await lock_bucket(connection, self._key)
            now = await self._clock.now_of(connection)
            await self._hand_back(connection, now, refused=1)
            await add_pause(connection, self._key, now, bounded)

    async def windows(self) -> list[WindowUse]:
        keys, rule = self._keys, self._rule
        async with self._lock, writing(self._engine, "look at the requests used") as connection:
            await lock_bucket(connection, self._bucket)
            now = await self._clock.now_of(connection)
            await self._hand_back(connection, now)
            await drop_expired(connection, self._bucket, rule, now)
            state = await window_state(connection, keys, rule.window, now)
            slices = await slices_held(connection, keys, rule.window, now)
        own = set(self._own)
        return [
            WindowUse(
                rule,
                tuple((seconds, tokens) for _, seconds, tokens in slices),
                own=sum(tokens for row, _, tokens in slices if row in own),
                paused=max(0.0, state.paused_until - now),
                size=self._next_size,
            )
        ]

    async def close(self) -> None:
        """Hands unused tokens back at once instead of leaving them to run out."""
        if self._slice is None and not self._history.counts.anything:
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

    async def _refill(self) -> Grant:
        """Takes the next slice; the grant says how long to wait when there is none."""
        self._adapt_size()
        async with writing(self._engine, "take requests from the budget") as connection:
            await lock_bucket(connection, self._bucket)
            # Read before the shared clock, so that the slice never seems younger here than it is.
            started = self._clock.monotonic()
            now = await self._clock.now_of(connection)
            await self._hand_back(connection, now)
            await drop_expired(connection, self._bucket, self._rule, now)
            state = await window_state(connection, self._keys, self._rule.window, now)
            grant = grant_tokens(self._rule, state, now, self._next_size)
            if grant.tokens == 0:
                return grant
            until = self._rule.counts_until_after_grant(now)
            row = await add_grant(connection, self._bucket, grant.tokens, now, until)
        self._own.append(row)
        self._slice = _Slice(row, grant.tokens, started + self._rule.validity)
        self._warn(state.counted + grant.tokens)
        return grant

    def _warn(self, used: int) -> None:
        """Says before anything is slowed how much is used."""
        limit, window, now = self._rule.limit, self._rule.window, self._clock.monotonic()
        if self._warning is None or used < self._warning.share * limit or now < self._warned_until:
            return
        self._warned_until = now + window
        self._warning.tell(
            f"{used:,} of {limit:,} requests per {window:g} s are used, by all runs together: "
            "once all are, they wait. Start fewer flows at once, or spread their schedules."
        )

    def _adapt_size(self) -> None:
        """A slice used up asks for twice as much next time, one that ran out of time for half."""
        if self._slice is not None:
            wished = self._next_size // 2 if self._slice.left else self._next_size * 2
            self._next_size = max(1, min(wished, self._rule.largest_slice))

    async def _hand_back(self, connection: AsyncConnection, now: float, refused: int = 0) -> None:
        held, self._slice = self._slice, None
        await self._history.add(connection, now, 0 if held is None else held.used, refused)
        if held is None:
            return
        last_start = now - (self._clock.monotonic() - held.last_start)
        until = self._rule.counts_until_after_use(last_start)
        await shrink_grant(connection, held.grant_id, held.used, until)

    def _refusal(self, grant: Grant) -> RetryableError:
        rule, wait = self._rule, grant.wait
        used_up = (
            f"All {rule.limit} requests per {rule.window:g} s are used; the next is free in {wait:.0f} s"
        )
        paused = f"The vendor asked for a pause (429); the next request may start in {wait:.0f} s"
        return RetryableError(paused if grant.paused else used_up, retry_after=wait, system="ledger")


class CombinedLimiter(LedgerLimiter):
    """Several limits of one vendor, such as 150 a minute and 2,000 an hour: a request needs them all."""

    def __init__(self, limiters: Sequence[SlidingWindowLimiter]) -> None:
        self._limiters = tuple(limiters)

    async def acquire(self) -> None:
        """Waits for each limit in turn; what one granted stays counted when the next refuses."""
        for limiter in self._limiters:
            await limiter.acquire()

    async def pause(self, seconds: float) -> None:
        """One pause serves all, since they have one key."""
        await self._limiters[0].pause(seconds)

    async def windows(self) -> list[WindowUse]:
        return [use for limiter in self._limiters for use in await limiter.windows()]


class TenantLimiter(LedgerLimiter):
    """The limits of one vendor, counted by credential at once and by tenant as soon as that is known.

    Lansweeper and Field Nation don't say by which they count, and a tenant may be learned only from an
    answer: a request must fit in both. ``tenant`` tells the key; None: not known yet.
    """

    def __init__(
        self,
        rate_limits: RateLimits,
        credential: str,
        limits: Sequence[tuple[int, float]],
        warning: UseWarning | None = None,
    ) -> None:
        self._rate_limits = rate_limits
        self._limits = limits
        self._warning = warning
        self._limiters = [rate_limits.combined(credential, limits, warning)]
        self.tenant: Callable[[], str | None] = lambda: None

    async def acquire(self) -> None:
        """Waits for each limit in turn."""
        for limiter in self._known():
            await limiter.acquire()

    async def pause(self, seconds: float) -> None:
        """The vendor said 429 to this credential and to this tenant."""
        for limiter in self._limiters:
            await limiter.pause(seconds)

    async def windows(self) -> list[WindowUse]:
        return [use for limiter in self._known() for use in await limiter.windows()]

    def _known(self) -> list[CombinedLimiter]:
        if len(self._limiters) == 1 and (key := self.tenant()) is not None:
            self._limiters.append(self._rate_limits.combined(key, self._limits, self._warning))
        return self._limiters


class RateLimits(Repository):
    """``ledger.rate_limits``: one limiter for each key and window, made at the first call that names it."""

    def __init__(self, engine: AsyncEngine, clock: Clock) -> None:
        super().__init__(engine, clock)
        self._limiters: dict[tuple[str, int, float], SlidingWindowLimiter] = {}

    def limiter(
        self,
        key: str,
        limit: int,
        window_seconds: float,
        *,
        earlier: Sequence[str] = (),
        counts: bool = True,
        warning: UseWarning | None = None,
    ) -> SlidingWindowLimiter:
        """At most ``limit`` starts in any ``window_seconds``, over all processes that name this key.

        ``earlier``: names under which older versions counted the same requests. ``counts``: whether the
        history of requests is counted here, or by another window of the same key.
        """
        wanted = (key, limit, window_seconds)
        if wanted not in self._limiters:
            rule = WindowRule.of(limit, window_seconds)
            self._limiters[wanted] = SlidingWindowLimiter(
                self._engine, self._clock, key, rule, earlier=earlier, counts=counts, warning=warning
            )
        return self._limiters[wanted]

    def combined(
        self, key: str, limits: Sequence[tuple[int, float]], warning: UseWarning | None = None
    ) -> CombinedLimiter:
        """Several (limit, window) pairs at once; the longest window, refusing longest, is asked first."""
        longest_first = sorted(limits, key=lambda pair: -pair[1])
        return CombinedLimiter(
            [
                self.limiter(key, limit, window, counts=position == 0, warning=warning)
                for position, (limit, window) in enumerate(longest_first)
            ]
        )

    async def used(self, key: str, window_seconds: float) -> int:
        """Requests permitted in the last window (at most a slice a process of them not yet started)."""
        async with reading(self._engine, "count the requests used") as connection:
            since = await self._clock.now_of(connection) - window_seconds
            of_bucket = select(func.coalesce(func.sum(grants.c.tokens), 0)).where(
                grants.c.bucket == bucket_of(key, window_seconds), grants.c.granted_at > since
            )
            return int((await connection.execute(of_bucket)).scalar_one())

    async def close(self) -> None:
        """Hands the unused requests of all limiters back."""
        for limiter in self._limiters.values():
            try:
                await limiter.close()
            except StopError as error:
                # Harmless: the tokens count as used for one more window. It must not hide what ended the run.
                logger.warning("%s", error)


def bucket_of(key: str, window: float) -> str:
    """The name under which the starts of one window are counted."""
    return f"{key}|{window:g}"
