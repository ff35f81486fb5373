"""Since when the asset of a linked configuration is missing from Lansweeper, by whole readings of a site.

``MissingAssets`` (``ledger.missing_assets``) keeps one row a missing asset: when a whole reading missed it
first and last, and how many did. A row goes with the first whole reading that does not miss its asset, so
that an asset that comes and goes is never missing for long. Readings of part of a site are not noted.
"""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import delete, select

from connectors.ledger.database import Repository, insert_or_replace, moment, reading
from connectors.ledger.inventory import is_key
from connectors.ledger.models import MissingAsset
from connectors.ledger.schema import missing_assets

_KEY = ("tenant", "company_id", "asset_key")


class MissingAssets(Repository):
    """``ledger.missing_assets``: by tenant and company."""

    async def of_company(self, tenant: str, company_id: int) -> dict[str, MissingAsset]:
        """The missing assets of one company by their keys, as the last whole reading left them."""
        columns = missing_assets.c
        query = select(missing_assets).where(columns.tenant == tenant, columns.company_id == company_id)
        async with reading(self._engine, "read which assets are missing") as connection:
            return {
                row.asset_key: MissingAsset(
                    row.configuration_id, moment(row.first_at), moment(row.last_at), row.readings
                )
                for row in await connection.execute(query)
            }

    async def note(self, tenant: str, company_id: int, missing: Mapping[str, int]) -> None:
        """Keep what a whole reading missed, asset key -> configuration id, and drop what it did not miss.

        One whose configuration is another now is missing anew.
        """
        columns = missing_assets.c
        of = (columns.tenant == tenant, columns.company_id == company_id)
        async with self._writing("keep which assets are missing") as (connection, now):
            rows = await connection.execute(select(missing_assets).where(*of))
            before = {(row.asset_key, row.configuration_id): row for row in rows}
            await connection.execute(delete(missing_assets).where(*of))
            kept = []
            for key, number in sorted(missing.items()):
                known = before.get((key, number))
                if is_key(key):
                    kept.append(
                        {
                            "tenant": tenant,
                            "company_id": company_id,
                            "asset_key": key,
                            "configuration_id": number,
                            "first_at": known.first_at if known else now,
                            "last_at": now,
                            "readings": known.readings + 1 if known else 1,
                        }
                    )
            if kept:
                await connection.execute(insert_or_replace(missing_assets, _KEY), kept)
