"""The GraphQL documents, and nothing else. Each operation is named after its root field."""

from __future__ import annotations

from typing import Final

AUTHORIZED_SITES: Final = "query authorizedSites { authorizedSites { sites { id name } } }"

_PAGE = """
query assetResources(
  $site: ID!, $fields: [String!]!, $filters: AssetsFilterGroupedInput, $page: AssetsPaginationInputValidated
) {
  site(id: $site) {
    assetResources(assetPagination: $page, fields: $fields, filters: $filters) {
      %spagination { limit current next }
      items
    }
  }
}
"""
#: ``total`` may be asked for with the first page only; with any other it is an error.
FIRST_ASSETS: Final = _PAGE % "total\n      "
NEXT_ASSETS: Final = _PAGE % ""

ASSET_DETAILS: Final = """
query assetDetails($site: ID!, $key: ID!) {
  site(id: $site) { assetDetails(key: $key) { %s } }
}
"""

ASSET_TYPES: Final = "query assetTypes($site: ID!) { site(id: $site) { assetTypes } }"

_CUSTOM_FIELD = "key name type props { currencyType linkTag maxNumericValue minNumericValue options }"

CUSTOM_FIELDS: Final = f"""
query customFields($site: ID!) {{
  site(id: $site) {{ customFields {{ {_CUSTOM_FIELD} }} }}
}}
"""

CREATE_CUSTOM_FIELD: Final = f"""
mutation createCustomField($site: ID!, $field: CustomFieldInput!) {{
  site(id: $site) {{ createCustomField(field: $field) {{ {_CUSTOM_FIELD} }} }}
}}
"""


def edit_assets(number: int) -> str:
    """A mutation of so many edits, each under its own alias: ``e0`` writes ``$f0`` to the asset ``$k0``."""
    variables = "".join(f", $k{n}: ID!, $f{n}: EditAssetInput" for n in range(number))
    edits = "\n".join(
        f"    e{n}: editAsset(key: $k{n}, fields: $f{n}) {{ assetBasicInfo {{ name }} }}"
        for n in range(number)
    )
    return f"mutation editAssets($site: ID!{variables}) {{\n  site(id: $site) {{\n{edits}\n  }}\n}}"


EDIT_ASSET: Final = """
mutation editAsset($site: ID!, $key: ID!, $fields: EditAssetInput) {
  site(id: $site) {
    editAsset(key: $key, fields: $fields) {
      assetBasicInfo { name }
      assetCustom { fields { fieldKey name value } }
    }
  }
}
"""
