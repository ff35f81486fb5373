"""What a record refers to, or repeats, where nobody says: a priority, a contact's telephone, a site's town.

A default is the record that is marked so (`defaultFlag`); where none is, the member stays empty. Equal
references are one object, so that a hundred thousand tickets do not hold a million of them: nobody changes a
reference in place.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from functools import cache
from typing import Any

from sandbox.connectwise.schema.boards import (
    BOARD_STATUSES_NAME,
    BOARD_TEAMS_NAME,
    BOARD_TYPES_NAME,
    BOARDS_NAME,
    PRIORITIES_NAME,
    SOURCES_NAME,
)
from sandbox.connectwise.schema.company import (
    COMMUNICATION_TYPES_NAME,
    COMPANIES_NAME,
    COMPANY_STATUSES_NAME,
    CONTACTS_NAME,
    SITES_NAME,
)
from sandbox.connectwise.schema.finance import AGREEMENTS_NAME, OPPORTUNITIES_NAME, OPPORTUNITY_STATUSES
from sandbox.connectwise.schema.service import PROJECT_TICKETS_NAME, SERVICE_TICKETS_NAME, TIME_ENTRIES

Record = dict[str, Any]
Read = Callable[[str], dict[int, Record]]

_DESK = {
    "priority": PRIORITIES_NAME,
    "source": SOURCES_NAME,
    "serviceLocation": "service/locations",
    "currency": "finance/currencies",
}
MARKED: Mapping[str, Mapping[str, str]] = {
    SERVICE_TICKETS_NAME: _DESK,
    PROJECT_TICKETS_NAME: _DESK,
    OPPORTUNITIES_NAME: {
        "type": "sales/opportunities/types",
        "stage": "sales/stages",
        "status": OPPORTUNITY_STATUSES.name,
        "priority": "sales/priorities",
        "rating": "sales/opportunities/ratings",
        "currency": "finance/currencies",
    },
    TIME_ENTRIES.name: {
        "workType": "time/workTypes",
        "workRole": "time/workRoles",
        "location": "system/locations",
        "department": "system/departments",
    },
    AGREEMENTS_NAME: {"location": "system/locations", "department": "system/departments"},
    COMPANIES_NAME: {"status": COMPANY_STATUSES_NAME},
}
"""Member by member the collection whose marked record it refers to by default."""
UNMARKED = (
    "system/locations",
    "system/departments",
    "sales/opportunities/types",
    "sales/opportunities/ratings",
    "sales/priorities",
    "sales/stages",
    "time/workRoles",
)
"""Collections that mark no record: there the first is the default (assumed)."""
OF_BOARD = {"type": BOARD_TYPES_NAME, "team": BOARD_TEAMS_NAME, "status": BOARD_STATUSES_NAME}
OF_CONTACT = ("contactName", "contactPhoneNumber", "contactPhoneExtension", "contactEmailAddress")
OF_SITE = ("siteName", "addressLine1", "addressLine2", "city", "stateIdentifier", "zip", "country")
REPEATED: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    SERVICE_TICKETS_NAME: {"contact": OF_CONTACT, "site": OF_SITE},
    PROJECT_TICKETS_NAME: {"contact": OF_CONTACT, "site": OF_SITE},
}
"""Reference by reference the members that repeat what it refers to, and change with it."""


@cache
def reference(record_id: int) -> Record:
    """The reference to a record of that id, one object for all who refer to it."""
    return {"id": record_id}


def fill_references(collection: str, record: Record, read: Read) -> None:
    """Refer to the marked record of each collection in ``MARKED`` where the record refers to none."""
    for member, target in MARKED.get(collection, {}).items():
        if member not in record:
            found = _marked(read(target).values(), or_first=target in UNMARKED)
            if found is not None:
                record[member] = reference(found["id"])


def fill_from_board(ticket: Record, read: Read, members: Collection[str]) -> None:
    """Location and department of the board, its marked type, team and status, where the ticket has none.

    A board without a marked status gives its first.
    """
    if "board" not in ticket:
        return
    board = read(BOARDS_NAME).get(ticket["board"]["id"], {})
    for name in ("location", "department"):
        if name not in ticket and name in board:
            ticket[name] = reference(board[name]["id"])
    for name, collection in OF_BOARD.items():
        if name in members and name not in ticket:
            own = [one for one in read(collection).values() if one.get("board") == ticket["board"]]
            found = _marked(own, or_first=name == "status")
            if found is not None:
                ticket[name] = reference(found["id"])


def fill_from_contact(ticket: Record, read: Read) -> None:
    """Name, telephone and address of the contact, where the ticket has no name of its own."""
    contact = read(CONTACTS_NAME).get(ticket.get("contact", {}).get("id"), {})
    if not contact or "contactName" in ticket:
        return
    names = (contact.get("firstName"), contact.get("lastName"))
    found = {"contactName": " ".join(name for name in names if name)[:62]}
    for kind, member in (("Phone", "contactPhoneNumber"), ("Email", "contactEmailAddress")):
        items = [one for one in contact.get("communicationItems", []) if one.get("communicationType") == kind]
        item: Record = next((one for one in items if one.get("defaultFlag")), items[0] if items else {})
        found[member] = str(item.get("value", ""))[: 20 if kind == "Phone" else 250]
        if kind == "Phone" and item.get("extension"):
            found["contactPhoneExtension"] = str(item["extension"])[:15]
    ticket.update({name: value for name, value in found.items() if value and name not in ticket})


def fill_from_site(ticket: Record, read: Read) -> None:
    """The address of the site, where the ticket has none of its own."""
    site = read(SITES_NAME).get(ticket.get("site", {}).get("id"), {})
    if not site or "addressLine1" in ticket or "siteName" in ticket:
        return
    names = ("addressLine1", "addressLine2", "city", "zip", "country")
    ticket.update({name: site[name] for name in names if name in site})
    ticket["siteName"] = site["name"]
    state = read("company/states").get(site.get("stateReference", {}).get("id"), {})
    if "identifier" in state:
        ticket["stateIdentifier"] = state["identifier"]


def fill_site(ticket: Record, read: Read) -> None:
    """The contact's site, or else the primary one of the company, where the ticket has none."""
    if "site" in ticket:
        return
    contact = read(CONTACTS_NAME).get(ticket.get("contact", {}).get("id"), {})
    if "site" in contact:
        ticket["site"] = reference(contact["site"]["id"])
        return
    own = (one for one in read(SITES_NAME).values() if one.get("company") == ticket.get("company"))
    found = next((one for one in own if one.get("primaryAddressFlag")), None)
    if found is not None:
        ticket["site"] = reference(found["id"])


def forget_repeated(collection: str, record: Record, changes: Collection[str], before: Record) -> None:
    """Take away what repeats a reference that has changed, unless it was sent too."""
    for name, repeated in REPEATED.get(collection, {}).items():
        if name in changes and record.get(name) != before.get(name):
            for one in repeated:
                if one not in changes:
                    record.pop(one, None)


def fill_communication(contact: Record, read: Read) -> None:
    """Number a contact's items, say of what kind each is, and repeat the first telephone."""
    items = contact.get("communicationItems")
    if not items:
        return
    types, taken = read(COMMUNICATION_TYPES_NAME), [int(one.get("id") or 0) for one in items]
    for one in items:
        if not one.get("id"):
            one["id"] = max(taken) + 1
            taken.append(one["id"])
        kind = types.get((one.get("type") or {}).get("id", 0), {})
        flags = (("emailFlag", "Email"), ("faxFlag", "Fax"), ("phoneFlag", "Phone"))
        words = next((words for name, words in flags if kind.get(name)), None)
        if words is not None:
            one["communicationType"] = words
        if one.get("communicationType") == "Email" and "@" in str(one.get("value", "")):
            one["domain"] = "@" + str(one["value"]).rpartition("@")[2]
    phone = next((one for one in items if one.get("communicationType") == "Phone"), None)
    if phone is not None and "defaultPhoneNbr" not in contact:
        contact["defaultPhoneNbr"] = str(phone.get("value", ""))
        name = types.get((phone.get("type") or {}).get("id", 0), {}).get("description")
        contact |= {"defaultPhoneType": name} if name and "defaultPhoneType" not in contact else {}


def _marked(records: Collection[Record], *, or_first: bool = False) -> Record | None:
    marked = (one for one in records if one.get("defaultFlag") or one.get("overallDefaultFlag"))
    return next(marked, next(iter(records), None) if or_first else None)
