"""Holds the schema that the sandbox serves against the vendor's: same names, types and arguments."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    build_schema,
    get_named_type,
)

from sandbox.lansweeper.documents import LEAF_PATHS, SCHEMA
from tests.support.vendor_files import vendor_file

VENDOR_SDL = vendor_file("lansweeper-schema.graphql")

SERVED = {name: kind for name, kind in SCHEMA.type_map.items() if not name.startswith("__")}


@pytest.fixture(scope="module")
def vendor() -> GraphQLSchema:
    return build_schema(VENDOR_SDL.read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", SERVED)
def test_served_types_are_the_vendors(vendor: GraphQLSchema, name: str) -> None:
    served, real = SERVED[name], vendor.type_map.get(name)
    assert real is not None, f"the vendor has no type {name}"
    assert type(served) is type(real)
    unknown = members(served).items() - members(real).items()
    assert not unknown


def test_enums_and_inputs_are_whole(vendor: GraphQLSchema) -> None:
    """A client may send any value or member of these; leaving one out would refuse a legal request."""
    for name, served in SERVED.items():
        if isinstance(served, GraphQLEnumType | GraphQLInputObjectType):
            assert members(served) == members(vendor.type_map[name]), name


def test_paths_are_leaves_of_the_vendors_asset(vendor: GraphQLSchema) -> None:
    assert {"key", "url", "assetBasicInfo.name", "softwares.version", "_id"} <= LEAF_PATHS
    assert "assetBasicInfo" not in LEAF_PATHS
    asset = vendor.type_map["AssetDetailsResponse"]
    assert isinstance(asset, GraphQLObjectType)
    assert frozenset(leaves_of(asset, "", ())) == LEAF_PATHS - {"_id"}


def leaves_of(kind: GraphQLNamedType, prefix: str, seen: tuple[str, ...]) -> Iterator[str]:
    if not isinstance(kind, GraphQLObjectType):
        yield prefix
    elif kind.name not in seen:
        for name, field in kind.fields.items():
            path = f"{prefix}.{name}" if prefix else name
            yield from leaves_of(get_named_type(field.type), path, (*seen, kind.name))


def members(kind: GraphQLNamedType) -> dict[str, str]:
    """Every member of a type with its type and arguments as text."""
    if isinstance(kind, GraphQLEnumType):
        return dict.fromkeys(kind.values, "")
    if isinstance(kind, GraphQLInputObjectType):
        return {name: str(field.type) for name, field in kind.fields.items()}
    if isinstance(kind, GraphQLObjectType):
        return {
            name: f"{field.type}({sorted((n, str(a.type)) for n, a in field.args.items())})"
            for name, field in kind.fields.items()
        }
    return {}
