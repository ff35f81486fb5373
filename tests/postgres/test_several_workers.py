"""Two processes, as workers on two machines start them, run flows at once with one ledger on PostgreSQL."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest

from connectors.retry import AttemptOutcome
from deployments.local.prefect import LocalPrefect
from deployments.local.sandbox import Sandbox
from tests.support.budget import follow, most_in_a_window
from tests.support.run_flow import QUICK

pytestmark = pytest.mark.anyio
ROOT = Path(__file__).resolve().parents[2]
LIMIT, WINDOW = 12, 8


def start(prefect: LocalPrefect, *arguments: str) -> subprocess.Popen[str]:
    """A process with the Prefect server's address, in the project's folder."""
    return subprocess.Popen(
        [sys.executable, "-m", *arguments],
        cwd=ROOT,
        env=dict(prefect.environment),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def synchronization(sandbox: Sandbox, *, dry_run: bool) -> tuple[str, str]:
    """A flow and the settings of its run, as JSON."""
    waiting = QUICK.model_dump()
    settings = {"company": sandbox.company, "dry_run": dry_run, "waiting": waiting}
    return "asset-synchronization", json.dumps(settings | {"ceilings": {"go_on": True}})


def the_run(prefect: LocalPrefect) -> list[dict[str, Any]]:
    body = {"flows": {"name": {"any_": ["asset-synchronization"]}}}
    answer = httpx.post(f"{prefect.api_url}/flow_runs/filter", json=body)
    return list(answer.raise_for_status().json())


@pytest.mark.parametrize("place", ["postgresql"], indirect=True)
async def test_two_workers_together_never_exceed_the_shared_budget(
    prefect: LocalPrefect, sandbox: Sandbox, place: str
) -> None:
    address = place.replace("+asyncpg", "")
    saving = start(
        prefect, "tests.postgres.save_blocks", address, json.dumps(sandbox.info), str(LIMIT), str(WINDOW)
    )
    output = saving.communicate(timeout=120)[0]
    assert saving.returncode == 0, output
    sandbox.clear_requests()
    # The vendor counts as well, by its own clock, and refuses one request too many.
    sandbox.switch(rate_limit=[LIMIT, WINDOW])
    workers = [
        start(prefect, "tests.support.run_process", *synchronization(sandbox, dry_run=dry_run))
        for dry_run in (False, True)
    ]
    seen = follow(sandbox, lambda: all(worker.poll() is not None for worker in workers))
    outputs = [worker.communicate()[0] for worker in workers]
    assert [worker.returncode for worker in workers] == [0, 0], outputs
    assert [run["state_type"] for run in the_run(prefect)] == ["COMPLETED", "COMPLETED"]
    assert seen[-1][1] > 2 * LIMIT, "too few requests for the budget to matter"
    assert most_in_a_window(seen, WINDOW) <= LIMIT
    # Not "429": a time, an id or a checksum may hold these digits as well.
    assert not any(str(AttemptOutcome.RATE_LIMITED) in output for output in outputs), outputs
