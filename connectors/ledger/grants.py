"""The statements behind the request budget: each function runs in the caller's transaction."""

from __future__ import annotations

from sqlalchemy import delete, func, insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from connectors.ledger.tables import request_grants as grants
from connectors.ledger.tables import request_pauses as pauses
from connectors.ledger.window import Standing, WindowRule

#: No vendor asks for more.
LONGEST_PAUSE = 3600.0
# Clocks that are set right every now and then jump by less; what reaches further was noted by one ahead.
CLOCK_SLACK = 1.0


async def lock_bucket(connection: AsyncConnection, bucket: str) -> None:
    """One process at a time decides about a window. SQLite's transaction is that lock already."""
    if connection.dialect.name == "postgresql":
        await connection.execute(text("SELECT pg_advisory_xact_lock(hashtextextended(:b, 0))"), {"b": bucket})


async def forget_the_past(connection: AsyncConnection, bucket: str, rule: WindowRule, now: float) -> None:
    """Drops what no longer counts, and bounds what a clock set back would keep counting for hours."""
    await connection.execute(delete(grants).where(grants.c.bucket == bucket, grants.c.counts_until <= now))
    latest = rule.counts_until_after_grant(now)
    ahead = update(grants).where(grants.c.bucket == bucket, grants.c.counts_until > latest + CLOCK_SLACK)
    await connection.execute(ahead.values(granted_at=now, counts_until=latest))


async def standing_of(connection: AsyncConnection, bucket: str, key: str, now: float) -> Standing:
    """The tokens that count now, when the first stops counting, and the pause."""
    await _bound_pause(connection, key, now)
    pause = select(pauses.c.paused_until).where(pauses.c.budget_key == key)
    query = select(
        func.coalesce(func.sum(grants.c.tokens), 0),
        func.min(grants.c.counts_until),
        func.coalesce(pause.scalar_subquery(), 0.0),
    )
    row = (await connection.execute(query.where(grants.c.bucket == bucket))).one()
    return Standing(int(row[0]), row[1], float(row[2]))


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
    await _bound_pause(connection, key, now)
    until = now + seconds
    await connection.execute(delete(pauses).where(pauses.c.budget_key == key, pauses.c.paused_until <= until))
    standing = select(pauses.c.paused_until).where(pauses.c.budget_key == key)
    if (await connection.execute(standing)).first() is None:
        await connection.execute(
            insert(pauses).values(budget_key=key, paused_until=until, asked_seconds=seconds)
        )


async def _bound_pause(connection: AsyncConnection, key: str, now: float) -> None:
    """A pause that reaches further than the vendor asked for was noted by a clock ahead: it starts now."""
    longest = now + pauses.c.asked_seconds
    ahead = update(pauses).where(pauses.c.budget_key == key, pauses.c.paused_until > longest + CLOCK_SLACK)
    await connection.execute(ahead.values(paused_until=longest))


async def tokens_since(connection: AsyncConnection, bucket: str, since: float) -> int:
    """The tokens granted after ``since``: requests started, and at most a slice a process not yet used."""
    query = select(func.coalesce(func.sum(grants.c.tokens), 0))
    recent = query.where(grants.c.bucket == bucket, grants.c.granted_at > since)
    return int((await connection.execute(recent)).scalar_one())
