"""A running ``python -m deployments.local.up`` with what the browser's tests need to know of it."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from deployments.local.running import HOME_VARIABLE, home_folder

ROOT = Path(__file__).resolve().parents[2]
OUTPUT = ROOT / "build" / "browser"
OWN_HOME = ROOT / "build" / "up-for-tests"
"""Another folder than that of ``make up``, so that the tests can run beside it; new each time."""
RUNNING = "CONNECTWISE_FLOWS_TEST_UI"
"""Names the UI of a ``make up`` that runs already, to be used instead of a new one; its home as there."""
START_LIMIT_SECONDS = 420
ENDED = {"COMPLETED", "FAILED", "CRASHED", "CANCELLED"}


@dataclass(frozen=True)
class Stack:
    """``ui`` and ``api``: addresses; ``home``: folder of logs and databases; ``output``: what it printed."""

    ui: str
    home: Path
    output: Path

    @property
    def api(self) -> str:
        return f"{self.ui}/api"

    def get(self, path: str, **params: Any) -> Any:
        return httpx.get(self.api + path, params=params, timeout=60).raise_for_status().json()

    def post(self, path: str, body: Any = None) -> Any:
        return httpx.post(self.api + path, json=body or {}, timeout=60).raise_for_status().json()

    def deployment_id(self, name: str) -> str:
        """Flow and deployment have the same name throughout this project."""
        return str(self.get(f"/deployments/name/{name}/{name}")["id"])

    def wait_for_run(self, run_id: str, seconds: float = 240) -> dict[str, Any]:
        """The flow run once it has ended, however it ended."""
        deadline = time.monotonic() + seconds
        while True:
            run: dict[str, Any] = self.get(f"/flow_runs/{run_id}")
            if run["state_type"] in ENDED:
                return run
            if time.monotonic() > deadline:
                raise TimeoutError(f"Run {run['name']} is still {run['state_name']} after {seconds:.0f} s.")
            time.sleep(1)

    def artifact(self, run_id: str, part_of_key: str) -> dict[str, Any]:
        """The newest artifact of the run, or of its tasks, whose key contains that text."""
        body = {"artifacts": {"flow_run_id": {"any_": [run_id]}}, "sort": "CREATED_DESC"}
        found = self.post("/artifacts/filter", body)
        return next(each for each in found if part_of_key in (each["key"] or ""))

    def secrets(self) -> dict[str, str]:
        """Private key, login and access token of the blocks named ``default``, as only the API tells them."""
        connectwise = self._block("connectwise-psa-connection")
        return {
            "private key": connectwise["private_key"],
            "login": f"{connectwise['company_id']}+{connectwise['public_key']}",
            "access token": self._block("lansweeper-connection")["access_token"],
        }

    def sandbox(self, method: str, path: str, body: Any = None) -> Any:
        """A control address of the sandbox that ``default`` leads to, such as ``state/company/companies``."""
        site = self._block("connectwise-psa-connection")["site"]
        answer = httpx.request(method, f"{site}/_sandbox/{path}", json=body, timeout=60).raise_for_status()
        return answer.json() if answer.content else None

    def _block(self, slug: str) -> dict[str, Any]:
        path = f"/block_types/slug/{slug}/block_documents/name/default"
        data: dict[str, Any] = self.get(path, include_secrets="true")["data"]
        return data


@contextmanager
def running_stack() -> Iterator[Stack]:
    """Start ``make up``'s program, wait for its address, stop it at the end as Ctrl-C would."""
    OUTPUT.mkdir(parents=True, exist_ok=True)
    output = OUTPUT / "up.log"
    if os.environ.get(RUNNING):
        output.touch()
        yield Stack(os.environ[RUNNING], home_folder(os.environ), output)
        return
    shutil.rmtree(OWN_HOME, ignore_errors=True)
    environment = {**os.environ, HOME_VARIABLE: str(OWN_HOME)}
    with output.open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "deployments.local.up"],
            cwd=ROOT,
            env=environment,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    try:
        yield Stack(_address(process, output), OWN_HOME, output)
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(timeout=60)


def _address(process: subprocess.Popen[bytes], output: Path) -> str:
    deadline = time.monotonic() + START_LIMIT_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        # It tells the address when all is set up, so the deployments are there too.
        found = re.search(r"Prefect UI:\s+(\S+)", output.read_text(encoding="utf-8"))
        if found:
            return found.group(1)
        time.sleep(0.5)
    process.terminate()
    tail = output.read_text(encoding="utf-8")[-3000:]
    raise RuntimeError(f"python -m deployments.local.up did not come up. The end of its output:\n{tail}")
