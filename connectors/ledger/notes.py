"""Which note is a copy of which: each note is copied once, and a copy is never taken for a new note."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import select
from sqlalchemy.engine import Row
from sqlalchemy.ext.asyncio import AsyncEngine

from connectors.ledger.clock import Clock, moment_or_none
from connectors.ledger.database import reading, writing
from connectors.ledger.dispatch_models import Claimed, Origin, SyncedNote
from connectors.ledger.dispatch_tables import synced_notes as notes
from connectors.ledger.once import OnceOnly, Shape

_OTHER: dict[Origin, Origin] = {"connectwise": "field_nation", "field_nation": "connectwise"}


def _note(row: Row[Any]) -> SyncedNote:
    return SyncedNote(
        row.id,
        row.work_order_id,
        row.origin,
        row.origin_id,
        row.copy_id,
        row.state,
        row.attempts,
        moment_or_none(row.sent_at),
        row.message,
    )


_SHAPE = Shape(notes, ("tenant", "origin", "origin_id"), "copy_id", "done", _note)


class SyncedNotes(OnceOnly[SyncedNote]):
    """``ledger.notes``: the life of a note's copy is that in ``once``.

    Ids are texts, so that a caller whose ids are only unique among notes of one type can put the type before.
    """

    def __init__(self, engine: AsyncEngine, clock: Clock) -> None:
        super().__init__(engine, clock, _SHAPE)

    async def claim(
        self,
        tenant: str,
        work_order_id: int,
        origin: Origin,
        origin_id: str,
        *,
        holder: str,
        seconds: float,
    ) -> Claimed[SyncedNote]:
        """The row of a note to copy, made if there is none; ours unless it is done or held by another."""
        key = {"tenant": tenant, "origin": origin, "origin_id": origin_id}
        async with writing(self._engine, "claim a note") as connection:
            values = {**key, "work_order_id": work_order_id}
            claimed = await self._claim(connection, values, holder, seconds)
            return Claimed(claimed.row, claimed.ours and claimed.row.state != "done")

    async def copied(self, note_id: int, copy_id: str) -> SyncedNote:
        """The copy exists, made or found. StopError if the note has another copy already."""
        async with writing(self._engine, "note a copied note") as connection:
            return _note(await self._done(connection, note_id, copy_id))

    async def of_work_order(self, tenant: str, work_order_id: int) -> list[SyncedNote]:
        """What is known of the notes of one work order, in both directions, oldest first."""
        wanted = (notes.c.tenant == tenant, notes.c.work_order_id == work_order_id)
        async with reading(self._engine, "read synced notes") as connection:
            rows = await connection.execute(select(notes).where(*wanted).order_by(notes.c.id))
            return [_note(row) for row in rows]

    async def copies_among(self, tenant: str, side: Origin, ids: Iterable[str]) -> set[str]:
        """Which of these notes on one side are copies that this integration wrote there."""
        made = (notes.c.tenant == tenant, notes.c.origin == _OTHER[side])
        query = select(notes.c.copy_id).where(*made, notes.c.copy_id.in_(list(ids)))
        async with reading(self._engine, "read synced notes") as connection:
            return set((await connection.execute(query)).scalars())
