"""What dispatch works with: rules, open connections, the ledger; and what became of one record.

Keeps related records of a long-lived process for some minutes: companies, sites, contacts, statuses.

Makes the outcome of one record, so that each step says only what is its own.

What became of one work order that was brought back.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

import anyio

from connectors.connectwise.client import ConnectWiseClient
from connectors.connectwise.settings import RecordType, record_address
from connectors.field_nation.client import FieldNationClient
from connectors.ledger.models import Intent
from connectors.ledger.store import Ledger
from tasks.dispatch.settings import DispatchSettings
from tasks.rules.dispatch.reference import RecordKind, reference_of

MOST = 5_000
"""Entries kept at most; the oldest go first."""


class RelatedCache:
    """Answers by key, each for ``seconds``."""

    def __init__(self, seconds: float, now: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._now = now
        self._kept: dict[Hashable, tuple[float, Any]] = {}

    async def get(self, key: Hashable, fetch: Callable[[], Awaitable[Any]]) -> Any:
        """What is kept under ``key``, fetched if it is missing or too old."""
        kept = self._kept.get(key)
        if kept is not None and self._now() - kept[0] < self._seconds:
            return kept[1]
        value = await fetch()
        self._kept.pop(key, None)
        self._kept[key] = (self._now(), value)
        while len(self._kept) > MOST:
            self._kept.pop(next(iter(self._kept)))
        return value


Record = dict[str, Any]
_PAGES: dict[RecordKind, RecordType] = {
    RecordKind.SERVICE_TICKET: "ServiceFv",
    RecordKind.PROJECT_TICKET: "ServiceFv",
    RecordKind.OPPORTUNITY: "OpportunityFv",
}


def _utc_now() -> datetime:
    return datetime.now(UTC)


class DispatchRun:
    """Handed from step to step. A class of its own, so that Prefect does not look into it.

    Everything works without Prefect: the clients and the ledger are all that it needs.

    Args:
        now, sleep: the clock, for tests.
    """

    def __init__(
        self,
        settings: DispatchSettings,
        *,
        client: ConnectWiseClient,
        field_nation: FieldNationClient,
        ledger: Ledger,
        now: Callable[[], datetime] = _utc_now,
        sleep: Callable[[float], Awaitable[None]] = anyio.sleep,
    ) -> None:
        self.settings = settings
        self.client = client
        self.field_nation = field_nation
        self.ledger = ledger
        self.now = now
        self.sleep = sleep
        self.related = RelatedCache(settings.polling.cache_seconds)

    @property
    def tenant(self) -> str:
        """The two companies that belong together. API keys are no part of it, since they are renewed."""
        ours = self.client.settings
        host = ours.base_url.partition("://")[2]
        theirs = self.field_nation.settings.base_url.partition("://")[2]
        return f"{ours.company_id.lower()}@{host}|{theirs}"

    def reference(self, kind: RecordKind, record_id: int) -> str:
        """The reference of a record, with the prefix that is set."""
        return reference_of(kind, record_id, self.settings.reference_prefix)

    def record_url(self, kind: RecordKind, record_id: int) -> str:
        """Where a person opens the ticket or opportunity."""
        ours = self.client.settings
        return record_address(ours.site, ours.company_id, _PAGES[kind], record_id)

    def work_order_url(self, work_order_id: int) -> str:
        """Where a person opens the work order."""
        return self.field_nation.settings.work_order_url(work_order_id)

    def __repr__(self) -> str:
        return f"DispatchRun({self.tenant})"


class Result(StrEnum):
    """What became of one record; each record ends in exactly one of these."""

    CREATED = "created"
    ADOPTED = "adopted"
    """A work order was found that an earlier, unanswered creation had made."""
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    OUTSIDE = "outside"
    """Not in a trigger and without a work order: nothing to do with dispatch."""
    CANCELLED = "cancelled"
    REPORTED = "reported"
    """A person should look; nothing was done."""
    REFUSED = "refused"
    UNCLEAR = "unclear"
    """A creation was not answered and nothing is found yet; it is looked for again."""
    UNRESOLVED = "unresolved"
    """The same after all the looking: a person should look, or the long pause passes."""
    BUSY = "busy"
    """Another process works on this record."""
    FAILED = "failed"


AGAIN = frozenset({Result.UNCLEAR, Result.BUSY, Result.FAILED})
"""Results after which the record must be tried again soon."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """One record's result. ``retry_after`` in seconds for results of ``AGAIN``, where it is known."""

    kind: RecordKind
    record_id: int
    reference: str
    result: Result
    work_order_id: int | None = None
    message: str = ""
    warnings: tuple[str, ...] = ()
    retry_after: float | None = None

    def __str__(self) -> str:
        order = f" (work order {self.work_order_id})" if self.work_order_id else ""
        words = ": ".join(each for each in (str(self.result), self.message) if each)
        return f"{self.reference} {words}{order}"


@dataclass(frozen=True, slots=True)
class Told:
    """Whom an outcome is about."""

    run: DispatchRun
    kind: RecordKind
    record_id: int

    @classmethod
    def of(cls, run: DispatchRun, intent: Intent) -> Told:
        """The record of an intent."""
        return cls(run, RecordKind(intent.record_kind), intent.record_id)

    @property
    def reference(self) -> str:
        """The record's reference."""
        return self.run.reference(self.kind, self.record_id)

    def outcome(
        self,
        result: Result,
        work_order_id: int | None = None,
        *,
        message: str = "",
        warnings: tuple[str, ...] = (),
        retry_after: float | None = None,
    ) -> Outcome:
        """That record's outcome."""
        about = (self.kind, self.record_id, self.reference)
        return Outcome(*about, result, work_order_id, message, warnings, retry_after)

    def busy(self) -> Outcome:
        """Another process has the record; it is tried again soon."""
        wait = self.run.settings.waiting.busy_seconds
        return self.outcome(Result.BUSY, message="another process works on it", retry_after=wait)


@dataclass(frozen=True, slots=True)
class Back:
    """What became of one work order; ``did`` and ``warnings`` are words a person reads.

    ``retry_after``: seconds, for results of ``AGAIN`` where it is known.
    """

    work_order_id: int
    result: Result
    kind: RecordKind | None = None
    record_id: int | None = None
    status: str = ""
    did: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    message: str = ""
    retry_after: float | None = None
    messages: int | None = None
    """How many messages the work order has, answers not counted; None: not read."""

    @property
    def again(self) -> bool:
        """Whether it must be tried again soon."""
        return self.result in AGAIN

    def including(self, did: tuple[str, ...]) -> Back:
        """The same with what earlier tries did; then it counts as updated, not as unchanged."""
        result = Result.UPDATED if did and self.result is Result.UNCHANGED else self.result
        return replace(self, did=did, result=result)

    def __str__(self) -> str:
        words = (str(self.result), *self.did, self.message, *self.warnings)
        return f"Work order {self.work_order_id}: {'; '.join(each for each in words if each)}"


def memory_name(work_order_id: int) -> str:
    """The watermark under which the ledger remembers what was seen of a work order."""
    return f"work order {work_order_id}"


def talk_name(work_order_id: int) -> str:
    """The watermark under which the ledger remembers how many messages were there when notes were copied."""
    return f"messages of work order {work_order_id}"
