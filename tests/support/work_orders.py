"""A desk with dispatched tickets, and runs that bring their work orders back, on a clock that moves."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
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
from tasks.dispatch.settings import DispatchSettings
from tasks.rules.dispatch.events import OutboundAction, OutboundRule, WorkOrderEvent, default_outbound_rules
from tasks.rules.dispatch.reference import RecordKind
from tests.support.dispatch import CONNECTWISE_KEYS, FIELD_NATION_KEYS, QUICK
from tests.support.sandbox.field_nation import WHOLE

SERVICE, PROJECT, OPPORTUNITY = RecordKind
COLLECTIONS = {
    SERVICE: "service/tickets",
    PROJECT: "project/tickets",
    OPPORTUNITY: "sales/opportunities",
}
FIRST_WORDS = ("Please bring a ladder", "Ask for the shift lead", "The room is locked")
"""How the descriptions of the scenario's records begin."""
TIME_RULE = OutboundRule(event=WorkOrderEvent.COMPLETED, action=OutboundAction.ADD_TIME_ENTRY)
ALL_FOUR = [*default_outbound_rules(), TIME_RULE]
EMPTY: list[bytes] = []
"""A ledger that was just made, since making one takes longer than most steps of these tests."""
Wrap = Callable[[httpx.AsyncBaseTransport], httpx.AsyncBaseTransport]


def event_rules(**changes: Any) -> DispatchSettings:
    """The documented rules and a time entry, with short waits."""
    return DispatchSettings(**({"outbound_rules": ALL_FOUR, "waiting": QUICK} | changes))


class FieldDesk:
    """The sandbox's scenario ``dispatch``; ``later`` moves the clock of ledger and runs on."""

    def __init__(self, sandbox: Sandbox, ledger: Path) -> None:
        self.sandbox = sandbox
        self.ledger = ledger
        self.ahead = 0.0
        self.renew(ledger.name)

    def renew(self, ledger: str) -> None:
        """Everything anew, with a ledger of that name that nobody has used."""
        switches = {"field_nation_rate_limit": None}
        self.sandbox.reset(assets=2, tickets=3, scenario="dispatch", switches=switches)
        self.ledger = self.ledger.with_name(ledger)

    def later(self, seconds: float = 1_000.0) -> None:
        self.ahead += seconds

    @asynccontextmanager
    async def run(
        self, settings: DispatchSettings | None = None, wrap: Wrap | None = None
    ) -> AsyncIterator[DispatchRun]:
        """What one process has open."""
        info = self.sandbox.info
        ours = ConnectWiseSettings(**{name: info["connectwise"][name] for name in CONNECTWISE_KEYS})
        theirs = FieldNationSettings(**{name: info["field_nation"][name] for name in FIELD_NATION_KEYS})
        transport = {"transport": wrap(httpx.AsyncHTTPTransport())} if wrap else {}
        options: dict[str, Any] = {"sleep": no_sleep, **transport}
        await self._make_ledger()
        async with AsyncExitStack() as stack:
            opened = Ledger.open(self.ledger, clock=Clock(now=lambda: time.time() + self.ahead))
            yield DispatchRun(
                settings or event_rules(),
                client=await stack.enter_async_context(ConnectWiseClient(ours, **options)),
                field_nation=await stack.enter_async_context(FieldNationClient(theirs, **options)),
                ledger=await stack.enter_async_context(opened),
                now=lambda: datetime.fromtimestamp(time.time() + self.ahead, UTC),
            )

    async def _make_ledger(self) -> None:
        if self.ledger.exists():
            return
        if EMPTY:
            self.ledger.write_bytes(EMPTY[0])
            return
        async with Ledger.open(self.ledger):
            pass
        EMPTY.append(self.ledger.read_bytes())

    async def dispatched(
        self, run: DispatchRun, kind: RecordKind = SERVICE, place: int = 0
    ) -> tuple[int, int]:
        """The ids of a record and of its published work order, linked in the ledger."""
        boards = ("Field Services", "Field Projects")
        found = self.sandbox.state(COLLECTIONS[kind])
        wanted = [one for one in found if kind is OPPORTUNITY or one["board"]["name"] in boards]
        record = int(wanted[place]["id"])
        reference = run.state.ref(kind, record).reference
        body = {**WHOLE, "title": f"[{reference}] Fix it", "incident_id": reference}
        number = int((await run.field_nation.create_work_order(body))["id"])
        await run.field_nation.publish_work_order(number)
        await self.link(run, kind, record, number)
        self.sandbox.clear_requests()
        return record, number

    async def link(self, run: DispatchRun, kind: RecordKind, record: int, number: int) -> None:
        reference = run.state.ref(kind, record).reference
        intents = run.ledger.intents
        claimed = await intents.claim(run.tenant, kind.value, record, reference, holder="t", seconds=60)
        sent = {"description": {"html": f"<p>{self.description(record)}</p>"}} if kind is SERVICE else {}
        await intents.created(claimed.row.id, number, {"sent": sent})

    def description(self, ticket: int) -> str:
        """The ticket's oldest note, which its work order was made with."""
        found = [one for one in self.sandbox.state("service/tickets/notes") if one["ticketId"] == ticket]
        return str(found[0]["text"]) if found else ""

    def provider(self, number: int, *steps: str, **given: Any) -> None:
        for step in steps:
            self.sandbox.provider(number, step, **given)

    def whole_life(self, number: int) -> None:
        """From acceptance to the end of the work."""
        self.provider(number, "accept")
        self.provider(number, "check-in", at="2026-12-01T14:00:00+00:00")
        self.provider(number, "check-out", hours=2.5)
        self.provider(number, "work-done", closing_notes="Swapped the radio")

    def record(self, record: int, kind: RecordKind = SERVICE) -> dict[str, Any]:
        return next(each for each in self.sandbox.state(COLLECTIONS[kind]) if each["id"] == record)

    def status(self, record: int, kind: RecordKind = SERVICE) -> str:
        return str(self.record(record, kind)["status"]["name"])

    def field(self, record: int, caption: str, kind: RecordKind = SERVICE) -> Any:
        fields = self.record(record, kind)["customFields"]
        return next(each.get("value") for each in fields if each["caption"] == caption)

    def notes(self, record: int, kind: RecordKind = SERVICE) -> list[dict[str, Any]]:
        """Those that were written since the ticket was made."""
        owner = "opportunityId" if kind is OPPORTUNITY else "ticketId"
        found = [each for each in self.sandbox.state(f"{COLLECTIONS[kind]}/notes") if each[owner] == record]
        return [each for each in found if not each["text"].startswith(FIRST_WORDS)]

    def times(self, record: int) -> list[dict[str, Any]]:
        return [each for each in self.sandbox.state("time/entries") if each.get("chargeToId") == record]

    def sent(self) -> dict[str, dict[str, int]]:
        """Requests by system, method and path; those for tokens and the codebase are not counted."""
        counted = self.sandbox.requests()
        return {
            system: {
                name: number
                for name, number in counted[system]["by"].items()
                if "oauth" not in name and "companyinfo" not in name
            }
            for system in ("connectwise", "field_nation")
        }

    def fault(self, system: str, method: str, path: str, kind: str, **more: Any) -> None:
        rule = {"system": system, "method": method, "path": path, "nth": [1], "fault": {"kind": kind, **more}}
        self.sandbox.faults([rule])


async def no_sleep(seconds: float) -> None:
    """The clients' waits between tries cost the tests nothing."""
