"""The served GraphQL schema, and the dotted paths that assets can be read by."""

from __future__ import annotations

from pathlib import Path

from graphql import (
    GraphQLNamedType,
    GraphQLObjectType,
    build_schema,
    get_named_type,
)

SDL = (Path(__file__).parent / "schema.graphql").read_text(encoding="utf-8")
SCHEMA = build_schema(SDL)

# Not in the schema, but clients ask for it and get it (reference/lansweeper-api.md, section 4).
IMPLICIT_PATHS = frozenset({"_id"})


def leaf_paths() -> frozenset[str]:
    """Every dotted path that ``fields`` may hold: leaves of AssetDetailsResponse, never a bare section."""
    paths: set[str] = set(IMPLICIT_PATHS)
    root = SCHEMA.type_map["AssetDetailsResponse"]
    _collect(root, "", paths, ())
    return frozenset(paths)


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
