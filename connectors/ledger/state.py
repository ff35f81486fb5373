"""What later runs start from: small state entries by name, and the links of tickets by company.

A state entry (``ledger.state``, table ``watermarks``) is a small JSON object that its feature owns: how far a
sweep came, which queries a server takes. A ticket link (``ledger.ticket_links``) says which configurations a
ticket held when it was last read, so that only changed tickets are read again.

``owner`` says whose both are: the connection's ``credential_key`` where they tell what its server takes and
holds for these keys, its ``tenant_key`` where dispatch keeps them. The column is called ``tenant``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import bindparam, delete, select
from sqlalchemy.ext.asyncio import AsyncEngine

from connectors.ledger.database import Clock, insert_or_replace, reading, writing
from connectors.ledger.models import TicketLink
from connectors.ledger.schema import ticket_links, watermarks

_TICKET_KEY = ("tenant", "company_id", "kind", "ticket_id")


class StateEntries:
    """``ledger.state``: one JSON object a name."""

    def __init__(self, engine: AsyncEngine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock

    async def get(self, owner: str, name: str) -> dict[str, Any] | None:
        """The entry of this name, None if there is none."""
        query = select(watermarks.c.value).where(watermarks.c.tenant == owner, watermarks.c.name == name)
        async with reading(self._engine, "read a watermark") as transaction:
            value = (await transaction.execute(query)).scalar_one_or_none()
            return None if value is None else dict(value)

    async def set(self, owner: str, name: str, value: dict[str, Any]) -> None:
        """Stores an entry, replacing the one of this name; the last one to set it wins."""
        async with writing(self._engine, "set a watermark") as transaction:
            now = await self._clock.now_of(transaction)
            row = {"tenant": owner, "name": name, "value": value, "updated_at": now}
            await transaction.execute(insert_or_replace(transaction, watermarks, ("tenant", "name")), [row])


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
            return [
                TicketLink(kind, ticket, updated, tuple(configurations))
                for kind, ticket, updated, configurations in rows
            ]

    async def save(self, owner: str, company_id: int, found: Sequence[TicketLink]) -> None:
        """Stores tickets, thousands at once; a ticket that was known is replaced."""
        of_company = {"tenant": owner, "company_id": company_id}
        rows = [{**of_company, **_row(link)} for link in _in_order(found)]
        async with writing(self._engine, "save the links of tickets") as transaction:
            if rows:
                await transaction.execute(insert_or_replace(transaction, ticket_links, _TICKET_KEY), rows)

    async def forget(self, owner: str, company_id: int, tickets: Sequence[tuple[str, int]]) -> None:
        """Forgets tickets, each named by its kind and id; unknown ones do no harm."""
        of_company = (ticket_links.c.tenant == owner, ticket_links.c.company_id == company_id)
        one = (
            ticket_links.c.kind == bindparam("of_kind"),
            ticket_links.c.ticket_id == bindparam("of_ticket"),
        )
        rows = [{"of_kind": kind, "of_ticket": ticket} for kind, ticket in sorted(set(tickets))]
        async with writing(self._engine, "forget the links of tickets") as transaction:
            if rows:
                await transaction.execute(delete(ticket_links).where(*of_company, *one), rows)


def _in_order(found: Sequence[TicketLink]) -> list[TicketLink]:
    """Each ticket once, the last entry winning; in one order, so that two processes never wait in a ring."""
    last = {(link.kind, link.ticket_id): link for link in found}
    return [last[key] for key in sorted(last)]


def _row(link: TicketLink) -> dict[str, object]:
    return {
        "kind": link.kind,
        "ticket_id": link.ticket_id,
        "last_updated": link.last_updated,
        "configuration_ids": list(link.configuration_ids),
    }
