"""Asks in a way that a server may refuse: what passes is waited for, a refusal becomes the way's failure."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar

import anyio

from connectors.errors import RejectedError, RetryableError, StopError
from tasks.rules.ways import WayState
from tasks.synchronization.patience import Waiting, patiently

T = TypeVar("T")
R = TypeVar("R")

AT_ONCE = 8
"""Calls begun at once; the client itself keeps fewer requests in flight."""
_FORBIDDEN = 403


class WayFailedError(Exception):
    """A way can't be used, and another one must be; ``state`` says whether that is worth remembering."""

    def __init__(self, way: str, state: WayState, reason: str) -> None:
        super().__init__(f"{way}: {reason}")
        self.way = way
        self.state = state
        self.reason = reason


async def try_way(way: str, call: Callable[[], Awaitable[T]], waiting: Waiting) -> T:
    """The answer of ``call``, which only saves requests: there are other ways.

    Raises:
        WayFailedError: it was refused, or the server broke on it. No answer may well mean that the question
            was too much for the server, so that is no reason to end the run.
        RetryableError: the request budget is exhausted for longer than the patience lasts.
    """

    async def once() -> T:
        try:
            return await call()
        except RetryableError as error:
            if error.status is not None and error.status >= 500:
                raise WayFailedError(way, WayState.FAILED, str(error)) from error
            raise

    try:
        return await patiently(once, waiting)
    except RejectedError as error:
        raise WayFailedError(way, WayState.REFUSED, str(error)) from error
    except StopError as error:
        if error.status != _FORBIDDEN:
            raise
        raise WayFailedError(way, WayState.REFUSED, str(error)) from error
    except RetryableError as error:
        if error.retry_after is not None:
            raise
        raise WayFailedError(way, WayState.FAILED, str(error)) from error


async def together(items: Iterable[T], call: Callable[[T], Awaitable[R]]) -> list[R]:
    """``call`` of each item, a few at once, in the order of the items; the first error ends it all.

    However many items there are, only ``AT_ONCE`` tasks exist.
    """
    queue = iter(enumerate(items))
    answers: dict[int, R] = {}
    errors: list[Exception] = []

    async def work(scope: anyio.CancelScope) -> None:
        for number, item in queue:
            try:
                answers[number] = await call(item)
            except Exception as error:
                errors.append(error)
                scope.cancel()
                return

    async with anyio.create_task_group() as group:
        for _ in range(AT_ONCE):
            group.start_soon(work, group.cancel_scope)
    if errors:
        raise errors[0]
    return [answers[number] for number in sorted(answers)]
