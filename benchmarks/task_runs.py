"""Asks Prefect's server how many runs of tasks and subflows a flow run had."""

from __future__ import annotations

import time
from typing import Any

import httpx

PATIENCE_SECONDS = 300
QUIET_LOOKS = 5


def orchestrated(api_url: str, flow_run_id: str) -> dict[str, int]:
    """``{"flow_runs", "task_runs"}`` of a flow run and its subflows, once their numbers stand still.

    The server writes task runs down from events, a while after they ended. The runs by which a parent stands
    for its subflows are among the task runs, as Prefect counts them.
    """
    with httpx.Client(base_url=api_url, timeout=30) as http:
        found, quiet = _count(http, flow_run_id), 0
        deadline = time.monotonic() + PATIENCE_SECONDS
        while quiet < QUIET_LOOKS and time.monotonic() < deadline:
            time.sleep(1)
            before, found = found, _count(http, flow_run_id)
            quiet = quiet + 1 if before == found else 0
    return found


def _count(http: httpx.Client, flow_run_id: str) -> dict[str, int]:
    subflows = _ask(
        http,
        "/flow_runs/filter",
        {"flow_runs": {"parent_flow_run_id": {"any_": [flow_run_id]}}, "limit": 200},
    )
    runs = [flow_run_id, *(each["id"] for each in subflows)]
    tasks = _ask(http, "/task_runs/count", {"flow_runs": {"id": {"any_": runs}}})
    return {"flow_runs": len(runs), "task_runs": int(tasks)}


def _ask(http: httpx.Client, path: str, body: dict[str, Any]) -> Any:
    answer = http.post(path, json=body)
    answer.raise_for_status()
    return answer.json()
