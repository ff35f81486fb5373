"""The arithmetic of a sliding window of requests: when a request may start. No clock, no database.

A vendor counts the requests that *start* in any window of so many seconds. Processes take their permissions
in slices, so a token may be used some time after it was granted. Three rules keep the limit nevertheless:

1. A token is used within ``validity`` seconds of its grant, or never.
2. A slice counts from its grant until ``validity + leeway + window`` seconds later: whenever its tokens were
   used, every window that one of their starts can fall into has passed by then.
3. Once a slice's last start is known, the unused tokens are handed back, and the used ones count until
   ``last start + leeway + window``.

Why that is enough: take any window, and the last slice granted before its end that has a start in it. All
other slices with a start in the window still counted when that slice was granted, so together they fit in the
limit. ``leeway`` covers the time between the permission and the moment the vendor sees the request.

The limiter asks it about what stands in the ledger (``rate_limit``), the forecast about what is to come
(``tasks.rules.forecast``). All times are seconds of one clock; tokens are requests.
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
class WindowState:
    """One window now: the tokens that count, when the first of them stops counting, and the pause."""

    counted: int
    first_free_at: float | None
    paused_until: float = 0.0


@dataclass(frozen=True, slots=True)
class Grant:
    """Either ``tokens`` to use now, or the seconds to ``wait``; ``paused``: since the vendor asked for it."""

    tokens: int
    wait: float = 0.0
    paused: bool = False


def grant_tokens(rule: WindowRule, state: WindowState, now: float, wanted: int) -> Grant:
    """Grants up to ``wanted`` tokens, none while paused or used up.

    At most a quarter of those left: one process must not hold the last tokens while others wait for them.
    """
    if state.paused_until > now:
        return Grant(0, state.paused_until - now, paused=True)
    available = rule.limit - state.counted
    if available > 0:
        return Grant(max(1, min(wanted, available // 4)))
    free_at = state.first_free_at if state.first_free_at is not None else now
    return Grant(0, max(0.0, free_at - now))


LOOK_AGAIN = 1.0
"""Seconds: other processes hand tokens back early, so a long wait looks again every second."""
SHORTEST_WAIT = 0.01


@dataclass(frozen=True, slots=True)
class WindowUse:
    """What is used of one window now, as the next request finds it.

    ``held``: seconds until they stop counting, and tokens, by that time. ``own``: tokens among them that this
    process took. ``paused``: seconds for which the vendor asked for none. ``size``: tokens of the next slice.
    """

    rule: WindowRule
    held: tuple[tuple[float, int], ...] = ()
    own: int = 0
    paused: float = 0.0
    size: int = 1

    @property
    def used(self) -> int:
        """Tokens that count now, whoever took them."""
        return sum(tokens for _, tokens in self.held)

    @property
    def others(self) -> int:
        """Tokens that count now and were taken by other runs."""
        return max(0, self.used - self.own)
