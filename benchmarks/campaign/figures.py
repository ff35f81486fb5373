"""Requests of one work order in calm weather: what a creation and each further event cost."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from benchmarks.campaign.opening import open_run
from benchmarks.campaign.people import ORDERS
from deployments.local.sandbox import Sandbox
from tasks.dispatch.notes import copy_notes
from tasks.dispatch.reconcile import dispatch_record
from tasks.dispatch.run import DispatchRun, RelatedCache
from tasks.dispatch.state import WATERMARK
from tasks.dispatch.work_order_events import bring_back
from tasks.rules.dispatch.reference import RecordKind, reference_carried

OLDER = "creation, record older than the ledger"
BOUNDS = {
    OLDER: (5, 3),
    "creation": (5, 2),
    "creation, company, site and board cached": (3, 2),
    "assigned: ticket status": (2, 2),
    "checked in: custom field": (2, 2),
    "work done: note and time entry": (4, 2),
    "approved: ticket status": (2, 2),
}
"""Most requests to ConnectWise and to Field Nation, token calls not counted. An event that does two things
may send one more for the second. A record that is older than the ledger, which may have been lost, is looked
for in Field Nation before its first creation: one more."""
LONG_AGO = "2020-01-01T00:00:00Z"
SERVICE = RecordKind.SERVICE_TICKET


async def measure(sandbox: Sandbox, ledger: Path) -> dict[str, dict[str, int]]:
    """Requests by event, as the sandbox counted them; resets the sandbox."""
    sandbox.reset(assets=2, scenario="dispatch", tickets=14)
    sandbox.switch(field_nation_rate_limit=None)
    tickets = _alike(sandbox)
    found: dict[str, dict[str, int]] = {}
    async with open_run(sandbox.info, ledger) as run:
        # A process asks for the code base and a token once; the ledger notes when it began.
        await run.client.list_boards(fields="id", page_size=1, page=1)
        await run.field_nation.search_work_orders("nothing", columns="status")
        for name, ticket in zip(list(BOUNDS)[:3], tickets, strict=True):
            _enter(sandbox, ticket)
            found[name] = await _count(sandbox, dispatch_record(run, SERVICE, ticket))
            if name == OLDER:
                known = await run.ledger.watermark(run.tenant, WATERMARK) or {}
                await run.ledger.set_watermark(run.tenant, WATERMARK, {**known, "at": LONG_AGO})
                run.related = RelatedCache(run.settings.polling.cache_seconds)
        await _life(sandbox, run, tickets[0], found)
    return found


async def _life(sandbox: Sandbox, run: DispatchRun, ticket: int, found: dict[str, dict[str, int]]) -> None:
    number = next(
        int(each["id"])
        for each in sandbox.state(ORDERS)
        if reference_carried(each) == run.reference(SERVICE, ticket)
    )
    await bring_back(run, number)
    sandbox.provider(number, "accept")
    found["assigned: ticket status"] = await _count(sandbox, bring_back(run, number))
    sandbox.provider(number, "check-in")
    found["checked in: custom field"] = await _count(sandbox, bring_back(run, number))
    sandbox.provider(number, "check-out", hours=2)
    sandbox.provider(number, "work-done", closing_notes="All tested.")
    found["work done: note and time entry"] = await _count(sandbox, bring_back(run, number))
    await run.field_nation.approve_work_order(number)
    found["approved: ticket status"] = await _count(sandbox, bring_back(run, number))
    found["nothing new: status"] = await _count(sandbox, bring_back(run, number))
    found["nothing new: notes"] = await _count(sandbox, copy_notes(run, number))


async def _count(sandbox: Sandbox, work: Any) -> dict[str, int]:
    sandbox.clear_requests()
    await work
    counted = sandbox.requests()
    return {
        system: sum(number for name, number in counted[system]["by"].items() if "oauth" not in name)
        for system in ("connectwise", "field_nation")
    }


def _alike(sandbox: Sandbox) -> list[int]:
    """Three service tickets of one company and site."""
    tickets = [each for each in sandbox.state("service/tickets") if each["board"]["name"] == "Field Services"]
    site = tickets[0]["site"]["id"]
    return [int(each["id"]) for each in tickets if each["site"]["id"] == site][:3]


def _enter(sandbox: Sandbox, ticket: int) -> None:
    statuses = sandbox.state("service/boards/statuses")
    shown = next(each for each in sandbox.state("service/tickets") if each["id"] == ticket)
    number = next(
        each["id"]
        for each in statuses
        if each["name"] == "Dispatch" and each["board"]["id"] == shown["board"]["id"]
    )
    sandbox.edit("service/tickets", ticket, {"status": {"id": number}})


def broken_bounds(found: dict[str, dict[str, int]]) -> list[str]:
    """A sentence for each event that costs more than it may."""
    return [
        f"{name}: {found[name]['connectwise']} + {found[name]['field_nation']} requests, allowed are "
        f"{bound[0]} + {bound[1]}"
        for name, bound in BOUNDS.items()
        if found[name]["connectwise"] > bound[0] or found[name]["field_nation"] > bound[1]
    ]
