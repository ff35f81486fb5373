"""What a site answers to queries: pages of assets, one asset, types, custom fields."""

from __future__ import annotations

import json
from typing import Any

from graphql import FieldNode, GraphQLResolveInfo

from sandbox.lansweeper.errors import RefusedError, invalid_path, unknown_asset
from sandbox.lansweeper.filters import compile_filters
from sandbox.lansweeper.paging import cut_page, read_page
from sandbox.lansweeper.projection import projection
from sandbox.lansweeper.schema import LEAF_PATHS
from sandbox.lansweeper.store import LansweeperStore
from sandbox.lansweeper.types import ASSET_TYPES

MAX_PATHS = 30


class SiteReader:
    """The read side of one site; ``fields()`` is what GraphQL resolves ``site`` with."""

    def __init__(self, store: LansweeperStore) -> None:
        self._store = store
        self._filtered: tuple[str, int, list[str]] = ("", -1, [])

    def fields(self) -> dict[str, Any]:
        return {
            "id": self._store.site_id,
            "name": self._store.site_name,
            "brandingName": self._store.site_name.title(),
            "assetResources": self.asset_resources,
            "assetDetails": self.asset_details,
            "assetTypes": self.asset_types,
            "customFields": lambda info: list(self._store.custom_fields.values()),
        }

    def asset_resources(
        self,
        info: GraphQLResolveInfo[Any],
        fields: list[str],
        assetPagination: dict[str, Any] | None = None,  # noqa: N803 - the vendor's argument name
        pagination: dict[str, Any] | None = None,
        filters: dict[str, Any] | None = None,
    ) -> dict[str, Any]:
        """One page of items. ``total`` is counted only where it is asked for, with page FIRST."""
        request = read_page(assetPagination or pagination)
        if request.page != "FIRST" and _asks_for(info, "total"):
            raise RefusedError("The field total is only available when page is FIRST")  # text assumed
        cut = projection(_checked_paths(fields))
        order = self._matching(filters)
        ids, page = cut_page(order, request)
        items = [cut(self._store.by_id(asset_id)) for asset_id in ids]
        return {"items": items, "pagination": page, "total": len(order)}

    def asset_details(self, info: GraphQLResolveInfo[Any], key: str) -> dict[str, Any]:
        asset = self._store.assets.get(key)
        if asset is None:
            raise unknown_asset(key)
        return asset

    def asset_types(self, info: GraphQLResolveInfo[Any]) -> list[str]:
        """The built-in names and whatever the site's own assets add."""
        found = {asset.get("assetBasicInfo", {}).get("type") for asset in self._store.assets.values()}
        return sorted({*ASSET_TYPES, *(name for name in found if name)})

    def _matching(self, filters: dict[str, Any] | None) -> list[str]:
        """The ids that pass the filters; the last answer is kept, since pages ask the same again."""
        accepts = compile_filters(filters)
        if accepts is None:
            return self._store.order()
        name, revision = json.dumps(filters, sort_keys=True), self._store.revision
        if self._filtered[:2] != (name, revision):
            order = [i for i in self._store.order() if accepts(self._store.by_id(i))]
            self._filtered = (name, revision, order)
        return self._filtered[2]


def _checked_paths(fields: list[str]) -> tuple[str, ...]:
    if len(fields) > MAX_PATHS:
        raise RefusedError(f"Maximum number of fields exceeded: {len(fields)} of {MAX_PATHS}")  # text assumed
    for path in fields:
        if path not in LEAF_PATHS:
            raise invalid_path(path)
    return tuple(fields)


def _asks_for(info: GraphQLResolveInfo[Any], name: str) -> bool:
    asked = [
        child for node in info.field_nodes if node.selection_set for child in node.selection_set.selections
    ]
    return any(isinstance(child, FieldNode) and child.name.value == name for child in asked)
