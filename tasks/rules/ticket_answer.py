"""Tickets of configurations in the shape of the action List Tickets for Configurations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tasks.rules.agreement_answer import link_value
from tasks.rules.field_mappings import LINK_CAPTION

Record = Mapping[str, Any]


def ticket_answer(configuration: Record, tickets: Sequence[Record]) -> dict[str, Any]:
    """One configuration of the answer, members and their order as on the connector page."""
    return {
        "id": configuration.get("id"),
        "name": configuration.get("name"),
        "customFields": {LINK_CAPTION: link_value(configuration)},
        "tickets": [shown_ticket(each) for each in tickets],
        "ticketsInfo": totals(tickets),
    }


def shown_ticket(ticket: Record) -> dict[str, Any]:
    """A ticket as the page's sample has it."""
    status = ticket.get("status") or {}
    return {
        "id": ticket.get("id"),
        "summary": ticket.get("summary"),
        "recordType": ticket.get("recordType"),
        "status": {
            "id": status.get("id"),
            "name": status.get("name"),
            # Large in the page's sample, small in the vendor's description of the API.
            "Sort": status.get("Sort", status.get("sort")),
            "_info": {"status_href": (status.get("_info") or {}).get("status_href")},
        },
        "closedFlag": bool(ticket.get("closedFlag")),
    }


def totals(tickets: Sequence[Record]) -> dict[str, int]:
    """By ``closedFlag`` alone: a status named Closed need not close a ticket."""
    closed = sum(bool(each.get("closedFlag")) for each in tickets)
    return {"totalTickets": len(tickets), "openTickets": len(tickets) - closed, "closedTickets": closed}
