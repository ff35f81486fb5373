"""What is known of each company's inventory from before: how many records, and which configuration is whose.

``Inventories`` (``ledger.inventory``) keeps two things by tenant. Amounts: how many configurations, linked
ones and assets the last whole reading of a company gave; ``scope`` tells readings apart that can't be
compared, such as those of two asset filters. Links: asset key -> configuration, one a key in the whole
tenant. A link stays when its configuration is not read any more: that is what it is kept for.

A later reading is held against both (``tasks.rules.asset_sync.reading``). Losing them loses no record:
the next run asks the tenant.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import and_, delete, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from connectors.ledger.database import Repository, in_groups, insert_or_replace, moment, reading
from connectors.ledger.models import KnownAmount, KnownLink
from connectors.ledger.schema import known_amounts, known_links, writes

LONGEST_KEY = 300
"""Characters; a longer text in the link field is no asset key."""


class Inventories(Repository):
    """``ledger.inventory``: amounts and links of each company, kept by tenant."""

    async def amounts(self, tenant: str, company_id: int) -> dict[tuple[str, str], KnownAmount]:
        """The amounts of one company by name and scope."""
        table = known_amounts
        query = select(table.c.name, table.c.scope, table.c.number, table.c.read_at)
        query = query.where(table.c.tenant == tenant, table.c.company_id == company_id)
        async with reading(self._engine, "read what is known of a company") as transaction:
            rows = await transaction.execute(query)
            return {(row[0], row[1]): KnownAmount(row[2], moment(row[3])) for row in rows}

    async def links(self, tenant: str, company_id: int) -> dict[str, int]:
        """The configuration of each asset key that is known in one company."""
        table = known_links
        query = select(table.c.asset_key, table.c.configuration_id)
        query = query.where(table.c.tenant == tenant, table.c.company_id == company_id)
        async with reading(self._engine, "read the known links of a company") as transaction:
            return {row[0]: row[1] for row in await transaction.execute(query)}

    async def links_elsewhere(
        self, tenant: str, company_id: int, keys: Collection[str]
    ) -> dict[str, KnownLink]:
        """Those of the keys that are known in another company of the tenant."""
        table, found = known_links, dict[str, KnownLink]()
        query = select(table.c.asset_key, table.c.company_id, table.c.configuration_id)
        query = query.where(table.c.tenant == tenant, table.c.company_id != company_id)
        async with reading(self._engine, "look for known links") as transaction:
            for some in _groups(keys):
                rows = await transaction.execute(query.where(table.c.asset_key.in_(some)))
                found |= {row[0]: KnownLink(*row) for row in rows}
        return found

    async def other_tenants(self, tenant: str, keys: Collection[str]) -> dict[str, int]:
        """How many of the keys are known as links of each other tenant."""
        table, found = known_links, dict[str, int]()
        async with reading(self._engine, "look for links of other tenants") as transaction:
            names = await transaction.execute(select(table.c.tenant).distinct())
            for name in {row[0] for row in names} - {tenant}:
                query = select(func.count()).select_from(table).where(table.c.tenant == name)
                for some in _groups(keys):
                    number = await transaction.execute(query.where(table.c.asset_key.in_(some)))
                    found[name] = found.get(name, 0) + int(number.scalar_one())
        return found

    async def count_elsewhere(self, tenant: str, company_id: int) -> int:
        """How many links are known in the tenant's other companies."""
        table = known_links
        elsewhere = and_(table.c.tenant == tenant, table.c.company_id != company_id)
        query = select(func.count()).select_from(table).where(elsewhere)
        async with reading(self._engine, "count the known links") as transaction:
            return int((await transaction.execute(query)).scalar_one())

    async def written_links(self, tenant: str, company_id: int, connection: str) -> dict[str, int]:
        """The links that the journal knows: what runs created or wrote to, and nothing took away since.

        For a company of which no link is kept yet, such as after an update of this program. Writes without a
        tenant, which an older version noted, count where they name this ``connection``.
        """
        table, found = writes, dict[str, int]()
        columns = (table.c.operation, table.c.asset_key, table.c.record_id, table.c.before, table.c.after)
        query = select(*columns).where(
            or_(table.c.tenant == tenant, and_(table.c.tenant.is_(None), table.c.connection == connection)),
            table.c.company_id == company_id,
            table.c.record_kind == "configuration",
            table.c.outcome == "done",
            table.c.record_id.is_not(None),
            table.c.asset_key.is_not(None),
        )
        async with reading(self._engine, "read the links that were written") as transaction:
            for operation, key, record_id, before, after in await transaction.execute(
                query.order_by(table.c.id)
            ):
                if operation != "delete" and not _takes_away(key, before, after):
                    found[key] = record_id
                elif found.get(key) == record_id:
                    del found[key]
        return found

    async def remember(
        self,
        tenant: str,
        company_id: int,
        *,
        amounts: Mapping[tuple[str, str], int] | None = None,
        links: Mapping[str, int] | None = None,
        forgotten: Collection[str] = (),
    ) -> None:
        """Keep amounts by name and scope, new or changed links by key, and drop ``forgotten`` keys."""
        async with self._writing("keep what is known of a company") as (transaction, now):
            await _forget(transaction, tenant, forgotten)
            found = (KnownLink(key, company_id, record_id) for key, record_id in (links or {}).items())
            await save_links(transaction, tenant, found, now)
            if amounts:
                await _save_amounts(transaction, {"tenant": tenant, "company_id": company_id}, amounts, now)

    async def note_links(self, tenant: str, found: Iterable[KnownLink]) -> None:
        """Keep links of any company of the tenant."""
        async with self._writing("keep links that were found") as (transaction, now):
            await save_links(transaction, tenant, found, now)

    async def forget(
        self, tenant: str, company_id: int, keys: Collection[str], amounts: Collection[str] = ()
    ) -> None:
        """Drop these links and the amounts of these names, as an undo does, which makes fewer of both."""
        table = known_amounts
        named = and_(table.c.tenant == tenant, table.c.company_id == company_id, table.c.name.in_(amounts))
        async with self._writing("forget what was undone") as (transaction, _):
            await _forget(transaction, tenant, keys)
            await transaction.execute(delete(table).where(named))


async def save_links(
    connection: AsyncConnection, tenant: str, found: Iterable[KnownLink], now: float
) -> None:
    """Keep links in the caller's transaction; one of a key replaces the one before."""
    rows = [
        {
            "tenant": tenant,
            "asset_key": each.asset_key,
            "company_id": each.company_id,
            "configuration_id": each.configuration_id,
            "noted_at": now,
        }
        for each in sorted(found, key=lambda each: each.asset_key)
        if is_key(each.asset_key)
    ]
    if rows:
        await connection.execute(insert_or_replace(known_links, ("tenant", "asset_key")), rows)


def _takes_away(key: str, before: Any, after: Any) -> bool:
    """Whether a write emptied the custom field that held the asset's key."""
    if not isinstance(before, dict) or not isinstance(after, dict):
        return False
    held = [name for name, value in before.items() if name.startswith("customFields/") and value == key]
    return any(name in after and not after[name] for name in held)


def is_key(text: str) -> bool:
    """Whether a text of the link field can be an asset key; anything may be typed there."""
    return 0 < len(text) <= LONGEST_KEY and text.isprintable()


async def _save_amounts(
    connection: AsyncConnection,
    company: dict[str, Any],
    amounts: Mapping[tuple[str, str], int],
    now: float,
) -> None:
    rows = [
        {**company, "name": name, "scope": scope, "number": number, "read_at": now}
        for (name, scope), number in sorted(amounts.items())
    ]
    key = ("tenant", "company_id", "name", "scope")
    await connection.execute(insert_or_replace(known_amounts, key), rows)


async def _forget(connection: AsyncConnection, tenant: str, keys: Collection[str]) -> None:
    for some in _groups(keys):
        named = and_(known_links.c.tenant == tenant, known_links.c.asset_key.in_(some))
        await connection.execute(delete(known_links).where(named))


def _groups(keys: Iterable[str]) -> Iterator[Sequence[str]]:
    return in_groups(sorted(filter(is_key, keys)))
