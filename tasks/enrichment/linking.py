"""Finds the agreements and the tickets of every configuration that claims an asset."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC
from typing import Any

from tasks.actions import action
from tasks.enrichment.agreement_links import AgreementLinks, find_agreements
from tasks.enrichment.reading import asset_key_of
from tasks.enrichment.run import EnrichmentRun, Record
from tasks.enrichment.ticket_links import TicketLinks, find_tickets
from tasks.inventory import Inventory
from tasks.rules.enrichment_report import SearchCost


class Links:
    """What belongs to the configurations, by their ids, and what it took to find it.

    A class of its own, so that Prefect does not look into it.
    """

    def __init__(
        self,
        agreements: Mapping[int, Sequence[dict[str, Any]]],
        tickets: Mapping[int, Sequence[dict[str, Any]]],
        searches: list[SearchCost],
    ) -> None:
        self.agreements = agreements
        self.tickets = tickets
        self.searches = searches


async def find_links(run: EnrichmentRun, configurations: Inventory[Record]) -> Links:
    """Ask ConnectWise from the other side: which configurations do its agreements and its tickets name?"""
    claiming = Inventory([each for each in configurations if asset_key_of(each)])
    agreements = await list_agreements(run, claiming)
    tickets = await list_tickets(run, claiming)
    return Links(agreements.found, tickets.found, [agreements.cost, tickets.cost])


class Found:
    """One of the two searches."""

    def __init__(self, found: Mapping[int, Sequence[dict[str, Any]]], cost: SearchCost) -> None:
        self.found = found
        self.cost = cost


@action("List Agreements for Configurations", key="listAgreementsForConfigurationsAction")
async def list_agreements(run: EnrichmentRun, configurations: Inventory[Record]) -> Found:
    """The agreements of these configurations."""
    links: AgreementLinks = await find_agreements(
        run.client, run.ledger, configurations.records, waiting=run.settings.waiting
    )
    run.notes += links.notes
    cost = SearchCost("Agreements", links.way, links.requests_predicted, links.requests_used)
    return Found(links.by_configuration, cost)


@action("List Tickets for Configurations", key="listTicketsForConfigurationsAction")
async def list_tickets(run: EnrichmentRun, configurations: Inventory[Record]) -> Found:
    """The service and project tickets of these configurations; what is remembered is not asked again."""
    links: TicketLinks = await find_tickets(
        run.client,
        run.ledger,
        configurations.records,
        reconcile_every=run.settings.reconcile_every,
        force_reconcile=run.settings.full_reconcile,
        waiting=run.settings.waiting,
    )
    run.notes += [note for note in links.notes if note not in run.notes]
    moment = links.last_reconcile
    cost = SearchCost(
        "Tickets",
        links.way or "nothing to ask",
        links.requests_predicted,
        links.requests_used,
        asked=links.asked,
        remembered=links.remembered,
        last_reconcile=f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC" if moment else "",
    )
    return Found(links.by_configuration, cost)
