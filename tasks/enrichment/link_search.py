"""What a search for links works with: the client, the company, what is known of the server's ways."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from connectors.connectwise.client import ConnectWiseClient
from connectors.ledger.store import Ledger
from tasks.enrichment.asking import WayFailedError
from tasks.enrichment.settings import EnrichmentWaiting
from tasks.progress import run_logger
from tasks.rules.ticket_changes import TicketKey
from tasks.rules.ways import Ways, WayState, remembered_ways
from tasks.synchronization.patience import Waiting

WAYS = "ways"


class LinkSearch:
    """One search in one company. ``notes``: what a person should know; ``used``: requests so far.

    ``stamps``: ``lastUpdated`` of the tickets when they were all read.
    """

    def __init__(
        self, client: ConnectWiseClient, ledger: Ledger, company_id: int, ways: Ways, waiting: Waiting
    ) -> None:
        self.client = client
        self.ledger = ledger
        self.company_id = company_id
        self.ways = ways
        self.waiting = waiting
        self.tenant = client.settings.budget_key
        self.notes: list[str] = []
        self.stamps: Mapping[TicketKey, str] = {}
        self._started_at = client.session.requests

    @classmethod
    async def open(
        cls, client: ConnectWiseClient, ledger: Ledger, company_id: int, waiting: Waiting | None
    ) -> LinkSearch:
        """With the ways that an earlier run found, unless they are old or the server's version changed."""
        started_at = client.session.requests
        version = await client.newest_version()
        known = await ledger.watermark(client.settings.budget_key, WAYS)
        ways = remembered_ways(known, version, datetime.now(UTC))
        search = cls(client, ledger, company_id, ways, waiting or EnrichmentWaiting())
        search._started_at = started_at
        return search

    @property
    def used(self) -> int:
        return self.client.session.requests - self._started_at

    def failed(self, error: WayFailedError) -> None:
        """A way can't be used: noted once, and not chosen again."""
        self.ways.set(error.way, error.state, error.reason)
        self.note(f"{error.way} can't be used ({error.state}): {error.reason}")

    def works(self, way: str) -> None:
        """A way gave a right answer."""
        self.ways.set(way, WayState.WORKS)

    def note(self, text: str) -> None:
        self.notes.append(text)
        run_logger().info("%s", text)

    async def remember_ways(self) -> None:
        """For later runs, of this company and others: the server is the same."""
        await self.ledger.set_watermark(self.tenant, WAYS, self.ways.as_json())
