"""Starts a module of ours in a process of its own, watches it, and saves the blocks that it opens.

``python -m benchmarks.performance.runner CONNECTIONS`` saves the blocks of sandboxes. ``CONNECTIONS`` is a
JSON array of ``{"name", "info", "ledger", "connectwise"}``: the blocks' name, the sandbox's first line of
output, the SQLite file of the ledger, and further fields of the ConnectWise block (left out: none). Prefect's
server is the one that the environment names.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx
from rich.console import Console

from deployments import ROOT
from deployments.blocks import sandbox_blocks
from deployments.local.prefect import LocalPrefect
from deployments.local.sandbox import Sandbox

BUILD = ROOT / "build"
LOOK_SECONDS = 0.5
LINE_SECONDS = 15.0
PATIENCE_SECONDS = 300
QUIET_LOOKS = 5
ROOM = {"request_limit": 100_000}
"""For a benchmark that counts requests: the usual limit would spread thousands of them over half an hour."""


def run_module(module: str, prefect: LocalPrefect, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", module, *arguments],
        cwd=ROOT,
        env={**prefect.environment, "PREFECT_LOGGING_LEVEL": "WARNING"},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return done.stdout


def run_watched(
    console: Console,
    sandbox: Sandbox,
    log: Path,
    environment: Mapping[str, str],
    module: str,
    *arguments: str,
) -> dict[str, Any]:
    """The JSON of the last line that the module prints, if any; RuntimeError with the end of its log."""
    command = [sys.executable, "-m", module, *arguments]
    with log.open("wb") as told, log.with_suffix(".json").open("wb") as answered:
        process = subprocess.Popen(command, cwd=ROOT, env=dict(environment), stdout=answered, stderr=told)
        began = said = time.monotonic()
        while process.poll() is None:
            time.sleep(LOOK_SECONDS)
            if time.monotonic() - said > LINE_SECONDS:
                said = time.monotonic()
                served = sandbox.requests()
                counts = ", ".join(
                    f"{served[name.lower()]['requests']:,} requests to {name}"
                    for name in ("Lansweeper", "ConnectWise")
                )
                console.print(f"  {said - began:4.0f} s of {module}: {counts}")
    if process.returncode:
        tail = log.read_text(encoding="utf-8", errors="replace")[-3000:]
        raise RuntimeError(f"{module} ended with status {process.returncode}. The end of its log:\n{tail}")
    lines = log.with_suffix(".json").read_text(encoding="utf-8").splitlines()
    return dict(json.loads(lines[-1])) if lines else {}


def orchestrated(api_url: str, flow_run_id: str) -> dict[str, int]:
    """``{"flow_runs", "task_runs"}`` of a flow run and its subflows, once their numbers stand still.

    The server writes task runs down a while after they ended; stand-ins for subflows are among them.
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
    filters = {"flow_runs": {"parent_flow_run_id": {"any_": [flow_run_id]}}, "limit": 200}
    subflows = _ask(http, "/flow_runs/filter", filters)
    runs = [flow_run_id, *(each["id"] for each in subflows)]
    tasks = _ask(http, "/task_runs/count", {"flow_runs": {"id": {"any_": runs}}})
    return {"flow_runs": len(runs), "task_runs": int(tasks)}


def _ask(http: httpx.Client, path: str, body: dict[str, Any]) -> Any:
    answer = http.post(path, json=body)
    answer.raise_for_status()
    return answer.json()


def connection(
    name: str, info: dict[str, Any], ledger: Path, connectwise: dict[str, Any] | None = None
) -> dict[str, Any]:
    """One entry of ``CONNECTIONS``."""
    return {"name": name, "info": info, "ledger": str(ledger), "connectwise": connectwise or {}}


async def save_connections(connections: list[dict[str, Any]]) -> None:
    """Save the three blocks of every connection under its name, over those that are there."""
    for each in connections:
        for block in sandbox_blocks(each["info"], Path(each["ledger"]), **each["connectwise"]):
            await block.save(each["name"], overwrite=True)


if __name__ == "__main__":
    asyncio.run(save_connections(json.loads(sys.argv[1])))
