"""The tickets of configurations: all tickets of a company are read, and those that changed are asked about.

Reading them all takes a request for each 1,000 tickets of a kind, whatever else is in the cache. The
configurations of the changed ones are found by the cheapest query strategy that the server takes.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Any

from connectors.connectwise.client import ConnectWiseClient
from connectors.connectwise.conditions import equals
from connectors.connectwise.models import TicketKind
from connectors.ledger.store import Ledger
from tasks.connectwise.link_search.search import (
    Links,
    LinkSearch,
    Owners,
    StrategyFailedError,
    by_company,
    probe_bundles,
    read_bundles,
    read_each,
    read_sample,
    tickets,
)
from tasks.connectwise.link_search.ticket_cache import TicketCache
from tasks.connectwise.link_search.ticket_groups import ROOMS, ask_groups, probe_query
from tasks.rules.enrichment.answers import object_members
from tasks.rules.enrichment.query_strategies import (
    BUNDLES,
    TICKET_KINDS,
    StrategyState,
    TicketPlan,
    cheapest_ticket_strategy,
    group_strategy,
)
from tasks.rules.enrichment.ticket_changes import (
    TicketChanges,
    TicketKey,
    is_reconcile_due,
    ticket_changes,
    tickets_by_configuration,
)
from tasks.rules.isolation import problem_words
from tasks.rules.values import written_text
from tasks.shared.progress import Progress, run_logger
from tasks.shared.retry import RetryPolicy, retry

_FIELDS: dict[TicketKind, str] = {
    "service": "id,summary,recordType,status,closedFlag,_info/lastUpdated",
    # The vendor's spec gives project tickets no recordType, but the flag that tells issues apart.
    "project": "id,summary,isIssueFlag,status,closedFlag,_info/lastUpdated",
}
Ticket = dict[str, Any]


class Sweep:
    """The tickets as they were at ``at``: shown records and ``lastUpdated``, both by kind and id.

    ``at`` is ConnectWise's own time, as ``lastUpdated`` is: by a clock that is ahead, a ticket that changed
    in this very second would be old. ``unread``: why a ticket can't be read.
    """

    def __init__(self, at: datetime | None = None) -> None:
        self.at = at or datetime.now(UTC)
        self.tickets: dict[TicketKey, Ticket] = {}
        self.stamps: dict[TicketKey, str] = {}
        self.unread: dict[TicketKey, str] = {}

    def add(self, kind: TicketKind, record: dict[str, Any]) -> None:
        """Take a ticket in. One that can't be read stays, so that it is known which configurations it has."""
        try:
            self._add(kind, record)
        except MemoryError:
            raise
        except Exception as error:
            key = (kind, int(record["id"]))
            self.unread[key] = f"its {kind} ticket {key[1]} can't be read: {problem_words(error)}"
            self.tickets[key], self.stamps[key] = {"id": key[1]}, ""

    def _add(self, kind: TicketKind, record: dict[str, Any]) -> None:
        # Both kinds share one sequence of ids; a server that lists project tickets with the service tickets
        # gives them twice.
        record_type = str(record.get("recordType") or "")
        if kind == "service" and record_type.startswith("Project"):
            return
        key = (kind, int(record["id"]))
        self.tickets[key] = shown(kind, record)
        self.stamps[key] = written_text(object_members(record.get("_info")).get("lastUpdated")) or ""


async def sweep_tickets(search: LinkSearch) -> Sweep:
    """Every ticket of the company."""
    sweep = Sweep(search.client.session.clock.now())
    for kind in TICKET_KINDS:
        for record in await retry(partial(_read, search, kind), search.waiting):
            sweep.add(kind, record)
    return sweep


async def _read(search: LinkSearch, kind: TicketKind) -> list[dict[str, Any]]:
    records: list[dict[str, Any]] = []
    progress = Progress(f"{kind} tickets read")
    conditions = equals("company/id", search.company_id)
    async for page in search.client.tickets(kind).pages(conditions, fields=_FIELDS[kind]):
        records.extend(page)
        progress.advance(len(page))
    return records


def shown(kind: TicketKind, record: dict[str, Any]) -> Ticket:
    """A ticket as the action List Tickets for Configurations shows it."""
    project = "ProjectIssue" if record.get("isIssueFlag") else "ProjectTicket"
    return {
        "id": int(record["id"]),
        "summary": record.get("summary"),
        "recordType": record.get("recordType") or ("ServiceTicket" if kind == "service" else project),
        "status": record.get("status"),
        "closedFlag": bool(record.get("closedFlag")),
    }


SLICE = 200
"""Tickets read one by one before they are handed on, so that little is lost if the run is killed."""

Keep = Callable[[TicketKind, Links, bool], Awaitable[None]]
"""Takes answers as they come: kind, links, and whether they name all configurations or only those asked."""


class TicketQuestion:
    """Some tickets of one kind, and the configurations that matter; ``keep`` is given every answer.

    ``touched``: how many of the tickets probably hold one of them; None: all.
    """

    def __init__(
        self,
        search: LinkSearch,
        kind: TicketKind,
        ticket_ids: Sequence[int],
        configurations: Sequence[int],
        keep: Keep,
        touched: float | None = None,
    ) -> None:
        self.search = search
        self.kind = kind
        self.owners: Owners = tickets(search.client, kind)
        self.left = list(ticket_ids)
        self.configurations = sorted(configurations)
        self.touched = touched
        self.sample: Links = {}
        self._keep = keep

    async def prepare(self) -> TicketPlan:
        """The cheapest plan of strategies known to work; those that are not are tried out first."""
        while True:
            plan = cheapest_ticket_strategy(
                self.search.strategies, self.kind, len(self.left), self.configurations, ROOMS, self.touched
            )
            try:
                if not await self._probe(plan):
                    return plan
            except StrategyFailedError as error:
                self.search.failed(error)

    async def answer(self) -> None:
        """Find them all; a strategy that fails underway is left for the next one."""
        while self.left:
            plan = await self.prepare()
            try:
                await self._carry_out(plan)
            except StrategyFailedError as error:
                self.search.failed(error)

    async def _probe(self, plan: TicketPlan) -> bool:
        """Whether something had to be tried out, so that the plan must be made anew."""
        strategies = self.search.strategies
        if not self.sample and (plan.query or plan.detail == BUNDLES):
            self.sample = await read_sample(self.search, self.owners, self.left)
        if plan.detail == BUNDLES and strategies.state(self.owners.bundle_strategy) is StrategyState.UNKNOWN:
            await probe_bundles(self.search, self.owners, self.sample)
            return True
        if plan.query and strategies.state(group_strategy(self.kind, plan.query)) is StrategyState.UNKNOWN:
            await probe_query(self.search, self.kind, plan.query, self.sample, self.configurations)
            return True
        return False

    async def _carry_out(self, plan: TicketPlan) -> None:
        if plan.query is not None:
            questions = await ask_groups(
                self.search, plan, plan.query, self.sample, self.left, self.configurations
            )
            await self._take(dict(questions.found), whole=False)
        if plan.detail == BUNDLES and len(self.left) > 1:
            await self._read_bundles()
        else:
            await self._read_each()

    async def _read_bundles(self) -> None:
        progress = Progress(f"{self.owners.name} read in bundles", len(self.left))
        asked = list(self.left)
        sample = {each: held for each, held in self.sample.items() if each in set(asked)}
        async for links in read_bundles(self.search, self.owners, asked, sample):
            await self._take(links, whole=True)
            progress.advance(len(links))
        # Those without an answer are gone.
        self.left = []

    async def _read_each(self) -> None:
        progress = Progress(f"{self.owners.name} read one by one", len(self.left))
        while self.left:
            now = self.left[:SLICE]
            links = await read_each(self.search, self.owners, now)
            self.left = self.left[len(now) :]
            await self._take(links, whole=True)
            progress.advance(len(now))

    async def _take(self, links: Links, *, whole: bool) -> None:
        await self._keep(self.kind, links, whole)
        self.left = [each for each in self.left if each not in links]


RECONCILE_EVERY = 7


@dataclass(slots=True)
class TicketLinks:
    """The tickets of each configuration asked for, and what it took to find them.

    Attributes:
        by_configuration: shown tickets (id, summary, recordType, status, closedFlag) in the order of ids.
        requests_predicted: made before the tickets were asked about, those for reading all tickets included.
        notes: strategies that could not be used, and why.
        unread: why the tickets of a configuration are not known: one of them can't be read.
        remembered: tickets whose configurations were known from an earlier run.
        last_reconcile: when all tickets were asked about last, the oldest of several companies; None: never.
    """

    by_configuration: dict[int, list[dict[str, Any]]] = field(default_factory=dict)
    requests_predicted: int = 0
    requests_used: int = 0
    strategy: str = ""
    notes: list[str] = field(default_factory=list)
    unread: dict[int, str] = field(default_factory=dict)
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
    waiting: RetryPolicy | None = None,
) -> TicketLinks:
    """The tickets of these records, with at least ``id`` and ``company.id``, by their companies.

    Args:
        reconcile_every: so often all tickets are asked about again; other runs ask only about changed ones,
            which misses a detaching that did not move the ticket's ``lastUpdated``. 0: never by itself.
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
    def __init__(self, search: LinkSearch, ids: Collection[int], remember: bool) -> None:
        self.search = search
        self.ids = sorted(ids)
        self.remember = remember
        self.sweep = Sweep()
        self.cache = TicketCache(search.ledger, search.tenant, search.company_id)
        self.links: dict[TicketKey, frozenset[int]] = {}
        self.asked = 0
        self.remembered = 0
        self.predicted = 0
        self.strategies: list[str] = []

    async def find(self, reconcile_every: int, force: bool) -> None:
        self.cache = await TicketCache.load(
            self.search.ledger,
            self.search.tenant,
            self.search.company_id,
            earlier=self.search.client.settings.credential_key,
        )
        due = is_reconcile_due(self.cache.runs_since, reconcile_every) or self.cache.is_empty
        # One that was killed goes on where it was.
        if self.remember and (force or (due and not self.cache.reconciling)):
            await self.cache.begin_reconcile()
        self.sweep = await sweep_tickets(self.search)
        self.search.stamps = self.sweep.stamps
        changes = ticket_changes(
            self.sweep.stamps, {} if force else self.cache.known, self.cache.asked_about, self.ids
        )
        self.links = dict(changes.unchanged)
        if self.remember:
            await self.cache.forget(changes.gone)
        await self._ask(changes)
        if self.remember:
            await self.cache.finish(self.ids)
        await self.search.save_strategies()

    async def _ask(self, changes: TicketChanges) -> None:
        questions = [*self._about_changed(changes), *self._about_new(changes)]
        self.asked = len(changes.changed)
        self.remembered = len(changes.unchanged)
        plans = [await each.prepare() for each in questions]
        self.predicted = self.search.used + sum(plan.requests for plan in plans)
        self.strategies = list(dict.fromkeys(f"{plan.kind} tickets: {plan.strategy}" for plan in plans))
        run_logger().info(
            "Company %d: %d tickets, %d of them to ask about, %d remembered; about %d requests in all (%s)",
            self.search.company_id,
            len(self.sweep.tickets),
            self.asked,
            self.remembered,
            self.predicted,
            "; ".join(self.strategies) or "nothing to ask",
        )
        for question in questions:
            await question.answer()
        run_logger().info("Company %d: %d requests used", self.search.company_id, self.search.used)

    def _about_changed(self, changes: TicketChanges) -> Iterable[TicketQuestion]:
        known = self.cache.asked_about or set()
        ids = sorted(known | set(self.ids)) if self.remember else self.ids
        for kind, changed in _by_kind(changes.changed).items():
            yield TicketQuestion(self.search, kind, changed, ids, self._keep)

    def _about_new(self, changes: TicketChanges) -> Iterable[TicketQuestion]:
        """Configurations that the remembered tickets were not asked about."""
        if changes.new_configurations:
            for kind, tickets in _by_kind(changes.unchanged).items():
                new = changes.new_configurations
                touched = len(tickets) * len(new) / max(len(self.ids), 1)
                yield TicketQuestion(self.search, kind, tickets, new, self._keep, touched)

    async def _keep(self, kind: TicketKind, links: Links, whole: bool) -> None:
        for ticket, held in links.items():
            key = (kind, ticket)
            self.links[key] = held if whole else self.links.get(key, frozenset()) | held
        if self.remember:
            if not whole and self.cache.asked_about is None:
                await self.cache.limit_to(self.ids)
            merged = {ticket: self.links[kind, ticket] for ticket in links}
            await self.cache.save(kind, merged, self.sweep.stamps, self.sweep.at)

    def add_to(self, found: TicketLinks) -> None:
        found.by_configuration |= tickets_by_configuration(self.links, self.sweep.tickets, self.ids)
        for ticket, why in self.sweep.unread.items():
            for each in self.links.get(ticket, frozenset()) & frozenset(self.ids):
                found.unread.setdefault(each, why)
        found.requests_predicted += self.predicted
        found.requests_used += self.search.used
        found.strategy = "; ".join(dict.fromkeys([*filter(None, [found.strategy]), *self.strategies]))
        found.notes += [each for each in self.search.notes if each not in found.notes]
        found.asked += self.asked
        found.remembered += self.remembered
        moments = [each for each in (found.last_reconcile, self.cache.last_reconcile) if each is not None]
        found.last_reconcile = min(moments, default=None)


def _by_kind(keys: Iterable[TicketKey]) -> dict[TicketKind, list[int]]:
    found: dict[str, list[int]] = defaultdict(list)
    for kind, ticket in sorted(keys):
        found[kind].append(ticket)
    return {kind: found[kind] for kind in TICKET_KINDS if kind in found}
