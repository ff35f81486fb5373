"""What the provider's service desk has set up: SLAs, agreement types, boards with statuses, projects.

Like the rest of the setup it does not depend on the seed. Whether a status closes a ticket is its own flag,
which some names contradict, as on real boards.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sandbox.connectwise.store import Store
from sandbox.data.provider import CUSTOMERS

SLAS = ("Standard, next day", "Gold, 4 hours", "24x7 Plant")
AGREEMENT_TYPES = ("Managed Services", "Block of Hours", "Backup as a Service", "Køl & Tryk")

# Board, is it a project board, and (status, does it close the ticket).
BOARDS = (
    (
        "Help Desk",
        False,
        (
            ("New (not responded)", False),
            ("In Progress", False),
            ("Waiting on customer", False),
            ("Closed, to be billed", False),
            ("Completed", True),
            (">Closed", True),
        ),
    ),
    (
        "NOC Alerts",
        False,
        (("New", False), ("Acknowledged", False), ("Resolved", True), ("Open (muted)", True)),
    ),
    ("Projects", True, (("Open", False), ("Scheduled", False), ("Done", True), ("Closed - rework", False))),
)
PROJECTS = ("Office move", "Windows 11 roll-out")
PHASES = ("Planning", "Roll-out")


@dataclass(frozen=True)
class Board:
    """A board with the ids of its statuses that leave a ticket open, and of those that close it."""

    id: int
    open: tuple[int, ...]
    closed: tuple[int, ...]


@dataclass(frozen=True)
class Desk:
    """The ids that generated agreements and tickets refer to; `phases` by company."""

    slas: list[int]
    agreement_types: list[int]
    service_boards: list[Board]
    project_board: Board
    phases: dict[int, list[int]]


def set_up_desk(store: Store) -> Desk:
    """Fill a store that has locations, departments and companies."""
    slas = [_new(store, "service/SLAs", name=name, basedOn="AllHours") for name in SLAS]
    boards = [_board(store, *board) for board in BOARDS]
    return Desk(
        slas=slas,
        agreement_types=[_agreement_type(store, name, slas[0]) for name in AGREEMENT_TYPES],
        service_boards=boards[:2],
        project_board=boards[2],
        phases={company: _projects(store, company) for company in CUSTOMERS},
    )


def _new(store: Store, collection: str, **members: Any) -> int:
    return int(store.insert(collection, members)["id"])


def _agreement_type(store: Store, name: str, sla: int) -> int:
    return _new(
        store,
        "finance/agreements/types",
        name=name,
        employeeCompRate="Hourly",
        employeeCompNotExceed="Billing",
        invoicingCycle="CalendarYear",
        billTime="NoDefault",
        billExpenses="NoDefault",
        billProducts="NoDefault",
        sla={"id": sla},
    )


def _board(store: Store, name: str, is_project: bool, statuses: tuple[tuple[str, bool], ...]) -> Board:
    home = {"location": {"id": 1}, "department": {"id": 2}}
    board = _new(store, "service/boards", name=name, projectFlag=is_project, **home)
    ids = [
        _new(
            store,
            "service/boards/statuses",
            name=words,
            board={"id": board},
            sortOrder=order,
            closedStatus=closes,
            defaultFlag=order == 0,
        )
        for order, (words, closes) in enumerate(statuses)
    ]
    flags = [closes for _, closes in statuses]
    return Board(
        board,
        tuple(one for one, closes in zip(ids, flags, strict=True) if not closes),
        tuple(one for one, closes in zip(ids, flags, strict=True) if closes),
    )


def _projects(store: Store, company: int) -> list[int]:
    """The phases of a company's projects."""
    projects = [
        _new(store, "project/projects", name=f"{name} {company}", company={"id": company})
        for name in PROJECTS
    ]
    return [
        _new(store, "project/phases", name=name, project={"id": project})
        for project in projects
        for name in PHASES
    ]
