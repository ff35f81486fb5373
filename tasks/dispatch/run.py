"""What one run of dispatch works with: the checked rules, open clients of both vendors, and the ledger."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Awaitable, Callable, Hashable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import anyio

from connectors.connectwise.client import ConnectWiseClient
from connectors.connectwise.settings import RecordType, record_address, server_name
from connectors.field_nation.client import FieldNationClient
from connectors.ledger.store import Ledger
from tasks.dispatch.refusals import Refusals
from tasks.dispatch.settings import DispatchSettings, OnLeave, load_dispatch_settings
from tasks.dispatch.state import DispatchStore
from tasks.rules.dispatch.mapping import DispatchMappingError, check_dispatch_mappings
from tasks.rules.dispatch.outbound import rules_problems
from tasks.rules.dispatch.reference import RecordKind
from tasks.rules.dispatch.result import RecordRef
from tasks.rules.dispatch.sources import source_members
from tasks.shared.connections import DEFAULT, connectwise_client, field_nation_client, open_ledger

Record = dict[str, Any]
MOST_KEPT = 5_000
"""Entries of a cache; the oldest go first."""
_PAGES: dict[RecordKind, RecordType] = {
    RecordKind.SERVICE_TICKET: "ServiceFv",
    RecordKind.PROJECT_TICKET: "ServiceFv",
    RecordKind.OPPORTUNITY: "OpportunityFv",
}


class RelatedCache:
    """Keeps companies, sites, contacts and statuses of a long-lived process, each for ``seconds``."""

    def __init__(self, seconds: float, now: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._now = now
        self._kept: dict[Hashable, tuple[float, Any]] = {}

    async def get(self, key: Hashable, fetch: Callable[[], Awaitable[Any]]) -> Any:
        """The value under ``key``, fetched if it is missing or too old."""
        kept = self._kept.get(key)
        if kept is not None and self._now() - kept[0] < self._seconds:
            return kept[1]
        value = await fetch()
        self._kept.pop(key, None)
        self._kept[key] = (self._now(), value)
        while len(self._kept) > MOST_KEPT:
            self._kept.pop(next(iter(self._kept)))
        return value


class DispatchRun:
    """What each step of dispatch is handed: settings, clients, ledger, state and cache.

    A class of its own, so that Prefect does not look into it.

    Everything works without Prefect: the clients and the ledger are all that it needs.

    Args:
        accept_cancellations: so many cancellations a person accepts in this run beyond the ceiling.
        now, sleep: the clock, for tests.
    """

    def __init__(
        self,
        settings: DispatchSettings,
        *,
        client: ConnectWiseClient,
        field_nation: FieldNationClient,
        ledger: Ledger,
        accept_cancellations: int = 0,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        sleep: Callable[[float], Awaitable[None]] = anyio.sleep,
    ) -> None:
        self.settings = settings
        self.client = client
        self.field_nation = field_nation
        self.ledger = ledger
        self.accept_cancellations = accept_cancellations
        self.one_cancellation = anyio.Lock()
        self.recent_orders: list[Record] = []
        """Work orders of the last days, as a sweep has listed them; ``find_work_order`` looks there too."""
        self.now = now
        self.sleep = sleep
        self.related = RelatedCache(settings.polling.cache_seconds)
        self.state = DispatchStore(ledger, self.tenant, settings)
        self.refusals = Refusals(ledger, self.tenant, settings)

    @property
    def tenant(self) -> str:
        """The two companies that belong together. API keys are no part of it, since they are renewed."""
        return self._tenant_at(server_name(self.client.settings.site))

    @property
    def tenant_as_spelt(self) -> str:
        """The tenant as versions named it that took the usual port or a dot at the end for another server."""
        return self._tenant_at(self.client.settings.base_url.partition("://")[2])

    def _tenant_at(self, server: str) -> str:
        theirs = self.field_nation.settings.base_url.partition("://")[2]
        return f"{self.client.settings.company_id.lower()}@{server}|{theirs}"

    async def heartbeat(self) -> datetime | None:
        """Notes now and then that the ledger is in use; since when it knows all of dispatch.

        To be called by whatever works for long, or often.
        """
        found: datetime | None = await self.related.get(
            ("coverage",), lambda: self.state.coverage(self.now())
        )
        return found

    def record_url(self, ref: RecordRef) -> str:
        ours = self.client.settings
        return record_address(ours.site, ours.company_id, _PAGES[ref.kind], ref.id)

    def work_order_url(self, work_order_id: int) -> str:
        return self.field_nation.settings.work_order_url(work_order_id)

    def __repr__(self) -> str:
        return f"DispatchRun({self.tenant})"


def check_dispatch_settings(settings: DispatchSettings) -> None:
    """Hold mappings and texts of the rules against what records and work orders have. Asks nobody.

    Raises:
        DispatchMappingError: some can't work.
    """
    for kind in RecordKind:
        check_dispatch_mappings(settings.mappings_of(kind), sources=source_members(kind))
    if problems := rules_problems(settings.outbound_rules):
        raise DispatchMappingError(" ".join(problems))


@asynccontextmanager
async def open_dispatch(
    connectwise: str = DEFAULT,
    field_nation: str = DEFAULT,
    rules: str = DEFAULT,
    *,
    on_leave: OnLeave | None = None,
    accept_cancellations: int = 0,
) -> AsyncIterator[DispatchRun]:
    """Opens both clients and the ledger and checks the rules, by the names of saved blocks.

    Where the enclosing flow has connections open, those are used.

    Args:
        on_leave: takes the place of the rules' own.
        accept_cancellations: so many cancellations a person accepts in this run beyond the ceiling.

    Raises:
        DispatchMappingError: the rules hold mappings or texts that can't work; nothing was read or written.
        StopError: there is no such block.
    """
    settings = await load_dispatch_settings(rules)
    if on_leave is not None:
        settings = settings.model_copy(update={"on_leave": on_leave})
    check_dispatch_settings(settings)
    async with (
        connectwise_client(connectwise) as client,
        field_nation_client(field_nation) as theirs,
        open_ledger() as ledger,
    ):
        run = DispatchRun(
            settings,
            client=client,
            field_nation=theirs,
            ledger=ledger,
            accept_cancellations=accept_cancellations,
        )
        await ledger.adopt_tenant(run.tenant, run.tenant_as_spelt)
        try:
            yield run
        finally:
            run.refusals.announce()
