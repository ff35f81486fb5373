"""What a person joins or moves: tickets merged, companies merged, configurations given to another company.

A merged ticket is closed and names its parent. That its notes, time entries and configurations go to the
parent, and that a merged company is gone afterwards, is assumed: no page says it.
"""

from __future__ import annotations

from collections.abc import Collection

from sandbox.connectwise.computed import charge_type
from sandbox.connectwise.errors import FieldError, VendorError, invalid, not_found
from sandbox.connectwise.schema.boards import BOARD_STATUSES_NAME
from sandbox.connectwise.schema.company import COMPANIES_NAME, CONFIGURATIONS_NAME
from sandbox.connectwise.schema.fields import Table
from sandbox.connectwise.schema.service import (
    PROJECT_TICKETS_NAME,
    SERVICE_TICKETS_NAME,
    TIME_ENTRIES,
)
from sandbox.connectwise.schema.tables import references_to, table_of
from sandbox.connectwise.store import Record, Store

MERGEABLE = (SERVICE_TICKETS_NAME, PROJECT_TICKETS_NAME)


def merge_tickets(
    store: Store, collection: str, parent_id: int, children: Collection[int], status: int | None, *, by: str
) -> None:
    """Close the children into the parent; `status` None: the first closing one of each child's board.

    Raises:
        VendorError: 404: no such parent, 400: no such child, the parent among them, or no closing status.
    """
    parent, table = store.get(collection, parent_id), table_of(collection)
    if parent is None:
        raise not_found(table.label, parent_id)
    given = {one: store.get(collection, one) for one in children}
    found = {one: ticket for one, ticket in given.items() if ticket is not None and one != parent_id}
    for one in given:
        if one not in found:
            raise _refused(table, f"{table.label} {one} not found", "mergeTicketIds")
    closing = {one: status or _closing(store, ticket) for one, ticket in found.items()}
    for one, number in closing.items():
        if number is None or store.get(BOARD_STATUSES_NAME, number) is None:
            raise _refused(table, f"Service Status {number} not found for ticket {one}", "status/id")
    for one, number in closing.items():
        _merge_ticket(store, table, parent_id, one, number, by)
    if found and "hasMergedChildTicketFlag" in table.fields:
        parent["hasMergedChildTicketFlag"] = True
    store.touch(table, parent, by=by)


def _merge_ticket(store: Store, table: Table, parent: int, child: int, status: int | None, by: str) -> None:
    changes: Record = {"status": {"id": status}}
    if "mergedParentTicket" in table.fields:
        changes["mergedParentTicket"] = {"id": parent}
    store.edit(table.name, child, changes, by=by)
    for note in list(store.collection(f"{table.name}/notes").values()):
        if note.get("ticket") == {"id": child}:
            note["ticket"] = {"id": parent}
    kind = charge_type(table.name)
    for entry in list(store.collection(TIME_ENTRIES.name).values()):
        if entry.get("chargeToType") == kind and entry.get("chargeToId") == child:
            store.edit(TIME_ENTRIES.name, entry["id"], {"chargeToId": parent}, by=by)
    links = store.links(f"{table.name}/configurations")
    for configuration in sorted(links.of(child)):
        links.remove(child, configuration)
        links.add(parent, configuration)


def _closing(store: Store, ticket: Record) -> int | None:
    for number, one in store.collection(BOARD_STATUSES_NAME).items():
        if one.get("board") == ticket.get("board") and one.get("closedStatus"):
            return number
    return None


def _refused(table: Table, message: str, member: str) -> VendorError:
    return invalid(table.resource, [FieldError("NotFound", message, member)])


def merge_companies(store: Store, kept: int, gone: Collection[int], *, by: str) -> None:
    """Give everything of the companies that go to the one that is kept, and remove them.

    Raises:
        KeyError: no such company.
        ValueError: the kept company among those that go.
    """
    if kept in gone:
        raise ValueError(f"a company can't be merged into itself: {kept}")
    for company in (kept, *gone):
        store.collection(COMPANIES_NAME)[company]
    for company in gone:
        for table, name in references_to(COMPANIES_NAME):
            for record in list(store.collection(table.name).values()):
                if record.get(name) == {"id": company}:
                    store.edit(table.name, record["id"], {name: {"id": kept}}, by=by)
        for project in store.collection("project/projects").values():
            if project.get("company") == {"id": company}:
                project["company"] = {"id": kept}
        store.delete(COMPANIES_NAME, company, by=by)


def move_configurations(store: Store, configurations: Collection[int], company: int, *, by: str) -> None:
    """Give configurations to another company; contact and site were the old company's, so they go.

    Raises:
        KeyError: no such company or configuration; nothing is moved then.
    """
    store.collection(COMPANIES_NAME)[company]
    for one in configurations:
        store.collection(CONFIGURATIONS_NAME)[one]
    for one in configurations:
        changes = {"company": {"id": company}, "contact": None, "site": None}
        store.edit(CONFIGURATIONS_NAME, one, changes, by=by)
