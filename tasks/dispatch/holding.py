"""Keeps messages of the inbox to this process while it works on them, and no longer after a kill."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import anyio

from connectors.errors import ConnectorError
from tasks.dispatch.run import DispatchRun
from tasks.progress import run_logger


@asynccontextmanager
async def held_messages(run: DispatchRun, ids: Sequence[int], holder: str) -> AsyncIterator[None]:
    """Within this block the claim on these messages is renewed three times in the time that it lasts.

    An error within comes out as itself.
    """
    failed: list[Exception] = []
    async with anyio.create_task_group() as group:
        if ids:
            group.start_soon(_renew, run, ids, holder)
        try:
            yield
        except Exception as error:
            failed.append(error)
        group.cancel_scope.cancel()
    if failed:
        raise failed[0]


async def _renew(run: DispatchRun, ids: Sequence[int], holder: str) -> None:
    seconds = run.settings.waiting.hold_seconds
    while True:
        await anyio.sleep(seconds / 3)
        try:
            await run.ledger.inbox.extend(ids, holder, seconds=seconds)
        except ConnectorError as error:
            # Whoever takes them over looks at the same records once more, which does no harm.
            run_logger().warning("Messages could not be kept: %s", error)
