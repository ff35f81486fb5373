"""Lansweeper's request limits: 150 a minute with a cool-down, and 2,000 an hour.

Past 150 in a minute, calls are refused until a full minute has gone by without any call: a call during
that minute restarts the wait (reference/lansweeper-api.md, section 3). Seconds throughout.
"""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable

PER_MINUTE = 150
PER_HOUR = 2000
MINUTE = 60.0
HOUR = 3600.0


class RateLimit:
    """Counts one token's calls. ``clock`` gives seconds since the epoch."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._window_start = -math.inf
        self._last_call = -math.inf
        self._used = 0
        self._cooling = False
        self._hour: deque[float] = deque()

    def take(self, number: int = 1) -> float:
        """Count a call as so many requests. 0 where it may pass, else the seconds to wait."""
        now, last = self._clock(), self._last_call
        self._last_call = now
        if self._cooling and now - last < MINUTE:
            return MINUTE
        if self._cooling or now - self._window_start >= MINUTE:
            self._window_start, self._used, self._cooling = now, 0, False
        self._used += number
        if self._used > PER_MINUTE:
            self._cooling = True
            return MINUTE
        return self._take_of_hour(now, number)

    def headers(self) -> dict[str, str]:
        """The rate headers of an answer; ``reset`` in seconds since the epoch."""
        start = self._last_call if self._cooling else self._window_start
        start = self._clock() if math.isinf(start) else start
        return {
            "x-ratelimit-limit": str(PER_MINUTE),
            "x-ratelimit-remaining": str(max(0, PER_MINUTE - self._used)),
            "x-ratelimit-reset": str(math.ceil(start + MINUTE)),
        }

    def _take_of_hour(self, now: float, number: int) -> float:
        while self._hour and self._hour[0] <= now - HOUR:
            self._hour.popleft()
        too_many = len(self._hour) + number - PER_HOUR
        if too_many > 0:
            return self._hour[min(too_many, len(self._hour)) - 1] + HOUR - now
        self._hour.extend([now] * number)
        return 0.0
