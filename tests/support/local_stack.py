"""What ``make up`` starts, piece by piece, for tests that kill or replace pieces of it."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from benchmarks.chaos.process import descendants
from deployments.local.prefect import LocalPrefect, local_prefect
from deployments.local.sandbox import Sandbox, start_sandbox

ENDED = {"COMPLETED", "FAILED", "CRASHED", "CANCELLED"}


@dataclass(frozen=True)
class Pieces:
    """A sandbox and a Prefect server with all of its services; no worker yet."""

    sandbox: Sandbox
    prefect: LocalPrefect

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """Ask Prefect's API as the UI does."""
        answer = httpx.request(method, self.prefect.api_url + path, json=body, timeout=60)
        return answer.raise_for_status().json()

    def start_run(self, name: str, **parameters: Any) -> str:
        """Submit the run form of that deployment; returns the flow run's id."""
        deployment = self.call("GET", f"/deployments/name/{name}/{name}")["id"]
        body = {"parameters": parameters}
        return str(self.call("POST", f"/deployments/{deployment}/create_flow_run", body)["id"])

    def run(self, run_id: str) -> dict[str, Any]:
        return dict(self.call("GET", f"/flow_runs/{run_id}"))

    def wait_for_end(self, run_id: str, seconds: float) -> dict[str, Any]:
        """The run once it has ended, however it ended."""
        deadline = time.monotonic() + seconds
        while (run := self.run(run_id))["state_type"] not in ENDED:
            assert time.monotonic() < deadline, f"still {run['state_name']} after {seconds:.0f} s"
            time.sleep(0.5)
        return run

    def served(self, request: str) -> int:
        """How many such requests (``POST /company/...``) ConnectWise has begun on."""
        return int(self.sandbox.requests()["connectwise"]["by"].get(request, 0))

    def wait_until_served(self, request: str, count: int, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while self.served(request) < count:
            assert time.monotonic() < deadline, f"{request}: not {count} times within {seconds:.0f} s"
            time.sleep(0.05)


@contextmanager
def pieces(home: Path) -> Iterator[Pieces]:
    """Start them; they end with the block."""
    home.mkdir(parents=True, exist_ok=True)
    with start_sandbox("--seed", "7", "--assets", "400") as sandbox, local_prefect(home) as prefect:
        yield Pieces(sandbox, prefect)


def kill_with_descendants(process_id: int) -> int:
    """SIGKILL for a process and everything that it started, all at once; returns how many they were."""
    doomed = [process_id, *descendants(process_id)]
    for each in doomed:
        try:
            os.kill(each, signal.SIGKILL)
        except ProcessLookupError:
            continue
    return len(doomed)
