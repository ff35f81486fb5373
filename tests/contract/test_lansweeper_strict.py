"""Every value that the sandbox's Lansweeper serves, held against its type in the vendor's GraphQL schema.

A page of assets is JSON to GraphQL, so nothing in it is checked on the way: the types of the paths say what a
strict client expects of an item.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLScalarType,
    GraphQLSchema,
    build_schema,
)

from sandbox.credentials import mint_credentials
from sandbox.data.churn import churn
from sandbox.data.generate import SCENARIOS, build_world
from sandbox.world import World
from tests.support.vendor_files import vendor_file

DATE = re.compile(r"\d{4}-\d\d-\d\d(T\d\d:\d\d:\d\d(\.\d+)?Z)?")
SCALARS = {
    "String": lambda value: isinstance(value, str),
    "ID": lambda value: isinstance(value, str),
    "Boolean": lambda value: isinstance(value, bool),
    "Int": lambda value: type(value) is int and -(2**31) <= value < 2**31,
    "Float": lambda value: type(value) in (int, float),
    "Date": lambda value: isinstance(value, str) and bool(DATE.fullmatch(value)),
    "DateTime": lambda value: isinstance(value, str) and bool(DATE.fullmatch(value)),
    "JSON": lambda value: True,
}
# Not in the schema, but clients ask for it and get it (docs/vendors.md, Lansweeper 4).
IMPLICIT = frozenset({"_id"})


@cache
def vendor() -> GraphQLSchema:
    return build_schema(vendor_file("lansweeper-schema.graphql").read_text(encoding="utf-8"))


@cache
def world(scenario: str) -> World:
    return build_world(7, 150, mint_credentials(7), scenario=scenario)


def faults(kind: GraphQLOutputType, value: Any, path: str) -> Iterator[str]:
    """Where a value is not of its type: nulls, lists, scalars, enumerations, members that it lacks."""
    if isinstance(kind, GraphQLNonNull):
        yield from [f"{path}: null"] if value is None else faults(kind.of_type, value, path)
    elif value is None:
        return
    elif isinstance(kind, GraphQLList):
        if not isinstance(value, list):
            yield f"{path}: no list: {value!r}"
            return
        for place, one in enumerate(value):
            yield from faults(kind.of_type, one, f"{path}[{place}]")
    elif isinstance(kind, GraphQLObjectType):
        yield from members_faults(kind, value, path)
    elif isinstance(kind, GraphQLEnumType):
        if value not in kind.values:
            yield f"{path}: no {kind.name}: {value!r}"
    elif isinstance(kind, GraphQLScalarType) and not SCALARS[kind.name](value):
        yield f"{path}: no {kind.name}: {value!r}"


def members_faults(kind: GraphQLObjectType, value: Any, path: str) -> Iterator[str]:
    if not isinstance(value, dict):
        yield f"{path}: no object: {value!r}"
        return
    for name in value.keys() - kind.fields.keys() - IMPLICIT:
        yield f"{path}: {kind.name} has no {name}"
    for name, field in kind.fields.items():
        yield from faults(field.type, value.get(name), f"{path}.{name}")


def object_type(name: str) -> GraphQLObjectType:
    found = vendor().type_map[name]
    assert isinstance(found, GraphQLObjectType)
    return found


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_a_strict_client_reads_every_asset(scenario: str) -> None:
    assets = world(scenario).lansweeper.assets
    assert len(assets) == 150
    for key, asset in assets.items():
        assert not list(faults(object_type("AssetDetailsResponse"), asset, key))


def test_assets_after_scans_are_read_too() -> None:
    made = build_world(8, 60, mint_credentials(8))
    for _ in range(3):
        churn(made, 0.5)
    for key, asset in made.lansweeper.assets.items():
        assert not list(faults(object_type("AssetDetailsResponse"), asset, key))


def test_a_strict_client_reads_every_custom_field() -> None:
    for key, field in world("provider").lansweeper.custom_fields.items():
        assert not list(faults(object_type("CustomField"), field, key))


@pytest.mark.parametrize(
    ("section", "value"),
    [
        ({"assetBasicInfo": {"name": 7}}, "String"),
        ({"assetBasicInfo": {"nickname": "x"}}, "nickname"),
        ({"softwares": {"name": "x"}}, "no list"),
        ({"assetBasicInfo": "x"}, "no object"),
        ({"assetBasicInfo": {"firstSeen": "yesterday"}}, "DateTime"),
    ],
)
def test_the_check_sees_what_is_wrong(section: dict[str, Any], value: str) -> None:
    [fault] = faults(object_type("AssetDetailsResponse"), section, "asset")
    assert value in fault
