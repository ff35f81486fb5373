"""Which tickets belong to which configurations, in as few requests as the server allows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from connectors.connectwise.client import ConnectWiseClient
from connectors.ledger.store import Ledger
from tasks.enrichment.companies import by_company
from tasks.enrichment.link_search import LinkSearch
from tasks.enrichment.owners import Links
from tasks.enrichment.remembering import TicketMemory
from tasks.enrichment.ticket_resolving import TicketQuestion
from tasks.enrichment.ticket_sweep import Sweep, sweep_tickets
from tasks.progress import run_logger
from tasks.rules.ticket_changes import (
    TicketChanges,
    TicketKey,
    is_reconcile_due,
    ticket_changes,
    tickets_by_configuration,
)
from tasks.rules.ways import KINDS, Kind
from tasks.synchronization.patience import Waiting

RECONCILE_EVERY = 7


@dataclass(slots=True)
class TicketLinks:
    """The tickets of each configuration asked for, and what it took to find them.

    Attributes:
        by_configuration: shown tickets (id, summary, recordType, status, closedFlag) in the order of ids.
        requests_predicted: made before the tickets were asked about, those for reading all tickets included.
        way: how the configurations of tickets were found, in words.
        notes: ways that could not be used, and why.
        asked: tickets that were asked about in this run.
        remembered: tickets whose configurations were known from an earlier run.
        last_reconcile: when all tickets were asked about last, the oldest of several companies; None: never.
    """

    by_configuration: dict[int, list[dict[str, Any]]] = field(default_factory=dict)
    requests_predicted: int = 0
    requests_used: int = 0
    way: str = ""
    notes: list[str] = field(default_factory=list)
    asked: int = 0
    remembered: int = 0
    last_reconcile: datetime | None = None


async def find_tickets(
    client: ConnectWiseClient,
    ledger: Ledger,
    configurations: Sequence[dict[str, Any]],
    *,
    reconcile_every: int = RECONCILE_EVERY,
    force_reconcile: bool = False,
    remember: bool = True,
    waiting: Waiting | None = None,
) -> TicketLinks:
    """The tickets of these configurations, of all companies that they belong to.

    Args:
        configurations: records with at least ``id`` and ``company.id``.
        reconcile_every: so often all tickets are asked about again; other runs ask only about changed ones,
            which misses a detaching that did not move the ticket's ``lastUpdated``. 0: never by itself.
        force_reconcile: ask about all tickets now.
        remember: False reads what is remembered and adds nothing to it, for questions about a part of a
            company's configurations.
    """
    found = TicketLinks()
    for company_id, ids in by_company(configurations).items():
        search = await LinkSearch.open(client, ledger, company_id, waiting)
        one = _CompanyTickets(search, ids, remember)
        await one.find(reconcile_every, force_reconcile)
        one.add_to(found)
    return found


class _CompanyTickets:
    """The search in one company."""

    def __init__(self, search: LinkSearch, ids: Collection[int], remember: bool) -> None:
        self.search = search
        self.ids = sorted(ids)
        self.remember = remember
        self.sweep = Sweep()
        self.memory = TicketMemory(search.ledger, search.tenant, search.company_id)
        self.links: dict[TicketKey, frozenset[int]] = {}
        self.asked = 0
        self.remembered = 0
        self.predicted = 0
        self.ways: list[str] = []

    async def find(self, reconcile_every: int, force: bool) -> None:
        self.memory = await TicketMemory.load(self.search.ledger, self.search.tenant, self.search.company_id)
        due = is_reconcile_due(self.memory.runs_since, reconcile_every) or self.memory.is_empty
        # One that was killed goes on where it was.
        if self.remember and (force or (due and not self.memory.reconciling)):
            await self.memory.begin_reconcile()
        self.sweep = await sweep_tickets(self.search)
        self.search.stamps = self.sweep.stamps
        changes = ticket_changes(
            self.sweep.stamps, {} if force else self.memory.known, self.memory.asked_about, self.ids
        )
        self.links = dict(changes.unchanged)
        if self.remember:
            await self.memory.forget(changes.gone)
        await self._ask(changes)
        if self.remember:
            await self.memory.finish(self.ids)
        await self.search.remember_ways()

    async def _ask(self, changes: TicketChanges) -> None:
        questions = [*self._about_changed(changes), *self._about_new(changes)]
        self.asked = len(changes.changed)
        self.remembered = len(changes.unchanged)
        plans = [await each.prepare() for each in questions]
        self.predicted = self.search.used + sum(plan.requests for plan in plans)
        self.ways = list(dict.fromkeys(f"{plan.kind} tickets: {plan.way}" for plan in plans))
        run_logger().info(
            "Company %d: %d tickets, %d of them to ask about, %d remembered; about %d requests in all (%s)",
            self.search.company_id,
            len(self.sweep.tickets),
            self.asked,
            self.remembered,
            self.predicted,
            "; ".join(self.ways) or "nothing to ask",
        )
        for question in questions:
            await question.answer()
        run_logger().info("Company %d: %d requests used", self.search.company_id, self.search.used)

    def _about_changed(self, changes: TicketChanges) -> Iterable[TicketQuestion]:
        known = self.memory.asked_about or set()
        ids = sorted(known | set(self.ids)) if self.remember else self.ids
        for kind, tickets in _by_kind(changes.changed).items():
            yield TicketQuestion(self.search, kind, tickets, ids, self._keep)

    def _about_new(self, changes: TicketChanges) -> Iterable[TicketQuestion]:
        """Configurations that the remembered tickets were not asked about."""
        if changes.new_configurations:
            for kind, tickets in _by_kind(changes.unchanged).items():
                new = changes.new_configurations
                touched = len(tickets) * len(new) / max(len(self.ids), 1)
                yield TicketQuestion(self.search, kind, tickets, new, self._keep, touched)

    async def _keep(self, kind: Kind, links: Links, whole: bool) -> None:
        for ticket, held in links.items():
            key = (kind, ticket)
            self.links[key] = held if whole else self.links.get(key, frozenset()) | held
        if self.remember:
            if not whole and self.memory.asked_about is None:
                await self.memory.limit_to(self.ids)
            merged = {ticket: self.links[kind, ticket] for ticket in links}
            await self.memory.save(kind, merged, self.sweep.stamps, self.sweep.at)

    def add_to(self, found: TicketLinks) -> None:
        found.by_configuration |= tickets_by_configuration(self.links, self.sweep.tickets, self.ids)
        found.requests_predicted += self.predicted
        found.requests_used += self.search.used
        found.way = "; ".join(dict.fromkeys([*filter(None, [found.way]), *self.ways]))
        found.notes += [each for each in self.search.notes if each not in found.notes]
        found.asked += self.asked
        found.remembered += self.remembered
        moments = [each for each in (found.last_reconcile, self.memory.last_reconcile) if each is not None]
        found.last_reconcile = min(moments, default=None)


def _by_kind(keys: Iterable[TicketKey]) -> dict[Kind, list[int]]:
    found: dict[str, list[int]] = defaultdict(list)
    for kind, ticket in sorted(keys):
        found[kind].append(ticket)
    return {kind: found[kind] for kind in KINDS if kind in found}
