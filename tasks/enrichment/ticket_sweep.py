"""Reads all tickets of a company, of both kinds: a request for each 1,000, whatever else is remembered."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from typing import Any

from connectors.connectwise.conditions import equals
from tasks.enrichment.link_search import LinkSearch
from tasks.progress import Progress
from tasks.rules.ticket_changes import TicketKey
from tasks.rules.ways import KINDS, Kind
from tasks.synchronization.patience import patiently

FIELDS: dict[Kind, str] = {
    "service": "id,summary,recordType,status,closedFlag,_info/lastUpdated",
    # The vendor's spec gives project tickets no recordType, but the flag that tells issues apart.
    "project": "id,summary,isIssueFlag,status,closedFlag,_info/lastUpdated",
}
Ticket = dict[str, Any]


class Sweep:
    """The tickets as they were at ``at``: shown records and ``lastUpdated``, both by kind and id.

    ``at`` is ConnectWise's own time, as ``lastUpdated`` is: by a clock that is ahead, a ticket that changed
    in this very second would be old.
    """

    def __init__(self, at: datetime | None = None) -> None:
        self.at = at or datetime.now(UTC)
        self.tickets: dict[TicketKey, Ticket] = {}
        self.stamps: dict[TicketKey, str] = {}

    def add(self, kind: Kind, record: dict[str, Any]) -> None:
        # Both kinds share one sequence of ids; a server that lists project tickets with the service tickets
        # gives them twice.
        record_type = str(record.get("recordType") or "")
        if kind == "service" and record_type.startswith("Project"):
            return
        key = (kind, int(record["id"]))
        self.tickets[key] = shown(kind, record)
        self.stamps[key] = str((record.get("_info") or {}).get("lastUpdated") or "")


async def sweep_tickets(search: LinkSearch) -> Sweep:
    """Every ticket of the company."""
    sweep = Sweep(search.client.session.clock.now())
    for kind in KINDS:
        for record in await patiently(partial(_read, search, kind), search.waiting):
            sweep.add(kind, record)
    return sweep


async def _read(search: LinkSearch, kind: Kind) -> list[dict[str, Any]]:
    records: list[dict[str, Any]] = []
    progress = Progress(f"{kind} tickets read")
    conditions = equals("company/id", search.company_id)
    async for page in search.client.tickets_pages(kind, conditions, fields=FIELDS[kind]):
        records.extend(page)
        progress.advance(len(page))
    return records


def shown(kind: Kind, record: dict[str, Any]) -> Ticket:
    """A ticket as the action List Tickets for Configurations shows it."""
    project = "ProjectIssue" if record.get("isIssueFlag") else "ProjectTicket"
    return {
        "id": int(record["id"]),
        "summary": record.get("summary"),
        "recordType": record.get("recordType") or ("ServiceTicket" if kind == "service" else project),
        "status": record.get("status"),
        "closedFlag": bool(record.get("closedFlag")),
    }
