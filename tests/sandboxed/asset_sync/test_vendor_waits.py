"""The waiting times as they are shipped: a batch that commits long after its connection was dropped."""

from __future__ import annotations

import pytest

from tasks.shared.retry import Waiting
from tests.support.run_flow import FlowRunner

pytestmark = [pytest.mark.anyio, pytest.mark.prefect, pytest.mark.slow]


async def test_batch_that_commits_20_seconds_later_item_by_item_is_not_doubled(runner: FlowRunner) -> None:
    fault = {"kind": "late", "delay": 20, "item_interval": 0.2}
    rule = {"system": "connectwise", "method": "POST", "path": "/company/configurations/bulk", "nth": [1]}
    runner.sandbox.faults([rule | {"fault": fault}])
    report = await runner.report(waiting=Waiting())
    assert report.counts.failed == 0
    assert report.duplicates == []
    keys = runner.asset_keys()
    assert len(keys) == report.counts.created + report.counts.modified
    assert set(keys.values()) == {1}
    assert runner.sandbox.requests()["connectwise"]["by"]["POST /company/configurations/bulk"] == 1
