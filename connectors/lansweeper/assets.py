"""Pages of assets: one query's pages by cursor, and the parts of an asset from several queries as one."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from connectors.errors import ConnectorError, StopError
from connectors.lansweeper import graphql
from connectors.lansweeper.models import Asset
from connectors.lansweeper.refusals import is_too_large
from connectors.paging import PageProgress
from connectors.shapes import as_list, as_number, as_object, as_objects, as_text, optional

NEARLY_TOO_LARGE = 3_000_000
"""Bytes. An answer may have 4 MB; a page this large makes the following ones half as long."""


@dataclass(frozen=True, slots=True)
class AssetsAnswer:
    """One answer of assetResources: assets, each with its key, the next page's cursor, the count, bytes."""

    items: list[Asset]
    cursor: str | None
    total: int | None
    size: int


Send = Callable[[str, dict[str, Any]], Awaitable[AssetsAnswer]]


class AssetReader:
    """The pages of one assetResources query; a cursor is a position, so their lengths may differ."""

    def __init__(self, send: Send, fields: Sequence[str], filters: Any, page_size: int) -> None:
        self._send = send
        self._fields = list(fields)
        self._filters = filters
        self._cursor: str | None = None
        self._seen: set[str] = set()
        self._progress = PageProgress("assets", system="Lansweeper", path="assetResources")
        self.page_size = page_size
        self.total: int | None = None
        self.done = False

    async def next_items(self) -> list[Asset]:
        """The next page's assets, without the empty entries that the schema allows."""
        answer = await self._answer()
        if answer.size > NEARLY_TOO_LARGE:
            self.page_size = max(1, self.page_size // 2)
        if self._cursor is None:
            self.total = answer.total
        # A page without assets is the last one, whatever its cursor says.
        cursor = answer.cursor if answer.items else None
        total = self.total if self._progress.pages == 0 else None
        self._progress.page([item["key"] for item in answer.items], more=cursor is not None, total=total)
        if cursor is not None and cursor in self._seen:
            raise StopError(
                "Lansweeper answered a page of assets with a cursor that does not move",
                system="Lansweeper",
                remedy="Run it again; if it happens again, report it to Lansweeper.",
            )
        self._seen.add(cursor or "")
        self._cursor, self.done = cursor, cursor is None
        return answer.items

    async def _answer(self) -> AssetsAnswer:
        while True:
            try:
                return await self._send(*self._question())
            except ConnectorError as error:
                if self.page_size == 1 or not is_too_large(error):
                    raise
                self.page_size //= 2

    def _question(self) -> tuple[str, dict[str, Any]]:
        page: dict[str, Any] = {"limit": self.page_size, "page": "FIRST"}
        if self._cursor is not None:
            page = {"limit": self.page_size, "page": "NEXT", "cursor": self._cursor}
        document = graphql.FIRST_ASSETS if self._cursor is None else graphql.NEXT_ASSETS
        return document, {"fields": self._fields, "filters": self._filters, "page": page}


def read_assets_answer(found: Any, size: int) -> AssetsAnswer:
    """What assetResources brought."""
    resources = as_object(found, "assetResources")
    # The schema allows empty entries among the items.
    items = [each for each in as_list(resources.get("items") or [], "the list of assets") if each is not None]
    pagination = optional(as_object, resources.get("pagination"), "pagination") or {}
    for item in as_objects(items, "the list of assets"):
        key_of(item)
    return AssetsAnswer(
        items,
        optional(as_text, pagination.get("next") or None, "the next page's cursor"),
        optional(as_number, resources.get("total"), "the total"),
        size,
    )


LEFT_OUT = "the answer holds an asset without a key"


class AssetJoin:
    """Collects each asset's parts until every query has brought its own; an early part waits."""

    def __init__(self, queries: int) -> None:
        self._queries = queries
        self._waiting: dict[str, dict[int, Asset]] = {}
        self._done: set[str] = set()

    def add(self, query: int, items: Sequence[Asset]) -> None:
        """Notes the parts that one query brought."""
        for item in items:
            key = key_of(item)
            if key not in self._done:
                self._waiting.setdefault(key, {})[query] = item

    def take(self) -> list[Asset]:
        """The assets that are whole now, each once, in the order in which they were first seen."""
        whole = [key for key, parts in self._waiting.items() if len(parts) == self._queries]
        self._done.update(whole)
        return [_joined(self._waiting.pop(key)) for key in whole]

    def incomplete(self) -> list[str]:
        """The keys of assets of which some query brought nothing."""
        return list(self._waiting)


def key_of(item: Asset) -> str:
    """The asset's key; StopError without one, since the asset could not be told from others."""
    key = item.get("key")
    if not isinstance(key, str) or not key:
        raise StopError(f"Lansweeper's {LEFT_OUT}", remedy="Report it to Lansweeper.")
    return key


def _joined(parts: dict[int, Asset]) -> Asset:
    first, *others = (parts[query] for query in sorted(parts))
    for other in others:
        merge(first, other)
    return first


_DEEPEST = 50
"""Levels of an asset that are joined; the vendor's schema has six."""


def merge(into: dict[str, Any], other: dict[str, Any], depth: int = 0) -> None:
    """Lays ``other`` over ``into``: objects member by member, lists of objects entry by entry."""
    for name, value in other.items():
        present = into.get(name)
        if depth > _DEEPEST:
            into[name] = value
        elif isinstance(present, dict) and isinstance(value, dict):
            merge(present, value, depth + 1)
        elif isinstance(present, list) and isinstance(value, list) and len(present) == len(value):
            into[name] = [_entry(mine, theirs, depth) for mine, theirs in zip(present, value, strict=True)]
        else:
            into[name] = value


def _entry(mine: Any, theirs: Any, depth: int) -> Any:
    if isinstance(mine, dict) and isinstance(theirs, dict):
        merge(mine, theirs, depth + 1)
        return mine
    return theirs
