"""What is asked of Lansweeper in GraphQL: the documents, field paths cut into queries, and filters. Pure.

Each operation is named after its root field. One query of assets takes at most 30 field paths, so a longer
selection is several queries whose answers are joined by ``key``.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from connectors.errors import RejectedError
from connectors.lansweeper.models import FilterCondition, Filters

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
# ``total`` may be asked for with the first page only; with any other it is an error.
FIRST_ASSETS: Final = _PAGE % "total\n      "
NEXT_ASSETS: Final = _PAGE % ""

SITE_MUTATIONS: Final = 'query siteMutations { __type(name: "SiteMutation") { fields { name } } }'

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


def edit_assets_mutation(number: int) -> str:
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


MOST_PATHS = 30
"""Field paths that one assetResources query may ask for."""
KEY = "key"
_PATH = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*")
# Sections that are one object and no list.
_OBJECTS = frozenset({"", "assetBasicInfo", "assetCustom", "operatingSystem", "otData", "cloudAssetCustom"})


def path_groups(paths: Sequence[str]) -> list[list[str]]:
    """The paths in groups for one query each; every group has ``key``, by which the answers are joined.

    Paths below one list, such as softwares.name and softwares.version, stay in one query: the entries of a
    list have no key by which two answers could be joined.
    """
    single: list[str] = []
    together: dict[str, list[str]] = {}
    for path in dict.fromkeys(map(checked, paths)):
        parent = path.rpartition(".")[0]
        if parent in _OBJECTS:
            single.append(path)
        else:
            together.setdefault(parent, []).append(path)
    groups: list[list[str]] = [[KEY]]
    for unit in [*together.values(), *([path] for path in single if path != KEY)]:
        _place(unit, groups)
    return groups


def _place(unit: list[str], groups: list[list[str]]) -> None:
    """Puts paths into the first group with room for all; what no query can hold at once is cut."""
    for start in range(0, len(unit), MOST_PATHS - 1):
        part = unit[start : start + MOST_PATHS - 1]
        group = next((group for group in groups if len(group) + len(part) <= MOST_PATHS), None)
        if group is None:
            groups.append([KEY, *part])
        else:
            group.extend(part)


def checked(path: str) -> str:
    """The path, if it can be one; RejectedError otherwise, before anything is sent."""
    if not _PATH.fullmatch(path):
        raise RejectedError(
            f"{path!r} is no Lansweeper field path",
            system="Lansweeper",
            remedy="Write names with dots between them, such as assetBasicInfo.name.",
        )
    return path


MOST_CONDITIONS = 100
"""Conditions that the filters of one query may hold."""
OPERATORS = frozenset(
    {
        "EQUAL",
        "NOT_EQUAL",
        "GREATER_THAN",
        "GREATER_THAN_OR_EQUAL",
        "SMALLER_THAN",
        "SMALLER_THAN_OR_EQUAL",
        "EXISTS",
        "LIKE",
        "REGEXP",
    }
)


def condition(path: str, operator: str, value: str) -> FilterCondition:
    """One condition; an unknown operator is a RejectedError."""
    if operator not in OPERATORS:
        raise _refused(f"{operator!r} is no filter operator", f"Use one of {', '.join(sorted(OPERATORS))}.")
    return {"operator": operator, "path": path, "value": value}


def any_key(keys: Sequence[str]) -> Filters:
    """Assets with one of these keys, at most 100."""
    return {"conjunction": "OR", "conditions": [condition("key", "EQUAL", key) for key in keys]}


def checked_filters(filters: Filters | None) -> Filters | None:
    """The filters, None if they hold no condition; more than 100 conditions are a RejectedError."""
    if not filters:
        return None
    inner = [group.get("conditions") or [] for group in filters.get("groups") or []]
    conditions = [*(filters.get("conditions") or []), *(one for group in inner for one in group)]
    if len(conditions) > MOST_CONDITIONS:
        raise _refused(
            f"The asset filter has {len(conditions)} conditions", f"Use at most {MOST_CONDITIONS} conditions."
        )
    for one in conditions:
        condition(one["path"], one["operator"], one["value"])
    return filters if conditions else None


def _refused(message: str, remedy: str) -> RejectedError:
    return RejectedError(message, system="Lansweeper", remedy=remedy)
