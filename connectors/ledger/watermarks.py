"""Small things that a later run starts from: how far a sweep came, which ways a server takes."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from connectors.ledger.tables import watermarks
from connectors.ledger.upserts import insert_or_replace


async def read(connection: AsyncConnection, tenant: str, name: str) -> dict[str, Any] | None:
    """The value under a name, None if there is none."""
    query = select(watermarks.c.value).where(watermarks.c.tenant == tenant, watermarks.c.name == name)
    value = (await connection.execute(query)).scalar_one_or_none()
    return None if value is None else dict(value)


async def set_value(
    connection: AsyncConnection, tenant: str, name: str, value: dict[str, Any], now: float
) -> None:
    """Sets the value under a name, whether or not there is one."""
    row = {"tenant": tenant, "name": name, "value": value, "updated_at": now}
    await connection.execute(insert_or_replace(connection, watermarks, ("tenant", "name")), [row])
