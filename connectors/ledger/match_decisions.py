"""What people decided about matches: this asset is that configuration, these two never, ignore this asset.

``MatchDecisions`` (``ledger.match_decisions``) keeps one row a decision, by tenant and company, until it is
withdrawn. asset-synchronization honours them before all keys (``tasks.rules.asset_sync.matching.decisions``);
a link is also written to ConnectWise, so losing the ledger loses only what can't stand there.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import and_, delete, or_, select
from sqlalchemy.engine import Row

from connectors.ledger.database import Repository, insert_or_replace, moment, reading
from connectors.ledger.models import MatchDecision
from connectors.ledger.schema import match_decisions
from connectors.ledger.text import name_text

_KEY = ("tenant", "company_id", "asset_key", "configuration_id")
_OF_ONE_ASSET = ("link", "ignore")
"""An asset has one of these at most; pairs that never match it may have many."""


class MatchDecisions(Repository):
    """``ledger.match_decisions``: decisions by tenant and company."""

    async def of_company(self, tenant: str, company_id: int) -> list[MatchDecision]:
        """Every decision that stands in one company, by asset key and configuration."""
        columns = match_decisions.c
        query = select(match_decisions).where(columns.tenant == tenant, columns.company_id == company_id)
        async with reading(self._engine, "read the decisions on matches") as connection:
            rows = await connection.execute(query.order_by(columns.asset_key, columns.configuration_id))
            return [_decision(row) for row in rows]

    async def every(self, most: int) -> list[tuple[str, int, MatchDecision]]:
        """The newest decisions of all, so many at most, each with tenant and company."""
        query = select(match_decisions).order_by(match_decisions.c.decided_at.desc()).limit(most)
        async with reading(self._engine, "read the decisions on matches") as connection:
            rows = await connection.execute(query)
            return [(row.tenant, row.company_id, _decision(row)) for row in rows]

    async def decide(self, tenant: str, company_id: int, decision: MatchDecision) -> None:
        """Keep a decision in place of those that it contradicts.

        A link or an ignoring takes the place of the asset's earlier one, a link also that of another asset's
        link to the same configuration.
        """
        columns = match_decisions.c
        of_asset = and_(columns.asset_key == decision.asset_key, columns.kind.in_(_OF_ONE_ASSET))
        of_pair = and_(columns.kind == "link", columns.configuration_id == decision.configuration_id)
        replaced = {"link": or_(of_asset, of_pair), "ignore": of_asset}.get(decision.kind)
        async with self._writing("keep a decision on a match") as (connection, now):
            if replaced is not None:
                of = (columns.tenant == tenant, columns.company_id == company_id, replaced)
                await connection.execute(delete(match_decisions).where(*of))
            row = _row(decision) | {"tenant": tenant, "company_id": company_id, "decided_at": now}
            await connection.execute(insert_or_replace(match_decisions, _KEY), [row])

    async def withdraw(
        self, tenant: str, company_id: int, asset_key: str, configuration_id: int | None = None
    ) -> None:
        """Drop the decisions on an asset, or only that on the asset and this configuration."""
        columns = match_decisions.c
        of: list[Any] = [columns.tenant == tenant, columns.company_id == company_id]
        of.append(columns.asset_key == asset_key)
        if configuration_id is not None:
            of.append(columns.configuration_id == configuration_id)
        async with self._writing("withdraw a decision on a match") as (connection, _):
            await connection.execute(delete(match_decisions).where(*of))

    async def withdraw_of_run(self, tenant: str, run_id: str) -> None:
        """Drop what a run decided, as the undo of that run does."""
        columns = match_decisions.c
        async with self._writing("withdraw the decisions of a run") as (connection, _):
            await connection.execute(
                delete(match_decisions).where(columns.tenant == tenant, columns.run_id == run_id)
            )


def _row(decision: MatchDecision) -> dict[str, Any]:
    return {
        "asset_key": decision.asset_key,
        "configuration_id": decision.configuration_id,
        "kind": decision.kind,
        "asset_name": name_text(decision.asset_name),
        "configuration_name": name_text(decision.configuration_name),
        "run_id": decision.run_id,
    }


def _decision(row: Row[Any]) -> MatchDecision:
    return MatchDecision(
        row.kind,
        row.asset_key,
        row.configuration_id,
        row.asset_name,
        row.configuration_name,
        row.run_id,
        moment(row.decided_at),
    )
