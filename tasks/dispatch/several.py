"""Works on several work orders, a few at a time."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

import anyio

from connectors.errors import StopError
from tasks.dispatch.back import Back
from tasks.dispatch.owners import Owner
from tasks.dispatch.run import DispatchRun
from tasks.progress import Progress


async def several(
    run: DispatchRun, due: Sequence[tuple[int, Owner]], step: Callable[[int, Owner], Awaitable[Back]]
) -> list[Back]:
    """What became of each, in no order.

    Raises:
        StopError: a person must act. Those under way are finished first, and no other is begun.
    """
    slots, progress = anyio.Semaphore(run.settings.polling.at_once), Progress("Work orders", len(due))
    backs: list[Back] = []
    stops: list[StopError] = []

    async def one(number: int, owner: Owner) -> None:
        async with slots:
            if stops:
                return
            try:
                backs.append(await step(number, owner))
            except StopError as error:
                stops.append(error)
            progress.advance(1)

    async with anyio.create_task_group() as group:
        for number, owner in due:
            group.start_soon(one, number, owner)
    if stops:
        raise stops[0]
    return backs
