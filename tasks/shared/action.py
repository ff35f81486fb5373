"""Documented actions as Prefect tasks: name, key, retry policy, and what passes between them unvisited.

``action`` makes the task that a person runs from a form; ``action_step`` makes its form within a flow's run,
which takes what the run has open and read already and shows under the same name. No answer is cached: the
same read twice in a run must reach the vendor twice.

Prefect visits every list, mapping, dataclass and model that is handed to a task or returned by one, to find
futures in it; for 15,000 records that costs seconds. An object of any other class it leaves alone:
``Inventory`` is a list and ``Opaque`` any one value for that purpose. Prefect's own ``opaque`` annotation
(3.8.8) is made for inputs: it is taken off an input, but not off a returned value, where it is a tuple.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Generic, ParamSpec, TypeVar, cast

from prefect import Task, task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State, TaskRun

from connectors.errors import RetryableError
from tasks.rules.isolation import UnreadRecord
from tasks.shared.run_names import task_run_names

P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T")

RETRY_DELAYS_SECONDS: list[float] = [15, 75, 210]
"""Pauses between tries of an action: together the five minutes of the vendor's window of requests."""


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
            task_run_name=task_run_names(name),
            tags=[key],
            cache_policy=NO_CACHE,
            persist_result=False,
            retries=len(RETRY_DELAYS_SECONDS),
            retry_delay_seconds=RETRY_DELAYS_SECONDS,
            retry_condition_fn=is_retryable,
        )(function)

    return decorate


class ActionStep(Task[P, R]):
    """A documented action as a step of a flow's run; ``actions_of`` does not offer it as a form."""


def action_step(
    public: Task[..., Any], *, retries: int = len(RETRY_DELAYS_SECONDS)
) -> Callable[[Callable[P, R]], ActionStep[P, R]]:
    """The form of the action ``public`` that flows run; ``retries`` 0: the step repeats by itself."""

    def decorate(function: Callable[P, R]) -> ActionStep[P, R]:
        return ActionStep(
            function,
            name=public.name,
            task_run_name=task_run_names(public.name),
            tags=public.tags,
            cache_policy=NO_CACHE,
            persist_result=False,
            retries=retries,
            retry_delay_seconds=RETRY_DELAYS_SECONDS,
            retry_condition_fn=is_retryable,
        )

    return decorate


class Opaque(Generic[T]):
    """One value that Prefect hands on without a look into it."""

    __slots__ = ("value",)

    def __init__(self, value: T) -> None:
        self.value = value

    def __repr__(self) -> str:
        return f"Opaque({type(self.value).__name__})"


class Inventory(Generic[T]):
    """A list of records that is passed by reference; ``unread``: those of which no record could be made."""

    __slots__ = ("records", "unread")

    def __init__(self, records: list[T], unread: list[UnreadRecord] | None = None) -> None:
        self.records = records
        self.unread = unread or []

    def __len__(self) -> int:
        return len(self.records)

    def __iter__(self) -> Iterator[T]:
        return iter(self.records)

    def __repr__(self) -> str:
        return f"Inventory({len(self.records)} records)"


def unvisited(records: list[T]) -> list[T]:
    """The same records as an ``Inventory``, for a task whose documented input is a plain list.

    Fifty whole configurations hold some thousand values, and Prefect visits each of them twice a request.
    """
    return cast(list[T], Inventory(records))
