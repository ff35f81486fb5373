"""The journal of writes: noted before each is sent, settled once its outcome is known.

Batches in flight: creations that were sent and whose outcome is not yet known, for whoever runs next.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import bindparam, case, delete, func, insert, select, update
from sqlalchemy.engine import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from connectors.ledger.database import moment
from connectors.ledger.models import JournalledWrite, OpenBatch, RunSummary, WriteEntry, WriteOutcome
from connectors.ledger.schema import batches_in_flight as batches
from connectors.ledger.schema import writes

#: Vendors repeat whole requests in some messages; the start says what is wrong.
LONGEST_MESSAGE = 2000
_SECRET = re.compile(
    r"passw(or)?d|secret|private_?key|(access|api|auth)_?(token|key)|authorization", re.IGNORECASE
)


async def begin(
    connection: AsyncConnection, run: dict[str, Any], entries: Sequence[WriteEntry], now: float
) -> list[int]:
    """Notes the writes of one request and returns their ids in the same order."""
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
        "record_name": entry.record_name,
        "before": without_secrets(entry.before),
        "after": without_secrets(entry.after),
    }


def without_secrets(value: Any) -> Any:
    """The value without members whose name says that they hold a secret."""
    if isinstance(value, dict):
        return {name: without_secrets(inner) for name, inner in value.items() if not _is_secret(str(name))}
    if isinstance(value, list | tuple):
        return [without_secrets(inner) for inner in value]
    return value


@lru_cache(maxsize=1024)
def _is_secret(name: str) -> bool:
    return _SECRET.search(name) is not None


async def settle(connection: AsyncConnection, outcomes: Sequence[WriteOutcome], now: float) -> None:
    """Notes what became of the writes; a record id or message of None leaves what is there."""
    if not outcomes:
        return
    statement = (
        update(writes)
        .where(writes.c.id == bindparam("write"))
        .values(
            outcome=bindparam("result"),
            settled_at=now,
            record_id=func.coalesce(bindparam("record", type_=writes.c.record_id.type), writes.c.record_id),
            message=func.coalesce(bindparam("words", type_=writes.c.message.type), writes.c.message),
        )
    )
    await connection.execute(statement, [_settled(outcome) for outcome in outcomes])


def _settled(outcome: WriteOutcome) -> dict[str, Any]:
    words = outcome.message[:LONGEST_MESSAGE] if outcome.message is not None else None
    return {"write": outcome.write_id, "result": outcome.outcome, "record": outcome.record_id, "words": words}


async def of_run(connection: AsyncConnection, run_id: str) -> list[JournalledWrite]:
    """The writes of a run in the order in which they were begun."""
    query = select(writes).where(writes.c.run_id == run_id).order_by(writes.c.id)
    return [_write(row) for row in await connection.execute(query)]


def _write(row: Row[Any]) -> JournalledWrite:
    values = dict(row._mapping)
    values["begun_at"] = moment(values["begun_at"])
    values["settled_at"] = None if values["settled_at"] is None else moment(values["settled_at"])
    return JournalledWrite(**values)


async def recent(connection: AsyncConnection, limit: int) -> list[RunSummary]:
    """The last ``limit`` runs that wrote, newest first."""
    outcome = case((writes.c.outcome.is_(None), "open"), else_=writes.c.outcome)
    last = (
        select(writes.c.run_id, func.max(writes.c.id).label("last_id"))
        .group_by(writes.c.run_id)
        .order_by(func.max(writes.c.id).desc())
        .limit(limit)
        .subquery()
    )
    run = (writes.c.run_id, writes.c.connection, writes.c.company_id)
    counted = (func.count(), func.min(writes.c.begun_at), func.max(writes.c.begun_at), last.c.last_id)
    query = (
        select(*run, outcome, *counted)
        .join(last, last.c.run_id == writes.c.run_id)
        .group_by(*run, outcome, last.c.last_id)
        .order_by(last.c.last_id.desc(), *run)
    )
    return _summaries(list(await connection.execute(query)))


def _summaries(rows: Sequence[Row[Any]]) -> list[RunSummary]:
    runs: dict[tuple[Any, ...], list[tuple[Any, ...]]] = {}
    for row in rows:
        runs.setdefault(tuple(row)[:3], []).append(tuple(row))
    return [_summary(run, parts) for run, parts in runs.items()]


def _summary(run: tuple[Any, ...], parts: Sequence[tuple[Any, ...]]) -> RunSummary:
    return RunSummary(
        run_id=run[0],
        connection=run[1],
        company_id=run[2],
        first_write_at=moment(min(part[5] for part in parts)),
        last_write_at=moment(max(part[6] for part in parts)),
        writes=sum(part[4] for part in parts),
        outcomes={part[3]: part[4] for part in parts},
    )


async def note(connection: AsyncConnection, batch: dict[str, Any]) -> int:
    """Notes a batch that is about to be sent and returns its id."""
    return int((await connection.execute(insert(batches).values(batch).returning(batches.c.id))).scalar_one())


async def settle_batch(connection: AsyncConnection, batch_id: int) -> None:
    """The outcome of every record of the batch is known: nobody needs to wait for it any more."""
    await connection.execute(delete(batches).where(batches.c.id == batch_id))


async def still_open(connection: AsyncConnection, connection_name: str, company_id: int) -> list[OpenBatch]:
    """The batches of one company that nobody has settled, oldest first."""
    of_company = (batches.c.connection == connection_name, batches.c.company_id == company_id)
    query = select(batches).where(*of_company).order_by(batches.c.id)
    return [_open(row) for row in await connection.execute(query)]


def _open(row: Row[Any]) -> OpenBatch:
    return OpenBatch(row.id, row.run_id, list(row.asset_keys), row.highest_id, moment(row.sent_at))
