"""The transactional outbox of dispatch: what may happen only once at a vendor.

- ``DispatchIntents`` (``ledger.intents``): that one record shall have one work order, noted before its
  creation.
- ``DispatchEffects`` (``ledger.effects``): a side effect of a work order by name, such as the note that its
  event "completed" writes.
- ``SyncedNotes`` (``ledger.notes``): which note is a copy of which: each is copied once, and a copy is never
  taken for a new note.

The states and claims are those of ``claims``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import Select, func, select, update
from sqlalchemy.engine import Row
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from connectors.errors import StopError
from connectors.ledger import claims
from connectors.ledger.claims import OutboxTable, RowShape
from connectors.ledger.database import Clock, moment_or_none, reading, writing
from connectors.ledger.models import Claimed, Effect, Intent, IntentState, LinkEnd, Origin, SyncedNote
from connectors.ledger.schema import dispatch_effects as effects
from connectors.ledger.schema import dispatch_intents as intents
from connectors.ledger.schema import synced_notes as notes
from connectors.ledger.state import put_link
from connectors.ledger.text import shortened

WORK_ORDER_KIND = "field_nation/work_order"
"""The kind of a link's right end; the left end's is ``connectwise/`` and the record's kind."""


_TIMES = ("created_at", "sent_at", "changed_at")
T = TypeVar("T", Intent, Effect, SyncedNote)


def _reader(kind: type[T]) -> Callable[[Row[Any]], T]:
    """Reads a row as ``kind``, whose fields have the columns' names."""
    names = [each.name for each in fields(kind)]

    def read(row: Row[Any]) -> T:
        values = {name: row._mapping[name] for name in names}
        return kind(**values | {name: moment_or_none(values[name]) for name in _TIMES if name in values})

    return read


_intent = _reader(Intent)
_INTENT_SHAPE = RowShape(
    intents, ("tenant", "record_kind", "record_id", "generation"), "work_order_id", "created", _intent
)


class DispatchIntents(OutboxTable[Intent]):
    """``ledger.intents``: the states are those of ``claims``, with ``created`` for done."""

    def __init__(self, engine: AsyncEngine, clock: Clock) -> None:
        super().__init__(engine, clock, _INTENT_SHAPE)

    async def claim(
        self,
        tenant: str,
        record_kind: str,
        record_id: int,
        reference: str,
        *,
        holder: str,
        seconds: float,
        new_generation: bool = False,
    ) -> Claimed[Intent]:
        """The record's newest intent, made if there is none; claimed for ``seconds`` unless another has it.

        It is claimed in any state, so that updates of one record do not cross each other either.

        Args:
            tenant: names the login company whatever its keys, as a connection's ``tenant_key`` does: under
                another name the ledger knows no intent, and a second work order would be made.
            holder: a name that no other attempt uses, such as a UUID.
            new_generation: where the newest intent is ``cancelled``, begin the next generation. Of several
                processes that do so at once, one generation comes out.
        """
        async with writing(self._engine, "claim the intent of a record") as connection:
            newest = (await connection.execute(_newest(tenant, record_kind, record_id))).one_or_none()
            values = {
                "tenant": tenant,
                "record_kind": record_kind,
                "record_id": record_id,
                "generation": _generation(newest, new_generation),
                "reference": reference,
                "created_at": await self._clock.now_of(connection),
            }
            return await self._claim(connection, values, holder, seconds)

    async def created(
        self, intent_id: int, work_order_id: int, details: dict[str, Any] | None = None
    ) -> Intent:
        """Records the work order, made or found, and links it with the record, in one transaction.

        The link of an earlier generation gives way. It frees the claim, and counts whoever holds it.
        StopError: the intent has another work order or was cancelled, or the work order belongs to another
        record.
        """
        async with writing(self._engine, "note a work order that was created") as connection:
            await _check_free(connection, intent_id, work_order_id)
            row = await self._done(connection, intent_id, work_order_id)
            left = LinkEnd(f"connectwise/{row.record_kind}", str(row.record_id))
            right = LinkEnd(WORK_ORDER_KIND, str(work_order_id))
            now = await self._clock.now_of(connection)
            await put_link(connection, row.tenant, left, right, details, now, replace_left=True)
            return _intent(row)

    async def cancel(self, intent_id: int, message: str, *, even_unresolved: bool = False) -> None:
        """Closes a generation: its work order is cancelled, deleted or paid, or shall not be made.

        Its link stays until a next generation has a work order. ``even_unresolved``: a person has seen that
        the unresolved creation made nothing. ClaimLostError: there may be a work order that nobody knows.
        """
        async with self._writing("cancel an intent") as (connection, now):
            values = {"state": "cancelled", "message": shortened(message), "changed_at": now}
            unclear = ("sent",) if even_unresolved else ("sent", "unresolved")
            one = update(intents).where(intents.c.id == intent_id, intents.c.state.not_in(unclear))
            if (await connection.execute(one.values(**values, **claims.RELEASED))).rowcount != 1:
                raise claims.ClaimLostError(
                    f"Intent {intent_id} can't be cancelled while it is not known what its creation made",
                    system="ledger",
                )

    async def count_cancelled(self, tenant: str, ending: str, since: datetime) -> int:
        """How many work orders were cancelled since then with a message that ends so."""
        wanted = (
            intents.c.tenant == tenant,
            intents.c.state == "cancelled",
            intents.c.work_order_id.is_not(None),
            intents.c.changed_at >= since.timestamp(),
            intents.c.message.endswith(ending, autoescape=True),
        )
        async with reading(self._engine, "count cancellations") as connection:
            found = await connection.execute(select(func.count()).select_from(intents).where(*wanted))
            return int(found.scalar_one())

    async def newest(self, tenant: str, record_kind: str, record_id: int) -> Intent | None:
        """The newest generation's intent of a record, None if there is none."""
        found = await self._read(_newest(tenant, record_kind, record_id))
        return found[0] if found else None

    async def of_work_order(self, tenant: str, work_order_id: int) -> Intent | None:
        """The intent that a work order was made for, whatever generation."""
        wanted = (intents.c.tenant == tenant, intents.c.work_order_id == work_order_id)
        found = await self._read(select(intents).where(*wanted))
        return found[0] if found else None

    async def in_state(self, tenant: str, *states: IntentState) -> list[Intent]:
        """The intents that are in one of the states, oldest first."""
        wanted = (intents.c.tenant == tenant, intents.c.state.in_(states))
        return await self._read(select(intents).where(*wanted).order_by(intents.c.id))

    async def count(self, tenant: str) -> dict[str, int]:
        """The number of intents by state."""
        query = select(intents.c.state, func.count()).where(intents.c.tenant == tenant)
        async with reading(self._engine, "count intents") as connection:
            rows = await connection.execute(query.group_by(intents.c.state))
            return {row[0]: row[1] for row in rows}

    async def _read(self, query: Select[Any]) -> list[Intent]:
        async with reading(self._engine, "read intents") as connection:
            return [_intent(row) for row in await connection.execute(query)]


def _newest(tenant: str, record_kind: str, record_id: int) -> Select[Any]:
    of_record = {"tenant": tenant, "record_kind": record_kind, "record_id": record_id}
    return select(intents).filter_by(**of_record).order_by(intents.c.generation.desc()).limit(1)


async def _check_free(connection: AsyncConnection, intent_id: int, work_order_id: int) -> None:
    other, this = intents.alias(), intents.alias()
    same = (other.c.tenant == this.c.tenant, other.c.work_order_id == work_order_id, other.c.id != this.c.id)
    query = select(other.c.record_kind, other.c.record_id).where(this.c.id == intent_id, *same)
    taken = (await connection.execute(query)).first()
    if taken is not None:
        raise StopError(
            f"Work order {work_order_id} belongs to {taken.record_kind} {taken.record_id} already",
            system="ledger",
            remedy="Look at both records: a work order's reference names the one that it was made for.",
        )


def _generation(newest: Row[Any] | None, new_generation: bool) -> int:
    if newest is None:
        return 1
    return int(newest.generation) + (new_generation and newest.state == "cancelled")


_effect = _reader(Effect)
_EFFECT_SHAPE = RowShape(effects, ("tenant", "work_order_id", "name"), "result_id", "done", _effect)


class DispatchEffects(OutboxTable[Effect]):
    """``ledger.effects``: side effects of work orders, each done once."""

    def __init__(self, engine: AsyncEngine, clock: Clock) -> None:
        super().__init__(engine, clock, _EFFECT_SHAPE)

    async def claim(
        self, tenant: str, work_order_id: int, name: str, *, holder: str, seconds: float
    ) -> Claimed[Effect]:
        """The row of an effect, made if there is none; ours unless it is done or held by another."""
        values = {"tenant": tenant, "work_order_id": work_order_id, "name": name}
        async with writing(self._engine, "claim an effect") as connection:
            claimed = await self._claim(connection, values, holder, seconds)
            return Claimed(claimed.row, claimed.ours and claimed.row.state != "done")

    async def done(self, effect_id: int, result_id: str | None = None) -> Effect:
        """Records that it has happened. StopError if it happened before with another result."""
        async with writing(self._engine, "note an effect that is done") as connection:
            return _effect(await self._done(connection, effect_id, result_id))

    async def of_work_order(self, tenant: str, work_order_id: int) -> list[Effect]:
        """The effects of one work order, oldest first."""
        wanted = (effects.c.tenant == tenant, effects.c.work_order_id == work_order_id)
        async with reading(self._engine, "read effects") as connection:
            rows = await connection.execute(select(effects).where(*wanted).order_by(effects.c.id))
            return [_effect(row) for row in rows]


_note = _reader(SyncedNote)
_NOTE_SHAPE = RowShape(notes, ("tenant", "origin", "origin_id"), "copy_id", "done", _note)


class SyncedNotes(OutboxTable[SyncedNote]):
    """``ledger.notes``: copies of notes, each made once; ids are texts, unique among all notes."""

    def __init__(self, engine: AsyncEngine, clock: Clock) -> None:
        super().__init__(engine, clock, _NOTE_SHAPE)

    async def claim(
        self, tenant: str, work_order_id: int, origin: Origin, origin_id: str, *, holder: str, seconds: float
    ) -> Claimed[SyncedNote]:
        """The row of a note to copy, made if there is none; ours unless it is done or held by another."""
        key = {"tenant": tenant, "origin": origin, "origin_id": origin_id}
        async with writing(self._engine, "claim a note") as connection:
            values = {**key, "work_order_id": work_order_id}
            claimed = await self._claim(connection, values, holder, seconds)
            return Claimed(claimed.row, claimed.ours and claimed.row.state != "done")

    async def copied(self, note_id: int, copy_id: str) -> SyncedNote:
        """Records that the copy exists, made or found. StopError if the note has another copy already."""
        async with writing(self._engine, "note a copied note") as connection:
            return _note(await self._done(connection, note_id, copy_id))

    async def of_work_order(self, tenant: str, work_order_id: int) -> list[SyncedNote]:
        """What is known of the notes of one work order, in both directions, oldest first."""
        wanted = (notes.c.tenant == tenant, notes.c.work_order_id == work_order_id)
        async with reading(self._engine, "read synced notes") as connection:
            rows = await connection.execute(select(notes).where(*wanted).order_by(notes.c.id))
            return [_note(row) for row in rows]
