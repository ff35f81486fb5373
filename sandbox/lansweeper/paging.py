"""Pages of assets. A cursor is the place of an asset, 24 hex digits: it never expires.

``next`` is the last asset of a page and ``current`` the first, so NEXT goes on after its cursor and
PREV ends before it. Order, cursors and their life are assumed (reference/lansweeper-api.md, section 4).
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sandbox.lansweeper.errors import RefusedError

MAX_LIMIT = 500
DEFAULT_LIMIT = 100

_CURSOR = re.compile(r"[0-9a-f]{24}")


@dataclass(frozen=True)
class PageRequest:
    limit: int
    page: str
    cursor: str


def read_page(pagination: dict[str, Any] | None) -> PageRequest:
    """The page asked for. Refuses limits outside 1 to 500, and NEXT or PREV without a cursor."""
    given = pagination or {}
    limit, cursor = given.get("limit"), given.get("cursor") or ""
    limit = DEFAULT_LIMIT if limit is None else limit
    page = given.get("page") or ("NEXT" if cursor else "FIRST")
    if not 1 <= limit <= MAX_LIMIT:
        raise RefusedError(f"Invalid limit: {limit}. It must be between 1 and {MAX_LIMIT}")
    if page in ("NEXT", "PREV") and not _CURSOR.fullmatch(cursor):
        raise RefusedError(f"Invalid cursor: {cursor}")
    return PageRequest(limit, page, cursor)


def cut_page(order: list[str], request: PageRequest) -> tuple[list[str], dict[str, Any]]:
    """The ids of a page and its ``pagination``. ``order`` is ascending."""
    start = max(0, _START[request.page](order, request))
    end = start + request.limit
    if request.page == "PREV":
        end = min(end, bisect_left(order, request.cursor))
    ids = order[start:end]
    pagination = {
        "limit": request.limit,
        "current": ids[0] if ids else None,
        "next": ids[-1] if ids and end < len(order) else None,
        "page": request.page,
    }
    return ids, pagination


_START: dict[str, Callable[[list[str], PageRequest], int]] = {
    "FIRST": lambda order, request: 0,
    "NEXT": lambda order, request: bisect_right(order, request.cursor),
    "PREV": lambda order, request: bisect_left(order, request.cursor) - request.limit,
    "LAST": lambda order, request: len(order) - request.limit,
}
