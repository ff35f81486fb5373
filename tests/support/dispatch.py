"""A desk with tickets to dispatch, and runs of dispatch over clients and a ledger of their own."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx

from connectors.connectwise.client import ConnectWiseClient
from connectors.connectwise.settings import ConnectWiseSettings
from connectors.field_nation.client import FieldNationClient
from connectors.field_nation.settings import FieldNationSettings
from connectors.ledger.database import Clock
from connectors.ledger.store import Ledger
from deployments.local.sandbox import Sandbox
from tasks.dispatch.run import DispatchRun
from tasks.dispatch.settings import DispatchSettings, DispatchWaiting, WorkOrderDefaults
from tasks.rules.dispatch.reference import RecordKind, reference_carried
from tasks.rules.dispatch.triggers import Trigger, TriggerCondition

OPEN = "New (not responded)"
DISPATCH = "In Progress"
BOARD = "Help Desk"
LIVING = {"Draft", "Published", "Routed", "Assigned", "Work Done", "Approved", "Postponed"}
SERVICE = RecordKind.SERVICE_TICKET
CONNECTWISE_KEYS = ("site", "company_id", "public_key", "private_key", "client_id")
FIELD_NATION_KEYS = ("client_id", "client_secret", "username", "password", "base_address")
QUICK = DispatchWaiting(
    settle_seconds=0.5,
    pause_seconds=0.05,
    unresolved_seconds=1.2,
    creation_seconds=20,
    hold_seconds=1.5,
    busy_seconds=0.1,
    patience_seconds=20,
)
PLACE = {
    "siteName": "Harbour",
    "addressLine1": "1 Harbour Street",
    "city": "Tampa",
    "stateIdentifier": "FL",
    "zip": "33602",
}


def rules(**changes: Any) -> DispatchSettings:
    """Rules for the sandbox's Help Desk, with short waits."""
    conditions = (
        TriggerCondition(field="board", values=(BOARD,)),
        TriggerCondition(field="status", values=(DISPATCH,)),
    )
    given: dict[str, Any] = {
        "triggers": [Trigger(kind=SERVICE, conditions=conditions)],
        "work_orders": WorkOrderDefaults(type_of_work_id=103, pay_type="fixed", pay_amount=150, pay_units=1),
        "waiting": QUICK,
    }
    return DispatchSettings(**(given | changes))


class Board:
    """The sandbox's Help Desk, and a place for the ledger; a ``run`` is what one process works with."""

    def __init__(self, sandbox: Sandbox, ledger: Path) -> None:
        self.sandbox = sandbox
        self.ledger = ledger
        boards = {each["name"]: each["id"] for each in sandbox.state("service/boards")}
        self.board = boards[BOARD]
        self.statuses = {
            each["name"]: each["id"]
            for each in sandbox.state("service/boards/statuses")
            if each["board"]["id"] == self.board
        }

    def ticket(
        self, summary: str = "Replace the access point", *, status: str = DISPATCH, **more: Any
    ) -> int:
        """A person enters a ticket."""
        record = {
            "summary": summary,
            "board": {"id": self.board},
            "status": {"id": self.statuses[status]},
            "company": {"id": self.sandbox.company_id},
            "requiredDate": "2026-12-01T14:00:00Z",
            **PLACE,
            **more,
        }
        return self.sandbox.add("service/tickets", record)

    def change(self, ticket: int, **changes: Any) -> None:
        """A person changes a ticket."""
        self.sandbox.edit("service/tickets", ticket, changes)

    def move(self, ticket: int, status: str) -> None:
        """A person sets a ticket's status."""
        self.change(ticket, status={"id": self.statuses[status]})

    def orders(self, reference: str = "") -> list[dict[str, Any]]:
        """Every work order, or those of one record, as the server keeps them."""
        found = self.sandbox.state("field_nation/work_orders")
        return [each for each in found if not reference or reference_carried(each) == reference]

    def living(self, reference: str) -> list[int]:
        return [each["id"] for each in self.orders(reference) if each["status"]["name"] in LIVING]

    def sent(self, system: str) -> dict[str, int]:
        """The requests of a system by method and path; those for tokens are not counted."""
        counted = self.sandbox.requests()[system]["by"]
        return {name: number for name, number in counted.items() if "oauth" not in name}

    @asynccontextmanager
    async def run(
        self,
        settings: DispatchSettings | None = None,
        *,
        wrap: Callable[[httpx.AsyncBaseTransport], httpx.AsyncBaseTransport] | None = None,
        ledger: Path | None = None,
        later: float = 0.0,
    ) -> AsyncIterator[DispatchRun]:
        """What one process has open.

        Args:
            wrap: lays something around its network.
            later: so many seconds have passed: its clock is ahead of the others'.
        """
        clock = Clock(now=lambda: time.time() + later)
        async with AsyncExitStack() as stack:
            transport: dict[str, Any] = {"transport": wrap(httpx.AsyncHTTPTransport())} if wrap else {}
            info = self.sandbox.info
            ours = ConnectWiseSettings(**{name: info["connectwise"][name] for name in CONNECTWISE_KEYS})
            theirs = FieldNationSettings(**{name: info["field_nation"][name] for name in FIELD_NATION_KEYS})
            client = ConnectWiseClient(ours, **transport)
            field_nation = FieldNationClient(theirs, **transport)
            yield DispatchRun(
                settings or rules(),
                client=await stack.enter_async_context(client),
                field_nation=await stack.enter_async_context(field_nation),
                ledger=await stack.enter_async_context(Ledger.open(ledger or self.ledger, clock=clock)),
                now=lambda: datetime.now(UTC) + timedelta(seconds=later),
            )
