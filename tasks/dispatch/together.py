"""Works on several things at once, a few at a time, and lets an error out as itself."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar

import anyio

T = TypeVar("T")


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
