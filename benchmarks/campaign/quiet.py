"""After the calm: what was left in the inbox is settled, and then a whole round must write nothing."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Any

import anyio

from benchmarks.campaign.opening import open_run
from connectors.ledger.outbox import WORK_ORDER
from deployments.local.sandbox import Sandbox
from tasks.dispatch.inbox import drain_all, handle_notes, handle_work_order
from tasks.dispatch.reconcile import dispatch_record
from tasks.dispatch.run import DispatchRun
from tasks.dispatch.sweep import sweep, sweep_notes, sweep_work_orders
from tasks.rules.dispatch.reference import RecordKind

HOUR = 3_600.0
READING = ("GET ", "HEAD ", "POST /authentication")


async def later_round(sandbox: Sandbox, ledger: Path) -> dict[str, Any]:
    """By its clock an hour has passed, and what killed processes held is free: all sweeps and the inbox."""
    async with open_run(sandbox.info, ledger, later=HOUR) as run:
        swept = await sweep(run)
        await sweep_work_orders(run)
        await sweep_notes(run)
        drained = await drain_all(run, handle_work_order, handle_notes)
        return {
            "records": dict(swept.counts()),
            "messages": drained.messages,
            "inbox": await run.ledger.inbox.count(),
            "intents": await run.ledger.intents.count(run.tenant),
        }


async def quiet_round(sandbox: Sandbox, ledger: Path) -> dict[str, Any]:
    """Everything once more, and each ticket and work order by itself, whatever sweeps would pass."""
    async with open_run(sandbox.info, ledger, later=2 * HOUR) as run:
        sandbox.clear_requests()
        await sweep(run)
        await sweep_work_orders(run)
        await sweep_notes(run)
        await drain_all(run, handle_work_order, handle_notes)
        await _each(run)
    counted = sandbox.requests()
    writes = {
        f"{system} {name}": number
        for system in ("connectwise", "field_nation")
        for name, number in counted[system]["by"].items()
        if counted[system]["writes"] and not name.startswith("GET ") and "oauth" not in name
    }
    requests = {system: counted[system]["requests"] for system in ("connectwise", "field_nation")}
    return {"requests": requests, "writes": writes}


async def _each(run: DispatchRun) -> None:
    work: list[Callable[[], Awaitable[Any]]] = []
    for link in await run.ledger.links.of_kind(run.tenant, WORK_ORDER):
        kind, record = RecordKind(link.left.kind.removeprefix("connectwise/")), int(link.left.id)
        work.append(partial(dispatch_record, run, kind, record, wait=False))
        work.append(partial(handle_work_order, run, int(link.right.id)))
        work.append(partial(handle_notes, run, int(link.right.id)))
    slots = anyio.Semaphore(run.settings.polling.at_once)

    async def one(each: Callable[[], Awaitable[Any]]) -> None:
        async with slots:
            await each()

    async with anyio.create_task_group() as group:
        for each in work:
            group.start_soon(one, each)
