"""Fetches a record with what its mapping needs of its surroundings, in as few requests as that takes.

Reads how a work order stands: its status, who has it, and as much as its refusals may depend on.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from connectors.connectwise.client import ConnectWiseClient
from connectors.connectwise.models import TicketKind
from connectors.errors import RejectedError
from connectors.field_nation.models import Status, status_of
from tasks.dispatch.run import DispatchRun, Record
from tasks.rules.dispatch.reference import RecordKind
from tasks.rules.dispatch.sources import description_of, dispatch_source, reads_description, related_needed

_TICKETS: dict[RecordKind, TicketKind] = {
    RecordKind.SERVICE_TICKET: "service",
    RecordKind.PROJECT_TICKET: "project",
}
DESCRIPTIONS = "detailDescriptionFlag = True"


@dataclass(frozen=True, slots=True)
class Source:
    """A record as fetched, and the document that triggers and mappings read; ``record`` None: it is gone."""

    kind: RecordKind
    record_id: int
    record: Record | None
    document: dict[str, Any]


def ticket_kind(kind: RecordKind) -> TicketKind | None:
    """The collection of a ticket's kind; None for an opportunity."""
    return _TICKETS.get(kind)


async def read_record(client: ConnectWiseClient, kind: RecordKind, record_id: int) -> Record | None:
    """The whole record; None if there is none of that id."""
    tickets = ticket_kind(kind)
    try:
        if tickets is None:
            return await client.opportunities.get(record_id)
        return await client.tickets(tickets).get(record_id)
    except RejectedError as error:
        if error.status == 404:
            return None
        raise


async def read_source(
    run: DispatchRun, kind: RecordKind, record_id: int, record: Record | None = None
) -> Source:
    """The record with its triggers' members; related records are not fetched yet. One request at most."""
    found = record if record is not None else await read_record(run.client, kind, record_id)
    if found is None:
        return Source(kind, record_id, None, {})
    return Source(kind, record_id, found, _document(run, kind, found, {}, ""))


async def with_related(run: DispatchRun, source: Source) -> Source:
    """The same with its description note and the related records that the inbound mapping reads."""
    if source.record is None:
        return source
    lines = run.settings.mappings_of(source.kind).inbound
    description = await _description(run, source) if reads_description(lines, source.document) else ""
    related: dict[str, Record | None] = {}
    document = _document(run, source.kind, source.record, related, description)
    while needed := related_needed(lines, document, related):
        for name in needed:
            related[name] = await _related(run, source.record, name)
        document = _document(run, source.kind, source.record, related, description)
    return Source(source.kind, source.record_id, source.record, document)


def _document(
    run: DispatchRun,
    kind: RecordKind,
    record: Record,
    related: Mapping[str, Record | None],
    description: str,
) -> dict[str, Any]:
    document = dispatch_source(
        kind,
        record,
        description=description,
        company=related.get("company"),
        contact=related.get("contact"),
        site=related.get("site"),
        board=related.get("board"),
        member=related.get("member"),
    )
    return {**document, "reference": run.reference(kind, int(record["id"]))}


async def _description(run: DispatchRun, source: Source) -> str:
    """The oldest description note: ``initialDescription`` never comes back on a read."""
    tickets = ticket_kind(source.kind)
    if tickets is None:
        return ""
    notes = await run.client.ticket_notes(tickets, source.record_id).list(
        DESCRIPTIONS, page=1, page_size=1, order_by="id asc"
    )
    return description_of(notes)


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
        try:
            if name == "site":
                return await client.sites(company or 0).get(number)
            calls = {
                "company": client.companies.get,
                "contact": client.contacts.get,
                "board": client.boards.get,
                "member": client.members.get,
            }
            return await calls[name](number)
        except RejectedError as error:
            if error.status == 404:
                return None
            raise

    found: Record | None = await run.related.get((name, company if name == "site" else 0, number), fetch)
    return found


def _id(reference: Any) -> int | None:
    number = reference.get("id") if isinstance(reference, Mapping) else None
    return number if isinstance(number, int) else None


SHOWN = (
    "status,assignee,title,description,confidential,types_of_work,service_types,template,client,project,"
    "manager,location,schedule,pay,contacts,custom_fields,problems"
)
"""Sections whose change may undo a refusal. Messages and time logs come by themselves, so they are none."""


async def read_work_order(
    run: DispatchRun, number: int, *, columns: str = "status,assignee"
) -> Record | None:
    """Sections of a work order, its status and provider if not told otherwise; None if it does not exist any
    more.

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


def standing_of(work_order: Record | None) -> tuple[Status, bool]:
    """Its status, Deleted for one that does not exist, and whether a provider has it."""
    if work_order is None:
        return Status.DELETED, False
    user = (work_order.get("assignee") or {}).get("user") or {}
    return status_of(work_order), bool(user.get("id"))
