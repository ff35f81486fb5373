"""Agreements, boards, SLAs and tickets for the tests of the sandbox's ConnectWise."""

from __future__ import annotations

from typing import Any

from sandbox.connectwise.store import Store

AGREEMENT_TYPE = {
    "name": "Managed Services", "employeeCompRate": "Hourly", "employeeCompNotExceed": "Billing",
    "invoicingCycle": "CalendarYear", "billTime": "NoDefault", "billExpenses": "NoDefault",
    "billProducts": "NoDefault",
}  # fmt: skip


def agreement(**members: Any) -> dict[str, Any]:
    """The smallest body of an agreement."""
    return {"name": "Gold", "type": {"id": 1}, "company": {"id": 1}, "contact": {"id": 1}, **members}


def ticket(**members: Any) -> dict[str, Any]:
    """The smallest body of a service ticket."""
    return {"summary": "It is broken", "company": {"id": 1}, **members}


def insert_service_desk(store: Store) -> None:
    """An SLA, an agreement, two boards with statuses, a project, a service and a project ticket."""
    store.insert("service/SLAs", {"name": "Gold, 4 hours", "basedOn": "AllHours"})
    store.insert("finance/agreements/types", AGREEMENT_TYPE)
    store.insert("finance/agreements", agreement(sla={"id": 1}))
    for name, is_project in (("Help Desk", False), ("Projects", True)):
        board = {"name": name, "location": {"id": 1}, "department": {"id": 1}, "projectFlag": is_project}
        board_id = store.insert("service/boards", board)["id"]
        store.insert("service/boards/types", {"name": "On site", "board": {"id": board_id}})
        team = {"name": "First line", "boardId": board_id, "teamLeader": {"id": 1}}
        store.insert("service/boards/teams", team)
        for order, (words, closed) in enumerate((("New", False), ("Closed", False), (">Archived", True))):
            status = {"name": words, "board": {"id": board_id}, "closedStatus": closed, "sortOrder": order}
            store.insert("service/boards/statuses", {**status, "defaultFlag": order == 0})
    store.insert("service/sources", {"name": "Phone"})
    store.insert("company/companies/statuses", {"name": "Active"})
    store.insert("company/companies/types", {"name": "Client"})
    store.insert("company/communicationTypes", {"description": "Direct", "phoneFlag": True})
    store.insert("project/projects", {"name": "Office move", "company": {"id": 1}})
    store.insert("project/phases", {"description": "Planning", "projectId": 1})
    for order, (words, colour) in enumerate((("Priority 1", "Red"), ("Priority 3", "Blue")), start=1):
        store.insert("service/priorities", {"name": words, "color": colour, "sortOrder": order})
    store.insert("service/tickets", ticket(initialDescription="Since Monday"))
    store.insert(
        "project/tickets", {"summary": "Order racks", "phase": {"id": 1}, "initialResolution": "Done"}
    )


def insert_sales_and_time(store: Store) -> None:
    """One opportunity with a note, of a type and a status; time charged to ticket 1."""
    store.insert("sales/opportunities/types", {"description": "Project"})
    store.insert("sales/opportunities/statuses", {"name": "Open", "defaultFlag": True})
    people = {"primarySalesRep": {"id": 1}, "company": {"id": 1}, "contact": {"id": 1}}
    opportunity = store.insert("sales/opportunities", {"name": "Second site", **people})
    store.insert("sales/opportunities/notes", {"opportunityId": opportunity["id"], "text": "Wants an offer"})
    time = {"chargeToId": 1, "timeStart": "2026-01-05T08:00:00Z", "notes": "Came"}
    store.insert("time/entries", time)
