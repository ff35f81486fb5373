"""What Lansweeper and ConnectWise agreed on last, for each asset: the base of the authority ``merge``.

``MergeBases`` (``ledger.merge_bases``) keeps one row an asset of a tenant, with the configuration that it was
true of; of another configuration it says nothing. A run keeps the rows that changed once, when it is through.
What was written since, by a run that was killed or an undo, stands in the journal: the mark of a company is
the last write that its rows know of, and ``begin`` gives those after it.

Losing the rows loses no record: the next run decides as with the authority ``lansweeper``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from connectors.ledger.database import Repository, insert_or_replace, insert_or_replace_many, reading
from connectors.ledger.inventory import is_key
from connectors.ledger.models import FieldWrite, MergeBase
from connectors.ledger.schema import merge_bases, merge_marks, writes

ROWS_AT_A_TIME = 2_000
"""Rows that are made ready at a time: all of a first load at once take longer, and much memory."""
_MAY_BE_DONE = or_(writes.c.outcome == "done", writes.c.outcome == "unclear", writes.c.outcome.is_(None))


class MergeBases(Repository):
    """``ledger.merge_bases``: what both sides agreed on, by tenant and asset key."""

    async def read(self, tenant: str, company_id: int) -> dict[str, MergeBase]:
        """The rows of one company by asset key."""
        table = merge_bases
        query = select(table.c.asset_key, table.c.configuration_id, table.c.agreed)
        query = query.where(table.c.tenant == tenant, table.c.company_id == company_id)
        async with reading(self._engine, "read what both sides agreed on") as connection:
            return {row[0]: MergeBase(row[1], row[2]) for row in await connection.execute(query)}

    async def begin(self, tenant: str, company_id: int) -> list[FieldWrite]:
        """The writes to configurations since the rows were kept; a company without a mark gets one.

        Such a company has no rows either: what was written before is none of theirs.
        """
        mark = await self._mark(tenant, company_id)
        if mark is None:
            async with self._writing("begin to note what both sides agree on") as (connection, now):
                await _move_mark(connection, tenant, company_id, now)
            return []
        return await self._writes_after(mark, tenant, company_id)

    async def writes_since(self, tenant: str, company_id: int) -> list[FieldWrite]:
        """The same for a dry run, which notes nothing."""
        mark = await self._mark(tenant, company_id)
        return [] if mark is None else await self._writes_after(mark, tenant, company_id)

    async def keep(self, tenant: str, company_id: int, bases: Mapping[str, MergeBase]) -> None:
        """Keep new and changed rows, and move the mark to the last write: both or neither."""
        async with self._writing("keep what both sides agreed on") as (connection, now):
            owner = {"tenant": tenant, "company_id": company_id, "noted_at": now}
            keys = sorted(filter(is_key, bases))
            replace = insert_or_replace_many(connection, merge_bases, ("tenant", "asset_key"))
            for at in range(0, len(keys), ROWS_AT_A_TIME):
                rows = [{**owner, **_row(key, bases[key])} for key in keys[at : at + ROWS_AT_A_TIME]]
                await connection.execute(replace, rows)
            await _move_mark(connection, tenant, company_id, now)

    async def _mark(self, tenant: str, company_id: int) -> int | None:
        table = merge_marks
        query = select(table.c.write_id).where(table.c.tenant == tenant, table.c.company_id == company_id)
        async with reading(self._engine, "read up to which write both sides are known") as connection:
            return (await connection.execute(query)).scalar_one_or_none()

    async def _writes_after(self, mark: int, tenant: str, company_id: int) -> list[FieldWrite]:
        columns = writes.c
        query = select(
            columns.asset_key, columns.record_id, columns.before, columns.after, columns.outcome
        ).where(columns.id > mark, *_of_fields(tenant, company_id))
        async with reading(self._engine, "read the writes of runs that were ended") as connection:
            rows = await connection.execute(query.order_by(columns.id))
            return [
                FieldWrite(key, record_id, before or {}, after or {}, outcome == "done")
                for key, record_id, before, after, outcome in rows
            ]


def _of_fields(tenant: str, company_id: int) -> list[ColumnElement[bool]]:
    columns = writes.c
    return [
        columns.tenant == tenant,
        columns.company_id == company_id,
        columns.record_kind == "configuration",
        columns.operation != "delete",
        columns.asset_key.is_not(None),
        columns.record_id.is_not(None),
        _MAY_BE_DONE,
    ]


def _row(asset_key: str, base: MergeBase) -> dict[str, Any]:
    return {
        "asset_key": asset_key,
        "configuration_id": base.configuration_id,
        "agreed": base.agreed,
    }


async def _move_mark(connection: AsyncConnection, tenant: str, company_id: int, now: float) -> None:
    last = (await connection.execute(select(func.coalesce(func.max(writes.c.id), 0)))).scalar_one()
    row: dict[str, Any] = {"tenant": tenant, "company_id": company_id, "write_id": last, "noted_at": now}
    await connection.execute(insert_or_replace(merge_marks, ("tenant", "company_id")), [row])
