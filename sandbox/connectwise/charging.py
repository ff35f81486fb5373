"""Time entries and the tickets that they are charged to: hours, what follows, what is refused."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from sandbox.connectwise.errors import FieldFault
from sandbox.connectwise.fields import Table
from sandbox.connectwise.ticket_tables import PROJECT_TICKETS_NAME, SERVICE_TICKETS_NAME
from sandbox.connectwise.time_tables import TIME_ENTRIES

Record = dict[str, Any]
Read = Callable[[str], dict[int, Record]]

CHARGED = {"ServiceTicket": SERVICE_TICKETS_NAME, "ProjectTicket": PROJECT_TICKETS_NAME}


def settle_time(entry: Record, read: Read) -> None:
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


def charged_ticket(entry: Record, read: Read) -> Record | None:
    """The ticket that the entry is charged to, None where it is charged to something else."""
    collection = CHARGED.get(entry.get("chargeToType", ""))
    return read(collection).get(entry.get("chargeToId", 0)) if collection else None


def charge_faults(table: Table, entry: Record, read: Read) -> list[FieldFault]:
    """What is wrong with a time entry beside its members' own rules; empty for every other table."""
    found: list[FieldFault] = []
    if table.name != TIME_ENTRIES.name:
        return found
    kind = entry.get("chargeToType", "")
    if kind in CHARGED and charged_ticket(entry, read) is None:
        message = f"{kind} {entry.get('chargeToId')} not found"
        found.append(FieldFault("NotFound", message, "chargeToId"))
    if (_hours(entry) or 0) < 0:
        found.append(FieldFault("InvalidField", "timeEnd must be later than timeStart.", "timeEnd"))
    return found


def _hours(entry: Record) -> float | None:
    """Hours between start and end, less the deduction; None where one is missing or can't be read."""
    try:
        start, end = (datetime.fromisoformat(entry[name]) for name in ("timeStart", "timeEnd"))
        return round((end - start).total_seconds() / 3600 - float(entry.get("hoursDeduct", 0)), 2)
    except (KeyError, TypeError, ValueError):
        return None
