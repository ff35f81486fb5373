"""What later runs start from: state entries by name, links of tickets by company, links between records.

A state entry (``ledger.state``, table ``watermarks``) is a small JSON object that its feature owns: how far a
sweep came, which queries a server takes. A ticket link (``ledger.ticket_links``) says which configurations a
ticket held when it was last read, so that only changed tickets are read again. A record link
(``ledger.links``) says which record of one system belongs to which of another, one to one in both directions.

``owner`` says whose both are: the connection's tenant (ADR 0012). The column is called ``tenant``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, and_, bindparam, delete, or_, select, update
from sqlalchemy.engine import Row
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from connectors.errors import StopError
from connectors.ledger.database import (
    Repository,
    insert_or_replace,
    insert_unless_there,
    moment,
    reading,
    writing,
)
from connectors.ledger.models import LinkEnd, RecordLink, TicketLink
from connectors.ledger.schema import links, ticket_links, watermarks

_TICKET_KEY = ("tenant", "company_id", "kind", "ticket_id")


class StateEntries(Repository):
    """``ledger.state``: one JSON object a name."""

    async def get(self, owner: str, name: str) -> dict[str, Any] | None:
        """The entry of this name, None if there is none."""
        query = select(watermarks.c.value).where(watermarks.c.tenant == owner, watermarks.c.name == name)
        async with reading(self._engine, "read a watermark") as transaction:
            value = (await transaction.execute(query)).scalar_one_or_none()
            return None if value is None else dict(value)

    async def set(self, owner: str, name: str, value: dict[str, Any]) -> None:
        """Stores an entry, replacing the one of this name; the last one to set it wins."""
        async with self._writing("set a watermark") as (transaction, now):
            row = {"tenant": owner, "name": name, "value": value, "updated_at": now}
            await transaction.execute(insert_or_replace(watermarks, ("tenant", "name")), [row])

    async def adopt(self, owner: str, earlier: str, name: str, *, with_links_of: int | None = None) -> None:
        """Gives ``owner`` an entry that stands under an ``earlier`` name of it; once moved, nothing is done.

        Both or neither: with it go the ticket links of a company, which the entry says to be complete. Where
        the owner has the entry already, what is under the earlier name is dropped.
        """
        if await self.get(earlier, name) is None:
            return
        async with self._writing("rename a watermark") as (transaction, _):
            mine, theirs = _entry(owner, name), _entry(earlier, name)
            taken = (await transaction.execute(select(watermarks.c.name).where(*mine))).first()
            old = None if with_links_of is None else _of_company(earlier, with_links_of)
            if taken is not None:
                await transaction.execute(delete(watermarks).where(*theirs))
                if old is not None:
                    await transaction.execute(delete(ticket_links).where(*old))
                return
            await transaction.execute(update(watermarks).where(*theirs).values(tenant=owner))
            if old is not None and with_links_of is not None:
                await transaction.execute(delete(ticket_links).where(*_of_company(owner, with_links_of)))
                await transaction.execute(update(ticket_links).where(*old).values(tenant=owner))


def _entry(owner: str, name: str) -> list[ColumnElement[bool]]:
    return [watermarks.c.tenant == owner, watermarks.c.name == name]


def _of_company(owner: str, company_id: int) -> list[ColumnElement[bool]]:
    return [ticket_links.c.tenant == owner, ticket_links.c.company_id == company_id]


class TicketLinkTable:
    """``ledger.ticket_links``: which configurations each ticket of a company held when it was read."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def of_company(self, owner: str, company_id: int) -> list[TicketLink]:
        """The tickets of one company that are known, in the order of kind and id."""
        columns = ("kind", "ticket_id", "last_updated", "configuration_ids")
        wanted = [ticket_links.c[name] for name in columns]
        query = select(*wanted).where(ticket_links.c.tenant == owner, ticket_links.c.company_id == company_id)
        async with reading(self._engine, "read the links of tickets") as transaction:
            rows = await transaction.execute(query.order_by(ticket_links.c.kind, ticket_links.c.ticket_id))
            return [TicketLink(row[0], row[1], row[2], tuple(row[3])) for row in rows]

    async def save(self, owner: str, company_id: int, found: Sequence[TicketLink]) -> None:
        """Stores tickets, thousands at once; a ticket that was known is replaced."""
        of_company = {"tenant": owner, "company_id": company_id}
        # Each ticket once, the last entry winning; in one order, so that two processes never wait in a ring.
        last = {(link.kind, link.ticket_id): link for link in found}
        rows = [
            {
                **of_company,
                "kind": link.kind,
                "ticket_id": link.ticket_id,
                "last_updated": link.last_updated,
                "configuration_ids": list(link.configuration_ids),
            }
            for _, link in sorted(last.items())
        ]
        async with writing(self._engine, "save the links of tickets") as transaction:
            if rows:
                await transaction.execute(insert_or_replace(ticket_links, _TICKET_KEY), rows)

    async def forget(self, owner: str, company_id: int, tickets: Sequence[tuple[str, int]]) -> None:
        """Forgets tickets, each named by its kind and id; unknown ones do no harm."""
        of_company = (ticket_links.c.tenant == owner, ticket_links.c.company_id == company_id)
        one = [ticket_links.c[name] == bindparam(f"of_{name}") for name in ("kind", "ticket_id")]
        rows = [{"of_kind": kind, "of_ticket_id": ticket} for kind, ticket in sorted(set(tickets))]
        async with writing(self._engine, "forget the links of tickets") as transaction:
            if rows:
                await transaction.execute(delete(ticket_links).where(*of_company, *one), rows)


class RecordLinks(Repository):
    """``ledger.links``: pairs of records. Left and right keep their places; read from either end."""

    async def put(
        self, tenant: str, left: LinkEnd, right: LinkEnd, details: dict[str, Any] | None = None
    ) -> RecordLink:
        """Links two records, keeping details unless new ones are given; StopError: one is taken."""
        async with self._writing("link two records") as (connection, now):
            return await put_link(connection, tenant, left, right, details, now)

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
        async with self._writing("set the details of a link") as (connection, now):
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


async def put_link(
    connection: AsyncConnection,
    tenant: str,
    left: LinkEnd,
    right: LinkEnd,
    details: dict[str, Any] | None,
    now: float,
    *,
    replace_left: bool = False,
) -> RecordLink:
    """``RecordLinks.put`` in the caller's transaction; ``replace_left``: an older link gives way."""
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
