"""What one run of tickets-agreements-sla-sync works with: settings, company, open connections."""

from __future__ import annotations

from typing import Any

from connectors.connectwise.client import ConnectWiseClient
from connectors.lansweeper.client import LansweeperClient
from connectors.ledger.store import Ledger
from tasks.enrichment.settings import EnrichmentSettings
from tasks.synchronization.run import Company

Record = dict[str, Any]


class EnrichmentRun:
    """Handed from step to step. A class of its own, so that Prefect does not look into it.

    ``connectwise`` and ``lansweeper`` are block names, ``client`` and ``assets`` the clients that they open;
    ``field_keys`` are the keys of our custom fields by name, those that exist; ``fields_created`` those that
    this run made, or in a dry run would make; ``reads`` the requests to Lansweeper before the first edit;
    ``notes`` is what a person should know of the run beside its counts.
    """

    def __init__(
        self,
        settings: EnrichmentSettings,
        *,
        run_id: str,
        connectwise: str,
        lansweeper: str,
        company: Company,
        site_id: str,
        client: ConnectWiseClient,
        assets: LansweeperClient,
        ledger: Ledger,
    ) -> None:
        self.settings = settings
        self.run_id = run_id
        self.connectwise = connectwise
        self.lansweeper = lansweeper
        self.company = company
        self.site_id = site_id
        self.client = client
        self.assets = assets
        self.ledger = ledger
        self.field_keys: dict[str, str] = {}
        self.fields_created: list[str] = []
        self.reads = 0
        self.notes: list[str] = []

    def __repr__(self) -> str:
        return f"EnrichmentRun({self.company.identifier}, {self.run_id})"
