"""What a run costs Prefect: task runs by page and batch, never by record."""

from __future__ import annotations

from collections import Counter
from math import ceil

import pytest

from tasks.shared.concurrency import groups
from tests.support.faults import LEAN
from tests.support.run_flow import FlowRunner

pytestmark = [pytest.mark.anyio, pytest.mark.prefect]


def task_runs(caplog: pytest.LogCaptureFixture) -> Counter[str]:
    """The task runs that have ended, by name: Prefect says so of each of them once."""
    return Counter(
        str(record.__dict__["task_name"])
        for record in caplog.records
        if record.name == "prefect.task_runs" and record.getMessage().startswith("Finished in state")
    )


@pytest.mark.parametrize("assets", [30, 130])
async def test_task_runs_grow_with_the_batches_and_not_with_the_records(
    runner: FlowRunner, caplog: pytest.LogCaptureFixture, assets: int
) -> None:
    runner.sandbox.reset(assets=assets, scenario="fresh")
    report = await runner.report(mappings=LEAN)
    assert report.counts.created > assets * 0.9
    runs = task_runs(caplog)
    batches = ceil(report.counts.created / 50)
    assert runs.pop("Bulk Configuration Creation") == len(list(groups(range(batches))))
    assert len(report.references_created["type.name"]) > 1
    assert runs == {
        "Create Configuration Type": 1,
        "List Assets": 1,
        "List of Configurations": 1,
        "List Configuration Types": 1,
        "Match Configurations": 1,
    }
