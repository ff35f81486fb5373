"""Fetches a record with what its mapping needs, in as few requests as that takes, and reads its work order.

``record_facts`` says what a fetched record means for its dispatch, compared with what is remembered of it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from connectors.connectwise.client import ConnectWiseClient
from connectors.connectwise.collection import Collection
from connectors.connectwise.models import TicketKind
from connectors.errors import RejectedError
from connectors.field_nation.models import Status, status_of
from connectors.shapes import LARGEST_NUMBER
from tasks.dispatch.run import DispatchRun, Record
from tasks.rules.dispatch.decision import RecordFacts
from tasks.rules.dispatch.paths import is_nothing, objects_of, read_path
from tasks.rules.dispatch.reference import RecordKind
from tasks.rules.dispatch.result import RecordRef
from tasks.rules.dispatch.sources import description_of, dispatch_source, reads_description, related_needed
from tasks.rules.dispatch.triggers import RecordChange, RecordMemory, Seen, is_closed, observe, triggers_mark
from tasks.rules.quarantine import fingerprint
from tasks.rules.values import folded

_TICKETS: dict[RecordKind, TicketKind] = {
    RecordKind.SERVICE_TICKET: "service",
    RecordKind.PROJECT_TICKET: "project",
}
T = TypeVar("T")
DESCRIPTIONS = "detailDescriptionFlag = True"


@dataclass(frozen=True, slots=True)
class FetchedRecord:
    """A record as fetched, and the document that triggers and mappings read; ``record`` None: it is gone."""

    ref: RecordRef
    record: Record | None
    document: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Override:
    """What a person asks for beyond the rules.

    Attributes:
        outside_trigger: make a work order though the record is in no trigger.
        retry_creation: an unresolved creation made nothing, so it may be made once more now.
    """

    outside_trigger: bool = False
    retry_creation: bool = False


NO_OVERRIDE = Override()


def ticket_kind(kind: RecordKind) -> TicketKind | None:
    """The collection of a ticket's kind; None for an opportunity."""
    return _TICKETS.get(kind)


def records_of(client: ConnectWiseClient, kind: RecordKind) -> Collection:
    """The tickets or opportunities of a kind."""
    tickets = ticket_kind(kind)
    return client.opportunities if tickets is None else client.tickets(tickets)


def notes_of(client: ConnectWiseClient, ref: RecordRef) -> Collection:
    """The notes of a ticket or opportunity."""
    tickets = ticket_kind(ref.kind)
    return client.opportunity_notes(ref.id) if tickets is None else client.ticket_notes(tickets, ref.id)


async def or_none(request: Awaitable[T]) -> T | None:
    """The answer; None where the vendor has no such record (404)."""
    try:
        return await request
    except RejectedError as error:
        if error.status == 404:
            return None
        raise


async def read_record(client: ConnectWiseClient, kind: RecordKind, record_id: int) -> Record | None:
    """Reads the whole record; None if there is none of that id. One request."""
    return await or_none(records_of(client, kind).get(record_id))


async def fetch_record(run: DispatchRun, ref: RecordRef, record: Record | None = None) -> FetchedRecord:
    """Fetches the record with its triggers' members, without related records. One request at most.

    Args:
        record: the whole record if the caller has just read it.
    """
    found = record if record is not None else await read_record(run.client, ref.kind, ref.id)
    return FetchedRecord(ref, found, {} if found is None else _document(ref, found, {}, ""))


async def with_related(run: DispatchRun, fetched: FetchedRecord) -> FetchedRecord:
    """Adds the description note and the related records that the inbound mapping reads.

    A request each, none for those that the cache of the run has.
    """
    ref, record = fetched.ref, fetched.record
    if record is None:
        return fetched
    lines = run.settings.mappings_of(ref.kind).inbound
    description = await _description(run, ref) if reads_description(lines, fetched.document) else ""
    related: dict[str, Record | None] = {}
    document = _document(ref, record, related, description)
    while needed := related_needed(lines, document, related):
        for name in needed:
            related[name] = await _related(run, record, name)
        document = _document(ref, record, related, description)
    return FetchedRecord(ref, record, document)


def observe_record(
    run: DispatchRun, fetched: FetchedRecord, memory: RecordMemory | None
) -> tuple[RecordChange, Seen]:
    """Compares a fetched record with what is remembered of it: its change, and what to remember now.

    Args:
        memory: None where nothing is known of it yet.
    """
    before = memory.seen if memory is not None else None
    if fetched.record is None:
        # Not found also means that the API member may not see it for a while: it has not left its trigger, or
        # it would enter it once more when it is seen again, and get a second work order.
        known = before or Seen()
        return RecordChange.CLOSED if known.inside else RecordChange.OUTSIDE, known
    change, seen = observe(run.settings.triggers, fetched.ref.kind, fetched.document, before)
    if change is RecordChange.STAYED and memory is not None and memory.cancelling:
        return RecordChange.ENTERED, replace(seen, entries=seen.entries + 1)
    return change, seen


def cancels_on_leave(run: DispatchRun, kind: RecordKind, memory: RecordMemory) -> bool:
    """Whether leaving cancels: not where the triggers were changed, since then the record did not move."""
    mark = triggers_mark(run.settings.triggers, kind)
    return run.settings.on_leave == "cancel" and memory.triggers in ("", mark)


def is_wanted(fetched: FetchedRecord, seen: Seen, override: Override = NO_OVERRIDE) -> bool:
    """Whether the record wants a work order: it is there, and is in a trigger or asked for."""
    return fetched.record is not None and (seen.inside or override.outside_trigger)


def record_facts(
    run: DispatchRun,
    memory: RecordMemory,
    fetched: FetchedRecord,
    change: RecordChange,
    seen: Seen,
    override: Override = NO_OVERRIDE,
) -> RecordFacts:
    """The facts of a fetched record that a decision takes."""
    gone = fetched.record is None
    closed = not gone and is_closed(fetched.document)
    status = folded(str(read_path(fetched.document, "status.name") or ""))
    return RecordFacts(
        change,
        inside=is_wanted(fetched, seen, override),
        closed=closed,
        newly_closed=(closed or gone) and not memory.closed,
        gone=gone,
        merged=not is_nothing(fetched.document.get("mergedParentTicket")),
        own_status=status in run.settings.own_statuses(),
        asked=override.outside_trigger,
    )


def _document(
    ref: RecordRef, record: Record, related: Mapping[str, Record | None], description: str
) -> dict[str, Any]:
    document = dispatch_source(
        ref.kind,
        record,
        description=description,
        company=related.get("company"),
        contact=related.get("contact"),
        site=related.get("site"),
        board=related.get("board"),
        member=related.get("member"),
    )
    return {**document, "reference": ref.reference}


async def _description(run: DispatchRun, ref: RecordRef) -> str:
    """The oldest description note: ``initialDescription`` never comes back on a read."""
    if ref.kind is RecordKind.OPPORTUNITY:
        return ""
    notes = notes_of(run.client, ref)
    return description_of(await notes.list(DESCRIPTIONS, page=1, page_size=1, order_by="id asc"))


async def _related(run: DispatchRun, record: Record, name: str) -> Record | None:
    """A related record, from the cache if it is young; None if it is gone or there is none."""
    number = _id(
        record.get("owner") or record.get("primarySalesRep") if name == "member" else record.get(name)
    )
    company = _id(record.get("company"))
    if number is None or (name == "site" and company is None):
        return None
    client = run.client

    async def fetch() -> Record | None:
        collections = {
            "company": client.companies,
            "contact": client.contacts,
            "site": client.sites(company or 0),
            "board": client.boards,
            "member": client.members,
        }
        return await or_none(collections[name].get(number))

    found: Record | None = await run.related.get((name, company if name == "site" else 0, number), fetch)
    return found


def _id(reference: Any) -> int | None:
    """The id of a reference; None for a number that no record has, which is not asked about."""
    number = reference.get("id") if isinstance(reference, Mapping) else None
    if not isinstance(number, int) or isinstance(number, bool):
        return None
    return number if 0 < number <= LARGEST_NUMBER else None


SHOWN = (
    "status,assignee,title,description,confidential,types_of_work,service_types,template,client,project,"
    "manager,location,schedule,pay,contacts,custom_fields,problems"
)
"""Sections whose change may undo a refusal. Messages and time logs come by themselves, so they are none."""


async def read_work_order(
    run: DispatchRun, number: int, *, columns: str = "status,assignee"
) -> Record | None:
    """Reads sections of a work order; None if it does not exist any more. One request.

    401 tells of one that does not exist and of one that we may not see; the latter lives, so it is taken for
    one in a status that is not known.
    """
    try:
        return await run.field_nation.get_work_order(number, columns=columns)
    except RejectedError as error:
        if error.status == 401:
            return {}
        if error.status == 404:
            return None
        raise


def custom_fields_called(record: Mapping[str, Any], caption: str) -> list[Record]:
    """The custom fields of that caption, in whatever case and normal form it is written."""
    wanted = folded(caption)
    fields = objects_of(record.get("customFields"))
    return [dict(each) for each in fields if folded(str(each.get("caption") or "")) == wanted]


def status_and_assigned(work_order: Record | None) -> tuple[Status, bool]:
    """The status of a work order, Deleted for one that does not exist, and whether a provider has it."""
    if work_order is None:
        return Status.DELETED, False
    assignee = work_order.get("assignee")
    user = assignee.get("user") if isinstance(assignee, Mapping) else None
    return status_of(work_order), isinstance(user, Mapping) and bool(user.get("id"))


def order_mark(work_order: Record | None) -> str:
    """A fingerprint of what a person may change of a work order; of one that was read with ``SHOWN``."""
    return fingerprint({name: (work_order or {}).get(name) for name in SHOWN.split(",")})
