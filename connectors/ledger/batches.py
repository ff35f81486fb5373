"""Batches in flight: creations that were sent and whose outcome is not yet known, for whoever runs next."""

from __future__ import annotations

from typing import Any

from sqlalchemy import delete, insert, select
from sqlalchemy.engine import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from connectors.ledger.clock import moment
from connectors.ledger.models import OpenBatch
from connectors.ledger.tables import batches_in_flight as batches


async def note(connection: AsyncConnection, batch: dict[str, Any]) -> int:
    """Notes a batch that is about to be sent and returns its id."""
    return int((await connection.execute(insert(batches).values(batch).returning(batches.c.id))).scalar_one())


async def settle(connection: AsyncConnection, batch_id: int) -> None:
    """The outcome of every record of the batch is known: nobody needs to wait for it any more."""
    await connection.execute(delete(batches).where(batches.c.id == batch_id))


async def still_open(connection: AsyncConnection, connection_name: str, company_id: int) -> list[OpenBatch]:
    """The batches of one company that nobody has settled, oldest first."""
    of_company = (batches.c.connection == connection_name, batches.c.company_id == company_id)
    query = select(batches).where(*of_company).order_by(batches.c.id)
    return [_open(row) for row in await connection.execute(query)]


def _open(row: Row[Any]) -> OpenBatch:
    return OpenBatch(row.id, row.run_id, list(row.asset_keys), row.highest_id, moment(row.sent_at))
