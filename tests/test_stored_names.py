"""Holds every name that is stored or seen outside: in ledgers, in Prefect, at vendors, in people's scripts.

A class, function or constant may be renamed; these values may not: what an older version has written must be
read by this one, and two versions at work at once must see each other's locks. ``data/stored_names.json`` has
what can be asked of the running code, the lists below have what is only text in it. All was taken from commit
1c54c08, before the move into a folder for each feature, and this module passed there as well: it names no
module, class or constant of the product, so it can be run at any commit. A new name is added by hand.
"""

from __future__ import annotations

import ast
import enum
import importlib
import json
import re
import typing
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("connectors", "tasks", "flows", "deployments")
STORED: dict[str, Any] = json.loads((ROOT / "tests/data/stored_names.json").read_text(encoding="utf-8"))

TEXTS = {
    "state entries of the ledger": (
        "dispatch-begun",
        "dispatch-refused-{}-{}",
        "dispatch-rule-names",
        "dispatch-sweep-{}",
        "dispatch-unanswered-{}",
        "lansweeper-edits",
        "messages of work order {}",
        "signing key addresses",
        "tickets of company {}",
        "ways",
        "work order {}",
    ),
    "members of the state entries": (
        "addresses",
        "alive",
        "asked_about",
        "at",
        "began",
        "cancelling",
        "closed",
        "count",
        "day",
        "entries",
        "found",
        "handled",
        "inside",
        "last_reconcile",
        "most",
        "order",
        "problems",
        "published",
        "rules",
        "runs_since",
        "sent",
        "singly",
        "updated",
        "written_back",
    ),
    "query strategies in the state entry": (
        "report ConfigurationAgreement",
        "bundles",
        "child collections",
    ),
    "names of rows of dispatch_effects": (
        "bringing back",
        "copying notes",
        "mapped {}",
        "number/note",
        "time-{}",
        "{}/note",
        "{}/{}",
    ),
    "kinds of a link's ends": ("connectwise/", "connectwise/{}", "field_nation/work_order"),
    "kinds of records in the journal": (
        "asset",
        "configuration",
        "configuration type",
        "Lansweeper custom field",
        "location",
        "manufacturer",
        "status",
    ),
    "keys of tenants and of request limits": (
        "connectwise:{}:{}",
        "fieldnation:{}:{}",
        "lansweeper:{}:{}",
        "{}|{}",
    ),
    "leases in Prefect": ("{}-fields-{}", "{}-writes-{}-company-{}"),
    "variables of Prefect": ("connectwise_flows_seen_versions", "flow_run", "signs"),
    "artifact keys": (
        "asset-synchronization-plan",
        "asset-synchronization-report",
        "dispatch-preview",
        "dispatch-report",
        "tickets-agreements-sla-sync-plan",
        "tickets-agreements-sla-sync-report",
        "undo-run-plan",
    ),
    "names of states": ("Finished with {}",),
    "pool and automations": (
        "connectwise",
        "process",
        "Mark runs without heartbeat as crashed",
        "Tell of failed and refused runs",
        "failed-runs",
    ),
    "events": (
        "connectwise-flows.plan.published",
        "connectwise-flows.run.refused",
        "connectwise-flows.records.held",
    ),
    "what the vendors keep": (
        "[FN-{}-message-{}]",
        "[FN-{}-{}]",
        "[{}-note-{}]",
        "[{}] {}",
        "CW",
        "S",
        "P",
        "O",
        "/connectwise/callbacks",
        "/field-nation/webhooks",
        "connectwise-flows: dispatch",
        "cw_agreement_end_date",
        "cw_agreement_id",
        "cw_agreement_name",
        "cw_agreement_start_date",
        "cw_agreement_status",
        "cw_agreement_type",
        "cw_closed_tickets",
        "cw_configuration_url",
        "cw_open_tickets",
        "cw_sla",
        "cw_total_tickets",
        "ls_",
        "ls_asset_id",
        "ls_asset_location",
        "ls_asset_url",
        "ls_software",
        "FN Work Order",
    ),
    "places of files": ("connectwise-flows", "ledger.db", "{}.json", "answers"),
    "messages in the inbox": ("MessageId", "sha256:{}", "connectwise", "field_nation"),
    "states of messages": ("waiting", "done", "failed"),
    "environment variables": (
        "CONNECTWISE_CLIENT_ID",
        "CONNECTWISE_COMPANY_ID",
        "CONNECTWISE_FLOWS_ANSWERS",
        "CONNECTWISE_FLOWS_IMAGE",
        "CONNECTWISE_FLOWS_LEDGER",
        "CONNECTWISE_FLOWS_LEDGER_URL",
        "CONNECTWISE_FLOWS_LOG_FORMAT",
        "CONNECTWISE_FLOWS_METRICS_FOLDER",
        "CONNECTWISE_FLOWS_METRICS_PUSHGATEWAY",
        "CONNECTWISE_FLOWS_POOL_TYPE",
        "CONNECTWISE_FLOWS_NOTIFY_EMAIL",
        "CONNECTWISE_FLOWS_NOTIFY_SLACK",
        "CONNECTWISE_FLOWS_NOTIFY_TEAMS",
        "CONNECTWISE_FLOWS_RECEIVER_BODY_LIMIT",
        "CONNECTWISE_FLOWS_RECEIVER_CONNECTWISE_SOURCES",
        "CONNECTWISE_FLOWS_RECEIVER_FIELD_NATION_SOURCES",
        "CONNECTWISE_FLOWS_RECEIVER_HOST",
        "CONNECTWISE_FLOWS_RECEIVER_KEY_HOSTS",
        "CONNECTWISE_FLOWS_RECEIVER_PORT",
        "CONNECTWISE_FLOWS_RECEIVER_PROXIES",
        "CONNECTWISE_FLOWS_REPLACE_TEMPLATE",
        "CONNECTWISE_FLOWS_SHARED_DISK",
        "CONNECTWISE_FLOWS_SMTP_URL",
        "CONNECTWISE_FLOWS_UP_HOME",
        "CONNECTWISE_PRIVATE_KEY",
        "CONNECTWISE_PUBLIC_KEY",
        "CONNECTWISE_SITE",
        "FIELD_NATION_CLIENT_ID",
        "FIELD_NATION_CLIENT_SECRET",
        "FIELD_NATION_ENVIRONMENT",
        "FIELD_NATION_PASSWORD",
        "FIELD_NATION_USERNAME",
        "FIELD_NATION_WEBHOOK_SECRET",
        "LANSWEEPER_ACCESS_TOKEN",
        "LANSWEEPER_ENDPOINT",
        "LANSWEEPER_SITE_ID",
        "PREFECT_FLOWS_HEARTBEAT_FREQUENCY",
        "PREFECT_SERVER_DATABASE_CONNECTION_URL",
        "PREFECT_SERVER_ENCRYPTION_KEY",
        "{}_FILE",
    ),
}
"""Texts of the code; ``{}`` stands for a value that is filled in."""

COMMANDS = (
    "deployments.bootstrap",
    "deployments.list_writes",
    "deployments.migrate_server",
    "deployments.receiver",
    "deployments.rotate_encryption_key",
    "deployments.serve",
    "deployments.serve_inbox",
)
"""What the README, the runbook and the units of systemd and compose start with ``python -m``."""


@cache
def objects() -> tuple[tuple[str, str, Any], ...]:
    """Module, name and value of everything at the top level of the product's modules."""
    return tuple((module, name, value) for module in modules() for name, value in vars_of(module))


def modules() -> Iterator[str]:
    for path in product_files():
        name = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        if "migrations" not in path.parts and path.name != "__main__.py":
            yield name


def vars_of(module: str) -> list[tuple[str, Any]]:
    return list(vars(importlib.import_module(module)).items())


@cache
def product_files() -> tuple[Path, ...]:
    return tuple(path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py")))


def classes(base: type) -> list[Any]:
    """The product's own classes of this base."""
    found = {id(value): value for _, _, value in objects() if isinstance(value, type)}
    return [
        each
        for each in found.values()
        if issubclass(each, base) and each.__module__.split(".")[0] in PACKAGES
    ]


def fields(schema: Mapping[str, Any], node: Mapping[str, Any], path: str) -> Iterator[str]:
    """Every member under a schema by its path, secrets as such, with the words that it may take."""
    if "$ref" in node:
        node = (schema.get("$defs") or schema["definitions"])[node["$ref"].rpartition("/")[2]] | node
    for part in (*node.get("anyOf", ()), *node.get("allOf", ()), *node.get("oneOf", ())):
        yield from fields(schema, part, path)
    if "enum" in node:
        yield f"{path} in {', '.join(map(str, node['enum']))}"
    if "items" in node:
        yield from fields(schema, node["items"], f"{path}[]")
    if isinstance(node.get("additionalProperties"), dict):
        yield from fields(schema, node["additionalProperties"], f"{path}{{}}")
    for name, member in node.get("properties", {}).items():
        inner = f"{path}.{name}" if path else name
        yield f"{inner} (secret)" if member.get("format") == "password" else inner
        yield from fields(schema, member, inner)


def field_paths(schema: Mapping[str, Any]) -> list[str]:
    """Once each; the mapping lines, which every kind and direction has alike, are listed for one."""
    paths = set(fields(schema, schema, ""))
    return sorted(
        path for path in paths if not re.match(r"rules\.mappings\.(?!service\.inbound\b)\w+\.", path)
    )


def flows() -> dict[str, dict[str, Any]]:
    from prefect import Flow
    from prefect.utilities.callables import parameter_schema

    found = {
        f"{module}.{name}": value
        for module, name, value in objects()
        if isinstance(value, Flow) and module.startswith("flows.")
    }
    return {
        place: {
            "name": flow.name,
            "parameters": field_paths(parameter_schema(flow.fn).model_dump_for_openapi()),
        }
        for place, flow in found.items()
    }


def actions() -> dict[str, list[str]]:
    from prefect import Task

    return {value.name: sorted(value.tags) for _, _, value in objects() if isinstance(value, Task)}


def blocks() -> dict[str, dict[str, Any]]:
    from prefect.blocks.core import Block

    return {
        block.get_block_type_slug(): {
            "name": block.get_block_type_name(),
            "fields": field_paths(block.model_json_schema()),
        }
        for block in classes(Block)
    }


def deployments() -> dict[str, dict[str, Any]]:
    listed = yaml.safe_load((ROOT / "prefect.yaml").read_text(encoding="utf-8"))["deployments"]
    left_out = ("name", "description")
    return {each["name"]: {k: v for k, v in each.items() if k not in left_out} for each in listed}


def tables() -> dict[str, dict[str, list[str]]]:
    from sqlalchemy import MetaData

    (metadata,) = {id(value): value for _, _, value in objects() if isinstance(value, MetaData)}.values()
    return {
        table.name: {
            "columns": [column.name for column in table.columns],
            "names": sorted(
                str(each.name) for each in (*table.constraints, *table.indexes) if each.name is not None
            ),
        }
        for table in metadata.tables.values()
    }


def migrations() -> list[str]:
    folder = ROOT / "connectors/ledger/migrations/versions"
    texts = (
        path.read_text(encoding="utf-8") for path in sorted(folder.glob("*_*.py")) if path.stem[0] == "0"
    )
    return [re.findall(r'^revision\b.*"(\w+)"', text, re.MULTILINE)[0] for text in texts]


def words() -> list[list[str]]:
    """The words of every enumeration and of every named literal."""
    enums = {tuple(str(member.value) for member in each) for each in classes(enum.Enum)}
    literals = {
        tuple(map(str, typing.get_args(value)))
        for _, _, value in objects()
        if typing.get_origin(value) is typing.Literal
    }
    return [list(each) for each in sorted(enums | literals)]


@cache
def texts_of_the_code() -> frozenset[str]:
    """Every text constant but docstrings; what is filled in is ``{}``, as in an f-string."""
    return frozenset(
        text for path in product_files() for text in texts_of(ast.parse(path.read_text(encoding="utf-8")))
    )


def texts_of(tree: ast.Module) -> Iterator[str]:
    told = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            yield "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in told:
            yield re.sub(r"\{\w*\}|%[sd]", "{}", node.value)


def is_written(text: str) -> bool:
    """In one piece, or with its value put behind it (``"work order " + number``)."""
    return text in texts_of_the_code() or (
        text.endswith("{}") and "{}" not in text[:-2] and text[:-2] in texts_of_the_code()
    )


@pytest.mark.parametrize(
    ("kind", "asked"),
    [
        ("flows", flows),
        ("actions", actions),
        ("blocks", blocks),
        ("deployments", deployments),
        ("tables", tables),
        ("migrations", migrations),
    ],
)
def test_names_that_are_stored_stay(kind: str, asked: Any) -> None:
    assert json.loads(json.dumps(asked())) == STORED[kind]


def test_words_that_are_stored_stay() -> None:
    """Of reports, journals, rows and settings; other enumerations may come and go."""
    now = words()
    assert [each for each in STORED["words"] if each not in now] == []


@pytest.mark.parametrize("kind", TEXTS)
def test_texts_that_are_stored_stay(kind: str) -> None:
    assert [text for text in TEXTS[kind] if not is_written(text)] == []


@pytest.mark.parametrize("command", COMMANDS)
def test_commands_stay(command: str) -> None:
    path = ROOT / Path(*command.split("."))
    files = [path.with_suffix(".py"), path / "__main__.py"]
    (file,) = [each for each in files if each.exists()]
    assert file.name == "__main__.py" or '__name__ == "__main__"' in file.read_text(encoding="utf-8")


def test_targets_of_make_stay() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert set(STORED["targets of make"]) <= set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
