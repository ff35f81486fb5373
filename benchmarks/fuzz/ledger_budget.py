"""A state machine of the shared budget: two processes that start requests, against every start that was made.

What counts is the time that really goes by. A clock that is set forward lets grants run out too early, which
nothing in a database can notice, so for one window after it the number of starts is not judged.
"""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.stateful import rule

from benchmarks.fuzz.ledger_world import PROCESSES, LedgerMachine
from connectors.errors import RetryableError
from connectors.ledger.rate_limit import PATIENCE, SlidingWindowLimiter
from connectors.ledger.window import WindowRule

LIMIT, WINDOW = 60, 10.0
RULE = WindowRule.of(LIMIT, WINDOW)
PROCESS = st.integers(0, PROCESSES - 1)
ROUNDING = 1e-6
"""Seconds that a difference of two times of day may be short of: a float of today has steps of 0.2 µs."""


class BudgetMachine(LedgerMachine):
    """Never more starts in a window than the limit, none in a pause, and nobody waits without a reason."""

    def __init__(self) -> None:
        super().__init__()
        self.starts: list[float] = []
        self.judged_from = 0.0
        self.paused = [0.0] * PROCESSES
        """Until when each process must pause, since it was asked to itself."""
        self.pauses: list[tuple[float, float]] = []
        """From when and until when nobody starts: another process may still hold tokens for a moment."""
        self.paused_at_most = 0.0
        self.asked = 0.0

    def limiter(self, process: int) -> SlidingWindowLimiter:
        return self.world.processes[process].rate_limits.limiter(self.tenant, LIMIT, WINDOW)

    @rule(process=PROCESS, number=st.integers(1, 20))
    def acquire(self, process: int, number: int) -> None:
        for _ in range(number):
            began = self.world.passed
            try:
                self.world.run(self.limiter(process).acquire())
            except RetryableError:
                self._refused(began)
                return
            self._started(process)
        self.did("acquire", "started")

    def _refused(self, began: float) -> None:
        assert self.paused_at_most > began + PATIENCE - 1, "refused without a pause"
        self.did("acquire", "refused in a pause")

    def _started(self, process: int) -> None:
        now = self.world.passed
        assert now >= self.paused[process] - ROUNDING, "a start in a pause that this process asked for"
        in_pause = any(first <= now < last - ROUNDING for first, last in self.pauses)
        assert not in_pause, "a start in a pause of another"
        if now < self.judged_from:
            return
        self.starts = [each for each in self.starts if each > now - WINDOW] + [now]
        assert len(self.starts) <= LIMIT, f"{len(self.starts)} starts in {WINDOW} s"

    @rule(process=PROCESS, seconds=st.sampled_from([0.5, 5.0, 20.0, 100.0]))
    def pause(self, process: int, seconds: float) -> None:
        self.world.run(self.limiter(process).pause(seconds))
        now = self.world.passed
        self.paused[process] = max(self.paused[process], now + seconds)
        self.pauses.append((now + RULE.validity, now + seconds))
        if now + seconds >= self.paused_at_most:
            self.asked = seconds
        self.paused_at_most = max(self.paused_at_most, now + seconds)
        self.did("pause")

    @rule(process=PROCESS)
    def hands_back(self, process: int) -> None:
        self.world.run(self.limiter(process).close())
        self.did("close")

    @rule(process=PROCESS)
    def crash(self, process: int) -> None:
        self.world.crash(process)
        self.did("crash")

    @rule(seconds=st.sampled_from([0.1, 0.4, 1.0, 5.0, 9.9, 10.0, 60.0]))
    def time_passes(self, seconds: float) -> None:
        self.world.advance(seconds)

    @rule(seconds=st.sampled_from([-86_400.0, -3.0, 3.0, 86_400.0]))
    def clock_is_set(self, seconds: float) -> None:
        self.world.now += seconds
        now = self.world.passed
        if seconds > 0:
            self.judged_from, self.starts = now + WINDOW + RULE.validity + RULE.leeway, []
            self.paused, self.pauses = [0.0] * PROCESSES, []
        else:
            # A pause that has ended may begin once more, for as long as the vendor asked for.
            self.paused_at_most = max(self.paused_at_most, now + self.asked) + 1.0
        self.did("clock set")
