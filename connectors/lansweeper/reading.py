"""Reads all assets of one query, page by page: cursors, totals, and pages that become too large."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from connectors.errors import ConnectorError, StopError
from connectors.lansweeper import queries
from connectors.lansweeper.models import Asset
from connectors.lansweeper.refusals import is_too_large

#: An answer may have 4 MB; a page this large makes the following ones half as long (bytes).
NEARLY_TOO_LARGE = 3_000_000

#: Sends a document with its variables; returns the assetResources of the answer and its size in bytes.
Send = Callable[[str, dict[str, Any]], Awaitable[tuple[Any, int]]]

Answer = tuple[Any, int]
#: Makes a request that is handed to it, or makes it again after a while: a long read resumes where it was.
Sending = Callable[[Callable[[], Awaitable[Answer]]], Awaitable[Answer]]


async def at_once(call: Callable[[], Awaitable[Answer]]) -> Answer:
    """The plain way to send: once."""
    return await call()


class AssetReader:
    """The pages of one assetResources query. ``done`` after the last; ``total`` known after the first.

    A cursor is a position, so pages of another length may follow it.
    """

    def __init__(self, send: Send, fields: Sequence[str], filters: Any, page_size: int) -> None:
        self._send = send
        self._fields = list(fields)
        self._filters = filters
        self._cursor: str | None = None
        self._seen: set[str] = set()
        self.page_size = page_size
        self.total: int | None = None
        self.done = False

    async def next_items(self) -> list[Asset]:
        """The next page's assets, without the empty entries that the schema allows."""
        resources, size = await self._answer()
        if size > NEARLY_TOO_LARGE:
            self.page_size = max(1, self.page_size // 2)
        if not isinstance(resources, dict):
            raise self._odd("no assetResources")
        if self._cursor is None:
            self.total = resources.get("total")
        items = [item for item in resources.get("items") or () if item is not None]
        self._move((resources.get("pagination") or {}).get("next") if items else None)
        return items

    async def _answer(self) -> tuple[Any, int]:
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
        document = queries.FIRST_ASSETS if self._cursor is None else queries.NEXT_ASSETS
        return document, {"fields": self._fields, "filters": self._filters, "page": page}

    def _move(self, cursor: str | None) -> None:
        if not cursor:
            self.done = True
            return
        if cursor in self._seen:
            raise self._odd("a cursor that does not move")
        self._seen.add(cursor)
        self._cursor = cursor

    def _odd(self, what: str) -> StopError:
        return StopError(
            f"Lansweeper answered a page of assets with {what}, so the site can't be read to its end",
            remedy="Run it again; if it happens again, report it to Lansweeper.",
        )
