"""A real stack to be damaged: one Prefect server on its own database, and a process worker for each lane.

It is what ``make up`` starts, cut so that pieces can be killed: the server comes back on the same port with
the same home, where its database and its leases lie. A lane has a sandbox, a ledger, a work queue and blocks
of its own name, so that a kill hits the run of that lane alone; a restart of the server hits all of them.
"""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx

from benchmarks.chaos.lanes import copy_database
from benchmarks.chaos.process import kill, kill_tree, with_text
from benchmarks.performance.runner import connection
from deployments import ROOT
from deployments.local.prefect import LocalPrefect, free_port, prefect_environment
from deployments.local.sandbox import Sandbox, start_sandbox
from deployments.local.up import POOL, run

START_SECONDS = 180.0
AWAY_SECONDS = 240.0
"""How long a question to the server is asked again while another lane restarts it."""
PROMPT = {"PREFECT_WORKER_QUERY_SECONDS": "2"}
"""Workers look for runs more often than usual: what is shortened is the idle time before a run."""
ENDED = {"COMPLETED", "FAILED", "CRASHED", "CANCELLED"}


class StoppedError(RuntimeError):
    """The campaign is being ended."""


class RealStack:
    """The server and what asks it; ``stopping`` is set when the campaign is being ended."""

    def __init__(self, home: Path) -> None:
        home.mkdir(parents=True, exist_ok=True)
        port = free_port()
        self.prefect = LocalPrefect(port, prefect_environment(home, port) | PROMPT)
        self.stopping = threading.Event()
        self.restarts = 0
        self._log = (home / "server.log").open("ab")
        self._lock = threading.Lock()
        self._server: subprocess.Popen[bytes] | None = None
        self._http = httpx.Client(base_url=self.prefect.api_url, timeout=60)

    def start(self) -> None:
        """The server, then the pool, the automation and the deployments of ``prefect.yaml``."""
        self._start_server()
        run(self.prefect, "-m", "deployments.bootstrap")

    def restart_server(self, number: signal.Signals) -> None:
        """End the server with that signal, and start it anew on the same port and database."""
        with self._lock:
            server = self._server
            if server is None or self.stopping.is_set():
                return
            server.send_signal(number)
            try:
                server.wait(timeout=10)
            except subprocess.TimeoutExpired:
                kill_tree(server.pid)
                server.wait()
            self.restarts += 1
            self._start_server()

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """Ask Prefect's API as the UI does; a server that is being restarted is waited for.

        Raises RuntimeError if it refuses or is away for too long, StoppedError when the campaign is ended.
        """
        deadline = time.monotonic() + AWAY_SECONDS
        while True:
            try:
                answer = self._http.request(method, path.lstrip("/"), json=body)
            except httpx.TransportError as error:
                if time.monotonic() > deadline:
                    raise RuntimeError(f"The Prefect server does not answer: {error!r}") from error
                self.pause(0.5)
                continue
            if answer.status_code in (500, 503) and time.monotonic() < deadline:
                self.pause(0.5)
                continue
            if answer.is_error:
                raise RuntimeError(f"{method} {path}: {answer.status_code} {answer.text[:500]}")
            return answer.json()

    def pause(self, seconds: float) -> None:
        """Raises StoppedError when the campaign is being ended meanwhile."""
        if self.stopping.wait(seconds):
            raise StoppedError

    def close(self) -> None:
        """End the server, and whatever else works with its home: a set-up too that was under way."""
        self.stopping.set()
        with self._lock:
            if self._server is not None:
                kill_tree(self._server.pid)
                self._server.wait()
        kill(with_text(f"PREFECT_HOME={self.prefect.home}"))
        self._http.close()
        self._log.close()

    def _start_server(self) -> None:
        command = [sys.executable, "-m", "deployments.local.prefect"]
        environment = dict(self.prefect.environment)
        self._server = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdout=self._log, stderr=subprocess.STDOUT
        )
        deadline = time.monotonic() + START_SECONDS
        while not self._is_healthy():
            if self._server.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"The Prefect server did not start; see {self.prefect.home}/server.log")
            self.pause(0.2)

    def _is_healthy(self) -> bool:
        try:
            return httpx.get(f"{self.prefect.api_url}/health", timeout=2).status_code == httpx.codes.OK
        except httpx.TransportError:
            return False


def other_name(lane: str) -> str:
    """The name of the lane's other three blocks, which are of the same tenants and ledger."""
    return f"{lane}-other"


class RealLane:
    """One sandbox with its ledger, its blocks and its worker, on a stack that it shares with others."""

    def __init__(self, stack: RealStack, name: str, sandbox: Sandbox, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.stack = stack
        self.name = name
        self.sandbox = sandbox
        self.ledger = folder / "ledger.db"
        self.log = folder / "worker.log"
        self._log = self.log.open("ab")
        self._lock = threading.Lock()
        self._worker: subprocess.Popen[bytes] | None = None

    def start_worker(self) -> None:
        """A worker of this lane's queue only, if there is none; StoppedError when the campaign is ended."""
        options = ["--pool", POOL, "--type", "process", "--work-queue", self.name, "--name", self.name]
        command = [sys.executable, "-m", "prefect", "worker", "start", *options]
        environment = dict(self.stack.prefect.environment)
        with self._lock:
            self.stack.pause(0)
            if self._worker is None or self._worker.poll() is not None:
                self._worker = subprocess.Popen(
                    command, cwd=ROOT, env=environment, stdout=self._log, stderr=subprocess.STDOUT
                )

    @property
    def worker(self) -> subprocess.Popen[bytes]:
        """The worker; one that ended by itself, as after a restart of the server, is started again."""
        self.start_worker()
        assert self._worker is not None
        return self._worker

    def kill_worker(self) -> int:
        """SIGKILL for the worker and the flow runs under it; returns how many processes they were."""
        process = self.worker
        number = kill_tree(process.pid)
        process.wait()
        self._worker = None
        return number

    def forget(self) -> None:
        """An empty ledger."""
        for file in self.ledger.parent.glob(f"{self.ledger.name}*"):
            file.unlink()

    def keep_ledger(self) -> None:
        """A copy of the ledger as it is; none if no run has made one yet."""
        self._older.unlink(missing_ok=True)
        if self.ledger.exists():
            copy_database(self.ledger, self._older)

    def restore_ledger(self) -> None:
        """The copy that was kept stands in the ledger's place, or nothing does."""
        self.forget()
        if self._older.exists():
            shutil.copyfile(self._older, self.ledger)

    @property
    def _older(self) -> Path:
        return self.ledger.with_name("older.db")

    def start_run(self, flow: str, settings: dict[str, Any], *, other_block: bool = False) -> str:
        """Submit the run form of that deployment for this lane; returns the flow run's id.

        ``other_block``: through another ConnectWise and Lansweeper block of the same tenants.
        """
        deployment = self.stack.call("GET", f"/deployments/name/{flow}/{flow}")["id"]
        name = other_name(self.name) if other_block else self.name
        names = dict.fromkeys(("connectwise", "lansweeper", "ledger"), name)
        body = {
            "parameters": {"settings": settings, **names},
            "work_queue_name": self.name,
            # The question is repeated when the server is restarted meanwhile.
            "idempotency_key": str(uuid.uuid4()),
        }
        self.worker  # noqa: B018 - a worker that is gone takes no run
        return str(self.stack.call("POST", f"/deployments/{deployment}/create_flow_run", body)["id"])

    def run_state(self, run_id: str) -> dict[str, Any]:
        return dict(self.stack.call("GET", f"/flow_runs/{run_id}"))

    def artifact(self, run_id: str, key: str) -> str:
        """The newest artifact of that key that the run made; empty if it made none."""
        body = {
            "artifacts": {"flow_run_id": {"any_": [run_id]}, "key": {"any_": [key]}},
            "sort": "CREATED_DESC",
            "limit": 1,
        }
        found = self.stack.call("POST", "/artifacts/filter", body)
        return str(found[0]["data"]) if found else ""

    def close(self) -> None:
        """End the worker and its runs; the stack is being ended, so that no other worker is started."""
        with self._lock:
            if self._worker is not None and self._worker.poll() is None:
                kill_tree(self._worker.pid)
                self._worker.wait()
        self._log.close()


@contextmanager
def lanes(folder: Path, number: int) -> Iterator[Sequence[RealLane]]:
    """A stack with so many lanes, ready for runs; every process ends with the block."""
    with ExitStack() as stack_of:
        stack = RealStack(folder / "prefect")
        stack_of.callback(stack.close)
        stack.start()
        found = []
        for place in range(1, number + 1):
            sandbox = stack_of.enter_context(start_sandbox("--seed", str(place), "--assets", "10"))
            lane = RealLane(stack, f"lane-{place}", sandbox, folder / f"lane-{place}")
            stack_of.callback(lane.close)
            found.append(lane)
        stack_of.callback(stack.stopping.set)
        connections = [
            connection(name, each.sandbox.info, each.ledger)
            for each in found
            for name in (each.name, other_name(each.name))
        ]
        run(stack.prefect, "-m", "benchmarks.performance.runner", json.dumps(connections))
        for lane in found:
            lane.start_worker()
        yield found
