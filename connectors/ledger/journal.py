"""The journal of writes: one row noted before a write is sent, its outcome recorded once it is known.

``Journal`` (``ledger.journal``) is what an undo reads and what a later run recovers from. ``Batches``
(``ledger.batches``) are bulk creations in flight: sent, or about to be, and not yet accounted for, so that
whoever runs next can look for what they made.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnElement, and_, bindparam, delete, func, insert, or_, select, update
from sqlalchemy.engine import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from connectors.ledger.database import Repository, moment, moment_or_none, reading
from connectors.ledger.inventory import save_links
from connectors.ledger.models import JournalledWrite, KnownLink, OpenBatch, WriteEntry, WriteOutcome
from connectors.ledger.schema import batches_in_flight as batches
from connectors.ledger.schema import writes
from connectors.ledger.text import name_text, shortened

_SECRET = re.compile(
    r"passw(or)?d|secret|private_?key|(access|api|auth)_?(token|key)|authorization", re.IGNORECASE
)


NO_TENANT = ""
"""Of a batch that an older version left, whose records are not where its block leads now."""


class Journal(Repository):
    """``ledger.journal``: every write of every run, with the values before and after."""

    async def begin(
        self,
        run_id: str,
        connection: str,
        company_id: int,
        entries: Sequence[WriteEntry],
        *,
        tenant: str | None = None,
    ) -> list[int]:
        """Notes writes before they are sent; returns their ids in the order of ``entries``.

        ``connection`` is the block's name, for people; ``tenant`` names the system that is written to.
        """
        run = {"run_id": run_id, "connection": connection, "company_id": company_id, "tenant": tenant}
        async with self._writing("note the writes of a request") as (transaction, now):
            return await _begin(transaction, run, entries, now)

    async def record_outcomes(self, outcomes: Sequence[WriteOutcome]) -> None:
        """Records how writes ended; a second outcome of one write replaces the first."""
        async with self._writing("note the outcome of writes") as (transaction, now):
            await _record_outcomes(transaction, outcomes, now)

    async def of_run(self, run_id: str) -> list[JournalledWrite]:
        """The writes of a run, in the order in which they were begun."""
        query = select(writes).where(writes.c.run_id == run_id).order_by(writes.c.id)
        async with reading(self._engine, "read the writes of a run") as transaction:
            return [_write(row) for row in await transaction.execute(query)]

    async def last_values(
        self, tenant: str, record_kind: str, keys: Sequence[str]
    ) -> dict[str, dict[str, list[Any]]]:
        """What some hundred assets of a tenant may have been left with: by asset key and member.

        The value that was written last is the first; those sent after it without a known outcome follow.
        Rows of older versions name no tenant, and count.
        """
        query = select(writes.c.asset_key, writes.c.after, writes.c.outcome).where(
            or_(writes.c.tenant == tenant, writes.c.tenant.is_(None)),
            writes.c.record_kind == record_kind,
            or_(writes.c.outcome.in_(("done", "unclear")), writes.c.outcome.is_(None)),
            writes.c.asset_key.in_(keys),
        )
        found: dict[str, dict[str, list[Any]]] = {}
        async with reading(self._engine, "read what was written last") as transaction:
            for key, after, outcome in await transaction.execute(query.order_by(writes.c.id)):
                values = found.setdefault(key, {})
                for name, value in (after or {}).items():
                    values[name] = [value] if outcome == "done" else [*values.get(name, []), value]
        return found


class Batches(Repository):
    """``ledger.batches``: the bulk creations in flight, of this run and of killed ones."""

    async def open(
        self,
        run_id: str,
        connection: str,
        company_id: int,
        asset_keys: Sequence[str],
        highest_id: int,
        entries: Sequence[WriteEntry] = (),
        *,
        tenant: str | None = None,
    ) -> tuple[int, list[int]]:
        """Notes a bulk creation and its writes before it is sent, both or neither; the ids of both."""
        run = {"run_id": run_id, "connection": connection, "company_id": company_id, "tenant": tenant}
        async with self._writing("note a batch before it is sent") as (transaction, now):
            batch = {**run, "asset_keys": list(asset_keys), "highest_id": highest_id, "sent_at": now}
            noted = await transaction.execute(insert(batches).values(batch).returning(batches.c.id))
            return int(noted.scalar_one()), await _begin(transaction, run, entries, now)

    async def close(
        self,
        batch_id: int,
        outcomes: Sequence[WriteOutcome] = (),
        tenant: str = "",
        links: Sequence[KnownLink] = (),
    ) -> None:
        """Every record of the batch is accounted for, as ``outcomes`` say; closing twice does no harm.

        ``links`` are those of the ``tenant`` that the batch made, kept in the same transaction.
        """
        async with self._writing("settle a batch") as (transaction, now):
            await _record_outcomes(transaction, outcomes, now)
            await save_links(transaction, tenant, links, now)
            await transaction.execute(delete(batches).where(batches.c.id == batch_id))

    async def in_flight(self, tenant: str, company_id: int, connection: str) -> list[OpenBatch]:
        """The batches of one company that nobody has closed, oldest first.

        Those without a tenant, which an older version noted, count where they name this ``connection``.
        """
        of_block = and_(batches.c.tenant.is_(None), batches.c.connection == connection)
        return await self._read(batches.c.company_id == company_id, or_(batches.c.tenant == tenant, of_block))

    async def of_run(self, run_id: str) -> list[OpenBatch]:
        """The batches of one run that nobody has closed, oldest first."""
        return await self._read(batches.c.run_id == run_id)

    async def set_aside(self, batch_id: int) -> None:
        """A batch without a tenant is of none that its block leads to now: it is not looked for again."""
        async with self._writing("set a batch aside") as (transaction, _):
            aside = update(batches).where(batches.c.id == batch_id, batches.c.tenant.is_(None))
            await transaction.execute(aside.values(tenant=NO_TENANT))

    async def _read(self, *conditions: ColumnElement[bool]) -> list[OpenBatch]:
        query = select(batches).where(*conditions).order_by(batches.c.id)
        async with reading(self._engine, "read the batches in flight") as transaction:
            return [_open_batch(row) for row in await transaction.execute(query)]


def _open_batch(row: Row[Any]) -> OpenBatch:
    keys, sent_at = list(row.asset_keys), moment(row.sent_at)
    return OpenBatch(row.id, row.run_id, keys, row.highest_id, sent_at, row.tenant)


async def _begin(
    connection: AsyncConnection, run: dict[str, Any], entries: Sequence[WriteEntry], now: float
) -> list[int]:
    if not entries:
        return []
    rows = [{**run, **_row(entry), "begun_at": now} for entry in entries]
    if connection.dialect.name == "sqlite":
        return await _insert_numbered(connection, rows)
    statement = insert(writes).returning(writes.c.id, sort_by_parameter_order=True)
    return [int(write_id) for write_id in (await connection.execute(statement, rows)).scalars()]


async def _insert_numbered(connection: AsyncConnection, rows: list[dict[str, Any]]) -> list[int]:
    """SQLite returns ids only row by row; under its write lock they can be given, which is faster."""
    last = (await connection.execute(select(func.coalesce(func.max(writes.c.id), 0)))).scalar_one()
    ids = list(range(int(last) + 1, int(last) + 1 + len(rows)))
    numbered = [{"id": write_id, **row} for write_id, row in zip(ids, rows, strict=True)]
    await connection.execute(insert(writes), numbered)
    return ids


def _row(entry: WriteEntry) -> dict[str, Any]:
    return {
        "operation": entry.operation,
        "record_kind": entry.record_kind,
        "record_id": entry.record_id,
        "asset_key": entry.asset_key,
        "record_name": name_text(entry.record_name),
        "before": without_secrets(entry.before),
        "after": without_secrets(entry.after),
    }


def without_secrets(value: Any) -> Any:
    """The value without members whose name says that they hold a secret."""
    if isinstance(value, dict):
        return {
            name: inner if inner.__class__ in _PLAIN else without_secrets(inner)
            for name, inner in value.items()
            if not _is_secret(str(name))
        }
    if isinstance(value, list | tuple):
        return [without_secrets(inner) for inner in value]
    return value


_PLAIN = frozenset({str, int, float, bool, type(None)})
"""Classes of values that hold no others: nearly all members of a record, for which no call is made."""


@lru_cache(maxsize=1024)
def _is_secret(name: str) -> bool:
    return _SECRET.search(name) is not None


async def _record_outcomes(connection: AsyncConnection, outcomes: Sequence[WriteOutcome], now: float) -> None:
    """A record id or message of None leaves what is noted."""
    if outcomes:
        await connection.execute(_SETTLED, [{**_outcome(each), "now": now} for each in outcomes])


_SETTLED = (
    update(writes)
    .where(writes.c.id == bindparam("write"))
    .values(
        outcome=bindparam("result"),
        settled_at=bindparam("now"),
        record_id=func.coalesce(bindparam("record", type_=writes.c.record_id.type), writes.c.record_id),
        message=func.coalesce(bindparam("words", type_=writes.c.message.type), writes.c.message),
    )
)
"""Made once: a first load settles hundreds of batches."""


def _outcome(outcome: WriteOutcome) -> dict[str, Any]:
    words = None if outcome.message is None else shortened(outcome.message)
    return {"write": outcome.write_id, "result": outcome.outcome, "record": outcome.record_id, "words": words}


def _write(row: Row[Any]) -> JournalledWrite:
    values = dict(row._mapping)
    values["begun_at"] = moment(values["begun_at"])
    values["settled_at"] = moment_or_none(values["settled_at"])
    return JournalledWrite(**values)
