"""The client's GraphQL documents against the vendor's schema, and the client against the sandbox."""

from __future__ import annotations

from pathlib import Path

import pytest
from graphql import GraphQLSchema, build_schema, get_named_type, is_enum_type, parse, validate

from connectors.lansweeper import queries
from connectors.lansweeper.filters import OPERATORS
from connectors.lansweeper.selections import DETAILS, selection

REFERENCE = Path(__file__).parents[3] / "shared" / "reference" / "lansweeper-schema.graphql"
DOCUMENTS = {
    "authorizedSites": queries.AUTHORIZED_SITES,
    "first assets": queries.FIRST_ASSETS,
    "next assets": queries.NEXT_ASSETS,
    "assetDetails": queries.ASSET_DETAILS % selection(DETAILS),
    "assetTypes": queries.ASSET_TYPES,
    "customFields": queries.CUSTOM_FIELDS,
    "createCustomField": queries.CREATE_CUSTOM_FIELD,
    "editAsset": queries.EDIT_ASSET,
    "editAssets": queries.edit_assets(25),
}


@pytest.fixture(scope="module")
def schema() -> GraphQLSchema:
    if not REFERENCE.exists():
        pytest.skip("../shared/reference/lansweeper-schema.graphql is not there")
    return build_schema(REFERENCE.read_text())


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_document_is_valid(schema: GraphQLSchema, name: str) -> None:
    assert validate(schema, parse(DOCUMENTS[name])) == []


def test_every_document_of_the_client_is_checked() -> None:
    names = [name for name in vars(queries) if name[0] != "_" and name not in ("annotations", "Final")]
    assert len(names) == len(DOCUMENTS)


def test_the_filter_operators_are_the_vendors(schema: GraphQLSchema) -> None:
    operator = get_named_type(schema.type_map["AssetsFilterType"])
    assert is_enum_type(operator)
    assert set(operator.values) == OPERATORS
