"""What a run does at the same time: reads that do not need each other, and batches within a set bound.

Works on several things at once, a few at a time, and lets an error out as itself.

Works on several work orders, a few at a time.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from typing import TypeVar

import anyio

from connectors.errors import StopError
from tasks.dispatch.run import Back, DispatchRun
from tasks.dispatch.state import Owner
from tasks.shared.progress import Progress

T = TypeVar("T")
Batch = TypeVar("Batch")

BATCHES_AT_ONCE = 3
"""Bulk requests in flight; a vendor's server takes seconds for one, and more at once invites 429."""

MOST_BATCHES = 25
"""Batches that one task run sends: 1,250 records, a minute or two of a vendor's work."""


def groups(batches: Sequence[Batch]) -> Iterator[list[Batch]]:
    """The first batch by itself, the others in groups: so many that each turn gets two, if it can."""
    yield from ([batch] for batch in batches[:1])
    size = min(MOST_BATCHES, max(1, len(batches) // (2 * BATCHES_AT_ONCE)))
    yield from (list(batches[start : start + size]) for start in range(1, len(batches), size))


async def all_together(*calls: Awaitable[T]) -> list[T]:
    """Await all of them at the same time; their answers in the order given.

    Where one fails the others are awaited to their ends nevertheless, so that no task is cut off in the
    middle. The first error in the order given is raised.
    """
    answers = await asyncio.gather(*calls, return_exceptions=True)
    for each in answers:
        if isinstance(each, BaseException):
            raise each
    return [each for each in answers if not isinstance(each, BaseException)]


async def send_batches(
    batches: Iterable[Batch],
    send: Callable[[Batch], Awaitable[None]],
    alone: Callable[[], bool] = lambda: False,
) -> None:
    """Send the first batch by itself, and the next ones as long as ``alone`` says so; then a few at once.

    A batch is taken from ``batches`` when its turn has come, so that no more of them exist than are sent.
    """
    waiting = iter(batches)
    for batch in waiting:
        await send(batch)
        if not alone():
            break
    limiter = anyio.Semaphore(BATCHES_AT_ONCE)

    async def take_turn(batch: Batch) -> None:
        try:
            await send(batch)
        finally:
            limiter.release()

    async with anyio.create_task_group() as group:
        for batch in waiting:
            await limiter.acquire()
            group.start_soon(take_turn, batch)


async def together(things: Iterable[T], step: Callable[[T], Awaitable[None]], at_once: int) -> None:
    """Calls ``step`` for each; after an error none is begun any more, and those under way are finished.

    Raises:
        Exception: the first error of a step, not a group of them.
    """
    slots = anyio.Semaphore(at_once)
    errors: list[Exception] = []

    async def one(thing: T) -> None:
        async with slots:
            if errors:
                return
            try:
                await step(thing)
            except Exception as error:
                errors.append(error)

    async with anyio.create_task_group() as group:
        for thing in things:
            group.start_soon(one, thing)
    if errors:
        raise errors[0]


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
