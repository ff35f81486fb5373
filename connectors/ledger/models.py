"""What goes into the ledger's tables and comes out of them, as plain dataclasses. All times are UTC."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, Literal, TypeVar

Operation = Literal["create", "modify", "change_type", "create_reference", "delete"]
JournalOutcome = Literal["done", "failed", "unclear", "not_sent"]


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
    """The outcome of a write. ``record_id`` is the created record's id; None leaves the noted id alone."""

    write_id: int
    outcome: JournalOutcome
    record_id: int | None = None
    message: str | None = None


@dataclass(frozen=True, slots=True)
class JournalledWrite:
    """A row of the journal. ``outcome`` None: begun, and the run was killed around it.

    ``connection`` is the name of the block, ``tenant`` the system it led to; None in rows of older versions.
    """

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
    outcome: JournalOutcome | None
    message: str | None
    tenant: str | None = None


@dataclass(frozen=True, slots=True)
class OpenBatch:
    """A bulk creation in flight; what it made lies above ``highest_id``, the highest known then.

    ``tenant`` None: an older version noted it, under the name of a block.
    """

    id: int
    run_id: str
    asset_keys: list[str]
    highest_id: int
    sent_at: datetime
    tenant: str | None = None


@dataclass(frozen=True, slots=True)
class KnownAmount:
    """How many records the last whole reading gave, and when that was."""

    number: int
    read_at: datetime


@dataclass(frozen=True, slots=True)
class KnownLink:
    """The configuration that carries an asset's key, and the company it belonged to."""

    asset_key: str
    company_id: int
    configuration_id: int


@dataclass(frozen=True, slots=True)
class MergeBase:
    """What an asset and its configuration agreed on last: ``agreed`` is JSON text, opaque to the ledger."""

    configuration_id: int
    agreed: str


@dataclass(frozen=True, slots=True)
class FieldWrite:
    """A write to a configuration's fields that may have changed what both sides agree on.

    ``is_done`` False: whether it was done is not known. ``before`` and ``after`` are as in the journal.
    """

    asset_key: str
    configuration_id: int
    before: dict[str, Any]
    after: dict[str, Any]
    is_done: bool


@dataclass(frozen=True, slots=True)
class MissingAsset:
    """The asset of a configuration that whole readings of Lansweeper missed, first and last, and how many."""

    configuration_id: int
    first: datetime
    last: datetime
    readings: int


@dataclass(frozen=True, slots=True)
class MatchDecision:
    """What a person decided on a match; ``configuration_id`` is 0 for an asset that is ignored.

    ``kind``: link, never or ignore. The names are those of the time of the decision, for people.
    """

    kind: str
    asset_key: str
    configuration_id: int
    asset_name: str = ""
    configuration_name: str = ""
    run_id: str = ""
    decided_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class HeldRecord:
    """A record that was refused, with marks of what it was refused with: it is held while they are the same.

    Attributes:
        key: the record within its feature and company: an asset's key, or kind and number.
        step: what was refused of it, such as ``create``.
        record_id: its number at the vendor, where it has one.
        payload: fingerprint of what was sent; "" where nothing was.
        version: what changes with the record, such as its ``lastUpdated``.
        rules: fingerprint of the rules by which it was made.
        since: when it was refused first without a success in between; None: now.
    """

    key: str
    step: str
    name: str
    record_id: int | None
    payload: str
    version: str
    rules: str
    reason: str
    run_id: str = ""
    since: datetime | None = None
    last: datetime | None = None
    attempts: int = 1


@dataclass(frozen=True, slots=True)
class TicketLink:
    """What a ticket ("service" or "project") held when it had this ``lastUpdated``, the vendor's own text."""

    kind: str
    ticket_id: int
    last_updated: str
    configuration_ids: tuple[int, ...]


IntentState = Literal["intent", "sent", "created", "refused", "unresolved", "cancelled"]
"""``intent``: not sent yet. ``sent``: the creation was begun, its outcome is not noted. ``created``: the work
order is known. ``refused``: the vendor said no. ``unresolved``: sent, and nothing was found afterwards.
``cancelled``: this generation's work order is no longer alive, so that another may follow."""
InboxState = Literal["waiting", "done", "failed"]
"""``waiting``: to be acted on, held ones included. ``done``: acknowledged. ``failed``: given up for good."""
EffectState = Literal["intent", "sent", "done", "refused", "unresolved"]
Origin = Literal["connectwise", "field_nation"]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Claimed(Generic[T]):
    """A row after an attempt to claim it. Not ``ours``: it is done, or another process holds it."""

    row: T
    ours: bool


@dataclass(frozen=True, slots=True)
class Intent:
    """A creation intent: one work order for one record; ``attempts`` counts the creations that were begun."""

    id: int
    tenant: str
    record_kind: str
    record_id: int
    generation: int
    reference: str
    state: IntentState
    work_order_id: int | None
    attempts: int
    created_at: datetime
    sent_at: datetime | None
    changed_at: datetime
    message: str | None


@dataclass(frozen=True, slots=True)
class LinkEnd:
    """One end of a link: a record by its kind, such as "connectwise/service", and its id as text."""

    kind: str
    id: str


@dataclass(frozen=True, slots=True)
class RecordLink:
    """Two records of two systems that belong together. ``details`` is the caller's, such as what was sent."""

    id: int
    left: LinkEnd
    right: LinkEnd
    details: dict[str, Any]
    created_at: datetime
    changed_at: datetime


@dataclass(frozen=True, slots=True)
class InboxMessage:
    """A message that came in. ``attempts`` counts how often it was claimed, this time included."""

    id: int
    source: str
    message_id: str
    body: dict[str, Any]
    attempts: int
    received_at: datetime


@dataclass(frozen=True, slots=True)
class SyncedNote:
    """A note and its copy on the other side; ``copy_id`` None: the copy is not known to exist."""

    id: int
    work_order_id: int
    origin: Origin
    origin_id: str
    copy_id: str | None
    state: EffectState
    attempts: int
    sent_at: datetime | None
    message: str | None


@dataclass(frozen=True, slots=True)
class Effect:
    """A side effect of a work order, done once, by name; ``result_id`` is what it made, if known."""

    id: int
    work_order_id: int
    name: str
    result_id: str | None
    state: EffectState
    attempts: int
    sent_at: datetime | None
    message: str | None


@dataclass(frozen=True, slots=True)
class PlanHead:
    """What a plan that is about to be stored was made of and holds, without its entries.

    ``settings`` are those of the run that made it, ``counts`` its outcomes by name, ``details`` what else a
    person wants to know of the whole. ``checksum`` stands for everything that would be written; empty: it is
    made of the entries.
    """

    feature: str
    tenant: str
    company_id: int
    company: str
    run_id: str
    checksum: str
    settings: dict[str, Any]
    counts: dict[str, int]
    details: dict[str, Any]


@dataclass(frozen=True, slots=True)
class StoredPlan:
    """A plan that the ledger keeps until ``expires_at``. ``entries`` is their number.

    ``applied_by`` is the run that wrote all of it, ``begun_by`` the last one that began to.
    """

    id: str
    head: PlanHead
    entries: int
    made_at: datetime
    expires_at: datetime
    begun_by: str = ""
    applied_at: datetime | None = None
    applied_by: str = ""
