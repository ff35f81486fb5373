"""Lansweeper's records: the assets of one site in a fixed order, and its custom fields."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any

from sandbox.history import History

Asset = dict[str, Any]

ASSETS = "lansweeper/assets"
SCAN, EDITOR = "a scan", "an edit through the API"
SEEN, UPDATED = "lastSeen", "lastUpdated"
"""Members of ``assetBasicInfo``: of the last scan, and of the last change by anyone."""


def utc_now() -> datetime:
    """This machine's time."""
    return datetime.now(UTC)


class LansweeperStore:
    """Assets by key. Their order is that of ``_id`` (24 hex digits), which grows with every new asset.

    Anybody who changes an asset in place says so by ``scanned`` or ``edited``, which date the change, or by
    ``touch``, since filtered pages are remembered.
    """

    def __init__(self, site_id: str, site_name: str, clock: Callable[[], datetime] = utc_now) -> None:
        self._clock = clock
        self.site_id = site_id
        self.site_name = site_name
        self.assets: dict[str, Asset] = {}
        self.custom_fields: dict[str, dict[str, Any]] = {}
        self.locks: dict[str, set[str]] = {}
        self.revision = 0
        self.history = History()
        self._order: list[str] = []
        self._by_id: dict[str, Asset] = {}

    def add(self, assets: Iterable[Asset]) -> None:
        """Add assets whose ``_id`` is above every one already here."""
        for asset in assets:
            self.assets[asset["key"]] = asset
            self._order.append(asset["_id"])
            self._by_id[asset["_id"]] = asset
            self.history.note(ASSETS, asset["key"], "added", SCAN)
        self.touch()

    def remove(self, key: str) -> bool:
        """Remove an asset; False where there is none of that key."""
        asset = self.assets.pop(key, None)
        if asset is None:
            return False
        del self._by_id[asset["_id"]]
        del self._order[bisect_left(self._order, asset["_id"])]
        self.locks.pop(key, None)
        self.history.note(ASSETS, key, "deleted", SCAN)
        self.touch()
        return True

    def edited(self, key: str, *, by: str = EDITOR) -> None:
        """An asset was edited, by the API or by hand: it was changed now, and no scan has seen it."""
        self._date(key, UPDATED)
        if by == EDITOR:
            self.history.note(ASSETS, key, "updated", by)
        self.touch()

    def scanned(self, key: str) -> None:
        """A scan has seen an asset, whether or not it changed a value."""
        self._date(key, SEEN, UPDATED)
        self.touch()

    def _date(self, key: str, *members: str) -> None:
        """Put the time of now into these members; others may share the section, so it is replaced."""
        asset = self.assets[key]
        now = f"{self._clock().astimezone(UTC):%Y-%m-%dT%H:%M:%S}.000Z"
        asset["assetBasicInfo"] = {**(asset.get("assetBasicInfo") or {}), **dict.fromkeys(members, now)}

    def touch(self) -> None:
        """Remembered pages are out of date."""
        self.revision += 1

    def order(self) -> list[str]:
        """Every ``_id``, ascending. Not to be changed by the caller."""
        return self._order

    def by_id(self, asset_id: str) -> Asset:
        return self._by_id[asset_id]
