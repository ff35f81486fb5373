"""Bounded concurrency: many calls, a few at a time, with a named policy for the first error.

``map_bounded`` calls for each item, ``gather_all`` awaits calls that do not need each other, and
``send_batches`` sends bulk requests, the first ones alone.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from typing import Literal, TypeVar

import anyio

from connectors.errors import StopError

T = TypeVar("T")
R = TypeVar("R")
Batch = TypeVar("Batch")

OnError = Literal["finish_running", "cancel", "stop_errors"]

BATCHES_AT_ONCE = 3
"""Bulk requests in flight; a vendor's server takes seconds for one, and more at once invites 429."""

MOST_BATCHES = 25
"""Batches that one task run sends: 1,250 records, a minute or two of a vendor's work."""


async def map_bounded(
    items: Iterable[T], call: Callable[[T], Awaitable[R]], limit: int, *, on_error: OnError
) -> list[R]:
    """Call for each item, at most ``limit`` at a time, and return the answers in the order of the items.

    An item is taken from ``items`` when its turn has come, and only ``limit`` tasks exist at any time.

    Args:
        on_error: what an error does to the calls under way; no new one is begun in any case.
            ``finish_running`` awaits them to their ends, ``cancel`` cancels them, and ``stop_errors`` awaits
            them after a ``StopError`` and cancels them after any other error.

    Raises:
        Exception: the first error of a call, as itself and not in a group.
    """
    queue = iter(enumerate(items))
    answers: dict[int, R] = {}
    errors: list[Exception] = []

    async def work(scope: anyio.CancelScope) -> None:
        while not errors:
            turn = next(queue, None)
            if turn is None:
                return
            number, item = turn
            try:
                answers[number] = await call(item)
            except Exception as error:
                errors.append(error)
                stops = on_error == "stop_errors" and not isinstance(error, StopError)
                if on_error == "cancel" or stops:
                    scope.cancel()

    async with anyio.create_task_group() as group:
        for _ in range(limit):
            group.start_soon(work, group.cancel_scope)
    if errors:
        raise errors[0]
    return [answers[number] for number in sorted(answers)]


async def gather_all(*calls: Awaitable[T]) -> list[T]:
    """Await all calls at the same time and return their answers in the order given.

    Where one fails the others are awaited to their ends nevertheless, so that no task is cut off in the
    middle. The first error in the order given is raised.
    """
    answers = await asyncio.gather(*calls, return_exceptions=True)
    for each in answers:
        if isinstance(each, BaseException):
            raise each
    return [each for each in answers if not isinstance(each, BaseException)]


def groups(batches: Sequence[Batch]) -> Iterator[list[Batch]]:
    """The first batch by itself, the others in groups: so many that each turn gets two, if it can."""
    yield from ([batch] for batch in batches[:1])
    size = min(MOST_BATCHES, max(1, len(batches) // (2 * BATCHES_AT_ONCE)))
    yield from (list(batches[start : start + size]) for start in range(1, len(batches), size))


async def send_batches(
    batches: Iterable[Batch],
    send: Callable[[Batch], Awaitable[None]],
    alone: Callable[[], bool] = lambda: False,
) -> None:
    """Send the first batch by itself, and the next ones while ``alone()`` is true; then ``BATCHES_AT_ONCE``.

    A batch is taken from ``batches`` when its turn has come, so that no more of them exist than are sent.
    """
    waiting = iter(batches)
    for batch in waiting:
        await send(batch)
        if not alone():
            break
    await map_bounded(waiting, send, BATCHES_AT_ONCE, on_error="cancel")
