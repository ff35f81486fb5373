"""What makes a Prefect task of a documented action: its documented name and key, and its retry policy.

No action's answer is cached: the same read twice in a run must reach the vendor twice.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

from prefect import Task, task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State, TaskRun

from connectors.errors import RetryableError

P = ParamSpec("P")
R = TypeVar("R")

RETRY_DELAYS_SECONDS: list[float] = [15, 75, 210]
"""Pauses between tries of an action: together the five minutes of the vendor's window of requests.

A client itself never waits longer than about a minute.
"""


async def is_retryable(task: Task[..., Any], run: TaskRun, state: State[Any]) -> bool:
    """Only what is certainly harmless to repeat is repeated: never an unclear outcome of a write."""
    try:
        await state.aresult()
    except RetryableError:
        return True
    except BaseException:
        return False
    return False


def action(name: str, key: str) -> Callable[[Callable[P, R]], Task[P, R]]:
    """A documented action as a task: ``name`` and ``key`` exactly as the connector page has them."""

    def decorate(function: Callable[P, R]) -> Task[P, R]:
        return task(
            name=name,
            tags=[key],
            cache_policy=NO_CACHE,
            persist_result=False,
            retries=len(RETRY_DELAYS_SECONDS),
            retry_delay_seconds=RETRY_DELAYS_SECONDS,
            retry_condition_fn=is_retryable,
        )(function)

    return decorate
