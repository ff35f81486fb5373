"""What goes into the ledger and comes out of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

Operation = Literal["create", "modify", "change_type", "create_reference", "delete"]
Outcome = Literal["done", "failed", "unclear", "not_sent"]


@dataclass(frozen=True, slots=True)
class WriteEntry:
    """A write that is about to be sent. ``before`` and ``after`` hold the fields that change."""

    operation: Operation
    record_kind: str
    record_id: int | None
    asset_key: str | None
    record_name: str
    before: dict[str, Any] | None
    after: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class WriteOutcome:
    """What became of a write. ``record_id`` is the created record's id; None leaves the noted id alone."""

    write_id: int
    outcome: Outcome
    record_id: int | None = None
    message: str | None = None


@dataclass(frozen=True, slots=True)
class JournalledWrite:
    """A row of the journal. ``outcome`` None: begun and never settled, so the run was killed around it."""

    id: int
    run_id: str
    connection: str
    company_id: int
    operation: Operation
    record_kind: str
    record_id: int | None
    asset_key: str | None
    record_name: str
    before: dict[str, Any] | None
    after: dict[str, Any] | None
    begun_at: datetime
    settled_at: datetime | None
    outcome: Outcome | None
    message: str | None


@dataclass(frozen=True, slots=True)
class RunSummary:
    """One run in the journal. ``outcomes`` counts its writes by outcome; "open" are those never settled."""

    run_id: str
    connection: str
    company_id: int
    first_write_at: datetime
    last_write_at: datetime
    writes: int
    outcomes: dict[str, int]


@dataclass(frozen=True, slots=True)
class OpenBatch:
    """A bulk creation that was sent, or about to be, and whose outcome nobody has noted yet.

    ``highest_id`` is the highest configuration id known when it was sent: what the batch made lies above it.
    """

    id: int
    run_id: str
    asset_keys: list[str]
    highest_id: int
    sent_at: datetime


@dataclass(frozen=True, slots=True)
class TicketLink:
    """Which configurations a ticket held when it was asked, and the ticket's ``lastUpdated`` at that time.

    ``kind`` is "service" or "project"; ``last_updated`` is the vendor's own text, compared as it is.
    """

    kind: str
    ticket_id: int
    last_updated: str
    configuration_ids: tuple[int, ...]
