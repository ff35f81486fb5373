"""``python -m benchmarks.dispatch_campaign.worker JOB``: one dispatch process, until SIGTERM or its own kill.

It does what the flows dispatch-inbox, dispatch-sweep, work-order-sweep and sync-notes do, without a Prefect
server: drains the inbox all the time and sweeps both sides every few seconds. JOB is a JSON object: ``info``
(the sandbox's first line), ``ledger``, ``pause`` (seconds between sweeps), ``first`` (seconds until the
first), and the members of ``killing.Killer``: ``kill_at``, ``kill_when``, ``kill_writes``, ``note``.
"""

from __future__ import annotations

import json
import logging
import sys
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import anyio
import httpx

from benchmarks.dispatch_campaign.processes import Killer, KillingTransport, open_run
from connectors.errors import ConnectorError
from tasks.dispatch.inbox import handle_notes, handle_work_order, serve_inbox
from tasks.dispatch.run import DispatchRun
from tasks.dispatch.sweep import sweep, sweep_notes, sweep_work_orders

logger = logging.getLogger("campaign")


async def _sweep_tickets(run: DispatchRun) -> dict[str, Any]:
    swept = await sweep(run)
    return {**swept.counts(), "passed": swept.passed, "reopened": swept.reopened, "doubles": swept.doubles}


async def _sweep_orders(run: DispatchRun) -> dict[str, Any]:
    swept = await sweep_work_orders(run)
    return {**swept.counts(), "passed": swept.passed, "doubles": swept.doubles}


async def _sweep_notes(run: DispatchRun) -> dict[str, Any]:
    return Counter(str(each.status) for each in await sweep_notes(run))


_SWEEPS: tuple[tuple[str, Callable[[DispatchRun], Awaitable[Any]], int], ...] = (
    ("tickets", _sweep_tickets, 1),
    ("work orders", _sweep_orders, 1),
    ("notes", _sweep_notes, 3),
)
"""Name, sweep, and in which rounds: the notes cost two requests for each work order."""


async def work(job: dict[str, Any]) -> None:
    """Serve and sweep until told to stop."""
    killer = Killer(job["kill_at"], job["kill_when"], job["kill_writes"], Path(job["note"]))

    def wrap(inner: httpx.AsyncBaseTransport) -> httpx.AsyncBaseTransport:
        return KillingTransport(inner, killer)

    async with open_run(job["info"], Path(job["ledger"]), wrap=wrap) as run:
        stop = anyio.Event()
        async with anyio.create_task_group() as group:
            group.start_soon(_sweep_again, run, stop, float(job["first"]), float(job["pause"]))
            await serve_inbox(run, work_orders=handle_work_order, notes=handle_notes, stop=stop)
            stop.set()


async def _sweep_again(run: DispatchRun, stop: anyio.Event, first: float, pause: float) -> None:
    """As a schedule would: one sweep after the other, and a failed one is followed by the next."""
    wait, rounds = first, 0
    while True:
        with anyio.move_on_after(wait):
            await stop.wait()
            return
        wait, rounds = pause, rounds + 1
        for name, one, every in _SWEEPS:
            if rounds % every:
                continue
            try:
                done = await one(run)
                logger.info("swept %s: %s", name, done)
            except ConnectorError as error:
                logger.warning("the sweep of %s ended early: %s", name, error)


def main() -> None:
    """Logs go to standard error, which the campaign keeps in a file."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)
    anyio.run(work, json.loads(sys.argv[1]))


if __name__ == "__main__":
    main()
