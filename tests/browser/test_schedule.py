"""A schedule that is switched on fires by itself, on the worker, and leaves a report."""

from __future__ import annotations

import time

import httpx

from tests.browser.stack import Stack
from tests.browser.test_journeys import COMPANY

SECONDS = 30
PATIENCE_SECONDS = 240


def test_schedule_fires_on_the_worker_and_leaves_a_report(stack: Stack) -> None:
    deployment = stack.deployment_id("asset-synchronization")
    schedule = {
        "schedule": {"interval": SECONDS},
        "active": True,
        "parameters": {"settings": {"company": COMPANY, "dry_run": True}},
    }
    made = stack.post(f"/deployments/{deployment}/schedules", [schedule])[0]
    try:
        run_id = first_scheduled_run(stack, deployment)
    finally:
        # Deleting it takes back the runs that it has planned but not begun.
        path = f"{stack.api}/deployments/{deployment}/schedules/{made['id']}"
        httpx.delete(path, timeout=60).raise_for_status()
    run = stack.wait_for_run(run_id)
    assert run["state_type"] == "COMPLETED", run["state"]["message"]
    assert run["infrastructure_pid"], "it did not run in a worker's process"
    assert "Dry run" in stack.artifact(run_id, "asset-synchronization-report")["data"]


def first_scheduled_run(stack: Stack, deployment: str) -> str:
    """The id of the first run that a schedule started."""
    body = {
        "deployments": {"id": {"any_": [deployment]}},
        "flow_runs": {"state": {"type": {"any_": ["RUNNING", "COMPLETED", "FAILED"]}}},
        "sort": "START_TIME_DESC",
    }
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        for run in stack.post("/flow_runs/filter", body):
            if run["auto_scheduled"]:
                return str(run["id"])
        time.sleep(2)
    raise TimeoutError(f"No scheduled run began within {PATIENCE_SECONDS} s.")
