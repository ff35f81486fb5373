"""An asset that is gone: the plan says since when, and only whole readings that fit are counted."""

from __future__ import annotations

from typing import Any

import pytest

from connectors.ledger.store import Ledger
from tests.support.faults import LEAN
from tests.support.run_flow import FlowRunner

pytestmark = [pytest.mark.anyio, pytest.mark.prefect]

FEW = 30


async def readings(runner: FlowRunner) -> dict[str, int]:
    """In how many whole readings each asset is missing, by its key."""
    async with Ledger.open(runner.ledger) as ledger:
        missing = await ledger.missing_assets.of_company(runner.tenant, runner.sandbox.company_id)
    return {key: each.readings for key, each in missing.items()}


async def test_a_missing_asset_is_counted_by_whole_readings_alone(runner: FlowRunner) -> None:
    runner.new_world(assets=FEW)
    await runner.report(mappings=LEAN)
    assert await readings(runner) == {}
    gone = runner.sandbox.state("lansweeper/assets")[0]
    runner.sandbox.delete("lansweeper/assets", gone["key"])
    await runner.report(mappings=LEAN, dry_run=True)
    assert await readings(runner) == {gone["key"]: 1}
    own_type = runner.sandbox.state("lansweeper/assets")[0]["assetBasicInfo"]["type"]
    only: list[dict[str, Any]] = [{"path": "assetBasicInfo.type", "value": own_type}]
    await runner.report(mappings=LEAN, dry_run=True, asset_filter=only)
    assert await readings(runner) == {gone["key"]: 1}
    await runner.report(mappings=LEAN)
    assert await readings(runner) == {gone["key"]: 2}
    for name in ("plan", "report"):
        text = await runner.artifact(f"asset-synchronization-{name}")
        assert "in 2 whole readings" in text
