"""Names of flow and task runs that say what they do: ``asset-synchronization · Contoso · dry run``.

Prefect gives runs two random words for a name. A run is renamed once, when it starts, from the inputs that
it has then, so that scheduled runs, forms and subflows are all named alike. A name that a person typed in the
run form stays. A name shows no secret, is at most ``LONGEST_NAME`` characters long, and never costs a run:
where none can be made, it is the flow's or the task's own.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from prefect import get_client
from prefect.blocks.core import Block
from prefect.runtime import flow_run
from pydantic import BaseModel

from connectors.redaction import Redactor
from tasks.rules.choices import ASK, choice_value
from tasks.rules.isolation import bounded
from tasks.rules.text import counted, plain_line
from tasks.shared.connections import DEFAULT
from tasks.shared.progress import run_logger

LONGEST_NAME = 120
"""Characters; the list of runs in the Prefect UI shows about as many on one line."""
_LONGEST_PART = 40
_SEPARATOR = " · "
_GENERATED = re.compile(r"[a-z]+-[a-z]+")
"""The names that Prefect makes up for runs, such as ``generic-impala``."""
_COUNTED = {
    "names": "name",
    "configurations": "configuration",
    "configuration_request_payload": "configuration",
    "records": "record",
    "assets": "asset",
    "edits": "edit",
    "group": "batch",
    "external_data": "asset",
}
"""Inputs of which the number is told, and the word for one of them."""
_TOLD = ("name", "description", "what", "asset_key")
"""Inputs that are told as they are: the name of a record to be created, what a flow is to do."""
_CONNECTIONS = ("connection", "connectwise", "lansweeper", "field_nation", "rules")
"""Inputs that name a saved block; it is told where it is not the usual one."""
_redacted = Redactor()


def flow_run_name() -> str:
    """The name of the flow run that starts; the ``flow_run_name`` of every flow."""
    flow = str(flow_run.flow_name or "run")
    try:
        given = str(flow_run.name or "")
        if given and not _GENERATED.fullmatch(given):
            return given
        return run_name(flow, flow_run.parameters or {})
    except Exception as error:
        return _nameless(flow, error)


def task_run_names(task: str) -> Callable[..., str]:
    """The ``task_run_name`` of the task of that name: it is asked with the inputs of each run."""

    # Prefect hands the inputs over by this name.
    def task_run_name(parameters: Mapping[str, Any]) -> str:
        try:
            return run_name(task, parameters)
        except Exception as error:
            return _nameless(task, error)

    return task_run_name


async def add_to_run_name(words: str) -> None:
    """Put what is known only later behind the name of this flow run; one request, and no harm without it."""
    if not flow_run.id:
        return
    try:
        async with get_client() as client:
            named = (await client.read_flow_run(flow_run.id)).name
            await client.set_flow_run_name(flow_run.id, _joined([named, words]))
    except Exception as error:
        run_logger().debug("The run keeps its name: %s", error)


def run_name(work: str, inputs: Mapping[str, Any]) -> str:
    """What the flow or task ``work`` does with these inputs, in a few words."""
    return _joined([work, *_words(_flat(inputs))])


def _joined(parts: list[str]) -> str:
    # The first may be a whole name that gets words behind it.
    first, *others = (plain_line(_redacted(each)) for each in parts)
    shown = [first, *(bounded(each, _LONGEST_PART) for each in others if each)]
    return bounded(_SEPARATOR.join(shown), LONGEST_NAME)


def _flat(inputs: Mapping[str, Any]) -> dict[str, Any]:
    """The inputs, those of a settings form among them."""
    settings = inputs.get("settings")
    if isinstance(settings, BaseModel):
        # Not dumped: a form holds mappings of thousands of values.
        settings = {name: getattr(settings, name) for name in type(settings).model_fields}
    return {**inputs, **settings} if isinstance(settings, Mapping) else dict(inputs)


def _words(inputs: Mapping[str, Any]) -> Iterator[str]:
    company = inputs.get("company")
    if isinstance(company, str) and company.strip() not in ("", ASK):
        yield str(choice_value(company))
    if inputs.get("record_id") is not None:
        yield f"{_value(inputs.get('record_kind', ''))} {inputs['record_id']}"
    if inputs.get("work_order_id") is not None:
        yield f"work order {inputs['work_order_id']}"
    if inputs.get("run_id"):
        yield f"run {inputs['run_id']}"
    yield from (_value(inputs[name]) for name in _TOLD if isinstance(inputs.get(name), str))
    yield from _counts(inputs)
    if inputs.get("mode") and inputs.get("dry_run") is not True:
        yield _value(inputs["mode"])
    elif "mode" in inputs:
        yield "apply" if inputs.get("dry_run") is False else "plan"
    elif isinstance(inputs.get("dry_run"), bool):
        yield "dry run" if inputs["dry_run"] else "real run"
    elif isinstance(inputs.get("create"), bool):
        yield "create" if inputs["create"] else "look up"
    yield from _other_connections(inputs)


def _counts(inputs: Mapping[str, Any]) -> Iterator[str]:
    for name, word in _COUNTED.items():
        given = inputs.get(name)
        if name == "names" and isinstance(given, list) and len(given) == 1:
            yield str(given[0])
        elif given is not None and hasattr(given, "__len__") and not isinstance(given, str | bytes | Mapping):
            yield counted(len(given), word)


def _other_connections(inputs: Mapping[str, Any]) -> Iterator[str]:
    for name in _CONNECTIONS:
        given = inputs.get(name)
        saved = given._block_document_name if isinstance(given, Block) else given
        if isinstance(saved, str) and saved not in ("", DEFAULT):
            yield saved


def _value(given: Any) -> str:
    return str(getattr(given, "value", given))


def _nameless(work: str, error: Exception) -> str:
    run_logger().debug("No better name for a run of %s: %s", work, type(error).__name__)
    return work
