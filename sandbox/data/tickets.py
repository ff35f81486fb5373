"""The service desk with boards and SLAs; customers' agreements and tickets with their configurations.

The setup does not depend on the seed. Whether a status closes a ticket is its own flag, which some names
contradict, as on real boards.

Most configurations have one agreement, some none, some two or three; one agreement covers far more than the
others. About one ticket in seven is a project ticket; a quarter is about no configuration, most are about
one, some about up to six. Which agreement is in which state, and what kind a ticket is of, goes by its place,
so that few of them have all states and kinds.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sandbox.connectwise.defaults import reference
from sandbox.connectwise.schema.finance import AGREEMENT_CONFIGURATIONS, AGREEMENTS_NAME
from sandbox.connectwise.schema.service import (
    PROJECT_TICKET_CONFIGURATIONS,
    PROJECT_TICKETS_NAME,
    SERVICE_TICKET_CONFIGURATIONS,
    SERVICE_TICKETS_NAME,
)
from sandbox.connectwise.store import Store
from sandbox.data.provider import CUSTOMERS, Setup, new_id

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
TYPES = ("Break-fix", "Request", "Alert")
SUBTYPES = ("Hardware", "Software", "Network")
ITEMS = ("Replace", "Configure", "Inspect")
TEAMS = ("First line", "Field engineers")
# Name, colour, level, default.
PRIORITIES = (
    ("Priority 1 - Critical", "Red", "Critical", False),
    ("Priority 2 - High", "Orange", "High", False),
    ("Priority 3 - Medium", "Yellow", "Medium", True),
    ("Priority 4 - Low", "Green", "Low", False),
)
OPPORTUNITY_TYPES = ("Field work", "Project", "Renewal")
# Name, won, lost.
OPPORTUNITY_STATUSES = (("Open", False, False), ("Won", True, False), ("Lost", False, True))
PROJECTS = ("Office move", "Windows 11 roll-out")
PHASES = ("Planning", "Roll-out")
Record = dict[str, Any]
LINKS = {
    SERVICE_TICKETS_NAME: SERVICE_TICKET_CONFIGURATIONS.name,
    PROJECT_TICKETS_NAME: PROJECT_TICKET_CONFIGURATIONS.name,
}
SUMMARIES = (
    "Printer prints blank pages", "Can't log on after the update", "Disk is nearly full",
    "PLC lost its connection — line 4", "Skærm blinker", "Laptop runs hot", "Replace the UPS battery",
    "Backup failed twice",
)  # fmt: skip
SEVERAL = 2, 7
UNCOVERED, COVERED_ONCE = 0.13, 0.9
LARGE_SHARE = 0.08
# No end, an end far away, ended, cancelled, not yet begun. Far dates keep the computed status true for years.
STATES: tuple[Record, ...] = (
    {"noEndingDateFlag": True},
    {"endDate": "2041-12-31T00:00:00Z"},
    {"endDate": "2024-06-30T00:00:00Z"},
    {
        "cancelledFlag": True,
        "dateCancelled": "2025-02-01T00:00:00Z",
        "reasonCancelled": "Went to somebody else",
    },
    {"startDate": "2040-01-01T00:00:00Z", "endDate": "2042-12-31T00:00:00Z"},
    {"noEndingDateFlag": True},
    {"noEndingDateFlag": True},
    {"endDate": "2040-03-31T00:00:00Z"},
)


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
    slas = [new_id(store, "service/SLAs", name=name, basedOn="AllHours") for name in SLAS]
    for order, (name, colour, level, default) in enumerate(PRIORITIES, start=1):
        shape = {"color": colour, "level": level, "sortOrder": order, "defaultFlag": default}
        new_id(store, "service/priorities", name=name, **shape)
    for words in OPPORTUNITY_TYPES:
        new_id(store, "sales/opportunities/types", description=words)
    for name, won, lost in OPPORTUNITY_STATUSES:
        flags = {"wonFlag": won, "lostFlag": lost, "closedFlag": won or lost, "defaultFlag": name == "Open"}
        new_id(store, "sales/opportunities/statuses", name=name, **flags)
    boards = [_board(store, *board) for board in BOARDS]
    return Desk(
        slas=slas,
        agreement_types=[_agreement_type(store, name, slas[0]) for name in AGREEMENT_TYPES],
        service_boards=boards[:2],
        project_board=boards[2],
        phases={company: _projects(store, company) for company in CUSTOMERS},
    )


def _agreement_type(store: Store, name: str, sla: int) -> int:
    return new_id(
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
    board = new_id(store, "service/boards", name=name, projectFlag=is_project, **home)
    ids = [
        new_id(
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
    add_types_and_teams(store, board, TYPES)
    closing = {one: closes for one, (_, closes) in zip(ids, statuses, strict=True)}
    return Board(
        board, tuple(one for one in ids if not closing[one]), tuple(one for one in ids if closing[one])
    )


def add_types_and_teams(store: Store, board: int, types: tuple[str, ...]) -> list[int]:
    """Give a board its types, the last one marked, and its teams, the first one marked; the types' ids."""
    for place, name in enumerate(TEAMS):
        team = {"teamLeader": {"id": 1 + place}, "members": [1, 2], "defaultFlag": place == 0}
        new_id(store, "service/boards/teams", name=name, boardId=board, **team)
    found = [
        new_id(store, "service/boards/types", name=name, board={"id": board}, defaultFlag=name == types[-1])
        for name in types
    ]
    for name in SUBTYPES:
        store.insert(
            "service/boards/subtypes", {"name": name, "board": {"id": board}, "typeAssociationIds": found}
        )
    for name in ITEMS:
        store.insert("service/boards/items", {"name": name, "board": {"id": board}})
    return found


def _projects(store: Store, company: int) -> list[int]:
    projects = [
        new_id(store, "project/projects", name=f"{name} {company}", company={"id": company})
        for name in PROJECTS
    ]
    return [
        new_id(store, "project/phases", description=name, projectId=project)
        for project in projects
        for name in PHASES
    ]


class TicketMaker:
    """Makes one company's tickets; `configurations` are the ids they may be about."""

    def __init__(
        self,
        store: Store,
        draw: random.Random,
        setup: Setup,
        desk: Desk,
        company: int,
        configurations: list[int],
    ) -> None:
        self._store = store
        self._draw = draw
        self._setup = setup
        self._desk = desk
        self._company = company
        self._configurations = configurations

    def add(self, place: int) -> tuple[str, int]:
        """Insert the ticket of that place and tie its configurations to it; its collection and id."""
        collection, record = self._record(place)
        ticket = int(self._store.insert(collection, record)["id"])
        links = self._store.links(LINKS[collection])
        for configuration in self._about(place):
            links.add(ticket, configuration)
        return collection, ticket

    def _record(self, place: int) -> tuple[str, Record]:
        draw, is_project = self._draw, place % 7 == 3
        board = self._desk.project_board if is_project else draw.choice(self._desk.service_boards)
        entered, updated = _days(draw)
        record: Record = {
            "summary": f"{draw.choice(SUMMARIES)} ({place + 1})",
            "board": {"id": board.id},
            "company": {"id": self._company},
            "contact": {"id": draw.choice(self._setup.contacts[self._company])},
            "_info": {
                "lastUpdated": updated,
                "updatedBy": "admin",
                "dateEntered": entered,
                "enteredBy": "admin",
            },
            **_status(draw, board, updated),
        }
        if place % 3:
            record["owner"] = reference(1 + place % 2)
            record["resources"] = "admin" if place % 2 == 0 else "integr"
        if is_project:
            phase = draw.choice(self._desk.phases[self._company])
            return PROJECT_TICKETS_NAME, {**record, "phase": {"id": phase}}
        if place % 4 == 1:
            record["sla"] = {"id": draw.choice(self._desk.slas)}
        return SERVICE_TICKETS_NAME, record

    def _about(self, place: int) -> list[int]:
        kind = place * 7 % 25
        if kind < 6 or not self._configurations:
            return []
        if kind < 23:
            # Some machines break far more often than others.
            return [self._configurations[int(len(self._configurations) * self._draw.random() ** 1.4)]]
        number = min(self._draw.randrange(*SEVERAL), len(self._configurations))
        return self._draw.sample(self._configurations, number)


def add_tickets(
    store: Store, seed: int, setup: Setup, desk: Desk, company: int, number: int, configurations: list[int]
) -> None:
    draw = random.Random(f"{seed}-tickets-{company}")
    maker = TicketMaker(store, draw, setup, desk, company, configurations)
    for place in range(number):
        maker.add(place)


def _status(draw: random.Random, board: Board, updated: str) -> Record:
    """Two tickets of three are closed."""
    if draw.random() < 2 / 3:
        return {"status": {"id": draw.choice(board.closed)}, "closedDate": updated}
    return {"status": {"id": draw.choice(board.open)}}


def _days(draw: random.Random) -> tuple[str, str]:
    """When it was entered and last changed, the second not before the first."""
    day, hour = draw.randrange(1, 29), draw.randrange(24)
    minute, second = draw.randrange(60), draw.randrange(60)
    month = f"202{draw.randrange(3, 6)}-{draw.randrange(1, 13):02}"
    time = f"{minute:02}:{second:02}Z"
    return f"{month}-{day:02}T{hour // 2:02}:{time}", f"{month}-{day:02}T{12 + hour // 2:02}:{time}"


def add_agreements(
    store: Store, seed: int, setup: Setup, desk: Desk, company: int, number: int, covered: list[int]
) -> None:
    """Insert a company's agreements and tie its configurations (`covered`, ids) to them."""
    draw = random.Random(f"{seed}-agreements-{company}")
    records = _records(draw, setup, desk, company, number)
    made = [int(store.insert(AGREEMENTS_NAME, record)["id"]) for record in records]
    links = store.links(AGREEMENT_CONFIGURATIONS.name)
    for configuration in covered if made else ():
        for agreement in _chosen(draw, made):
            links.add(agreement, configuration)


def _chosen(draw: random.Random, agreements: list[int]) -> set[int]:
    share = draw.random()
    if share < UNCOVERED:
        return set()
    times = 1 if share < COVERED_ONCE else draw.randrange(2, 4)
    return {agreements[0] if draw.random() < LARGE_SHARE else draw.choice(agreements) for _ in range(times)}


def _records(draw: random.Random, setup: Setup, desk: Desk, company: int, number: int) -> Iterator[Record]:
    for place in range(number):
        kind = place % len(desk.agreement_types)
        entered = f"20{15 + place % 10}-0{1 + place % 9}-1{place % 9}T08:30:00Z"
        record: Record = {
            "name": f"{AGREEMENT_TYPES[kind]} {company}-{place + 1:03}",
            "type": {"id": desk.agreement_types[kind]},
            "company": {"id": company},
            "contact": {"id": draw.choice(setup.contacts[company])},
            "startDate": f"20{15 + place % 10}-0{1 + place % 9}-01T00:00:00Z",
            "billAmount": float(draw.randrange(1, 90) * 25),
            **STATES[place % len(STATES)],
            "_info": {
                "lastUpdated": entered,
                "updatedBy": "admin",
                "createdDate": entered,
                "createdBy": "admin",
            },
        }
        if place % 5 < 3:
            record["sla"] = {"id": desk.slas[place % len(desk.slas)]}
        yield record
