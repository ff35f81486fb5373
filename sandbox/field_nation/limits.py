"""Field Nation's request limit: 60 a minute for a company, told in headers (reference, section 8.2)."""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable

from sandbox.field_nation.errors import FieldNationError


class RateLimit:
    """A sliding window over all calls but those for tokens."""

    def __init__(self, now: Callable[[], float] = time.time) -> None:
        self._now = now
        self._taken: deque[float] = deque()

    def take(self, limit: list[float] | None) -> dict[str, str]:
        """Counts one call; returns the rate headers. ``limit`` is [requests, seconds], None: no limit.

        Raises:
            FieldNationError: 429 with Retry-After in whole seconds.
        """
        if limit is None:
            self._taken.clear()
            return {}
        most, seconds = int(limit[0]), limit[1]
        now = self._now()
        while self._taken and self._taken[0] <= now - seconds:
            self._taken.popleft()
        if len(self._taken) >= most:
            wait = max(1, math.ceil(self._taken[0] + seconds - now)) if self._taken else math.ceil(seconds)
            headers = {**self._headers(most, now + wait), "Retry-After": str(wait)}
            raise FieldNationError(429, "Too many requests. Wait before trying again.", headers=headers)
        self._taken.append(now)
        return self._headers(most, self._taken[0] + seconds)

    def _headers(self, most: int, reset: float) -> dict[str, str]:
        return {
            "X-RateLimit-Limit": str(most),
            "X-RateLimit-Remaining": str(max(0, most - len(self._taken))),
            "X-RateLimit-Reset": str(math.ceil(reset)),
        }
