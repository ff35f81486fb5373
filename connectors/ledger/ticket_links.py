"""Which configurations a ticket held when it was last asked, so that only changed tickets are asked again."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import bindparam, delete, select
from sqlalchemy.ext.asyncio import AsyncConnection

from connectors.ledger.models import TicketLink
from connectors.ledger.tables import ticket_links as links
from connectors.ledger.upserts import insert_or_replace

_KEY = ("tenant", "company_id", "kind", "ticket_id")


async def of_company(connection: AsyncConnection, tenant: str, company_id: int) -> list[TicketLink]:
    """The tickets of one company that are remembered, in the order of kind and id."""
    wanted = (links.c.kind, links.c.ticket_id, links.c.last_updated, links.c.configuration_ids)
    query = select(*wanted).where(links.c.tenant == tenant, links.c.company_id == company_id)
    rows = await connection.execute(query.order_by(links.c.kind, links.c.ticket_id))
    return [
        TicketLink(kind, ticket, updated, tuple(configurations))
        for kind, ticket, updated, configurations in rows
    ]


async def save(
    connection: AsyncConnection, tenant: str, company_id: int, ticket_links: Sequence[TicketLink]
) -> None:
    """Remembers tickets; a ticket that was known is replaced."""
    if not ticket_links:
        return
    owner = {"tenant": tenant, "company_id": company_id}
    rows = [{**owner, **_row(link)} for link in _in_order(ticket_links)]
    await connection.execute(insert_or_replace(connection, links, _KEY), rows)


async def forget(
    connection: AsyncConnection, tenant: str, company_id: int, tickets: Sequence[tuple[str, int]]
) -> None:
    """Forgets tickets by kind and id."""
    if not tickets:
        return
    of_company = (links.c.tenant == tenant, links.c.company_id == company_id)
    one = (links.c.kind == bindparam("of_kind"), links.c.ticket_id == bindparam("of_ticket"))
    rows = [{"of_kind": kind, "of_ticket": ticket} for kind, ticket in sorted(set(tickets))]
    await connection.execute(delete(links).where(*of_company, *one), rows)


def _in_order(ticket_links: Sequence[TicketLink]) -> list[TicketLink]:
    """Each ticket once, the last entry winning; in one order, so that two processes never wait in a ring."""
    last = {(link.kind, link.ticket_id): link for link in ticket_links}
    return [last[key] for key in sorted(last)]


def _row(link: TicketLink) -> dict[str, object]:
    return {
        "kind": link.kind,
        "ticket_id": link.ticket_id,
        "last_updated": link.last_updated,
        "configuration_ids": list(link.configuration_ids),
    }
