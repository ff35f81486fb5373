"""When another request may start: the arithmetic of the sliding window, without clock or database.

A vendor counts the requests that *start* in any window of so many seconds. Processes take their permissions
in slices, so a token may be used some time after it was granted. Three rules keep the law nevertheless:

1. A token is used within ``validity`` seconds of its grant, or never.
2. A slice counts from its grant until ``validity + leeway + window`` seconds later: whenever its tokens were
   used, every window that one of their starts can fall into has passed by then.
3. Once a slice's last start is known, the unused tokens are handed back, and the used ones count until
   ``last start + leeway + window``.

Why that is enough: take any window, and the last slice granted before its end that has a start in it. All
other slices with a start in the window still counted when that slice was granted, so together they fit in the
limit. ``leeway`` covers the time between the permission and the moment the vendor sees the request.

All times are seconds of one clock; tokens are requests.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class WindowRule:
    """At most ``limit`` starts in any ``window`` seconds; see the module for ``validity`` and ``leeway``."""

    limit: int
    window: float
    validity: float
    leeway: float

    @classmethod
    def of(cls, limit: int, window: float) -> WindowRule:
        """A rule that costs at most a tenth of the limit: 0.7 s for a window of 10 s, 2.5 s for 300 s."""
        if limit < 1 or window <= 0:
            raise ValueError(
                f"A request limit needs at least 1 request and a window above 0 s, not {limit}/{window}"
            )
        return cls(limit, window, validity=min(2.0, window / 20), leeway=min(0.5, window / 50))

    @property
    def largest_slice(self) -> int:
        """At most a twentieth of the limit, and 25: what a killed process can take with it."""
        return max(1, min(25, self.limit // 20))

    def counts_until_after_grant(self, granted_at: float) -> float:
        """Until when a slice counts while nobody knows which of its tokens were used."""
        return granted_at + self.validity + self.leeway + self.window

    def counts_until_after_use(self, last_start: float) -> float:
        """Until when the used tokens of a slice count, once its last start is known."""
        return last_start + self.leeway + self.window


@dataclass(frozen=True, slots=True)
class Standing:
    """What the ledger says about one window now: tokens that count, and when the first of them stops."""

    counted: int
    first_free_at: float | None
    paused_until: float = 0.0


@dataclass(frozen=True, slots=True)
class Decision:
    """Either ``tokens`` to use from now on, or the seconds to ``wait`` before asking again.

    ``paused``: because the vendor asked for it, not because the limit is used up.
    """

    tokens: int
    wait: float = 0.0
    paused: bool = False


def decide(rule: WindowRule, standing: Standing, now: float, wanted: int) -> Decision:
    """Grants up to ``wanted`` tokens, at most a quarter of those left; none while paused or used up.

    The quarter keeps one process from holding the last tokens unused while others wait for them.
    """
    if standing.paused_until > now:
        return Decision(0, standing.paused_until - now, paused=True)
    available = rule.limit - standing.counted
    if available > 0:
        return Decision(max(1, min(wanted, available // 4)))
    free_at = standing.first_free_at if standing.first_free_at is not None else now
    return Decision(0, max(0.0, free_at - now))
