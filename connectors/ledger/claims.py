"""Who works on a row: one holder at a time, and whoever was killed loses it after a while.

A claim is a name and a time. It is taken by one conditional update, so of several processes one gets it. A
holder's name must be new for each attempt (a UUID): what a holder writes later only counts while the row
still carries that name, so one who lost the claim, being slow, can't overwrite what another did since.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Table, or_, update
from sqlalchemy.ext.asyncio import AsyncConnection

from connectors.errors import RetryableError

#: Vendors repeat whole requests in some messages; the start says what is wrong.
LONGEST_MESSAGE = 2000
RELEASED: dict[str, Any] = {"claimed_by": None, "claimed_until": None}


class ClaimLostError(RetryableError):
    """The row is no longer this holder's, or no longer in a state from which this step leads on."""


async def take(
    connection: AsyncConnection, table: Table, row_id: int, holder: str, now: float, seconds: float
) -> bool:
    """Claims a row that nobody holds, whose claim has run out, or that is this holder's already."""
    free = or_(table.c.claimed_until.is_(None), table.c.claimed_until <= now, table.c.claimed_by == holder)
    claim = update(table).where(table.c.id == row_id, free)
    done = await connection.execute(claim.values(claimed_by=holder, claimed_until=now + seconds))
    return done.rowcount == 1


async def step(
    connection: AsyncConnection,
    table: Table,
    row_id: int,
    holder: str,
    states: tuple[str, ...],
    values: dict[str, Any],
) -> None:
    """Changes a row that this holder still has and that is in one of the states.

    Raises:
        ClaimLostError: it isn't.
    """
    mine = update(table).where(table.c.id == row_id, table.c.claimed_by == holder, table.c.state.in_(states))
    if (await connection.execute(mine.values(**values))).rowcount != 1:
        raise ClaimLostError(
            f"Another process took over row {row_id} of {table.name}, so this one must not go on",
            system="ledger",
        )


async def release(connection: AsyncConnection, table: Table, row_id: int, holder: str) -> None:
    """Gives a claim back, so that nobody waits for its end; another's claim is left alone."""
    mine = update(table).where(table.c.id == row_id, table.c.claimed_by == holder)
    await connection.execute(mine.values(**RELEASED))


def cut(message: str) -> str:
    """A message as long as the ledger keeps it."""
    return message[:LONGEST_MESSAGE]
