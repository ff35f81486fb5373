"""What is to happen once for a work order, such as the note that its event "completed" writes."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.engine import Row
from sqlalchemy.ext.asyncio import AsyncEngine

from connectors.ledger.clock import Clock, moment_or_none
from connectors.ledger.database import reading, writing
from connectors.ledger.dispatch_models import Claimed, Effect
from connectors.ledger.dispatch_tables import dispatch_effects as effects
from connectors.ledger.once import OnceOnly, Shape


def _effect(row: Row[Any]) -> Effect:
    return Effect(
        row.id,
        row.work_order_id,
        row.name,
        row.result_id,
        row.state,
        row.attempts,
        moment_or_none(row.sent_at),
        row.message,
    )


_SHAPE = Shape(effects, ("tenant", "work_order_id", "name"), "result_id", "done", _effect)


class DispatchEffects(OnceOnly[Effect]):
    """``ledger.effects``: the life of an effect is that in ``once``."""

    def __init__(self, engine: AsyncEngine, clock: Clock) -> None:
        super().__init__(engine, clock, _SHAPE)

    async def claim(
        self, tenant: str, work_order_id: int, name: str, *, holder: str, seconds: float
    ) -> Claimed[Effect]:
        """The row of an effect, made if there is none; ours unless it is done or held by another."""
        values = {"tenant": tenant, "work_order_id": work_order_id, "name": name}
        async with writing(self._engine, "claim an effect") as connection:
            claimed = await self._claim(connection, values, holder, seconds)
            return Claimed(claimed.row, claimed.ours and claimed.row.state != "done")

    async def done(self, effect_id: int, result_id: str | None = None) -> Effect:
        """It has happened. StopError if it happened before with another result."""
        async with writing(self._engine, "note an effect that is done") as connection:
            return _effect(await self._done(connection, effect_id, result_id))

    async def of_work_order(self, tenant: str, work_order_id: int) -> list[Effect]:
        """The effects of one work order, oldest first."""
        wanted = (effects.c.tenant == tenant, effects.c.work_order_id == work_order_id)
        async with reading(self._engine, "read effects") as connection:
            rows = await connection.execute(select(effects).where(*wanted).order_by(effects.c.id))
            return [_effect(row) for row in rows]
