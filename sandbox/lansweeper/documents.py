"""GraphQL documents: the served schema, parsing and validation, aliases, root fields, asset paths, refusals.

Refusals are in Lansweeper's words, each with its HTTP status; texts marked A have no source.
The schema, the paths and the list of asset types follow docs/vendors.md, Lansweeper 7.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    GraphQLError,
    GraphQLNamedType,
    GraphQLObjectType,
    OperationDefinitionNode,
    OperationType,
    Visitor,
    build_schema,
    get_named_type,
    parse,
    validate,
    visit,
)

SDL = (Path(__file__).parent / "schema.graphql").read_text(encoding="utf-8")
SCHEMA = build_schema(SDL)

# Not in the schema, but clients ask for it and get it (docs/vendors.md, Lansweeper 4).
IMPLICIT_PATHS = frozenset({"_id"})


def leaf_paths() -> frozenset[str]:
    """Every dotted path that ``fields`` may hold: leaves of AssetDetailsResponse, never a bare section.

    Those of ``paths.txt`` are the vendor's too, though no asset here has a value there.
    """
    paths: set[str] = {*IMPLICIT_PATHS, *_further_paths()}
    root = SCHEMA.type_map["AssetDetailsResponse"]
    _collect(root, "", paths, ())
    return frozenset(paths)


def _further_paths() -> Iterator[str]:
    for line in (Path(__file__).parent / "paths.txt").read_text(encoding="utf-8").splitlines():
        section, _, leaves = line.partition(": ")
        if not line.startswith("#"):
            yield from (leaf if section == "." else f"{section}.{leaf}" for leaf in leaves.split())


def _collect(node: GraphQLNamedType, prefix: str, paths: set[str], seen: tuple[str, ...]) -> None:
    if not isinstance(node, GraphQLObjectType):
        paths.add(prefix)
        return
    if node.name in seen:
        return
    for name, field in node.fields.items():
        path = f"{prefix}.{name}" if prefix else name
        _collect(get_named_type(field.type), path, paths, (*seen, node.name))


LEAF_PATHS = leaf_paths()


_BRACKETS = re.compile(r"[\[\](){}]")
MAX_DEPTH = 64
MAX_TOKENS = 30_000
_SUGGESTION = re.compile(r" Did you mean .*$", re.DOTALL)
_NOTHING: tuple[tuple[str, ...], bool] = (("invalid",), False)


def parsed(query: str) -> DocumentNode:
    """The document; GraphQLError for what is none, or nested too deep or too long (both limits assumed)."""
    found = _parsed(query)
    if isinstance(found, GraphQLError):
        raise found
    return found


@lru_cache(maxsize=64)
def _parsed(query: str) -> DocumentNode | GraphQLError:
    depth = deepest = 0
    for sign in _BRACKETS.findall(query):
        depth += 1 if sign in "{[(" else -1
        deepest = max(deepest, depth)
    if deepest > MAX_DEPTH:
        return GraphQLError(f"Syntax Error: The document is nested deeper than {MAX_DEPTH} levels.")
    try:
        return parse(query, max_tokens=MAX_TOKENS)
    except GraphQLError as error:
        return error


@lru_cache(maxsize=256)
def checked_document(query: str) -> tuple[DocumentNode | None, tuple[str, ...]]:
    """The parsed document, or None and the reasons it is refused, in the vendor's words."""
    try:
        document = parsed(query)
    except GraphQLError as error:
        return None, (error.message,)
    errors = tuple(_SUGGESTION.sub("", error.message) for error in validate(SCHEMA, document))
    return (None, errors) if errors else (document, ())


def root_fields(body: Any) -> tuple[tuple[str, ...], bool]:
    """The fields asked for, below ``site`` where they are, and whether it is a mutation.

    A body that is no GraphQL request counts as ``invalid``. Fields behind an alias give their real name.
    """
    query = body.get("query") if isinstance(body, dict) else None
    if not isinstance(query, str):
        return _NOTHING
    name = body.get("operationName")
    return _roots(query, name if isinstance(name, str) else None)


@lru_cache(maxsize=256)
def number_of_aliases(query: str) -> int:
    """How many fields of a document are asked for under another name; 0 for what is no document."""
    try:
        document = parsed(query)
    except GraphQLError:
        return 0
    counter = _AliasCounter()
    visit(document, counter)
    return counter.number


class _AliasCounter(Visitor):
    def __init__(self) -> None:
        super().__init__()
        self.number = 0

    def enter_field(self, node: FieldNode, *_: Any) -> None:
        self.number += node.alias is not None


@lru_cache(maxsize=256)
def _roots(query: str, operation_name: str | None) -> tuple[tuple[str, ...], bool]:
    try:
        operation = _operation(parsed(query), operation_name)
    except GraphQLError:
        return _NOTHING
    if operation is None:
        return _NOTHING
    found = [_fields(node) if node.name.value == "site" else [node] for node in _fields(operation)]
    names = [node.name.value for nodes in found for node in nodes]
    names = [name for name in names if name not in ("id", "name", "__typename")] or names
    return tuple(names) or ("invalid",), operation.operation == OperationType.MUTATION


def _operation(document: DocumentNode, name: str | None) -> OperationDefinitionNode | None:
    operations = [node for node in document.definitions if isinstance(node, OperationDefinitionNode)]
    named = [node for node in operations if node.name is not None and node.name.value == name]
    return next(iter(named or operations), None)


def _fields(node: OperationDefinitionNode | FieldNode) -> list[FieldNode]:
    selections = node.selection_set.selections if node.selection_set else ()
    return [child for child in selections if isinstance(child, FieldNode)]


ASSET_TYPES = (
    "Android", "Apple Mac", "Camera", "Cloud", "Desktop", "ESXi server", "Firewall", "Hyper-V guest",
    "Industrial", "IOS", "Laptop", "Linux", "Load balancer", "Mobile", "Monitor", "NAS", "Network device",
    "Printer", "Projector", "Router", "SAN", "Scanner", "Server", "Switch", "Unix", "Unknown", "UPS",
    "Virtual Machine", "VMware Guest", "VOIP phone", "Webserver", "Wifi", "Windows",
    "Wireless Access point",
)  # fmt: skip


NOT_LOGGED_IN = "Context creation failed: You must be logged in."
NOT_AUTHORIZED = "You are not authorized to perform this action"
FOREIGN_SITE = "You don't have access to this site"
MALFORMED_SITE = "The site id is not valid"  # A
TOO_MANY_REQUESTS = "Too many requests, please try again later."  # A
TOO_LARGE = "The response exceeds the maximum size of 4 MB. Request fewer assets or fewer fields."  # A
NO_QUERY = "POST body missing, invalid Content-Type, or JSON object has no keys."  # A


def too_many_aliases(number: int, limit: int) -> str:
    """A: the words of a common guard of GraphQL servers; the vendor's are not recorded."""
    return f"Syntax Error: Aliases limit of {limit} exceeded, found {number}."


class RefusedError(GraphQLError):
    """A field that is answered with null and an error; ``status`` becomes the answer's HTTP status."""

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.status = status


def status_of(error: GraphQLError) -> int:
    """The HTTP status that an error of an execution asks for: its refusal's, else 400."""
    return getattr(error.original_error or error, "status", 400)


def invalid_path(path: str) -> RefusedError:
    """A path in ``fields`` that assets do not have, or a bare section."""
    return RefusedError(f"Invalid path: {path}")


def invalid_filter_path(path: str) -> RefusedError:
    """The same in a filter."""
    return RefusedError(f"Invalid path: root.{path} for filter")


def unknown_asset(key: str) -> RefusedError:
    """A: what an unknown key gives is not recorded."""
    return RefusedError(f"Asset '{key}' not found", 404)
