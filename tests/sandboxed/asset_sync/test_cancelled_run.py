"""A run that is cancelled in the middle of a batch: the batch stays noted, the lease is free at once."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import anyio
import pytest
from prefect import get_client

from connectors.ledger.store import Ledger
from flows.asset_synchronization import asset_synchronization
from tasks.shared.lease import lease_name
from tests.support.faults import BULK, rule
from tests.support.run_flow import FlowRunner

pytestmark = [pytest.mark.anyio, pytest.mark.prefect, pytest.mark.slow]

ROOT = Path(__file__).resolve().parents[3]


async def scheduled_run(runner: FlowRunner, **changes: Any) -> str:
    settings = runner.settings(**changes).model_dump(mode="json")
    async with get_client() as client:
        run = await client.create_flow_run(asset_synchronization, parameters={"settings": settings})
    return str(run.id)


def start_as_a_worker_does(runner: FlowRunner, run_id: str) -> subprocess.Popen[bytes]:
    of_run = {
        "PREFECT__FLOW_RUN_ID": run_id,
        "PREFECT__FLOW_ENTRYPOINT": "flows.asset_synchronization:asset_synchronization",
        "PREFECT_LOGGING_LEVEL": "CRITICAL",
    }
    command = [sys.executable, "-m", "prefect.engine"]
    return subprocess.Popen(command, cwd=ROOT, env={**runner.server.environment, **of_run})


async def test_cancelled_run_keeps_its_note_and_frees_its_lease(runner: FlowRunner) -> None:
    runner.sandbox.faults([rule("POST", BULK, {"kind": "delay", "seconds": 1}, every=1)])
    process = start_as_a_worker_does(runner, await scheduled_run(runner, batch_size=5))
    deadline = time.monotonic() + 120
    while runner.sandbox.requests()["connectwise"]["by"].get(f"POST {BULK}", 0) < 3:
        assert process.poll() is None
        assert time.monotonic() < deadline
        await anyio.sleep(0.05)
    process.send_signal(signal.SIGTERM)
    process.wait(timeout=30)
    async with get_client() as client:
        lease = lease_name("default", runner.sandbox.company_id)
        limit = await client.read_global_concurrency_limit_by_name(lease)
    assert limit.active_slots == 0
    async with Ledger.open(runner.ledger) as ledger:
        assert await ledger.batches.in_flight("default", runner.sandbox.company_id)
    runner.sandbox.faults([])
    report = await runner.report()
    assert report.counts.failed == 0
    assert set(runner.asset_keys().values()) == {1}
