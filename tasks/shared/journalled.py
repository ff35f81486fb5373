"""Journalled writes: each is noted in the ledger before it is sent, and its outcome after (write-ahead log).

A run that is killed between the two leaves a write without an outcome, which the next run looks for. The
journal is what an undo reads.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from connectors.errors import ConnectorError, RetryableError, UnclearOutcomeError
from connectors.ledger.models import JournalOutcome, WriteEntry, WriteOutcome
from connectors.ledger.store import Ledger
from tasks.rules.bulk import ItemOutcome
from tasks.shared.progress import Progress

OUTAGE = 3
"""So many requests in a row without an answer: the server is away, and the rest is not sent."""

JOURNAL_WORDS: dict[bool | None, JournalOutcome] = {True: "done", False: "failed", None: "unclear"}


def unclear_or_failed(error: ConnectorError) -> JournalOutcome:
    """The usual outcome of a write that raised: without an answer it may have been done."""
    return "unclear" if isinstance(error, RetryableError | UnclearOutcomeError) else "failed"


@dataclass(slots=True)
class OpenWrite:
    """A write that is noted; ``outcome`` and ``message`` are recorded when its block ends."""

    outcome: JournalOutcome = "done"
    message: str | None = None

    def end(self, outcome: JournalOutcome = "done", *, message: str | None = None) -> None:
        """Set what is recorded; the record id stays the one that was noted."""
        self.outcome, self.message = outcome, message


@dataclass(frozen=True, slots=True)
class RunJournal:
    """The journal of one run's writes through one connection; ``company_id`` is 0 for reference records.

    ``connection`` is the name of the block, ``tenant`` the key of the system that it leads to.
    """

    ledger: Ledger
    run_id: str
    connection: str
    company_id: int
    tenant: str

    async def begin(self, entries: Sequence[WriteEntry]) -> list[int]:
        """Note writes before they are sent; returns their ids in the order of ``entries``."""
        return await self.ledger.journal.begin(
            self.run_id, self.connection, self.company_id, entries, tenant=self.tenant
        )

    async def record(self, outcomes: Sequence[WriteOutcome]) -> None:
        """Record how writes ended."""
        await self.ledger.journal.record_outcomes(outcomes)

    @asynccontextmanager
    async def write(
        self, entry: WriteEntry, outcome_of: Callable[[ConnectorError], JournalOutcome] = unclear_or_failed
    ) -> AsyncIterator[OpenWrite]:
        """Note one write, send it in the block, record its outcome: ``done`` unless the block says else.

        A ``ConnectorError`` is recorded as ``outcome_of`` says and raised on; any other exception leaves the
        write open, for the next run to look for.
        """
        (write_id,) = await self.begin([entry])
        write = OpenWrite()
        try:
            yield write
        except ConnectorError as error:
            await self.record([WriteOutcome(write_id, outcome_of(error), None, str(error))])
            raise
        await self.record([WriteOutcome(write_id, write.outcome, None, write.message)])


@dataclass(frozen=True, slots=True)
class WriteResult:
    """What a run knows of one record.

    Attributes:
        written: whether a request was sent that may have written it.
        refused: the vendor refused this very record, and would refuse it again.
        version: what the vendor said of the record's age when it was read last, "" where it was not read.
    """

    asset_key: str
    ok: bool
    record_id: int | None = None
    message: str = ""
    written: bool = True
    refused: bool = False
    version: str = ""


class WriteLog:
    """The results of a bulk writer by asset key, its journal, and why it sends nothing more (``stopped``)."""

    def __init__(self, journal: RunJournal, progress: Progress) -> None:
        self.journal = journal
        self.progress = progress
        self.results: dict[str, WriteResult] = {}
        self.stopped: ConnectorError | None = None
        self.unanswered = 0

    def take(
        self,
        key: str,
        ok: bool,
        record_id: int | None,
        message: str = "",
        *,
        refused: bool = False,
        version: str = "",
    ) -> None:
        """Keep the outcome of a write that was sent."""
        self.results[key] = WriteResult(key, ok, record_id, message, refused=refused, version=version)

    def fail(self, key: str, message: str, record_id: int | None = None, *, written: bool = False) -> None:
        """Keep that a record was not written, or with ``written`` that it may have been."""
        self.results[key] = WriteResult(key, False, record_id, message, written)


def same_outcome(
    records: Sequence[Any], ok: bool | None, message: str, status: int | None = None
) -> list[ItemOutcome]:
    """One outcome for all records of a request."""
    return [ItemOutcome(index, ok, status=status, message=message) for index in range(len(records))]


def journal_outcomes(write_ids: Sequence[int], outcomes: Sequence[ItemOutcome]) -> list[WriteOutcome]:
    """The outcomes of a bulk request as the journal keeps them."""
    return [
        WriteOutcome(write_id, JOURNAL_WORDS[outcome.ok], outcome.record_id, outcome.message or None)
        for write_id, outcome in zip(write_ids, outcomes, strict=True)
    ]
