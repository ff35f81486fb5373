"""The budget between real processes and by the real clock."""

from __future__ import annotations

import json
import time

import pytest

from tests.support.ledger_places import place, start_python
from tests.unit.connectors.ledger.test_budget_window import most_in_a_window

__all__ = ["place"]
pytestmark = [pytest.mark.anyio, pytest.mark.speed]
WINDOW = 10.0


async def test_four_processes_use_at_most_100_requests_in_any_10_seconds_and_at_least_90(place: str) -> None:
    together_at = time.time() + 2
    words = [place, "100", str(WINDOW), str(together_at), str(WINDOW + 1.5)]
    workers = [start_python("-m", "tests.support.rate_limit_worker", *words) for _ in range(4)]
    answers = [json.loads(worker.communicate(timeout=60)[0]) for worker in workers]
    starts = sorted(start for answer in answers for start in answer)
    assert most_in_a_window(starts, WINDOW) <= 100
    assert sum(1 for start in starts if start < starts[0] + WINDOW) >= 90
    assert len(starts) > 100, "the next window does not open in time"
