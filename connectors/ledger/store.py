"""The ledger: one object in front of the budget, the journal, the batches in flight and what it remembers."""

from __future__ import annotations

import logging
from collections.abc import Generator, Sequence
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any

import anyio
from sqlalchemy.ext.asyncio import AsyncEngine

from connectors.errors import StopError
from connectors.ledger import journal, links, rate_limit
from connectors.ledger.database import (
    BUSY_SECONDS,
    Clock,
    create_engine,
    database_url,
    failures_in_words,
    moment,
    reading,
    shown,
    writing,
)
from connectors.ledger.inbox import Inbox
from connectors.ledger.links import Links
from connectors.ledger.migrate import migrate
from connectors.ledger.models import (
    JournalledWrite,
    OpenBatch,
    RunSummary,
    TicketLink,
    WriteEntry,
    WriteOutcome,
)
from connectors.ledger.outbox import DispatchEffects, DispatchIntents, SyncedNotes
from connectors.ledger.rate_limit import BudgetOfSeveral, SharedBudget, WindowRule, bucket_of

logger = logging.getLogger(__name__)
CLOSING_SECONDS = 5.0


class Ledger:
    """The integration's own database, opened and migrated. Made by ``Ledger.open``; belongs to one loop.

    Every call is one short transaction: done wholly, or a StopError that says what failed, where, and the
    remedy. What dispatch keeps is in ``intents``, ``links``, ``inbox``, ``notes`` and ``effects``.
    """

    def __init__(self, engine: AsyncEngine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock
        self._budgets: dict[tuple[str, int, float], SharedBudget] = {}
        self.intents = DispatchIntents(engine, clock)
        self.links = Links(engine, clock)
        self.inbox = Inbox(engine, clock)
        self.notes = SyncedNotes(engine, clock)
        self.effects = DispatchEffects(engine, clock)

    @classmethod
    def open(
        cls, place: str | Path, *, clock: Clock | None = None, busy_seconds: float = BUSY_SECONDS
    ) -> LedgerOpening:
        """``async with Ledger.open(place) as ledger`` or ``await Ledger.open(place)`` and ``close()``.

        ``place`` is a file path or a database address (SQLite, PostgreSQL). Missing tables are created.
        """
        return LedgerOpening(place, clock or Clock(), busy_seconds)

    @property
    def place(self) -> str:
        """Where the ledger lies, in words, without user and password."""
        return shown(self._engine.url)

    async def close(self) -> None:
        """Hands unused requests back and closes the connections, also while being cancelled."""
        with anyio.move_on_after(CLOSING_SECONDS, shield=True):
            for budget in self._budgets.values():
                await self._close_budget(budget)
        with anyio.CancelScope(shield=True):
            await self._engine.dispose()

    async def _close_budget(self, budget: SharedBudget) -> None:
        try:
            await budget.close()
        except StopError as error:
            # Harmless: the tokens count as used for one more window. It must not hide what ended the run.
            logger.warning("%s", error)

    def budget(self, key: str, limit: int, window_seconds: float) -> SharedBudget:
        """At most ``limit`` starts in any ``window_seconds``, over all processes that name this key."""
        wanted = (key, limit, window_seconds)
        if wanted not in self._budgets:
            rule = WindowRule.of(limit, window_seconds)
            self._budgets[wanted] = SharedBudget(self._engine, self._clock, key, rule)
        return self._budgets[wanted]

    def budgets(self, key: str, limits: Sequence[tuple[int, float]]) -> BudgetOfSeveral:
        """Several (limit, window) pairs at once; the longest window, refusing longest, is asked first."""
        longest_first = sorted(limits, key=lambda pair: -pair[1])
        return BudgetOfSeveral([self.budget(key, limit, window) for limit, window in longest_first])

    async def requests_used(self, key: str, window_seconds: float) -> int:
        """Requests permitted in the last window (at most a slice a process of them not yet started)."""
        async with reading(self._engine, "count the requests used") as connection:
            since = await self._clock.now_of(connection) - window_seconds
            return await rate_limit.tokens_since(connection, bucket_of(key, window_seconds), since)

    async def begin_writes(
        self, run_id: str, connection: str, company_id: int, entries: Sequence[WriteEntry]
    ) -> list[int]:
        """Notes writes before they are sent; returns their ids in the order of ``entries``."""
        run = {"run_id": run_id, "connection": connection, "company_id": company_id}
        async with writing(self._engine, "note the writes of a request") as transaction:
            return await journal.begin(transaction, run, entries, await self._clock.now_of(transaction))

    async def settle_writes(self, outcomes: Sequence[WriteOutcome]) -> None:
        """Notes what became of writes; a second outcome of one write replaces the first."""
        async with writing(self._engine, "note the outcome of writes") as transaction:
            await journal.settle(transaction, outcomes, await self._clock.now_of(transaction))

    async def writes_of_run(self, run_id: str) -> list[JournalledWrite]:
        """The writes of a run, in the order in which they were begun."""
        async with reading(self._engine, "read the writes of a run") as transaction:
            return await journal.of_run(transaction, run_id)

    async def recent_runs(self, limit: int = 20) -> list[RunSummary]:
        """The runs that wrote last, newest first."""
        async with reading(self._engine, "read the recent runs") as transaction:
            return await journal.recent(transaction, limit)

    async def note_batch(
        self,
        run_id: str,
        connection: str,
        company_id: int,
        asset_keys: Sequence[str],
        highest_id: int,
        entries: Sequence[WriteEntry] = (),
    ) -> tuple[int, list[int]]:
        """Notes a bulk creation and its writes before it is sent, both or neither; the ids of both.

        ``highest_id`` is the highest configuration id known.
        """
        run = {"run_id": run_id, "connection": connection, "company_id": company_id}
        async with writing(self._engine, "note a batch before it is sent") as transaction:
            now = await self._clock.now_of(transaction)
            batch = {**run, "asset_keys": list(asset_keys), "highest_id": highest_id, "sent_at": now}
            batch_id = await journal.note(transaction, batch)
            return batch_id, await journal.begin(transaction, run, entries, now)

    async def settle_batch(self, batch_id: int, outcomes: Sequence[WriteOutcome] = ()) -> None:
        """Every record of the batch is accounted for, as ``outcomes`` say; settling twice does no harm."""
        async with writing(self._engine, "settle a batch") as transaction:
            await journal.settle(transaction, outcomes, await self._clock.now_of(transaction))
            await journal.settle_batch(transaction, batch_id)

    async def open_batches(self, connection: str, company_id: int) -> list[OpenBatch]:
        """The unsettled batches of one company, oldest first, of this run and of killed ones."""
        async with reading(self._engine, "read the batches in flight") as transaction:
            return await journal.still_open(transaction, connection, company_id)

    async def ticket_links(self, tenant: str, company_id: int) -> list[TicketLink]:
        """What is remembered of one company's tickets, in the order of kind and id.

        ``tenant`` is the connection's ``tenant_key``.
        """
        async with reading(self._engine, "read the links of tickets") as transaction:
            return await links.of_company(transaction, tenant, company_id)

    async def save_ticket_links(self, tenant: str, company_id: int, remembered: Sequence[TicketLink]) -> None:
        """Remembers tickets, thousands at once; a ticket that was known is replaced."""
        async with writing(self._engine, "save the links of tickets") as transaction:
            await links.save(transaction, tenant, company_id, remembered)

    async def forget_ticket_links(
        self, tenant: str, company_id: int, tickets: Sequence[tuple[str, int]]
    ) -> None:
        """Forgets tickets, each named by its kind and id; unknown ones do no harm."""
        async with writing(self._engine, "forget the links of tickets") as transaction:
            await links.forget(transaction, tenant, company_id, tickets)

    async def now(self) -> datetime:
        """The time by the clock that all processes of this ledger share, which its rows bear."""
        async with reading(self._engine, "read the clock") as transaction:
            return moment(await self._clock.now_of(transaction))

    async def watermark(self, tenant: str, name: str) -> dict[str, Any] | None:
        """What was set under this name, None if nothing was."""
        async with reading(self._engine, "read a watermark") as transaction:
            return await links.read(transaction, tenant, name)

    async def set_watermark(self, tenant: str, name: str, value: dict[str, Any]) -> None:
        """Remembers a small JSON object; the last one to set it wins."""
        async with writing(self._engine, "set a watermark") as transaction:
            now = await self._clock.now_of(transaction)
            await links.set_value(transaction, tenant, name, value, now)


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
