"""A flow with a form for each documented action, so that a person can run it: made from the task.

The form is made of the task's signature and docstring (``form_signature``), the connection is picked as a
block and handed on by name, and the answer is published (``publish_answer``): its first records as a table
artifact, the whole of it in a file or a storage block (docs/adr/0015-whole-answers.md).
"""

from __future__ import annotations

import importlib
import inspect
import os
import pkgutil
import re
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Annotated, Any, get_origin, get_type_hints

import orjson
from prefect import Flow, Task
from prefect.artifacts import acreate_table_artifact
from prefect.blocks.core import Block
from prefect.filesystems import WritableFileSystem
from prefect.settings import PREFECT_HOME, get_current_settings
from prefect.utilities.callables import parameter_docstrings
from pydantic import Field
from pydantic.config import JsonDict

from connectors.connectwise.block import ConnectWiseConnection
from connectors.errors import StopError
from connectors.installation import disk_is_shared
from tasks.rules.action_io import (
    LARGEST_BYTES,
    AnswerTable,
    ExternalDataError,
    answer_table,
    as_json,
    read_objects,
)
from tasks.rules.bulk import ItemOutcome
from tasks.rules.choices import choice_value
from tasks.rules.report import failures_name
from tasks.rules.text import AddressOf
from tasks.shared.action import ActionStep
from tasks.shared.connections import (
    connectwise_client,
    current_run_id,
    own_pool_type,
    shared_connections,
)
from tasks.shared.lease import writing_lease
from tasks.shared.results import NAMED, finished_state
from tasks.shared.run_names import flow_run_name

READING = ("List ", "Match ")
"""Actions whose names begin so never write: their clients refuse to."""
WITH_PAGES = frozenset({"List of Configurations"})
"""Actions whose records have a page in ConnectWise's own UI."""


def actions_of(package: ModuleType) -> Iterator[Task[..., Any]]:
    """The documented actions of a system: the tasks of that package's modules, without the steps of runs."""
    for found in sorted(pkgutil.iter_modules(package.__path__), key=lambda each: each.name):
        module = importlib.import_module(f"{package.__name__}.{found.name}")
        tasks = [each for each in vars(module).values() if isinstance(each, Task)]
        made_here = [each for each in tasks if not isinstance(each, ActionStep)]
        yield from (each for each in made_here if each.fn.__module__ == module.__name__)


def flows_of(package: ModuleType, connection: type[Block], module: str) -> dict[str, Flow[..., Any]]:
    """A flow of each action of ``package``, by the name under which ``module`` is to hold it."""
    return {each.fn.__name__: action_flow(each, connection, module) for each in actions_of(package)}


def action_flow(action: Task[..., Any], connection: type[Block], module: str) -> Flow[..., Any]:
    """The flow, held by ``module``, that runs this action from a form with such a ``connection``."""
    read_inputs = input_reader(action)
    reading = action.name.startswith(READING)

    async def run(**inputs: Any) -> Any:
        name = block_name(inputs[CONNECTION])
        given = read_inputs(inputs | {CONNECTION: name})
        place = await answers_place(os.environ)
        async with shared_connections(read_only=reading), _leases(reading, name, given):
            answer = await action(**given)
            link = await _page_link(action.name, connection, name)
            published = await publish_answer(action.name, answer, place, link)
            failures = failed_items(answer)
            return finished_state(failures_name(len(failures)), failures[:NAMED], published)

    run.__name__ = run.__qualname__ = action.fn.__name__
    run.__module__ = module
    run.__doc__ = " ".join((inspect.getdoc(action.fn) or "").partition("\n\n")[0].split())
    run.__signature__ = form_signature(action, connection)  # type: ignore[attr-defined]
    run.__annotations__ = {}
    return Flow(
        run,
        name=artifact_key(action.name),
        flow_run_name=flow_run_name,
        description=run.__doc__,
        persist_result=False,
    )


def block_name(block: Block) -> str:
    """The saved block's name, so that no secret is recorded by tasks; StopError if it was never saved."""
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
    numbers = sorted(each for each in companies if isinstance(each, int))
    if not numbers:
        yield
        return
    async with AsyncExitStack() as held:
        client = await held.enter_async_context(connectwise_client(connection))
        tenant = client.settings.tenant_key
        # Always in the same order, so that two runs can't wait for each other.
        for company in numbers:
            await held.enter_async_context(writing_lease(tenant, company, connection=connection))
        yield


async def _page_link(action: str, connection: type[Block], name: str) -> AddressOf | None:
    if action not in WITH_PAGES or connection is not ConnectWiseConnection:
        return None
    async with connectwise_client(name) as client:
        return client.settings.configuration_url


CONNECTION = "connection"
RECORDS = list[dict[str, Any]]
"""The type of an input that is itself an inventory: the form takes JSON text or a file's path as well."""

CHOSEN = frozenset({"site_id"})
"""Inputs whose form offers choices "id: name"."""

DOCUMENTED_NAMES = {
    "case_sensitive_match": "Case sensitive match",
    "ip_address_path": "IP Address Path",
    "configurations": "Configurations",
}
"""The page's names of inputs, where they are not just the words with capitals."""

DOCUMENTED_EXAMPLES: dict[str, Any] = {
    "conditions": 'name="test"',
    "child_conditions": 'communicationItems/value like "john@Outlook.com"',
    "custom_field_conditions": 'caption="TomNumber" AND value !=null',
    "page": 2,
    "page_size": 200,
    "structure_level_id": 1,
    "configuration_name_path": "asset.general.name",
    "serial_number_path": "asset.general.serialNumber",
    "mac_address_path": "asset.network.macAddress",
    "model_number_path": "asset.model",
    "ip_address_path": "asset.network.ipAddress",
    "additional_field_mappings": {"asset.general.manufacturer": "manufacturer.name"},
    "custom_field_mappings": [{"asset.general.key": "ls_asset_id"}, {"asset.general.url": "ls_asset_url"}],
    "external_data": [{"asset": {"general": {"key": "0f5ac0be", "name": "166.246.143.187/1/7"}}}],
    "custom_fields": {"cw_sla": "Gold"},
    "fields": {"assetCustom": {"comment": "on loan"}},
    "props": {"options": ["Gold", "Silver"]},
    "site_id": "56d4ed4f-b2ad-4587-91b5-07bd453c5c76",
}
"""The page's examples of inputs whose docstring gives none ("..., such as ``x``")."""

_EXAMPLE = re.compile(r"such as ``(.+?)``")


def documented_name(name: str) -> str:
    """The name of an input as the connector page has it: ``page_size`` -> ``Page Size``."""
    return DOCUMENTED_NAMES.get(name) or " ".join(word.capitalize() for word in name.split("_"))


def form_signature(action: Task[..., Any], connection: type[Block]) -> inspect.Signature:
    """The action's inputs with documented names, descriptions, examples and the task's own defaults."""
    hints = get_type_hints(action.fn, include_extras=True)
    texts = parameter_docstrings(inspect.getdoc(action.fn))
    made = [
        parameter.replace(
            kind=inspect.Parameter.KEYWORD_ONLY,
            annotation=_annotated(parameter.name, hints[parameter.name], texts, connection),
        )
        for parameter in inspect.signature(action.fn).parameters.values()
    ]
    return inspect.Signature(made)


def _annotated(name: str, hint: Any, texts: Mapping[str, str], connection: type[Block]) -> Any:
    text = " ".join(texts.get(name, "").split())
    example = _example(name, hint, text)
    if name == CONNECTION:
        hint, text = connection, f"The {connection._block_type_name} block to use"
    elif hint == RECORDS:
        hint, text = Any, f"{text.rstrip('.')}: as JSON, up to 400 KB, or the path of a JSON file"
    extra: JsonDict = {"title": documented_name(name), "description": _description(text, example)}
    if example is not None:
        extra["examples"] = [example]
    return Annotated[hint, Field(json_schema_extra=extra)]


def _description(text: str, example: Any) -> str:
    """A sentence without the double quotes that mark code in docstrings; with an example if it has none."""
    as_json = text.replace("``", "`").rstrip(".")
    sentence = f"{as_json[:1].upper()}{as_json[1:]}." if as_json else ""
    named = "such as" in as_json or example is None or isinstance(example, (dict, list))
    return sentence if named else f"{sentence} Example: `{example}`.".strip()


def _example(name: str, hint: Any, text: str) -> Any:
    found = _EXAMPLE.search(text)
    example = found[1] if found else DOCUMENTED_EXAMPLES.get(name)
    return [example] if isinstance(example, str) and get_origin(hint) is Sequence else example


def input_reader(action: Task[..., Any]) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """Reads what a form gives: inventories as JSON or a file's path, and choices "id: name" as ids."""
    hints = get_type_hints(action.fn)
    inventories = [name for name, hint in hints.items() if hint == RECORDS and name != "return"]
    limited = [*inventories, *(["external_data"] if "external_data" in hints else [])]

    def read(inputs: dict[str, Any]) -> dict[str, Any]:
        for name in limited:
            data, what = inputs.get(name), documented_name(name)
            if not isinstance(data, str) and len(orjson.dumps(data, default=str)) > LARGEST_BYTES:
                raise ExternalDataError(
                    f"{what} is larger than 400 KB. Save it as a file and give the file's path."
                )
        given = {name: read_objects(documented_name(name), inputs[name]) for name in inventories}
        chosen = {name: choice_value(inputs[name]) for name in CHOSEN & inputs.keys()}
        return inputs | given | chosen

    return read


FOLDER_VARIABLE = "CONNECTWISE_FLOWS_ANSWERS"
BLOCK = "block:"
"""Before the type and name of a storage block, such as ``block:s3-bucket/answers``."""
_OWNER_ONLY = 0o600


@dataclass(frozen=True, slots=True)
class ActionAnswer:
    """``total`` records, of which ``shown`` are in the artifact; ``file`` holds them all as JSON.

    ``file`` is a path on the machine of the run, or the storage block and the path within it.
    """

    total: int
    shown: int
    file: str


@dataclass(frozen=True, slots=True)
class AnswersFolder:
    """Whole answers as files, readable by their owner only: they hold a customer's data."""

    folder: Path
    where = "on the machine of the run"

    async def keep(self, name: str, content: bytes) -> str:
        return str(_write_private(self.folder / name, content))


def _write_private(path: Path, content: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "wb", opener=lambda name, flags: os.open(name, flags, _OWNER_ONLY)) as file:
        file.write(content)
    return path


@dataclass(frozen=True, slots=True)
class AnswersBlock:
    """Whole answers in a saved storage block of Prefect, such as a bucket."""

    slug: str
    storage: WritableFileSystem
    where = "in the storage block"

    async def keep(self, name: str, content: bytes) -> str:
        # Blocks of Prefect have an asynchronous method of its own beside one that is either; others have one.
        write = getattr(self.storage, "awrite_path", self.storage.write_path)
        written = write(name, content=content)
        if inspect.isawaitable(written):
            await written
        return f"{self.slug}: {name}"


async def answers_place(environment: Mapping[str, str]) -> AnswersFolder | AnswersBlock:
    """Where whole answers are kept, looked up before anything is read.

    ``CONNECTWISE_FLOWS_ANSWERS`` names a folder, or a storage block after ``block:``. Without it the storage
    block is taken that Prefect is told to keep results in, else the folder ``answers`` in Prefect's own.

    Raises:
        StopError: there is no such block, it is of another kind, or nothing is named and the disk goes with
            the run's container.
    """
    named = environment.get(FOLDER_VARIABLE, "").strip()
    if named and not named.startswith(BLOCK):
        return AnswersFolder(Path(os.path.expanduser(named)))  # noqa: ASYNC240 - asks no disk
    slug = named.removeprefix(BLOCK) or get_current_settings().results.default_storage_block
    if slug:
        return AnswersBlock(slug, await _storage(slug))
    if not disk_is_shared(environment, await own_pool_type()):
        raise StopError(
            "The whole answer would be a file in the run's container and be lost with it",
            remedy=f"Set {FOLDER_VARIABLE} to a folder on a volume, or to a storage block: {BLOCK}TYPE/NAME.",
        )
    return AnswersFolder(Path(PREFECT_HOME.value()) / "answers")


async def _storage(slug: str) -> WritableFileSystem:
    try:
        storage = await Block.aload(slug)
    except (ValueError, LookupError, ImportError) as error:
        raise StopError(
            f"The storage block {slug!r} for whole answers can't be loaded",
            remedy="Save it in the Prefect UI under Blocks and install its package where the runs are, "
            f"or name a folder in {FOLDER_VARIABLE}.",
        ) from error
    if not isinstance(storage, WritableFileSystem):
        raise StopError(
            f"The block {slug!r} is no storage that can be written",
            remedy=f"Name a storage block or a folder in {FOLDER_VARIABLE}.",
        )
    return storage


async def publish_answer(
    name: str, answer: Any, place: AnswersFolder | AnswersBlock, link: AddressOf | None = None
) -> ActionAnswer:
    """Keep the whole answer of this run and show its first 200 records as a table artifact."""
    content = as_json(answer)
    key = artifact_key(name)
    stem = f"{key}-{current_run_id()}"
    kept = await place.keep(f"{stem}.json", orjson.dumps(content, option=orjson.OPT_INDENT_2, default=str))
    table = answer_table(content, link)
    await acreate_table_artifact(
        table=[dict(row) for row in table.rows],
        key=key,
        description=f"{description(name, table)} Whole answer as JSON, {place.where}: `{kept}`",
    )
    return ActionAnswer(table.total, len(table.rows), kept)


def artifact_key(name: str) -> str:
    """``List of Configurations`` -> ``list-of-configurations``: Prefect takes lower case and dashes."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")


def description(name: str, table: AnswerTable) -> str:
    """The line above the table: how many there are, and what is left out."""
    shown = len(table.rows)
    count = f"{table.total:,} record{'' if table.total == 1 else 's'}"
    parts = [f"**{name}: {count}.**"]
    if shown < table.total:
        parts.append(f"The first {shown:,} are shown.")
    if table.hidden_columns:
        parts.append(f"{table.hidden_columns} more columns are in the file.")
    return " ".join(parts)
