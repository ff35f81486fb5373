"""Joins the answers of several queries about the same assets, by key, and drops assets seen before."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from connectors.errors import StopError
from connectors.lansweeper.models import Asset

LEFT_OUT = "the answer holds an asset without a key"


class AssetJoin:
    """Collects each asset's parts until every query has brought its own.

    While a site is read, assets come and go, so the queries' pages may be shifted against each other: a part
    that is early waits for the others.
    """

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


def merge(into: dict[str, Any], other: dict[str, Any]) -> None:
    """Lays ``other`` over ``into``: objects member by member, lists of objects entry by entry."""
    for name, value in other.items():
        present = into.get(name)
        if isinstance(present, dict) and isinstance(value, dict):
            merge(present, value)
        elif isinstance(present, list) and isinstance(value, list) and len(present) == len(value):
            into[name] = [_entry(mine, theirs) for mine, theirs in zip(present, value, strict=True)]
        else:
            into[name] = value


def _entry(mine: Any, theirs: Any) -> Any:
    if isinstance(mine, dict) and isinstance(theirs, dict):
        merge(mine, theirs)
        return mine
    return theirs
