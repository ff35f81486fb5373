"""A plan says what other runs use of the request limit, and how long that makes the run."""

from __future__ import annotations

import re

import pytest

from connectors.ledger.store import Ledger
from tests.support.run_flow import FlowRunner

pytestmark = [pytest.mark.anyio, pytest.mark.prefect]

LIMIT, WINDOW = 40, 300


async def test_a_limit_that_others_use_makes_the_forecast_longer_and_is_named(runner: FlowRunner) -> None:
    runner.sandbox.reset(assets=25)
    await runner.save_blocks(request_limit=LIMIT, request_window_seconds=WINDOW)
    free = await runner.report(dry_run=True)
    async with Ledger.open(f"sqlite+aiosqlite:///{runner.ledger}") as others:
        limiter = others.rate_limits.limiter(runner.tenant, LIMIT, WINDOW)
        for _ in range(15):
            await limiter.acquire()
    held = await runner.report(dry_run=True)
    assert held.requests_predicted == free.requests_predicted < LIMIT
    # The dry run before is another run, too: its requests and the 15 leave too few for the writes.
    used = free.requests_used + 15
    assert LIMIT - used < held.requests_predicted
    text = await runner.artifact("asset-synchronization-plan")
    assert f"{used} of {LIMIT} requests in 5 min are used by other runs" in text
    assert re.search(r"Time: .* predicted, .* of it for request limits", text)
    assert free.seconds_predicted < 60 < held.seconds_predicted == pytest.approx(WINDOW, abs=30)
