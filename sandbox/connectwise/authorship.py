"""Who made a record and when, where the record has members for it; and the notes that a new ticket brings."""

from collections.abc import Callable, Iterator
from typing import Any

from sandbox.connectwise.fields import Table

Record = dict[str, Any]
Read = Callable[[str], dict[int, Record]]

# Members that say who and when, beside `_info`; set once.
AUTHORSHIP = ("createdBy", "dateCreated", "enteredBy", "dateEntered")
_SIGNED = frozenset({"service/tickets/notes", "project/tickets/notes", "time/entries"})
_INITIAL = {
    "initialDescription": "detailDescriptionFlag",
    "initialInternalAnalysis": "internalAnalysisFlag",
    "initialResolution": "resolutionFlag",
}


def authored(table: Table, record: Record, read: Read, now: str, by: str) -> None:
    """Fill in who made a stored record and when; what is there stays as it is.

    A note of a contact has no member. `read` gives a collection's stored records, `by` is an identifier.
    """
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
    for name, flag in _INITIAL.items():
        if members.get(name) and name in table.fields:
            note: Record = {"ticketId": ticket["id"], "text": members[name], flag: True}
            yield note | ({"_info": {"lastUpdated": entered}} if entered else {})
