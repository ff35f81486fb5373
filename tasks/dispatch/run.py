"""What dispatch works with: rules, open connections, the ledger; and what became of one record."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

import anyio

from connectors.connectwise.client import ConnectWiseClient
from connectors.connectwise.site import RecordType, record_address
from connectors.field_nation.client import FieldNationClient
from connectors.ledger.store import Ledger
from tasks.dispatch.related_cache import RelatedCache
from tasks.dispatch.settings import DispatchSettings
from tasks.rules.dispatch_reference import RecordKind, reference_of

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
