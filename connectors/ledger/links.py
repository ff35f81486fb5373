"""Which record of one system belongs to which of another: one to one, in both directions."""

from __future__ import annotations

from typing import Any

from sqlalchemy import and_, delete, or_, select, update
from sqlalchemy.engine import Row
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from connectors.errors import StopError
from connectors.ledger.database import Clock, insert_unless_there, moment, reading, writing
from connectors.ledger.models import LinkEnd, RecordLink
from connectors.ledger.schema import links


class RecordLinks:
    """``ledger.links``: pairs of records. Left and right keep their places; read from either end."""

    def __init__(self, engine: AsyncEngine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock

    async def put(
        self, tenant: str, left: LinkEnd, right: LinkEnd, details: dict[str, Any] | None = None
    ) -> RecordLink:
        """Links two records; the same link again keeps its details unless new ones are given.

        Raises:
            StopError: one of them is linked with another record of that kind.
        """
        async with writing(self._engine, "link two records") as connection:
            now = await self._clock.now_of(connection)
            return await put(connection, tenant, left, right, details, now)

    async def from_left(self, tenant: str, left: LinkEnd, right_kind: str) -> RecordLink | None:
        """The link of this left record with a record of that kind."""
        return await self._find(tenant, [*_is("left", left), links.c.right_kind == right_kind])

    async def from_right(
        self, tenant: str, right: LinkEnd, left_kind: str | None = None
    ) -> RecordLink | None:
        """The link of this right record, with a record of that kind, or of any: the newest."""
        of_kind = [] if left_kind is None else [links.c.left_kind == left_kind]
        return await self._find(tenant, [*_is("right", right), *of_kind])

    async def of_kind(self, tenant: str, right_kind: str) -> list[RecordLink]:
        """Every link with a right record of that kind, oldest first."""
        wanted = select(links).where(links.c.tenant == tenant, links.c.right_kind == right_kind)
        async with reading(self._engine, "read links") as connection:
            return [_link(row) for row in await connection.execute(wanted.order_by(links.c.id))]

    async def set_details(self, link_id: int, details: dict[str, Any]) -> None:
        """Replaces a link's details; the last one to set them wins."""
        async with writing(self._engine, "set the details of a link") as connection:
            now = await self._clock.now_of(connection)
            one = update(links).where(links.c.id == link_id)
            await connection.execute(one.values(details=details, changed_at=now))

    async def remove(self, link_id: int) -> None:
        """Forgets a link; one that is gone already does no harm."""
        async with writing(self._engine, "remove a link") as connection:
            await connection.execute(delete(links).where(links.c.id == link_id))

    async def _find(self, tenant: str, where: list[Any]) -> RecordLink | None:
        query = select(links).where(links.c.tenant == tenant, *where).order_by(links.c.id.desc()).limit(1)
        async with reading(self._engine, "read a link") as connection:
            row = (await connection.execute(query)).one_or_none()
        return None if row is None else _link(row)


async def put(
    connection: AsyncConnection,
    tenant: str,
    left: LinkEnd,
    right: LinkEnd,
    details: dict[str, Any] | None,
    now: float,
    *,
    replace_left: bool = False,
) -> RecordLink:
    """``RecordLinks.put`` in the caller's transaction.

    ``replace_left``: an older link of ``left`` gives way.
    """
    of_left = [links.c.tenant == tenant, *_is("left", left), links.c.right_kind == right.kind]
    of_right = [links.c.tenant == tenant, *_is("right", right), links.c.left_kind == left.kind]
    if replace_left:
        await connection.execute(delete(links).where(*of_left, links.c.right_id != right.id))
    row = {"tenant": tenant, **_columns("left", left), **_columns("right", right)}
    new = {**row, "details": details or {}, "created_at": now, "changed_at": now}
    await connection.execute(insert_unless_there(connection, links), [new])
    both = select(links).where(links.c.tenant == tenant, or_(and_(*of_left), and_(*of_right)))
    found = [_link(one) for one in await connection.execute(both)]
    if len(found) != 1 or (found[0].left, found[0].right) != (left, right):
        raise _taken(left, right, found)
    if details is None or found[0].details == details:
        return found[0]
    changed = update(links).where(links.c.id == found[0].id).values(details=details, changed_at=now)
    return _link((await connection.execute(changed.returning(links))).one())


def _is(end: str, side: LinkEnd) -> list[Any]:
    return [links.c[f"{end}_kind"] == side.kind, links.c[f"{end}_id"] == side.id]


def _columns(end: str, side: LinkEnd) -> dict[str, str]:
    return {f"{end}_kind": side.kind, f"{end}_id": side.id}


def _link(row: Row[Any]) -> RecordLink:
    return RecordLink(
        row.id,
        LinkEnd(row.left_kind, row.left_id),
        LinkEnd(row.right_kind, row.right_id),
        dict(row.details),
        moment(row.created_at),
        moment(row.changed_at),
    )


def _taken(left: LinkEnd, right: LinkEnd, found: list[RecordLink]) -> StopError:
    others = ", ".join(f"{one.left.kind} {one.left.id} - {one.right.kind} {one.right.id}" for one in found)
    return StopError(
        f"{left.kind} {left.id} and {right.kind} {right.id} can't be linked: there is already {others}",
        system="ledger",
        remedy="One record belongs to one only: look at them and remove the link that is wrong.",
    )
