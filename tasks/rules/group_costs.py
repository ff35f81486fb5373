"""What questions about groups will cost, and in how many groups to cut: plain expectation, no promise.

The currency is the request. A round costs a request for each group and one more for each 1,000 tickets found;
what is still open after the last round is asked ticket by ticket at ``unit`` requests each (1 for child
collections, 1/20 for bundles of twenty).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tasks.rules.group_questions import digits_needed, is_prime

PAGE = 1000
SEVERAL = {2: 0.05, 4: 0.05}
"""Shares of the tickets reckoned to hold so many configurations, before anything is known."""
MOST_ROUNDS = 10

Shapes = Mapping[tuple[int, int], float]
"""How many tickets by (configurations held at least, candidates)."""


@dataclass(frozen=True, slots=True)
class GroupPlan:
    """The cheapest cut: a prime base, the rounds expected, and the requests of it all."""

    base: int
    rounds: int
    requests: float


def _expected_shapes(configurations: int, tickets: float) -> Shapes:
    several = {(held, max(held, configurations)): tickets * share for held, share in SEVERAL.items()}
    return {(1, configurations): tickets * (1 - sum(SEVERAL.values())), **several}


def chance_resolved(held: int, candidates: int, base: int, rounds: int) -> float:
    """How likely a ticket with so many candidates is resolved after so many further rounds."""
    reach = float(base**rounds)
    if held == 1:
        # Code words divide the candidates evenly, so nearly all cells hold as many, or one more.
        return 1.0 if candidates <= reach else max(0.0, (2 * reach - candidates) / candidates)
    if held >= base:
        return 0.0
    return float((1 - (held / base) ** rounds) ** max(0, candidates - held))


def best_rounds(
    shapes: Shapes, base: int, groups: int, unit: float, most_rounds: int = MOST_ROUNDS
) -> tuple[int, float]:
    """How many further rounds pay, and what these and the rest ticket by ticket will cost."""
    tickets = sum(shapes.values())
    best = (0, tickets * unit)
    for rounds in range(1, most_rounds + 1):
        asked = rounds * (groups + int(tickets / PAGE))
        if asked >= best[1]:
            break
        left = sum(
            number * (1 - chance_resolved(held, candidates, base, rounds))
            for (held, candidates), number in shapes.items()
        )
        cost = asked + left * unit
        if cost < best[1]:
            best = (rounds, cost)
    return best


def plan_groups(
    configurations: int, fewest_groups: int, tickets: int, unit: float, touched: float | None = None
) -> GroupPlan | None:
    """The base that costs least; None where asking ticket by ticket is no dearer.

    Args:
        fewest_groups: so many groups at least, since the server limits the length of one question.
        touched: how many of the tickets probably hold one of the configurations; None: all of them.
    """
    if not configurations or not tickets:
        return None
    shapes = _expected_shapes(configurations, tickets if touched is None else touched)
    best: GroupPlan | None = None
    least = tickets * unit
    base = max(2, fewest_groups)
    while min(base, configurations) < least:
        digits = digits_needed(configurations, base)
        if is_prime(base) and digits <= base:
            groups = min(base, configurations)
            if digits == 1:
                # Each configuration is its own group: one round tells all, more groups tell no more.
                rounds, cost = 1, float(groups + int(tickets / PAGE))
            else:
                rounds, cost = best_rounds(shapes, base, groups, unit, min(MOST_ROUNDS, base))
            if rounds and cost < least:
                best, least = GroupPlan(base, rounds, cost), cost
            if digits == 1:
                break
        base += 1
    return best
