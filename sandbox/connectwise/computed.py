"""Computed members: what the server fills in from other members of a record.

A ticket's board, status, address and closedFlag; an agreement's status; a time entry's hours and what it is
charged to; who made a record and when; the notes that a new ticket brings. `read` gives a collection's stored
records, `now` the time in wire form, `by` an identifier.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from datetime import datetime

from sandbox.connectwise.defaults import (
    Read,
    Record,
    fill_communication,
    fill_from_board,
    fill_from_contact,
    fill_from_site,
    fill_references,
    fill_site,
    reference,
)
from sandbox.connectwise.errors import FieldError
from sandbox.connectwise.schema.boards import BOARD_STATUSES_NAME, BOARDS_NAME
from sandbox.connectwise.schema.company import CONTACTS_NAME
from sandbox.connectwise.schema.fields import Table
from sandbox.connectwise.schema.finance import ADDITIONS, AGREEMENTS_NAME
from sandbox.connectwise.schema.service import (
    PROJECT_NOTES,
    PROJECT_TICKETS_NAME,
    SERVICE_NOTES,
    SERVICE_TICKETS_NAME,
    TIME_ENTRIES,
)
from sandbox.connectwise.schema.system import CALLBACKS, PAYLOAD_VERSION

Now = Callable[[], str]

CHARGED = {"ServiceTicket": SERVICE_TICKETS_NAME, "ProjectTicket": PROJECT_TICKETS_NAME}
TICKET_NOTES = (SERVICE_NOTES.name, PROJECT_NOTES.name)
PLACES = ("detailDescriptionFlag", "internalAnalysisFlag", "resolutionFlag")
"""The members that say where a ticket's note is shown."""
# Members that say who and when, beside `_info`; set once.
AUTHORSHIP = ("createdBy", "dateCreated", "enteredBy", "dateEntered")
_SIGNED = frozenset({*TICKET_NOTES, TIME_ENTRIES.name})
_INITIAL = ("initialDescription", "initialInternalAnalysis", "initialResolution")


def compute(table: Table, record: Record, read: Read, now: Now, given: Collection[str] = ()) -> None:
    """Fill in what follows from the other members of a stored record; what is `given` stays as it is."""
    fill_references(table.name, record, read)
    if table.name == AGREEMENTS_NAME:
        if "agreementStatus" not in given:
            record["agreementStatus"] = _agreement_status(record, now())
    elif table.name in (SERVICE_TICKETS_NAME, PROJECT_TICKETS_NAME):
        _compute_ticket(table, record, read, now, given)
    elif table.name == TIME_ENTRIES.name:
        _compute_time_entry(record, read)
    elif table.name == ADDITIONS.name:
        quantity = float(record.get("quantity", 0)) - float(record.get("lessIncluded", 0))
        for name, unit in (("extPrice", "unitPrice"), ("extCost", "unitCost")):
            record[name] = max(quantity, 0.0) * float(record.get(unit, 0))
        record["margin"] = record["extPrice"] - record["extCost"]
    elif table.name == CONTACTS_NAME:
        fill_communication(record, read)
    elif table.name == CALLBACKS.name:
        record.setdefault("payloadVersion", PAYLOAD_VERSION)
        if record.get("objectId") == 0:
            record["objectId"] = 1  # As a real server answered.
    elif table.name in TICKET_NOTES:
        record["internalFlag"] = bool(record.get("internalAnalysisFlag"))
        record["externalFlag"] = bool(record.get("detailDescriptionFlag") or record.get("resolutionFlag"))


def _agreement_status(agreement: Record, now: str) -> str:
    """Computed by the vendor and read only; the rule is assumed from the words."""
    if agreement.get("cancelledFlag"):
        return "Cancelled"
    if not agreement.get("noEndingDateFlag") and agreement.get("endDate", now) < now:
        return "Expired"
    return "Inactive" if agreement.get("startDate", now) > now else "Active"


def _compute_ticket(table: Table, ticket: Record, read: Read, now: Now, given: Collection[str]) -> None:
    is_project = table.name == PROJECT_TICKETS_NAME
    if is_project:
        _take_from_phase(ticket, read)
    elif "recordType" not in given:
        ticket["recordType"] = "ServiceTicket"
    fill_site(ticket, read)
    fill_from_site(ticket, read)
    fill_from_contact(ticket, read)
    if "board" not in ticket:
        ticket.update(_default_board(read(BOARDS_NAME), is_project))
    fill_from_board(ticket, read, table.fields)
    if "closedFlag" not in given:
        _close(ticket, read(BOARD_STATUSES_NAME), now)


def _take_from_phase(ticket: Record, read: Read) -> None:
    """A project ticket belongs to its phase's project, and to that project's company."""
    phase = read("project/phases").get(ticket.get("phase", {}).get("id"), {})
    if "project" not in ticket and "project" in phase:
        ticket["project"] = {"id": phase["project"]["id"]}
    project = read("project/projects").get(ticket.get("project", {}).get("id"), {})
    if "company" not in ticket and "company" in project:
        ticket["company"] = {"id": project["company"]["id"]}


def _default_board(boards: dict[int, Record], is_project: bool) -> Record:
    """The first active board of the kind; which one the vendor takes is a setting there."""
    for board_id, board in boards.items():
        if not board.get("inactiveFlag") and bool(board.get("projectFlag")) is is_project:
            return {"board": reference(board_id)}
    return {}


def _close(ticket: Record, statuses: dict[int, Record], now: Now) -> None:
    """`closedFlag` follows the status' own flag, whatever its name says."""
    status = statuses.get(ticket.get("status", {}).get("id"), {})
    ticket["closedFlag"] = bool(status.get("closedStatus"))
    if not ticket["closedFlag"]:
        ticket.pop("closedDate", None)
    elif "closedDate" not in ticket:
        ticket["closedDate"] = now()


def _compute_time_entry(entry: Record, read: Read) -> None:
    """Fill in what follows from times and ticket: `actualHours` is ignored where there are start and end."""
    hours = _hours(entry)
    if hours is not None:
        entry["actualHours"] = hours
    if entry.get("chargeToId") is not None:
        entry.setdefault("chargeToType", "ServiceTicket")
    ticket = charged_ticket(entry, read)
    if ticket is None:
        return
    if entry["chargeToType"] == "ServiceTicket":
        entry["ticket"] = {"id": ticket["id"]}
    for name in ("company", "project", "phase"):
        if name in ticket:
            entry[name] = {"id": ticket[name]["id"]}


def charge_type(tickets: str) -> str:
    """The `chargeToType` of time entries for the tickets of a collection."""
    return next(kind for kind, collection in CHARGED.items() if collection == tickets)


def charged_ticket(entry: Record, read: Read) -> Record | None:
    """The ticket that the entry is charged to, None where it is charged to something else."""
    collection = CHARGED.get(entry.get("chargeToType", ""))
    return read(collection).get(entry.get("chargeToId", 0)) if collection else None


def charge_errors(table: Table, entry: Record, read: Read) -> list[FieldError]:
    """What is wrong with a time entry beside its members' own rules; empty for every other table."""
    found: list[FieldError] = []
    if table.name != TIME_ENTRIES.name:
        return found
    kind = entry.get("chargeToType", "")
    if kind in CHARGED and charged_ticket(entry, read) is None:
        message = f"{kind} {entry.get('chargeToId')} not found"
        found.append(FieldError("NotFound", message, "chargeToId"))
    if (_hours(entry) or 0) < 0:
        found.append(FieldError("InvalidField", "timeEnd must be later than timeStart.", "timeEnd"))
    return found


def _hours(entry: Record) -> float | None:
    """Hours between start and end, less the deduction; None where one is missing or can't be read."""
    try:
        start, end = (datetime.fromisoformat(entry[name]) for name in ("timeStart", "timeEnd"))
        return round((end - start).total_seconds() / 3600 - float(entry.get("hoursDeduct", 0)), 2)
    except (KeyError, TypeError, ValueError):
        return None


def fill_authorship(table: Table, record: Record, read: Read, now: str, by: str) -> None:
    """Fill in who made a stored record and when; what is there stays. A contact's note has no member."""
    info = record.get("_info", {})
    stamps = {"createdBy": by, "enteredBy": by, "dateCreated": info.get("lastUpdated", now)}
    stamps["dateEntered"] = info.get("lastUpdated", now)
    for name, value in stamps.items():
        if name in table.fields and not table.fields[name].settable:
            record.setdefault(name, value)
    signs = table.name in _SIGNED and "member" not in record and "contact" not in record
    if not signs and (table.name != "system/callbacks" or "memberId" in record):
        return
    members = read("system/members").items()
    found = next((number for number, one in members if one.get("identifier") == by), None)
    if found is not None:
        record |= {"member": {"id": found}} if signs else {"memberId": found}


def initial_notes(table: Table, members: Record, ticket: Record) -> Iterator[Record]:
    """The notes that a ticket's `initial` members become: they are never shown as members again."""
    entered = ticket.get("_info", {}).get("dateEntered")
    for name, flag in zip(_INITIAL, PLACES, strict=True):
        if members.get(name) and name in table.fields:
            note: Record = {"ticketId": ticket["id"], "text": members[name], flag: True}
            yield note | ({"_info": {"lastUpdated": entered}} if entered else {})
