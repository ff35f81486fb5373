"""Service and project tickets of the customers, with the configurations they are about.

About one in seven is a project ticket; a quarter is about no configuration, most are about one, some about
up to six. What kind a ticket is of goes by its place, so that few of them have all kinds.
"""

from __future__ import annotations

import random
from typing import Any

from sandbox.connectwise.store import Store
from sandbox.connectwise.ticket_tables import (
    PROJECT_TICKET_CONFIGURATIONS,
    PROJECT_TICKETS_NAME,
    SERVICE_TICKET_CONFIGURATIONS,
    SERVICE_TICKETS_NAME,
)
from sandbox.data.provider import Setup
from sandbox.data.service_desk import Board, Desk

Record = dict[str, Any]

LINKS = {
    SERVICE_TICKETS_NAME: SERVICE_TICKET_CONFIGURATIONS.name,
    PROJECT_TICKETS_NAME: PROJECT_TICKET_CONFIGURATIONS.name,
}
SUMMARIES = (
    "Printer prints blank pages",
    "Can't log on after the update",
    "Disk is nearly full",
    "PLC lost its connection — line 4",
    "Skærm blinker",
    "Laptop runs hot",
    "Replace the UPS battery",
    "Backup failed twice",
)
SEVERAL = 2, 7


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
    """Insert a company's tickets."""
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
    day, hour, minute, second = (
        draw.randrange(1, 29),
        draw.randrange(24),
        draw.randrange(60),
        draw.randrange(60),
    )
    month = f"202{draw.randrange(3, 6)}-{draw.randrange(1, 13):02}"
    time = f"{minute:02}:{second:02}Z"
    return f"{month}-{day:02}T{hour // 2:02}:{time}", f"{month}-{day:02}T{12 + hour // 2:02}:{time}"
