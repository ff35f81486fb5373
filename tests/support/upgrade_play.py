"""What was done with the old version before its databases were kept, by flows and sandbox alone.

It runs at commit 1c54c08, where ``tests/data/upgrade/make.py`` calls it, and today, where it brings a sandbox
into the state in which the old version left its own. Flows, their parameters and the sandbox's control
addresses are the same in both.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from flows.asset_synchronization import asset_synchronization
from flows.dispatch_inbox import dispatch_inbox
from flows.dispatch_sweep import dispatch_sweep
from flows.sync_notes import sync_notes
from flows.sync_work_order import sync_work_order
from flows.tickets_agreements_sla_sync import tickets_agreements_sla_sync
from flows.work_order_sweep import work_order_sweep

WAITING = {"pause_seconds": 0.3, "lease_seconds": 25}
BOARD = "Field Services"
REFERENCE = "CW-S-{}"
RULES = {
    "triggers": [
        {
            "kind": "service",
            "conditions": [
                {"field": "board", "values": [BOARD]},
                {"field": "status", "values": ["Dispatch"]},
            ],
        }
    ],
    "work_orders": {"type_of_work_id": 103, "pay_type": "fixed", "pay_amount": 150, "pay_units": 1},
    "create_state": "publish",
    "outbound_rules": [
        {"event": "assigned", "action": "set ticket status", "value": "Assigned"},
        {
            "event": "checked_in",
            "action": "set custom field",
            "custom_field": "FN check-in",
            "value": "{{time_logs.results[-1].in.created.utc}}",
        },
        {"event": "completed", "action": "add internal note"},
        {"event": "completed", "action": "add time entry"},
    ],
    "polling": {"inbox_seconds": 0.1},
    "waiting": {
        "settle_seconds": 0.5,
        "pause_seconds": 0.05,
        "unresolved_seconds": 1.2,
        "creation_seconds": 20,
        "hold_seconds": 1.5,
        "busy_seconds": 0.1,
        "patience_seconds": 20,
    },
}
"""Of the Dispatch Rules block."""
Put = Callable[[str, str, dict[str, Any]], Awaitable[Any]]
"""Puts a message with a name into a ledger's inbox, as the receiver does: source, name, body."""


def scene(sandbox: Any, scenario: str) -> None:
    """The sandbox before anything was done."""
    sizes = {
        "provider": {"assets": 12},
        "enrichment": {"assets": 12},
        "dispatch": {"assets": 2, "tickets": 3},
    }
    switches = {"field_nation_rate_limit": None}
    sandbox.reset(scenario=scenario, switches=switches, **sizes[scenario])


async def synchronize(sandbox: Any, ledger: str) -> Any:
    """A run of asset-synchronization; its final state."""
    settings: Any = {
        "company": sandbox.company,
        "dry_run": False,
        "ceilings": {"go_on": True},
        "waiting": WAITING | {"settle_seconds": 1},
    }
    return await asset_synchronization(settings, ledger=ledger, return_state=True)


async def enrich(sandbox: Any, ledger: str) -> Any:
    """A run of tickets-agreements-sla-sync; its final state."""
    settings: Any = {"company": sandbox.company, "dry_run": False, "waiting": WAITING}
    return await tickets_agreements_sla_sync(settings, ledger=ledger, return_state=True)


async def dispatch(sandbox: Any, ledger: str, put: Put) -> tuple[int, int, int]:
    """One ticket through the life of its work order; a second one that has entered the trigger since.

    A message of each is in the inbox: that of the first is handled, that of the second waits. Returns the
    numbers of the tickets and of the work order.
    """
    first, second = tickets(sandbox)
    move(sandbox, first, "Dispatch")
    await put("connectwise", "message-1", {"Type": "ticket", "ID": first})
    await drain(ledger)
    (order,) = sandbox.state("field_nation/work_orders")
    number = int(order["id"])
    sandbox.provider(number, "accept")
    sandbox.provider(number, "check-in", at="2026-11-02T07:00:00+00:00")
    sandbox.provider(number, "check-out", hours=0.5)
    sandbox.provider(number, "message", message="Which gate?")
    sandbox.provider(number, "work-done", closing_notes="Swapped the radio")
    await look(number, ledger)
    await dispatch_sweep(dry_run=False, ledger=ledger)
    move(sandbox, second, "Dispatch")
    await put("connectwise", "message-2", {"Type": "ticket", "ID": second})
    await put("field_nation", "delivery-1", {"workorder": {"id": number}})
    return first, second, number


async def look(number: int, ledger: str) -> None:
    """Whatever looks at a work order that is there."""
    await sync_work_order(number, dry_run=False, ledger=ledger)
    await sync_notes(dry_run=False, ledger=ledger)
    await work_order_sweep(dry_run=False, ledger=ledger)


async def drain(ledger: str) -> Any:
    """Handle the messages of the inbox that wait."""
    return await dispatch_inbox(run_seconds=1, ledger=ledger)


def tickets(sandbox: Any) -> tuple[int, int]:
    """Two tickets of the board of the trigger, in no trigger yet."""
    found = [each["id"] for each in sandbox.state("service/tickets") if each["board"]["name"] == BOARD]
    return found[0], found[1]


def move(sandbox: Any, ticket: int, status: str) -> None:
    """A person sets a ticket's status."""
    record = next(each for each in sandbox.state("service/tickets") if each["id"] == ticket)
    statuses = {
        each["name"]: each["id"]
        for each in sandbox.state("service/boards/statuses")
        if each["board"]["id"] == record["board"]["id"]
    }
    sandbox.edit("service/tickets", ticket, {"status": {"id": statuses[status]}})
