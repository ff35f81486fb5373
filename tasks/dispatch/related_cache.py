"""Keeps related records of a long-lived process for some minutes: companies, sites, contacts, statuses."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Hashable
from typing import Any

MOST = 5_000
"""Entries kept at most; the oldest go first."""


class RelatedCache:
    """Answers by key, each for ``seconds``."""

    def __init__(self, seconds: float, now: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._now = now
        self._kept: dict[Hashable, tuple[float, Any]] = {}

    async def get(self, key: Hashable, fetch: Callable[[], Awaitable[Any]]) -> Any:
        """What is kept under ``key``, fetched if it is missing or too old."""
        kept = self._kept.get(key)
        if kept is not None and self._now() - kept[0] < self._seconds:
            return kept[1]
        value = await fetch()
        self._kept.pop(key, None)
        self._kept[key] = (self._now(), value)
        while len(self._kept) > MOST:
            self._kept.pop(next(iter(self._kept)))
        return value
