"""Plans as they were shown to a person, whole: the head of each in one row, its entries in compressed parts.

A part is a few hundred kilobytes of JSON lines under zlib, and is written and read by itself, so that a plan
of a hundred thousand records never exists twice in memory. A plan exists once its head does, which is
written last: parts without a head are what a killed run left, and go with the plans that have expired.
Old plans are dropped when a new one is stored. Losing them loses no record: a plan can be made again.
"""

from __future__ import annotations

import hashlib
import uuid
import zlib
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson
from sqlalchemy import delete, insert, select, update
from sqlalchemy.engine import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from connectors.errors import StopError
from connectors.ledger.database import Repository, in_groups, moment, moment_or_none, reading
from connectors.ledger.models import PlanHead, StoredPlan
from connectors.ledger.schema import plan_parts, plans

PLAN_PREFIX = "plan-"
"""How every id begins, so that a person and a command line know it for one."""
PART_BYTES = 400_000
"""Of JSON in one part; one entry more may stand in it."""
MOST_PLANS = 1000
"""Plans of one feature and company; beyond it the oldest go."""
DAY_SECONDS = 86_400.0
_DIGITS = 12
_LEVEL = 1
"""Of zlib: a third of the time of the usual one for a sixth more bytes."""


@dataclass(slots=True)
class _Content:
    """What of the entries was written or read so far: their number, and a hash over the parts as stored."""

    entries: int = 0
    parts: int = 0
    hash: Any = field(default_factory=hashlib.sha256)

    def take(self, entries: int, body: bytes) -> None:
        self.parts += 1
        self.entries += entries
        self.hash.update(body)


class Plans(Repository):
    """``ledger.plans``: stored plans of all tenants, by id."""

    async def keep(self, head: PlanHead, entries: Iterable[Mapping[str, Any]], *, days: int) -> StoredPlan:
        """Stores a plan whole and drops those that have expired. A transaction a part, one for the head."""
        plan_id = f"{PLAN_PREFIX}{uuid.uuid4().hex[:_DIGITS]}"
        content = _Content()
        for lines in _parts(entries):
            body = zlib.compress(b"".join(lines), _LEVEL)
            async with self._writing("keep a part of a plan") as (connection, now):
                row = {"plan_id": plan_id, "number": content.parts, "body": body, "kept_at": now}
                await connection.execute(insert(plan_parts), [row])
            content.take(len(lines), body)
        async with self._writing("keep a plan") as (connection, now):
            row = _row(plan_id, head, content, now, now + days * DAY_SECONDS)
            await connection.execute(insert(plans), [row])
            await _prune(connection, head, now)
        return _plan(row)

    async def find(self, beginning: str) -> list[StoredPlan]:
        """The plans whose id begins so, at most three, the newest first; expired ones count until pruned."""
        wanted = plan_id_of(beginning)
        if not wanted:
            return []
        query = select(plans).where(plans.c.id.startswith(wanted, autoescape=True))
        async with reading(self._engine, "look for a plan") as connection:
            rows = await connection.execute(query.order_by(plans.c.made_at.desc(), plans.c.id).limit(3))
            return [_plan(row._mapping) for row in rows]

    async def newest(self, most: int, *, company: str = "") -> list[StoredPlan]:
        """The newest plans, of all companies or of the one with that identifier."""
        query = select(plans).order_by(plans.c.made_at.desc(), plans.c.id).limit(most)
        if company:
            query = query.where(plans.c.company == company)
        async with reading(self._engine, "list the plans") as connection:
            return [_plan(row._mapping) for row in await connection.execute(query)]

    async def company_of(self, tenant: str, company_id: int) -> str:
        """The identifier of a company, as its newest plan has it; empty where the ledger keeps none."""
        query = select(plans.c.company).where(plans.c.tenant == tenant, plans.c.company_id == company_id)
        async with reading(self._engine, "look for a company's plan") as connection:
            rows = await connection.execute(query.order_by(plans.c.made_at.desc()).limit(1))
            return str(rows.scalar_one_or_none() or "")

    async def entries(self, plan: StoredPlan) -> AsyncIterator[dict[str, Any]]:
        """The entries in their order, a part of them in memory at a time.

        Raises:
            StopError: at the end, if they are not all those that were stored.
        """
        async with reading(self._engine, "read a plan") as connection:
            query = select(plans.c.parts, plans.c.content).where(plans.c.id == plan.id)
            head = (await connection.execute(query)).one_or_none()
        content = _Content()
        while head is not None and content.parts < head.parts:
            body = await self._part(plan, content.parts)
            lines = _lines(plan, body)
            content.take(len(lines), body)
            for line in lines:
                yield orjson.loads(line)
        if head is None or (content.entries, content.hash.hexdigest()) != (plan.entries, head.content):
            raise _damaged(plan)

    async def _part(self, plan: StoredPlan, number: int) -> bytes:
        query = select(plan_parts.c.body).where(
            plan_parts.c.plan_id == plan.id, plan_parts.c.number == number
        )
        async with reading(self._engine, "read a part of a plan") as connection:
            return (await connection.execute(query)).scalar_one_or_none() or b""

    async def note_begun(self, plan_id: str, run_id: str) -> None:
        """Notes that a run begins to write a plan."""
        async with self._writing("note that a plan is begun") as (connection, _):
            begun = update(plans).where(plans.c.id == plan_id)
            await connection.execute(begun.values(begun_by=run_id))

    async def note_applied(self, plan_id: str, run_id: str) -> None:
        """Notes that a run has written all that was to be written of a plan."""
        async with self._writing("note that a plan is applied") as (connection, now):
            done = update(plans).where(plans.c.id == plan_id)
            await connection.execute(done.values(applied_at=now, applied_by=run_id))


def plan_id_of(text: str) -> str:
    """The id, or its beginning, that a person typed; empty if it can't be one."""
    wanted = text.strip().lower()
    if not wanted.startswith(PLAN_PREFIX):
        wanted = PLAN_PREFIX + wanted
    digits = wanted.removeprefix(PLAN_PREFIX)
    return wanted if digits and set(digits) <= set("0123456789abcdef") and len(digits) <= _DIGITS else ""


def _lines(plan: StoredPlan, body: bytes) -> list[bytes]:
    try:
        return zlib.decompress(body).splitlines()
    except zlib.error:
        raise _damaged(plan) from None


def _parts(entries: Iterable[Mapping[str, Any]]) -> Iterator[list[bytes]]:
    lines: list[bytes] = []
    size = 0
    for each in entries:
        line = orjson.dumps(each, option=orjson.OPT_APPEND_NEWLINE)
        lines.append(line)
        size += len(line)
        if size >= PART_BYTES:
            yield lines
            lines, size = [], 0
    if lines:
        yield lines


def _row(plan_id: str, head: PlanHead, content: _Content, now: float, until: float) -> dict[str, Any]:
    return {
        "id": plan_id,
        "feature": head.feature,
        "tenant": head.tenant,
        "company_id": head.company_id,
        "company": head.company,
        "run_id": head.run_id,
        "checksum": head.checksum or content.hash.hexdigest()[:16],
        "settings": head.settings,
        "counts": head.counts,
        "details": head.details,
        "entries": content.entries,
        "parts": content.parts,
        "content": content.hash.hexdigest(),
        "made_at": now,
        "expires_at": until,
        "begun_by": "",
        "applied_at": None,
        "applied_by": "",
    }


def _plan(row: Mapping[str, Any] | RowMapping) -> StoredPlan:
    head = PlanHead(
        row["feature"],
        row["tenant"],
        row["company_id"],
        row["company"],
        row["run_id"],
        row["checksum"],
        row["settings"],
        row["counts"],
        row["details"],
    )
    return StoredPlan(
        row["id"],
        head,
        row["entries"],
        moment(row["made_at"]),
        moment(row["expires_at"]),
        row["begun_by"],
        moment_or_none(row["applied_at"]),
        row["applied_by"],
    )


async def _prune(connection: AsyncConnection, head: PlanHead, now: float) -> None:
    """Drop expired plans, those of the company beyond the bound, and parts that belong to no plan."""
    of_company = (
        plans.c.tenant == head.tenant,
        plans.c.feature == head.feature,
        plans.c.company_id == head.company_id,
    )
    newest = select(plans.c.id).where(*of_company).order_by(plans.c.made_at.desc(), plans.c.id)
    beyond = (await connection.execute(newest.offset(MOST_PLANS).limit(MOST_PLANS))).scalars().all()
    expired = (await connection.execute(select(plans.c.id).where(plans.c.expires_at < now))).scalars().all()
    for ids in in_groups([*beyond, *expired]):
        await connection.execute(delete(plan_parts).where(plan_parts.c.plan_id.in_(ids)))
        await connection.execute(delete(plans).where(plans.c.id.in_(ids)))
    lost = plan_parts.c.plan_id.not_in(select(plans.c.id))
    await connection.execute(delete(plan_parts).where(lost, plan_parts.c.kept_at < now - DAY_SECONDS))


def _damaged(plan: StoredPlan) -> StopError:
    return StopError(
        f"The stored entries of {plan.id} are not those that were kept",
        system="ledger",
        remedy="Make a new plan: the run that makes it reads everything anew.",
    )
