"""The processes under test: the receiver, and two dispatch processes that are killed and started again."""

from __future__ import annotations

import json
import os
import random
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import IO, Any

import httpx

from benchmarks.campaign.killing import AFTER, BEFORE
from deployments.blocks import CONNECTWISE, LEDGER_URL, WEBHOOK_SECRET
from deployments.local.sandbox import ROOT
from deployments.receiver.settings import PORT

KILL_WITHIN = {False: (10, 250), True: (1, 30)}
"""At which of its requests, or (True) of its writes, counted from its start, a process is killed."""
SWEEP_EVERY = 10.0
STARTING = 20.0
_COUNT = re.compile(r"^connectwise_flows_receiver_(\w+)\{(.*)\} (\d+)")


class Receiver:
    """``python -m deployments.receiver`` as it is run in production, on a free port of this machine."""

    def __init__(self, info: dict[str, Any], ledger: Path, secret: str, log: Path) -> None:
        port = _free_port()
        self.address = f"http://127.0.0.1:{port}"
        keys = {name: info["connectwise"][member] for name, member in CONNECTWISE.items()}
        environment = os.environ | keys | {WEBHOOK_SECRET: secret, PORT: str(port)}
        environment[LEDGER_URL] = f"sqlite:///{ledger}"
        self._log = log.open("w", encoding="utf-8")
        self._process = _start("deployments.receiver", [], self._log, environment)
        until = time.monotonic() + STARTING
        while not self._is_ready():
            if time.monotonic() > until or self._process.poll() is not None:
                raise RuntimeError(f"The receiver did not start: see {log}")
            time.sleep(0.1)

    def counts(self) -> dict[str, int]:
        """The sums of its counters: ``refused connectwise``, ``duplicates field_nation``, ..."""
        found: dict[str, int] = {}
        for line in httpx.get(f"{self.address}/metrics", timeout=10).text.splitlines():
            match = _COUNT.match(line)
            source = re.search(r'source="([^"]*)"', match[2]) if match else None
            if match and source:
                name = f"{match[1].removesuffix('_total')} {source[1]}"
                found[name] = found.get(name, 0) + int(match[3])
        return found

    def close(self) -> None:
        """End it as a service manager does."""
        self._process.terminate()
        self._process.wait(timeout=20)
        self._log.close()

    def _is_ready(self) -> bool:
        try:
            return httpx.get(f"{self.address}/ready", timeout=5).status_code == 200
        except httpx.HTTPError:
            return False


class Workers:
    """Two dispatch processes at a time. In the storm each is killed again and again at a drawn request."""

    def __init__(self, seed: int, info: dict[str, Any], ledger: Path, folder: Path, number: int = 2) -> None:
        self._draw = random.Random(f"{seed}-kills")
        self._job = {"info": info, "ledger": str(ledger), "pause": SWEEP_EVERY}
        self._folder = folder
        self._running: dict[int, subprocess.Popen[str]] = {}
        self._logs = [(folder / f"worker-{place}.log").open("a", encoding="utf-8") for place in range(number)]
        self.note = folder / "kills.txt"
        self.storm = True
        self.kills = 0
        self.crashes: list[int] = []

    def tend(self) -> None:
        """Starts what is not running; counts what was killed."""
        for place, log in enumerate(self._logs):
            process = self._running.get(place)
            if process is None or process.poll() is not None:
                if process is not None:
                    self._count(process.returncode)
                self._running[place] = self._start(log)

    def calm(self) -> None:
        """No more kills: the processes end as their service manager ends them, and new ones are started."""
        self.storm = False
        self.stop()
        self.tend()

    def stop(self) -> None:
        """SIGTERM to all, and wait: what is under way is finished first."""
        for process in self._running.values():
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
        for process in self._running.values():
            self._count(process.wait(timeout=90))
        self._running.clear()

    def close(self) -> None:
        """End them however they are."""
        for process in self._running.values():
            process.kill()
            process.wait()
        for log in self._logs:
            log.close()

    def where(self) -> list[str]:
        """The request of each kill."""
        return self.note.read_text(encoding="utf-8").splitlines() if self.note.exists() else []

    def _count(self, code: int) -> None:
        if code == -signal.SIGKILL:
            self.kills += 1
        elif code not in (0, -signal.SIGTERM):
            # SIGTERM ends one that has only just been started and does not listen for it yet.
            self.crashes.append(code)

    def _start(self, log: IO[str]) -> subprocess.Popen[str]:
        writes = self._draw.random() < 0.6
        job = self._job | {
            "kill_at": self._draw.randint(*KILL_WITHIN[writes]) if self.storm else 0,
            "kill_writes": writes,
            "kill_when": self._draw.choice((BEFORE, AFTER)),
            "note": str(self.note),
            "first": self._draw.uniform(0, SWEEP_EVERY),
        }
        return _start("benchmarks.campaign.worker", [json.dumps(job)], log, os.environ.copy())


def _start(
    module: str, arguments: list[str], log: IO[str], environment: dict[str, str]
) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", module, *arguments]
    return subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log, text=True)


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])
