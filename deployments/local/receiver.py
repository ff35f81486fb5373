"""The receiver and the served drain of its inbox as processes of this machine, for the demo and for tests."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

from deployments import ROOT
from deployments.environment import CONNECTWISE, LEDGER_URL, WEBHOOK_SECRET
from deployments.local.prefect import LocalPrefect, free_port, stop
from deployments.receiver.metrics import METRIC_PREFIX
from deployments.receiver.settings import PORT

START_SECONDS = 60.0


class LocalReceiver:
    def __init__(self, port: int) -> None:
        self.address = f"http://127.0.0.1:{port}"

    def counts(self, *, by_source: bool = False) -> dict[str, int]:
        """Its counters by name: ``received``, ``refused`` and so on, or ``refused connectwise`` by source."""
        found: Counter[str] = Counter()
        for each in self._samples("_total"):
            name = each.name.removeprefix(f"{METRIC_PREFIX}_").removesuffix("_total")
            found[f"{name} {each.labels['source']}" if by_source else name] += int(each.value)
        return dict(found)

    def waiting(self) -> int:
        """The messages in the inbox that no run has acknowledged yet."""
        found = self._samples("_inbox_messages")
        return int(next(each.value for each in found if each.labels["state"] == "waiting"))

    def _samples(self, ending: str) -> list[Sample]:
        """Its own metrics of which the name ends so."""
        text = httpx.get(f"{self.address}/metrics").raise_for_status().text
        samples = [each for family in text_string_to_metric_families(text) for each in family.samples]
        return [
            each for each in samples if each.name.startswith(METRIC_PREFIX) and each.name.endswith(ending)
        ]


def receiver_environment(info: Mapping[str, Any], secret: str, ledger: str | Path) -> dict[str, str]:
    """The receiver's variables for a running sandbox, whose first line is ``info``."""
    account = info["connectwise"]
    place = "CONNECTWISE_FLOWS_LEDGER" if isinstance(ledger, Path) else LEDGER_URL
    keys = {name: str(account[member]) for name, member in CONNECTWISE.items()}
    return {**keys, WEBHOOK_SECRET: secret, place: str(ledger)}


@contextmanager
def local_receiver(environment: Mapping[str, str], log: Path) -> Iterator[LocalReceiver]:
    """Start the receiver and wait until it is ready; RuntimeError with the end of its log after a minute."""
    port = free_port()
    ours = os.environ | dict(environment) | {PORT: str(port)}
    with process("deployments.receiver", ours, log) as started:
        receiver = LocalReceiver(port)
        wait_until_ready(f"{receiver.address}/ready", started, log)
        yield receiver


@contextmanager
def local_inbox(prefect: LocalPrefect, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """The served flow dispatch-inbox, against that Prefect server."""
    with process("deployments.serve_inbox", prefect.environment, log) as started:
        yield started


@contextmanager
def process(module: str, environment: Mapping[str, str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    with log.open("ab") as output:
        started = subprocess.Popen(  # noqa: S603
            [sys.executable, "-m", module],
            cwd=ROOT,
            env=dict(environment),
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        try:
            yield started
        finally:
            stop(started)


def wait_until_ready(address: str, started: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and started.poll() is None:
        try:
            if httpx.get(address, timeout=5).status_code == httpx.codes.OK:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.1)
    raise RuntimeError(f"The receiver did not start. The end of its log:\n{log.read_text()[-3000:]}")
