"""The ledger: opens the integration's own database and holds one object a concern."""

from __future__ import annotations

from collections.abc import Generator
from datetime import datetime
from pathlib import Path
from types import TracebackType

import anyio
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from connectors.ledger.database import (
    BUSY_SECONDS,
    Clock,
    create_engine,
    database_url,
    failures_in_words,
    migrate,
    moment,
    place_in_words,
    reading,
    writing,
)
from connectors.ledger.inbox import Inbox
from connectors.ledger.inventory import Inventories
from connectors.ledger.journal import Batches, Journal
from connectors.ledger.match_decisions import MatchDecisions
from connectors.ledger.merge_bases import MergeBases
from connectors.ledger.missing_assets import MissingAssets
from connectors.ledger.outbox import DispatchEffects, DispatchIntents, SyncedNotes
from connectors.ledger.plans import Plans
from connectors.ledger.quarantine import Quarantine
from connectors.ledger.rate_limit import RateLimits
from connectors.ledger.request_history import RequestHistory
from connectors.ledger.schema import dispatch_effects, dispatch_intents, links, synced_notes, watermarks
from connectors.ledger.state import RecordLinks, StateEntries, TicketLinkTable
from connectors.ledger.write_list import WriteList

CLOSING_SECONDS = 5.0
OF_DISPATCH = (dispatch_intents, dispatch_effects, synced_notes, links, watermarks)
"""The tables that dispatch keeps by tenant."""


class Ledger:
    """The integration's own database, opened and migrated. Made by ``Ledger.open``; belongs to one loop.

    Every call is one short transaction: done wholly, or a StopError that says what failed, where, and the
    remedy. Each attribute is one concern with its own module: ``journal`` and ``batches`` (writes before and
    after they are sent), ``state`` and ``ticket_links`` (what later runs start from), ``inventory`` (what a
    reading is held against), ``merge_bases`` (what both sides agreed on), ``intents``, ``effects`` and
    ``notes`` (what may happen only once at a vendor), ``links``, ``inbox``, ``quarantine`` (what a vendor
    refused), ``match_decisions`` (what a person decided), ``missing_assets`` (since when),
    ``plans`` (as they were shown), ``rate_limits``.
    """

    def __init__(self, engine: AsyncEngine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock
        self.rate_limits = RateLimits(engine, clock)
        self.request_history = RequestHistory(engine, clock)
        self.journal = Journal(engine, clock)
        self.batches = Batches(engine, clock)
        self.state = StateEntries(engine, clock)
        self.ticket_links = TicketLinkTable(engine)
        self.inventory = Inventories(engine, clock)
        self.merge_bases = MergeBases(engine, clock)
        self.intents = DispatchIntents(engine, clock)
        self.links = RecordLinks(engine, clock)
        self.inbox = Inbox(engine, clock)
        self.notes = SyncedNotes(engine, clock)
        self.effects = DispatchEffects(engine, clock)
        self.write_list = WriteList(engine, clock)
        self.quarantine = Quarantine(engine, clock)
        self.match_decisions = MatchDecisions(engine, clock)
        self.missing_assets = MissingAssets(engine, clock)
        self.plans = Plans(engine, clock)

    @classmethod
    def open(
        cls, place: str | Path, *, clock: Clock | None = None, busy_seconds: float = BUSY_SECONDS
    ) -> LedgerOpening:
        """``async with Ledger.open(place) as ledger`` or ``await Ledger.open(place)`` and ``close()``.

        ``place`` is a file path or a database address (SQLite, PostgreSQL). Missing tables are created.
        """
        return LedgerOpening(place, clock or Clock(), busy_seconds)

    def note_run(self, run_id: str) -> None:
        """From now on what dispatch sends is noted as of that run."""
        self.intents.run_id = self.effects.run_id = self.notes.run_id = run_id

    async def adopt_tenant(self, tenant: str, earlier: str) -> None:
        """Gives a tenant what dispatch keeps under an ``earlier`` spelling of it, all in one transaction.

        Nothing is done where both are the same, or where the tenant has rows of its own: records of both
        may have a work order then.
        """
        if tenant == earlier:
            return
        # A look without a lock first: every run asks, and most find that it was done.
        async with reading(self._engine, "look for a tenant") as transaction:
            if await _has_rows(transaction, tenant):
                return
        async with writing(self._engine, "rename a tenant") as transaction:
            if await _has_rows(transaction, tenant):
                return
            for table in OF_DISPATCH:
                renamed = update(table).where(table.c.tenant == earlier)
                await transaction.execute(renamed.values(tenant=tenant))

    @property
    def place(self) -> str:
        """Where the ledger lies, in words, without user and password."""
        return place_in_words(self._engine.url)

    async def close(self) -> None:
        """Hands unused requests back and closes the connections, also while being cancelled."""
        with anyio.move_on_after(CLOSING_SECONDS, shield=True):
            await self.rate_limits.close()
        with anyio.CancelScope(shield=True):
            await self._engine.dispose()

    async def now(self) -> datetime:
        """The time by the clock that all processes of this ledger share, which its rows bear."""
        async with reading(self._engine, "read the clock") as transaction:
            return moment(await self._clock.now_of(transaction))


async def _has_rows(connection: AsyncConnection, tenant: str) -> bool:
    for table in OF_DISPATCH:
        own = select(table.c.tenant).where(table.c.tenant == tenant).limit(1)
        if (await connection.execute(own)).first() is not None:
            return True
    return False


class LedgerOpening:
    """A ledger about to be opened: to be awaited, or entered with ``async with``."""

    def __init__(self, place: str | Path, clock: Clock, busy_seconds: float) -> None:
        self._place = place
        self._clock = clock
        self._busy_seconds = busy_seconds
        self._ledger: Ledger | None = None

    def __await__(self) -> Generator[None, None, Ledger]:
        return self._open().__await__()

    async def __aenter__(self) -> Ledger:
        self._ledger = await self._open()
        return self._ledger

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._ledger is not None:
            await self._ledger.close()

    async def _open(self) -> Ledger:
        url = database_url(self._place)
        with failures_in_words(url, "be opened"):
            engine = create_engine(url, self._busy_seconds)
        try:
            await migrate(engine, self._busy_seconds)
        except BaseException:
            with anyio.CancelScope(shield=True):
                await engine.dispose()
            raise
        return Ledger(engine, self._clock)
