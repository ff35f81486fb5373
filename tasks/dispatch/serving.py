"""The long-lived drain: batch after batch until it is told to stop."""

from __future__ import annotations

import signal
import threading
from collections import Counter
from dataclasses import dataclass, field

import anyio

from connectors.errors import ConnectorError
from tasks.dispatch.birth import keep_alive
from tasks.dispatch.inbox import WorkOrderHandler, drain_once
from tasks.dispatch.run import DispatchRun
from tasks.progress import run_logger

OUTAGE = 5.0
"""Seconds of rest where the ledger itself is away; more each time."""
LONGEST_REST = 60.0


@dataclass
class Served:
    """All that one drain did: messages by how they ended, records by result."""

    messages: int = 0
    done: int = 0
    again: int = 0
    failed: int = 0
    results: dict[str, int] = field(default_factory=dict)


async def serve_inbox(
    run: DispatchRun,
    *,
    seconds: float | None = None,
    work_orders: WorkOrderHandler | None = None,
    notes: WorkOrderHandler | None = None,
    stop: anyio.Event | None = None,
) -> Served:
    """Drains until ``stop`` is set, ``seconds`` are over, or SIGTERM or SIGINT comes.

    A batch that is under way is finished before it ends: what was sent must be accounted for.
    """
    served, ends = Served(), stop or anyio.Event()
    async with anyio.create_task_group() as group:
        if threading.current_thread() is threading.main_thread():
            group.start_soon(_stop_on_signal, ends)
        if seconds is not None:
            group.start_soon(_stop_after, ends, seconds)
        await _drain_until(run, ends, served, work_orders, notes)
        group.cancel_scope.cancel()
    run_logger().info("Inbox: %d messages, %s", served.messages, served.results or "nothing to do")
    return served


async def _drain_until(
    run: DispatchRun,
    ends: anyio.Event,
    served: Served,
    work_orders: WorkOrderHandler | None,
    notes: WorkOrderHandler | None,
) -> None:
    outages = 0
    while not ends.is_set():
        try:
            await keep_alive(run)
            drained = await drain_once(run, work_orders, notes)
        except ConnectorError as error:
            run_logger().error("The inbox can't be read now: %s", error)
            outages += 1
            await _rest(ends, min(LONGEST_REST, OUTAGE * outages))
            continue
        outages = 0
        served.messages += drained.messages
        served.done += drained.done
        served.again += drained.again
        served.failed += drained.failed
        served.results = dict(Counter(served.results) + drained.counts())
        if drained.messages:
            run_logger().info(
                "Inbox: %d messages taken, %s", drained.messages, dict(drained.counts()) or "done"
            )
        else:
            await _rest(ends, run.settings.polling.inbox_seconds)


async def _rest(ends: anyio.Event, seconds: float) -> None:
    with anyio.move_on_after(seconds):
        await ends.wait()


async def _stop_after(ends: anyio.Event, seconds: float) -> None:
    await anyio.sleep(seconds)
    ends.set()


async def _stop_on_signal(ends: anyio.Event) -> None:
    with anyio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
        async for number in signals:
            run_logger().info("Told to stop (%s): the batch under way is finished first", number.name)
            ends.set()
