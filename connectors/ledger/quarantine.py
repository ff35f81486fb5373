"""The quarantine: records that a vendor refused, with what they were refused with, since when, and why.

A record is held while what would be sent of it, the record itself and the rules are as they were; the
decision is in ``tasks.rules.quarantine``. A row leaves when its record was written, when a person
releases it, or when it is old: the record is then tried once more.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.engine import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from connectors.ledger.database import Repository, in_groups, insert_or_replace, moment, reading
from connectors.ledger.models import HeldRecord
from connectors.ledger.schema import quarantine
from connectors.ledger.text import clean_text, name_text, shortened

KEPT_SECONDS = 180 * 86_400.0
"""A record that was not tried for so long is forgotten."""
MOST_HELD = 5_000
"""Rows of one feature and company; beyond it the oldest go. So many refusals have one cause."""
_KEY = ("tenant", "feature", "company_id", "record_key")


class Quarantine(Repository):
    """``ledger.quarantine``: refused records by tenant, feature and company (0 where there is none)."""

    async def held(self, tenant: str, feature: str, company_id: int = 0) -> dict[str, HeldRecord]:
        """Every held record by its key, the one that is held longest first."""
        query = select(quarantine).where(*_of(tenant, feature, company_id))
        async with reading(self._engine, "read the quarantine") as connection:
            rows = await connection.execute(query.order_by(quarantine.c.since, quarantine.c.record_key))
            return {row.record_key: _record(row) for row in rows}

    async def one(self, tenant: str, feature: str, key: str, company_id: int = 0) -> HeldRecord | None:
        """The held record of this key, None if it is not held."""
        query = select(quarantine).where(*_of(tenant, feature, company_id), quarantine.c.record_key == key)
        async with reading(self._engine, "read the quarantine") as connection:
            row = (await connection.execute(query)).one_or_none()
        return None if row is None else _record(row)

    async def every(self) -> list[tuple[str, str, int, HeldRecord]]:
        """Every held record with its tenant, feature and company, the one that is held longest first."""
        query = select(quarantine).order_by(quarantine.c.since).limit(MOST_HELD)
        async with reading(self._engine, "read the quarantine") as connection:
            rows = await connection.execute(query)
            return [(row.tenant, row.feature, row.company_id, _record(row)) for row in rows]

    async def hold(
        self, tenant: str, feature: str, records: Sequence[HeldRecord], company_id: int = 0
    ) -> None:
        """Holds records; one that is held already keeps its ``since`` and counts one attempt more."""
        if not records:
            return
        of = _of(tenant, feature, company_id)
        async with self._writing("hold refused records") as (connection, now):
            owner = {"tenant": tenant, "feature": feature, "company_id": company_id}
            # As the database keeps the keys, since they are compared with what it answers.
            rows = {clean_text(each.key): each for each in records}
            known = await _known(connection, of, sorted(rows))
            await connection.execute(
                insert_or_replace(quarantine, _KEY),
                [{**owner, **_row(key, rows[key], known.get(key), now)} for key in sorted(rows)],
            )
            await _forget(connection, of, now)

    async def release(self, tenant: str, feature: str, keys: Sequence[str], company_id: int = 0) -> None:
        """Lets go of records: they were written, or a person wants them tried again."""
        if not keys:
            return
        of = _of(tenant, feature, company_id)
        async with self._writing("release held records") as (connection, _):
            await _delete(connection, of, sorted(set(keys)))


async def _known(connection: AsyncConnection, of: list[Any], keys: Sequence[str]) -> dict[str, Row[Any]]:
    found: dict[str, Row[Any]] = {}
    for some in in_groups(keys):
        named = quarantine.c.record_key.in_(some)
        rows = await connection.execute(select(quarantine).where(*of, named))
        found |= {row.record_key: row for row in rows}
    return found


async def _delete(connection: AsyncConnection, of: list[Any], keys: Sequence[str]) -> None:
    for some in in_groups(keys):
        await connection.execute(delete(quarantine).where(*of, quarantine.c.record_key.in_(some)))


async def _forget(connection: AsyncConnection, of: list[Any], now: float) -> None:
    """Old rows, and those beyond the bound."""
    await connection.execute(delete(quarantine).where(*of, quarantine.c.last_at < now - KEPT_SECONDS))
    newest = select(quarantine.c.record_key).where(*of).order_by(quarantine.c.last_at.desc())
    beyond = (await connection.execute(newest.offset(MOST_HELD).limit(MOST_HELD))).scalars().all()
    await _delete(connection, of, beyond)


def _of(tenant: str, feature: str, company_id: int) -> list[Any]:
    columns = quarantine.c
    return [columns.tenant == tenant, columns.feature == feature, columns.company_id == company_id]


def _row(key: str, record: HeldRecord, known: Row[Any] | None, now: float) -> dict[str, Any]:
    return {
        "record_key": key,
        "step": record.step,
        "record_name": name_text(record.name),
        "record_id": record.record_id,
        "payload": record.payload,
        "version": record.version[:100],
        "rules": record.rules,
        "reason": shortened(record.reason),
        "run_id": record.run_id,
        "since": now if known is None else known.since,
        "last_at": now,
        "attempts": 1 if known is None else known.attempts + 1,
    }


def _record(row: Row[Any]) -> HeldRecord:
    return HeldRecord(
        row.record_key,
        row.step,
        row.record_name,
        row.record_id,
        row.payload,
        row.version,
        row.rules,
        row.reason,
        row.run_id,
        moment(row.since),
        moment(row.last_at),
        row.attempts,
    )
