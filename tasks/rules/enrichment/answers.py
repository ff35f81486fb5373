"""Agreements and tickets of configurations in the shape of the two documented list actions.

List Agreements for Configurations and List Tickets for Configurations: members and their order as on the
connector page.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from tasks.rules.mapping.model import LINK_CAPTION
from tasks.rules.values import FIRST_DAY, folded

Record = Mapping[str, Any]
ACTIVE = "active"


def agreement_answer(configuration: Record, agreements: Sequence[Record]) -> dict[str, Any]:
    """One configuration of the answer, members and their order as on the connector page.

    Args:
        agreements: as ``shown_agreement`` gives them, in the order of ``in_order``.
    """
    return {
        **_head(configuration),
        "sla": sla_of(configuration, agreements),
        "agreements": [{name: value for name, value in each.items() if name != "sla"} for each in agreements],
    }


def _head(configuration: Record) -> dict[str, Any]:
    return {
        "id": configuration.get("id"),
        "name": configuration.get("name"),
        "customFields": {LINK_CAPTION: link_value(configuration)},
    }


def object_members(value: Any) -> Record:
    """An object's members; none for anything else that a vendor may send in its place."""
    return value if isinstance(value, Mapping) else {}


def link_value(configuration: Record) -> Any:
    """The configuration's ``ls_asset_id``, None where the field has no value or is not there."""
    fields = configuration.get("customFields")
    for each in map(object_members, fields if isinstance(fields, list) else ()):
        if folded(str(each.get("caption") or "")) == LINK_CAPTION:
            return each.get("value")
    return None


def sla_of(configuration: Record, agreements: Iterable[Record]) -> Any:
    """The configuration's own SLA reference, else that of its first agreement that has one, else None."""
    given = (configuration.get("sla"), *(each.get("sla") for each in agreements))
    return next((each for each in given if each), None)


def shown_agreement(record: Record) -> dict[str, Any]:
    """An agreement as the page's sample has it, and its ``sla`` beside; dates as DD/MM/YYYY."""
    kind = object_members(record.get("type"))
    return {
        "id": record["id"],
        "name": record.get("name"),
        "startDate": shown_day(record.get("startDate")),
        "endDate": None if record.get("noEndingDateFlag") else shown_day(record.get("endDate")),
        "agreementStatus": record.get("agreementStatus"),
        "type": {
            "id": kind.get("id"),
            "name": kind.get("name"),
            "_info": {"type_href": object_members(kind.get("_info")).get("type_href")},
        },
        "sla": record.get("sla"),
    }


def shown_day(moment: Any) -> str | None:
    """The day of a vendor's moment, which is midnight UTC for dates, as DD/MM/YYYY."""
    day = read_day(moment)
    return None if day is None else f"{day:%d/%m/}{day.year:04d}"


def read_day(value: Any) -> date | None:
    """The day of an ISO date or time, or of DD/MM/YYYY as ``shown_day`` writes it; None for anything else.

    None for a null date, too, and for the zero of some clock: no agreement is from before ``FIRST_DAY``.
    """
    text = str(value).strip()
    for read in (datetime.fromisoformat, _read_shown):
        try:
            day = read(text).date()
        except ValueError:
            continue
        return None if day < FIRST_DAY else day
    return None


def _read_shown(text: str) -> datetime:
    return datetime.strptime(text[:10], "%d/%m/%Y")


def agreement_rank(agreement: Record) -> tuple[bool, int, int]:
    """Sorts agreements, the vendor's and shown ones: active first, then those that began last, then by id."""
    active = folded(str(agreement.get("agreementStatus") or "")) == ACTIVE
    return (not active, -(read_day(agreement.get("startDate")) or date.min).toordinal(), int(agreement["id"]))


def in_order(records: Iterable[Record]) -> list[Record]:
    """The agreements by ``agreement_rank``."""
    return sorted(records, key=agreement_rank)


def ticket_answer(configuration: Record, tickets: Sequence[Record]) -> dict[str, Any]:
    """One configuration of the answer, members and their order as on the connector page."""
    return {
        **_head(configuration),
        "tickets": [shown_ticket(each) for each in tickets],
        "ticketsInfo": totals(tickets),
    }


def shown_ticket(ticket: Record) -> dict[str, Any]:
    """A ticket as the page's sample has it."""
    status = object_members(ticket.get("status"))
    return {
        "id": ticket.get("id"),
        "summary": ticket.get("summary"),
        "recordType": ticket.get("recordType"),
        "status": {
            "id": status.get("id"),
            "name": status.get("name"),
            # Large in the page's sample, small in the vendor's description of the API.
            "Sort": status.get("Sort", status.get("sort")),
            "_info": {"status_href": object_members(status.get("_info")).get("status_href")},
        },
        "closedFlag": bool(ticket.get("closedFlag")),
    }


def totals(tickets: Sequence[Record]) -> dict[str, int]:
    """By ``closedFlag`` alone: a status named Closed need not close a ticket."""
    closed = sum(bool(each.get("closedFlag")) for each in tickets)
    return {"totalTickets": len(tickets), "openTickets": len(tickets) - closed, "closedTickets": closed}
