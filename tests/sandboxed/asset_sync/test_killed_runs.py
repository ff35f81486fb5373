"""Killed or cancelled at any moment, the next run finishes the work: nothing lost, nothing created twice."""

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
from deployments.local.sandbox import Sandbox
from flows.asset_synchronization import asset_synchronization
from tasks.shared.lease import lease_name
from tasks.shared.retry import Waiting
from tests.support.faults import BULK, LEAN, rule
from tests.support.run_flow import FlowRunner

pytestmark = [pytest.mark.anyio, pytest.mark.prefect]


ROOT = Path(__file__).resolve().parents[3]
DELAY = 0.5
"""Seconds that a bulk request takes."""
IMPATIENT = Waiting(settle_seconds=2, pause_seconds=0.3, lease_seconds=1)
WAITING_FOR_THE_LEASE = Waiting(settle_seconds=2, pause_seconds=0.3, lease_seconds=120)


def start(runner: FlowRunner, **changes: Any) -> subprocess.Popen[bytes]:
    settings = runner.settings(mappings=LEAN, **changes).model_dump_json()
    return subprocess.Popen(
        [sys.executable, "-m", "tests.support.run_process", "asset-synchronization", settings],
        cwd=ROOT,
        env={**runner.server.environment, "PREFECT_LOGGING_LEVEL": "ERROR"},
    )


async def until(process: subprocess.Popen[bytes], sandbox: Sandbox, request: str, count: int) -> None:
    """Wait until the sandbox has begun on the request for the ``count``-th time."""
    deadline = time.monotonic() + 180
    while sandbox.requests()["connectwise"]["by"].get(request, 0) < count:
        assert process.poll() is None, "the run ended too soon"
        assert time.monotonic() < deadline
        await anyio.sleep(0.02)


def kill(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGKILL)
    process.wait()


async def free_lease(runner: FlowRunner) -> None:
    """What Prefect does by itself about a minute after the holder was killed."""
    async with get_client() as client:
        await client.delete_global_concurrency_limit_by_name(
            lease_name(runner.tenant, runner.sandbox.company_id)
        )


async def kill_twice_and_finish(runner: FlowRunner, *, wait_for_lease: bool) -> None:
    counts = (await runner.report(dry_run=True, mappings=LEAN)).counts
    post, put = f"POST {BULK}", f"PUT {BULK}"
    runner.sandbox.faults([rule("POST", BULK, {"kind": "delay", "seconds": 6}, every=1)])
    runner.sandbox.clear_requests()
    first = start(runner, batch_size=5)
    await until(first, runner.sandbox, post, 1)
    await second_writing_run_is_cancelled_and_names_the_holder(runner)
    runner.sandbox.faults([rule(None, BULK, {"kind": "delay", "seconds": DELAY}, every=1)])
    await until(first, runner.sandbox, post, 3)
    kill(first)
    if not wait_for_lease:
        await free_lease(runner)
    second = start(runner, batch_size=5, waiting=WAITING_FOR_THE_LEASE)
    await until(second, runner.sandbox, put, 2)
    kill(second)
    runner.sandbox.faults([])
    # What it sent is written all the same: the next run is refused if that is between its list and its count.
    await anyio.sleep(2 * DELAY)
    if not wait_for_lease:
        await free_lease(runner)
    last = await runner.report(waiting=WAITING_FOR_THE_LEASE, mappings=LEAN)
    assert last.counts.failed == 0
    keys = runner.asset_keys()
    assert len(keys) == counts.created + counts.modified
    assert set(keys.values()) == {1}


async def second_writing_run_is_cancelled_and_names_the_holder(runner: FlowRunner) -> None:
    state = await runner.state(waiting=IMPATIENT, mappings=LEAN)
    assert state.is_cancelled()
    assert "flow run" in str(state.message)


async def test_second_run_is_refused_then_kill_in_creation_and_again_in_modification(
    runner: FlowRunner,
) -> None:
    await kill_twice_and_finish(runner, wait_for_lease=False)


@pytest.mark.slow
async def test_kill_twice_and_wait_for_the_lease_to_free_itself(runner: FlowRunner) -> None:
    await kill_twice_and_finish(runner, wait_for_lease=True)


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


@pytest.mark.slow
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
        lease = lease_name(runner.tenant, runner.sandbox.company_id)
        limit = await client.read_global_concurrency_limit_by_name(lease)
    assert limit.active_slots == 0
    async with Ledger.open(runner.ledger) as ledger:
        assert await ledger.batches.in_flight(runner.tenant, runner.sandbox.company_id, "")
    runner.sandbox.faults([])
    report = await runner.report()
    assert report.counts.failed == 0
    assert set(runner.asset_keys().values()) == {1}
