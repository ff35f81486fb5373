"""What Lansweeper's answers say about the request limit: 150 in a minute, recorded as headers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

#: Seconds by which two answers of one window may name its end differently.
SAME_WINDOW = 1.5


@dataclass(frozen=True, slots=True)
class RateState:
    """The limit of the running window, how many requests are left of it, and its end (epoch seconds)."""

    limit: int
    remaining: int
    reset_at: float

    def used_since(self, before: RateState | None) -> int | None:
        """Requests counted between two answers; None if they are of different windows.

        It is more than one's own where other processes use the same token, never less.
        """
        if before is None or abs(self.reset_at - before.reset_at) > SAME_WINDOW:
            return None
        return max(0, before.remaining - self.remaining)


def rate_of(headers: Mapping[str, str]) -> RateState | None:
    """Reads the ``x-ratelimit-*`` headers of an answer; None where they are missing or no numbers."""
    try:
        return RateState(
            int(headers["x-ratelimit-limit"]),
            int(headers["x-ratelimit-remaining"]),
            float(headers["x-ratelimit-reset"]),
        )
    except (KeyError, ValueError):
        return None
