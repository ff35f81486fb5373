"""The client's GraphQL documents against the vendor's schema, and the client against the sandbox."""

from __future__ import annotations

from typing import get_args

import pytest
from graphql import (
    GraphQLInputObjectType,
    GraphQLSchema,
    build_schema,
    get_named_type,
    is_enum_type,
    parse,
    validate,
)

from connectors.lansweeper import graphql
from connectors.lansweeper.graphql import OPERATORS
from tasks.rules.enrichment.texts import FIELD_TYPES
from tasks.rules.lansweeper_input import FREE, PROPS, SCANNED, FieldType
from tests.support.vendor_files import vendor_file

DOCUMENTS = {
    "authorizedSites": graphql.AUTHORIZED_SITES,
    "first assets": graphql.FIRST_ASSETS,
    "next assets": graphql.NEXT_ASSETS,
    "siteMutations": graphql.SITE_MUTATIONS,
    "assetTypes": graphql.ASSET_TYPES,
    "customFields": graphql.CUSTOM_FIELDS,
    "createCustomField": graphql.CREATE_CUSTOM_FIELD,
    "editAsset": graphql.EDIT_ASSET,
    "editAssets": graphql.edit_assets_mutation(25),
}


@pytest.fixture(scope="module")
def schema() -> GraphQLSchema:
    return build_schema(vendor_file("lansweeper-schema.graphql").read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_document_is_valid(schema: GraphQLSchema, name: str) -> None:
    assert validate(schema, parse(DOCUMENTS[name])) == []


def test_every_document_of_the_client_is_checked() -> None:
    public = {name: value for name, value in vars(graphql).items() if name[0] != "_"}
    constants = [name for name, value in public.items() if isinstance(value, str) and "{" in value]
    builders = [name for name in public if name.startswith("edit_")]
    assert len(constants) + len(builders) == len(DOCUMENTS)


def test_the_filter_operators_are_the_vendors(schema: GraphQLSchema) -> None:
    operator = get_named_type(schema.type_map["AssetsFilterType"])
    assert is_enum_type(operator)
    assert set(operator.values) == OPERATORS


def members(schema: GraphQLSchema, name: str) -> dict[str, str]:
    kind = schema.type_map[name]
    assert isinstance(kind, GraphQLInputObjectType)
    return {member: str(field.type) for member, field in kind.fields.items()}


def test_what_an_edit_may_hold_is_the_vendors_and_what_a_scan_owns_is_wrapped(schema: GraphQLSchema) -> None:
    sections = members(schema, "EditAssetInput")
    assert sections.keys() == SCANNED.keys() == FREE.keys()
    for section, kind in sections.items():
        types = members(schema, kind)
        wrapped = {name for name, of in types.items() if of.startswith("Value")}
        assert wrapped == SCANNED[section]
        assert set(types) - wrapped - {"fields"} == FREE[section]


def test_the_types_of_custom_fields_and_their_properties_are_the_vendors(schema: GraphQLSchema) -> None:
    kinds = get_named_type(schema.type_map["FieldType"])
    assert is_enum_type(kinds)
    assert set(kinds.values) == set(get_args(FieldType))
    assert set(FIELD_TYPES.values()) | PROPS.keys() <= set(kinds.values)
    given = {prop for props in PROPS.values() for prop in props}
    assert given == members(schema, "CustomFieldPropsInput").keys()
