"""The run form of an action: its documented inputs, read from the task's signature and docstring."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any, get_origin, get_type_hints

import orjson
from prefect import Task
from prefect.blocks.core import Block
from prefect.utilities.callables import parameter_docstrings
from pydantic import Field
from pydantic.config import JsonDict

from tasks.rules.choices import choice_value
from tasks.rules.external_data import LARGEST_BYTES, ExternalDataError, read_objects

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
    """The action's inputs with documented names, descriptions, examples and the task's own defaults.

    Args:
        connection: the kind of block that the form's block picker offers as ``connection``.
    """
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
    plain = text.replace("``", "`").rstrip(".")
    sentence = f"{plain[:1].upper()}{plain[1:]}." if plain else ""
    named = "such as" in plain or example is None or isinstance(example, (dict, list))
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
            _check_size(documented_name(name), inputs.get(name))
        given = {name: read_objects(documented_name(name), inputs[name]) for name in inventories}
        chosen = {name: choice_value(inputs[name]) for name in CHOSEN & inputs.keys()}
        return inputs | given | chosen

    return read


def _check_size(what: str, data: Any) -> None:
    if not isinstance(data, str) and len(orjson.dumps(data, default=str)) > LARGEST_BYTES:
        raise ExternalDataError(f"{what} is larger than 400 KB. Save it as a file and give the file's path.")
