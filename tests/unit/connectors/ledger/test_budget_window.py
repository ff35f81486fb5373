"""The law of the window, by property: no window holds more starts than the limit, whatever happens."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.ledger.rate_limit import WindowRule, WindowState, grant_tokens


@dataclass
class Held:
    """A slice in the hands of one process."""

    granted_at: float
    tokens: int
    counts_until: float
    starts: list[float] = field(default_factory=list)


@dataclass
class Simulation:
    """The ledger and its processes, kept as lists; time only moves forward."""

    rule: WindowRule
    now: float = 0.0
    slices: list[Held] = field(default_factory=list)
    hands: dict[int, Held] = field(default_factory=dict)
    starts: list[float] = field(default_factory=list)

    def use(self, process: int, wanted: int) -> None:
        """Starts a request if the process holds a valid token, else hands back and asks for a slice."""
        held = self.hands.get(process)
        if held and len(held.starts) < held.tokens and self.now < held.granted_at + self.rule.validity:
            held.starts.append(self.now)
            self.starts.append(self.now)
            return
        self.hand_back(process)
        counting = [held for held in self.slices if held.counts_until > self.now]
        first = min((held.counts_until for held in counting), default=None)
        standing = WindowState(sum(held.tokens for held in counting), first)
        decision = grant_tokens(self.rule, standing, self.now, wanted)
        if decision.tokens:
            until = self.rule.counts_until_after_grant(self.now)
            self.hands[process] = Held(self.now, decision.tokens, until)
            self.slices.append(self.hands[process])

    def hand_back(self, process: int) -> None:
        """Reports the used tokens of a slice; a killed process (see below) never does."""
        held = self.hands.pop(process, None)
        if held is None:
            return
        held.tokens = len(held.starts)
        if held.starts:
            until = self.rule.counts_until_after_use(held.starts[-1])
            held.counts_until = min(held.counts_until, until)


def most_in_a_window(starts: Sequence[float], window: float) -> int:
    """The largest number of starts in any half-open window."""
    ordered = sorted(starts)
    return max((sum(1 for s in ordered if start <= s < start + window) for start in ordered), default=0)


STEPS = st.lists(
    st.tuples(
        st.floats(0, 3, allow_nan=False),
        st.sampled_from(["use", "use", "use", "hand_back", "kill"]),
        st.integers(0, 3),
        st.integers(1, 6),
    ),
    max_size=80,
)


@given(steps=STEPS, limit=st.integers(1, 12), window=st.floats(1, 10))
def test_no_window_ever_holds_more_starts_than_the_limit(
    steps: list[tuple[float, str, int, int]], limit: int, window: float
) -> None:
    simulation = Simulation(WindowRule.of(limit, window))
    for passed, action, process, wanted in steps:
        simulation.now += passed
        if action == "use":
            simulation.use(process, wanted)
        elif action == "hand_back":
            simulation.hand_back(process)
        else:
            simulation.hands.pop(process, None)
    assert most_in_a_window(simulation.starts, window) <= limit


@given(limit=st.integers(1, 5000), window=st.floats(0.1, 7200))
def test_the_safety_margin_costs_less_than_a_tenth_of_the_limit(limit: int, window: float) -> None:
    rule = WindowRule.of(limit, window)
    assert rule.window / (rule.window + rule.validity + rule.leeway) > 0.9
    assert 1 <= rule.largest_slice <= max(1, limit // 20)


@pytest.mark.parametrize(("left", "granted"), [(100, 5), (20, 5), (12, 3), (3, 1), (1, 1)])
def test_slices_become_small_while_little_is_left(left: int, granted: int) -> None:
    rule = WindowRule.of(100, 10)
    assert grant_tokens(rule, WindowState(100 - left, 5.0), now=1.0, wanted=5).tokens == granted


def test_a_used_up_window_says_when_the_first_token_is_free() -> None:
    rule = WindowRule.of(100, 10)
    decision = grant_tokens(rule, WindowState(100, 5.0), now=1.0, wanted=5)
    assert (decision.tokens, decision.wait) == (0, 4.0)


def test_a_pause_comes_before_everything() -> None:
    rule = WindowRule.of(100, 10)
    decision = grant_tokens(rule, WindowState(0, None, paused_until=61.0), now=1.0, wanted=5)
    assert (decision.tokens, decision.wait) == (0, 60.0)


@pytest.mark.parametrize(("limit", "window"), [(0, 10), (-1, 10), (5, 0)])
def test_a_limit_without_requests_or_time_is_refused(limit: int, window: float) -> None:
    with pytest.raises(ValueError, match="at least 1 request"):
        WindowRule.of(limit, window)
