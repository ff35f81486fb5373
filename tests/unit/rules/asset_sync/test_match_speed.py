"""Match and diff of two inventories stay near a hand-written index, and keep no copy of what is unchanged."""

from __future__ import annotations

import pytest

from benchmarks.performance.peers import measure, measure_memory

pytestmark = pytest.mark.speed

BOUND = 1.5


@pytest.mark.parametrize(
    "linked", [False, pytest.param(True, marks=pytest.mark.slow)], ids=["first run", "linked"]
)
def test_fifteen_thousand_cost_at_most_half_more_than_by_hand(linked: bool) -> None:
    """Process CPU of five runs each, medians or the fastest: other work slows single runs, by either way."""
    found = measure(15_000, linked=linked, runs=5)
    assert min(found["ratio"], found["best_ratio"]) <= BOUND, found
    assert found["counts"]["unmatched"] == 750


def test_memory_grows_with_what_changed_only() -> None:
    """Where nothing changed a pair of references is all that match and diff keep of two records."""
    n = 3_000
    settled = measure_memory(n, settled=True)
    assert settled["changed"] == 0
    assert settled["added_mib"] * 2**20 / n < 100
    assert settled["added_peak_mib"] * 2**20 / n < 400
