"""Claims on rows, and the state machine of what may be done only once at a vendor without idempotency keys.

A claim is a lease: a holder's name and an end. It is taken by one conditional update, so of several
processes one gets it, and a killed holder loses it after a while. A holder's name must be new for each
attempt (a UUID): what a holder writes later only counts while the row still carries that name, so one who
lost the claim, being slow, can't overwrite what another did since.

The states of an outbox row: claimed, sent, then accounted for.

    intent ──mark_sent──> sent ──done──────> done (final)
      ^                    ├─refused──> refused ────mark_sent, once the reason is gone
      └── claim            └─unresolved─> unresolved ──mark_sent, after a long pause or by hand

A row that is found ``sent`` belonged to a process that was killed, or is slow: look for what it may have made
before anything else. ``done`` counts from whoever reports it, holder or not, since then it is a fact.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from sqlalchemy import Table, or_, select, update
from sqlalchemy.engine import Row
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from connectors.errors import RetryableError, StopError
from connectors.ledger.database import Clock, Repository, insert_unless_there, writing
from connectors.ledger.models import Claimed
from connectors.ledger.text import shortened

T = TypeVar("T")
MAY_BE_SENT = ("intent", "refused", "unresolved")
OPEN = (*MAY_BE_SENT, "sent")
RELEASED: dict[str, Any] = {"claimed_by": None, "claimed_until": None}


class ClaimLostError(RetryableError):
    """The row is no longer this holder's, or no longer in a state from which this step leads on."""


async def claim_row(
    connection: AsyncConnection, table: Table, row_id: int, holder: str, now: float, seconds: float
) -> bool:
    """Claims a row that nobody holds, whose claim has run out, or that is this holder's already."""
    free = or_(table.c.claimed_until.is_(None), table.c.claimed_until <= now, table.c.claimed_by == holder)
    claim = update(table).where(table.c.id == row_id, free)
    done = await connection.execute(claim.values(claimed_by=holder, claimed_until=now + seconds))
    return done.rowcount == 1


async def change_claimed(
    connection: AsyncConnection,
    table: Table,
    row_id: int,
    holder: str,
    states: tuple[str, ...],
    values: dict[str, Any],
) -> None:
    """Changes a row that this holder still has in one of the states; ClaimLostError else."""
    mine = update(table).where(table.c.id == row_id, table.c.claimed_by == holder, table.c.state.in_(states))
    if (await connection.execute(mine.values(**values))).rowcount != 1:
        raise ClaimLostError(
            f"Another process took over row {row_id} of {table.name}, so this one must not go on",
            system="ledger",
        )


async def release_row(connection: AsyncConnection, table: Table, row_id: int, holder: str) -> None:
    """Gives a claim back, so that nobody waits for its end; another's claim is left alone."""
    mine = update(table).where(table.c.id == row_id, table.c.claimed_by == holder)
    await connection.execute(mine.values(**RELEASED))


@dataclass(frozen=True, slots=True)
class RowShape(Generic[T]):
    """How one table keeps such rows: its unique key, the column and the state of what was made."""

    table: Table
    key: tuple[str, ...]
    result: str
    done: str
    read: Callable[[Row[Any]], T]


class OutboxTable(Repository, Generic[T]):
    """The transitions that intents, side effects and copied notes share, each one short transaction.

    ``run_id``: whose sendings are noted.
    """

    run_id: str | None = None

    def __init__(self, engine: AsyncEngine, clock: Clock, shape: RowShape[T]) -> None:
        super().__init__(engine, clock)
        self._shape = shape

    async def mark_sent(self, row_id: int, holder: str, *, seconds: float) -> None:
        """To be called right before the request is sent; the claim then lasts ``seconds`` from now.

        Give more seconds than the request may take, so that nobody takes over meanwhile. ClaimLostError:
        another process has it, or it was sent or done already; nothing may be sent.
        """
        table = self._shape.table
        async with self._writing("note what is about to be sent") as (connection, now):
            values = {"state": "sent", "sent_at": now, "changed_at": now, "claimed_until": now + seconds}
            values["attempts"] = table.c.attempts + 1
            values["run_id"] = self.run_id
            await change_claimed(connection, table, row_id, holder, MAY_BE_SENT, values)

    async def refused(self, row_id: int, holder: str, message: str) -> None:
        """The vendor said no, so nothing was made; frees the claim. ClaimLostError if it is another's."""
        await self._end_attempt(row_id, holder, "refused", message)

    async def unresolved(self, row_id: int, holder: str, message: str) -> None:
        """Sent, and nothing was found afterwards; frees the claim. ClaimLostError if it is another's."""
        await self._end_attempt(row_id, holder, "unresolved", message)

    async def release(self, row_id: int, holder: str) -> None:
        """Gives the claim back and leaves the state; a claim that was lost is left alone."""
        async with writing(self._engine, "give a claim back") as connection:
            await release_row(connection, self._shape.table, row_id, holder)

    async def _end_attempt(self, row_id: int, holder: str, state: str, message: str) -> None:
        async with self._writing("note what became of a request") as (connection, now):
            values = {"state": state, "message": shortened(message), "changed_at": now, **RELEASED}
            await change_claimed(connection, self._shape.table, row_id, holder, OPEN, values)

    async def _claim(
        self, connection: AsyncConnection, values: dict[str, Any], holder: str, seconds: float
    ) -> Claimed[T]:
        """The row of this key, made if there is none, and claimed unless it is done."""
        now = await self._clock.now_of(connection)
        new = {"state": "intent", "attempts": 0, "changed_at": now, **values}
        shape = self._shape
        await connection.execute(insert_unless_there(connection, shape.table, shape.key), [new])
        key = [shape.table.c[name] == values[name] for name in shape.key]
        row = (await connection.execute(select(shape.table).where(*key))).one()
        return await self._take(connection, row, holder, seconds, now)

    async def _take(
        self, connection: AsyncConnection, row: Row[Any], holder: str, seconds: float, now: float
    ) -> Claimed[T]:
        table = self._shape.table
        ours = await claim_row(connection, table, row.id, holder, now, seconds)
        # Read again: whoever held it before may have gone on in the meantime.
        row = (await connection.execute(select(table).where(table.c.id == row.id))).one()
        return Claimed(self._shape.read(row), ours)

    async def _done(self, connection: AsyncConnection, row_id: int, result: Any) -> Row[Any]:
        """Notes what was made; StopError if the row is done with another result: there are two."""
        table, shape = self._shape.table, self._shape
        now = await self._clock.now_of(connection)
        values = {"state": shape.done, shape.result: result, "changed_at": now, **RELEASED}
        open_row = update(table).where(table.c.id == row_id, table.c.state.in_(OPEN))
        await connection.execute(open_row.values(**values))
        row = (await connection.execute(select(table).where(table.c.id == row_id))).one_or_none()
        if row is None or row.state != shape.done or row._mapping[shape.result] != result:
            raise _two_of_one(table, row, shape.result, result)
        return row


def _two_of_one(table: Table, row: Row[Any] | None, result: str, made: Any) -> StopError:
    before = "is not in the ledger" if row is None else f"is {row.state} with {row._mapping[result]}"
    return StopError(
        f"A row of {table.name} {before}, and now {made} was made for it too",
        system="ledger",
        remedy="Look at both, cancel the one that is not wanted, then run again.",
    )
