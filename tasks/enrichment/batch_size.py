"""How many edits travel in one mutation, and what Lansweeper counts them as: learned, and remembered.

Lansweeper documents neither a largest number of aliases nor whether each counts against its request limit.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

from connectors.errors import ConnectorError
from connectors.lansweeper.rate import RateState
from connectors.ledger.store import Ledger
from tasks.enrichment.run import EnrichmentRun
from tasks.progress import run_logger

WATERMARK = "lansweeper-edits"
TRUSTED_DAYS = 30
"""What was learned longer ago is learned anew."""


class BatchSize:
    """``most`` edits in one request; ``singly``: each of them counts against the request limit."""

    def __init__(self, ledger: Ledger, tenant: str, most: int, *, singly: bool = False) -> None:
        self._ledger = ledger
        self._tenant = tenant
        self._limit: int | None = None
        self.most = most
        self.singly = singly

    @classmethod
    async def remembered(cls, run: EnrichmentRun) -> BatchSize:
        """The setting, or less where an earlier run found that the server takes less."""
        tenant = run.assets.settings.budget_key
        known = _still_trusted(await run.ledger.watermark(tenant, WATERMARK))
        size = cls(run.ledger, tenant, run.settings.aliases, singly=bool(known.get("singly")))
        limit = known.get("most")
        if isinstance(limit, int) and limit >= 1:
            size._limit = limit
            size.most = min(size.most, limit)
        return size

    def cost(self, edits: int) -> int:
        """How many requests of the limit a mutation of so many edits takes."""
        return edits if self.singly else 1

    async def halve(self, refused: int, error: ConnectorError) -> None:
        """The server refused so many: take half of them from now on, also in later runs."""
        self.most = self._limit = max(1, refused // 2)
        run_logger().warning("Going on with %d edits a request: %s", self.most, error)
        await self._remember()

    async def learn(self, edits: int, before: RateState | None, after: RateState | None) -> None:
        """Take from the answers' headers whether edits are counted singly.

        Other processes with the same token only ever make the count look larger, so a small count is proof
        and a large one is believed until it is disproved.
        """
        used = after.used_since(before) if after is not None else None
        if edits == 1 or not used:
            return
        singly = used >= edits
        if singly != self.singly:
            self.singly = singly
            run_logger().info("Lansweeper counts %s", "every edit" if singly else "a mutation once")
            await self._remember()

    async def _remember(self) -> None:
        learned = {"most": self._limit, "singly": self.singly, "day": _today().isoformat()}
        await self._ledger.set_watermark(self._tenant, WATERMARK, learned)


def _today() -> date:
    return datetime.now(UTC).date()


def _still_trusted(known: dict[str, Any] | None) -> dict[str, Any]:
    try:
        learned = date.fromisoformat(str((known or {})["day"]))
    except (KeyError, ValueError):
        return {}
    return known or {} if (_today() - learned).days < TRUSTED_DAYS else {}
