"""Makes a flow of a documented action, so that a person can run it from a form: one mechanism for all.

The form is made from the task, the connection is picked as a block and handed on by name, and the answer
is shown as a table artifact with the whole of it in a file.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from types import ModuleType
from typing import Any

from prefect import Flow, Task
from prefect.blocks.core import Block
from prefect.states import Failed

from connectors.connectwise.block import ConnectWiseConnection
from connectors.errors import StopError
from tasks.action_answers import artifact_key, publish_answer
from tasks.action_forms import CONNECTION, form_signature, input_reader
from tasks.connections import connectwise_client, shared_connections
from tasks.rules.batching import ItemOutcome
from tasks.rules.markdown import Link
from tasks.rules.wording import counted
from tasks.synchronization.lease import writing_lease

READING = ("List ", "Match ")
"""Actions whose names begin so never write: their clients refuse to."""
WITH_PAGES = frozenset({"List of Configurations"})
"""Actions whose records have a page in ConnectWise's own UI."""


def actions_of(package: ModuleType) -> Iterator[Task[..., Any]]:
    """The documented actions of a system: the tasks of that package's modules, by name."""
    for found in sorted(pkgutil.iter_modules(package.__path__), key=lambda each: each.name):
        module = importlib.import_module(f"{package.__name__}.{found.name}")
        made_here = [each for each in vars(module).values() if isinstance(each, Task)]
        yield from (each for each in made_here if each.fn.__module__ == module.__name__)


def flows_of(package: ModuleType, connection: type[Block], module: str) -> dict[str, Flow[..., Any]]:
    """A flow of each action of ``package``, by the name under which ``module`` is to hold it."""
    return {each.fn.__name__: action_flow(each, connection, module) for each in actions_of(package)}


def action_flow(action: Task[..., Any], connection: type[Block], module: str) -> Flow[..., Any]:
    """The flow that runs this action from a form.

    Args:
        connection: the kind of block that the form offers as ``connection``.
        module: the module that holds the flow, so that its entrypoint is ``module.function_name``.
    """
    read_inputs = input_reader(action)
    reading = action.name.startswith(READING)

    async def run(**inputs: Any) -> Any:
        name = block_name(inputs[CONNECTION])
        given = read_inputs(inputs | {CONNECTION: name})
        async with shared_connections(read_only=reading), _leases(reading, name, given):
            answer = await action(**given)
            link = await _page_link(action.name, connection, name)
            published = await publish_answer(action.name, answer, link)
        failures = failed_items(answer)
        if failures:
            return Failed(
                name=f"Finished with {counted(len(failures), 'failure')}",
                message="; ".join(failures[:5]),
                data=published,
            )
        return published

    run.__name__ = run.__qualname__ = action.fn.__name__
    run.__module__ = module
    run.__doc__ = first_paragraph(action)
    run.__signature__ = form_signature(action, connection)  # type: ignore[attr-defined]
    run.__annotations__ = {}
    return Flow(run, name=artifact_key(action.name), description=run.__doc__, persist_result=False)


def first_paragraph(action: Task[..., Any]) -> str:
    """What the action does, in its docstring's first sentences."""
    return " ".join((inspect.getdoc(action.fn) or "").partition("\n\n")[0].split())


def block_name(block: Block) -> str:
    """The name under which the picked block is saved: tasks take names, so that no secret is recorded.

    Raises:
        StopError: the block was never saved.
    """
    name = block._block_document_name
    if not name:
        raise StopError(
            f"The {block._block_type_name} block is not saved",
            remedy="Save it in the Prefect UI under Blocks, then pick it.",
        )
    return name


def failed_items(answer: Any) -> list[str]:
    """The refused records of a bulk answer, and those whose outcome it does not tell."""
    outcomes = [each for each in answer if isinstance(each, ItemOutcome)] if isinstance(answer, list) else []
    return [
        f"record {each.index + 1}: {each.message or each.code or 'the answer does not say what became of it'}"
        for each in outcomes
        if each.ok is not True
    ]


@asynccontextmanager
async def _leases(reading: bool, connection: str, inputs: Mapping[str, Any]) -> AsyncIterator[None]:
    """Hold the writing lease of every company whose configurations are sent."""
    records = [] if reading else inputs.get("configurations") or []
    companies = {(each.get("company") or {}).get("id") for each in records}
    async with AsyncExitStack() as held:
        # Always in the same order, so that two runs can't wait for each other.
        for company in sorted(each for each in companies if isinstance(each, int)):
            await held.enter_async_context(writing_lease(connection, company))
        yield


async def _page_link(action: str, connection: type[Block], name: str) -> Link | None:
    if action not in WITH_PAGES or connection is not ConnectWiseConnection:
        return None
    async with connectwise_client(name) as client:
        return client.settings.configuration_url
