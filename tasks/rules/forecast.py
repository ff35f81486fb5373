"""What a run is going to take, in requests and in time, before it writes anything.

The time is that of a calm run: no retry, no conflict, no unclear outcome. The run's steps are played through
with the arithmetic by which the limiter decides (``connectors.ledger.window``): what others use of a window,
and the pause that a vendor asked for, make it longer. What others are yet to send is not known.

Playing through costs about a microsecond or two for each request, and of more than ``MOST_PLAYED`` the rest
is taken to go on at the pace that the limits and the seconds of a request allow.
"""

from __future__ import annotations

import heapq
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from connectors.ledger.window import WindowState, WindowUse, grant_tokens

MOST_PLAYED = 20_000
"""Requests of one run: a hundred thousand records by batches are 6,000."""


@dataclass(frozen=True, slots=True)
class Step:
    """Alike units of work, each a few requests to one vendor, one after another.

    ``seconds``: how long each request of a unit takes. ``width``: units at the same time. ``cost``: requests
    that the vendor counts one as. A step begins when the one before has ended.
    """

    vendor: str
    units: int
    seconds: Sequence[float]
    width: int = 1
    cost: int = 1

    @property
    def requests(self) -> int:
        """Requests sent, however the vendor counts them."""
        return self.units * len(self.seconds)


class RequestSeconds:
    """How long a request of each name takes: by this run's own so far, else by those of earlier runs.

    What neither has sent is taken to last as long as this run's requests on average; ``guessed`` then.
    """

    def __init__(self, own: Mapping[str, float], earlier: Mapping[str, float], usual: float) -> None:
        self._known = {**earlier, **own}
        self._usual = usual
        self.guessed = False

    @classmethod
    def of(
        cls, sent: Mapping[str, int], seconds: Mapping[str, float], earlier: Mapping[str, float]
    ) -> RequestSeconds:
        """``sent`` requests of this run took so many ``seconds`` together; ``earlier`` ones each so long."""
        usual = sum(seconds.values()) / max(1, sum(sent.values()))
        return cls(mean_seconds(sent, seconds), earlier, usual)

    def mean(self, name: str) -> float:
        """Seconds of one request of that name, such as ``PATCH /company/configurations/{id}``."""
        self.guessed |= name not in self._known
        return self._known.get(name, self._usual)


def mean_seconds(sent: Mapping[str, int], seconds: Mapping[str, float]) -> dict[str, float]:
    """The seconds of one request, by name."""
    return {name: seconds.get(name, 0.0) / count for name, count in sent.items() if count}


@dataclass(frozen=True, slots=True)
class Forecast:
    """The whole run, what was done before the plan included.

    ``requests``: by vendor; ``seconds``: from the run's beginning to its end; ``waiting``: seconds of them in
    which a limit holds requests back that could go; ``windows``: what is used of the limits, by vendor;
    ``guessed``: nobody has seen yet how long some of the requests take.
    """

    requests: Mapping[str, int] = field(default_factory=dict)
    seconds: float = 0.0
    waiting: float = 0.0
    windows: Mapping[str, Sequence[WindowUse]] = field(default_factory=dict)
    guessed: bool = False

    def of(self, vendor: str) -> int:
        """Requests to one vendor."""
        return self.requests.get(vendor, 0)


def forecast(
    steps: Sequence[Step],
    windows: Mapping[str, Sequence[WindowUse]],
    *,
    requests: Mapping[str, int],
    elapsed: float,
    guessed: bool = False,
) -> Forecast:
    """The forecast of a run that has the ``steps`` before it and ``elapsed`` seconds behind.

    Args:
        windows: what is used now of each window that a request to the vendor must fit in; none: no limit.
        requests: those of the whole run, by vendor.
    """
    seconds = seconds_of(steps, windows)
    waiting = max(0.0, seconds - seconds_of(steps, {}))
    return Forecast(dict(requests), elapsed + seconds, waiting, dict(windows), guessed)


def seconds_of(steps: Sequence[Step], windows: Mapping[str, Sequence[WindowUse]]) -> float:
    """How long the steps take one after another, from now."""
    limits = {vendor: [SlidingWindow(each) for each in uses] for vendor, uses in windows.items()}
    now, left = 0.0, MOST_PLAYED
    for step in steps:
        played = min(step.units, left // max(1, len(step.seconds) * step.cost))
        left -= played * len(step.seconds) * step.cost
        now = _played(step, played, limits.get(step.vendor, ()), now)
        now += (step.units - played) * _pace(step, windows.get(step.vendor, ()))
    return now


def forecast_lines(found: Forecast, vendors: Sequence[str]) -> list[str]:
    """The forecast for a plan, a line each: requests to these vendors, the time, and what others use."""
    waiting = f", {duration(found.waiting)} of it for request limits" if found.waiting >= 1 else ""
    guess = ", if writes take no longer than reads: no run has written here yet" if found.guessed else ""
    return [
        *(f"Requests to {each}: {found.of(each):,} predicted" for each in vendors),
        f"Time: {duration(found.seconds)} predicted{waiting}{guess}",
        *(words for vendor, uses in found.windows.items() if (words := _used_by_others(vendor, uses))),
    ]


def time_line(used: float, predicted: float) -> str:
    """Of a report: the time that the run took, beside what was forecast; empty where nothing was measured."""
    return f"Time: {duration(used)} used, {duration(predicted)} predicted" if used or predicted else ""


def used_lines(found: Forecast, vendor: str, requests: int, seconds: float) -> list[str]:
    """What was used beside what was forecast, a line each."""
    return [
        f"Requests to {vendor}: {requests:,} used, {found.of(vendor):,} predicted",
        time_line(seconds, found.seconds),
    ]


def _used_by_others(vendor: str, uses: Sequence[WindowUse]) -> str:
    """What other runs use of the window that they use most of, and the pause that the vendor asked for."""
    most = max(uses, key=lambda use: use.others / use.rule.limit, default=None)
    paused = max((use.paused for use in uses), default=0.0)
    parts = []
    if most is not None and most.others:
        limit, window = f"{most.rule.limit:,}", duration(most.rule.window)
        parts.append(f"{most.others:,} of {limit} requests in {window} are used by other runs")
    if paused:
        parts.append(f"the vendor asked for a pause of {duration(paused)}")
    return f"Request limit of {vendor}: {'; '.join(parts)}" if parts else ""


def duration(seconds: float) -> str:
    """In the two largest units that say something: ``2 min 10 s``, ``1 h 5 min``, ``12 s``, ``under 1 s``."""
    whole = round(seconds)
    if whole < 1:
        return "under 1 s"
    units = (("h", whole // 3600), ("min", whole // 60 % 60), ("s", whole % 60))
    told = [f"{count:,} {unit}" for unit, count in units if count]
    return " ".join(told[:2] if whole >= 3600 and len(told) == 3 else told)


def _played(step: Step, units: int, limits: Sequence[SlidingWindow], now: float) -> float:
    """When the last of these units has ended; all requests of all lanes start in the order of time."""
    # A lane is when its next request is ready, its number, and the position of that request in its unit.
    lanes = [(now, number, 0) for number in range(min(step.width, units))]
    begun, ended = len(lanes), now
    while lanes:
        ready, number, position = heapq.heappop(lanes)
        for limit in limits:
            for _ in range(step.cost):
                ready = limit.start_at(ready)
        ready += step.seconds[position]
        if position + 1 < len(step.seconds):
            heapq.heappush(lanes, (ready, number, position + 1))
            continue
        ended = max(ended, ready)
        if begun < units:
            begun += 1
            heapq.heappush(lanes, (ready, number, 0))
    return ended


def _pace(step: Step, windows: Sequence[WindowUse]) -> float:
    """Seconds for each of many units, by what lets the fewest through."""
    tokens = len(step.seconds) * step.cost
    slowest = max(((use.rule.window + use.rule.leeway) / use.rule.limit for use in windows), default=0.0)
    return max(sum(step.seconds) / step.width, tokens * slowest)


class SlidingWindow:
    """One window as the limiter keeps it, with a clock that starts at 0 now."""

    def __init__(self, use: WindowUse) -> None:
        self._rule = use.rule
        self._paused_until = use.paused
        self._size = use.size
        self._held = [(seconds, tokens) for seconds, tokens in use.held]
        heapq.heapify(self._held)
        self._counted = use.used
        self._granted_at = 0.0
        self._taken = 0
        self._left = 0
        self._last_start = 0.0

    def start_at(self, ready: float) -> float:
        """When a request may start that is ready then; to be asked in the order of time."""
        now = max(ready, self._last_start)
        while True:
            if self._left and now < self._granted_at + self._rule.validity:
                self._left -= 1
                self._last_start = now
                return now
            now += self._refill(now)

    def _refill(self, now: float) -> float:
        """Takes the next slice; returns the seconds to wait for it."""
        if self._taken:
            wished = self._size // 2 if self._left else self._size * 2
            self._size = max(1, min(wished, self._rule.largest_slice))
            self._hand_back()
        while self._held and self._held[0][0] <= now:
            self._counted -= heapq.heappop(self._held)[1]
        first = self._held[0][0] if self._held else None
        state = WindowState(self._counted, first, self._paused_until)
        grant = grant_tokens(self._rule, state, now, self._size)
        self._granted_at, self._taken, self._left = now, grant.tokens, grant.tokens
        self._counted += grant.tokens
        # Where rounding makes the end of the wait a hair too early.
        return max(grant.wait, 1e-6) if not grant.tokens else 0.0

    def _hand_back(self) -> None:
        used = self._taken - self._left
        self._counted -= self._left
        if used:
            heapq.heappush(self._held, (self._rule.counts_until_after_use(self._last_start), used))
        self._taken = self._left = 0
