"""A small company in the sandbox, searched with a client and a ledger of its own, and the truth about it."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from connectors.connectwise.client import ConnectWiseClient
from connectors.connectwise.settings import ConnectWiseSettings
from connectors.ledger.store import Ledger
from deployments.local.sandbox import Sandbox
from tasks.connectwise.link_search.agreements import AgreementLinks, find_agreements
from tasks.connectwise.link_search.tickets import TicketLinks, find_tickets
from tasks.enrichment.settings import EnrichmentWaiting

QUICK = EnrichmentWaiting(pause_seconds=0.01, patience_seconds=30)
ALL_WAYS: dict[str, Any] = {
    "bundle_limit": 20,
    "configuration_condition": "in",
    "agreement_report": True,
    "ticket_search": True,
}
OFF: dict[str, Any] = {
    "bundle_limit": 0,
    "configuration_condition": "off",
    "agreement_report": False,
    "ticket_search": False,
}
MODES: dict[str, dict[str, Any]] = {
    "all ways": ALL_WAYS,
    "bundles": OFF | {"bundle_limit": 20},
    "report": OFF | {"agreement_report": True},
    "in, by search": OFF | {"configuration_condition": "in", "ticket_search": True},
    "in, in the URL": OFF | {"configuration_condition": "in"},
    "single condition": OFF | {"configuration_condition": "single"},
    "child collections": OFF,
}


class LinkedData:
    """The sandbox's company. ``client_class`` may be one that lies."""

    def __init__(self, sandbox: Sandbox, folder: Path, empty_ledger: Path) -> None:
        self.sandbox = sandbox
        self.folder = folder
        self.empty_ledger = empty_ledger
        self.forget_all()
        self.client_class: Callable[..., ConnectWiseClient] = ConnectWiseClient

    def reset(self, mode: str = "all ways", *, assets: int = 30, tickets: int = 70, **switches: Any) -> None:
        """Fresh data, the ledger as it is."""
        self.sandbox.reset(
            assets=assets,
            scenario="enrichment",
            switches=MODES[mode] | switches,
            agreements=12,
            tickets=tickets,
        )

    def forget_all(self) -> None:
        """A ledger that was lost."""
        shutil.copy(self.empty_ledger, self.folder / "links.db")

    @asynccontextmanager
    async def connected(self) -> AsyncIterator[tuple[ConnectWiseClient, Ledger]]:
        account = self.sandbox.info["connectwise"]
        names = ("site", "company_id", "public_key", "private_key", "client_id")
        settings = ConnectWiseSettings(**{name: account[name] for name in names})
        client = self.client_class(settings, sleep=_at_once, read_only=True)
        async with Ledger.open(self.folder / "links.db") as ledger, client:
            yield client, ledger

    async def tickets(self, only: set[int] | None = None, **options: Any) -> TicketLinks:
        """A whole run; ``only``: for these configurations."""
        async with self.connected() as (client, ledger):
            return await find_tickets(client, ledger, self.configurations(only), waiting=QUICK, **options)

    async def both(self) -> tuple[TicketLinks, AgreementLinks]:
        """Both searches one after the other, as in a run."""
        async with self.connected() as (client, ledger):
            agreements = await find_agreements(client, ledger, self.configurations(), waiting=QUICK)
            tickets = await find_tickets(client, ledger, self.configurations(), waiting=QUICK)
            return tickets, agreements

    async def agreements(self) -> AgreementLinks:
        async with self.connected() as (client, ledger):
            return await find_agreements(client, ledger, self.configurations(), waiting=QUICK)

    def configurations(self, only: set[int] | None = None) -> list[dict[str, Any]]:
        """Those of the company, as partial records."""
        return [
            {"id": each["id"], "company": {"id": self.sandbox.company_id}}
            for each in self._of_company("company/configurations")
            if only is None or each["id"] in only
        ]

    def true_tickets(self) -> dict[int, list[int]]:
        """Ticket ids of the company by configuration, in order."""
        found: dict[int, list[int]] = {each["id"]: [] for each in self.configurations()}
        for kind in ("service", "project"):
            mine = {each["id"] for each in self._of_company(f"{kind}/tickets")}
            for link in self.sandbox.state(f"{kind}/tickets/configurations"):
                if link["ticketId"] in mine and link["configurationId"] in found:
                    found[link["configurationId"]].append(link["ticketId"])
        return {each: sorted(ids) for each, ids in found.items()}

    def true_agreements(self) -> dict[int, set[int]]:
        """Agreement ids of the company by configuration."""
        mine = {each["id"] for each in self._of_company("finance/agreements")}
        found: dict[int, set[int]] = {each["id"]: set() for each in self.configurations()}
        for link in self.sandbox.state("finance/agreements/configurations"):
            if link["agreementId"] in mine and link["configurationId"] in found:
                found[link["configurationId"]].add(link["agreementId"])
        return found

    def _of_company(self, collection: str) -> list[dict[str, Any]]:
        company = self.sandbox.company_id
        return [
            each
            for each in self.sandbox.state(collection)
            if (each.get("company") or {}).get("id") == company
        ]


def ticket_ids(links: TicketLinks) -> dict[int, list[int]]:
    return {each: [ticket["id"] for ticket in found] for each, found in links.by_configuration.items()}


def agreement_ids(links: AgreementLinks) -> dict[int, set[int]]:
    return {each: {agreement["id"] for agreement in found} for each, found in links.by_configuration.items()}


async def _at_once(_: float) -> None:
    """The client's pauses between tries are not waited for."""
