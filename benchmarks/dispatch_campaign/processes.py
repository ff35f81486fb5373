"""The processes under test: two dispatch processes that are killed and started again.

``Killer`` and ``KillingTransport`` kill their own process at a request: right before it is sent, or right
after the vendor answered it. ``open_run`` opens what one process has: both clients and the shared ledger,
without Prefect's server.

``python -m benchmarks.dispatch_campaign.processes JOB`` is one dispatch process, until SIGTERM or its own
kill. It does what the flows dispatch-inbox, dispatch-sweep, work-order-sweep and sync-notes do: drains the
inbox all the time and sweeps both sides every few seconds. JOB is a JSON object: ``info`` (the sandbox's
first line), ``ledger``, ``pause`` (seconds between sweeps), ``first`` (seconds until the first), and the
members of ``Killer``: ``kill_at``, ``kill_when``, ``kill_writes``, ``note``.
"""

from __future__ import annotations

import json
import logging
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO, Any

import anyio
import httpx

from benchmarks.dispatch_campaign.stories import REQUESTS_A_MINUTE, campaign_rules
from connectors.connectwise.client import ConnectWiseClient
from connectors.connectwise.settings import ConnectWiseSettings
from connectors.errors import ConnectorError
from connectors.field_nation.client import FieldNationClient
from connectors.field_nation.settings import FieldNationSettings
from connectors.ledger.database import Clock
from connectors.ledger.store import Ledger
from deployments import ROOT
from tasks.dispatch.inbox import handle_notes, handle_work_order, serve_inbox
from tasks.dispatch.run import DispatchRun
from tasks.dispatch.settings import DispatchSettings
from tasks.dispatch.sweep import sweep, sweep_notes, sweep_work_orders

BEFORE, AFTER = "before", "after"
TOKENS = "oauth"
KILL_WITHIN = {False: (10, 250), True: (1, 30)}
"""At which of its requests, or (True) of its writes, counted from its start, a process is killed."""
SWEEP_EVERY = 10.0
CONNECTWISE_KEYS = ("site", "company_id", "public_key", "private_key", "client_id")
FIELD_NATION_KEYS = ("client_id", "client_secret", "username", "password", "base_address")
Wrap = Callable[[httpx.AsyncBaseTransport], httpx.AsyncBaseTransport]


@dataclass
class Killer:
    """Counts this process's requests, or its ``writes`` only, those for tokens left out; ``at`` 0: no kill.

    What it kills at is written to ``note`` first, so that the campaign can tell where the kills fell.
    """

    at: int
    when: str
    writes: bool
    note: Path
    seen: int = 0

    def passes(self, name: str, when: str) -> None:
        if TOKENS in name or (self.writes and name.startswith("GET ")):
            return
        self.seen += when == BEFORE
        if self.at and when == self.when and self.seen >= self.at:
            with self.note.open("a", encoding="utf-8") as file:
                file.write(f"{when} {name}\n")
            os.kill(os.getpid(), signal.SIGKILL)


class KillingTransport(httpx.AsyncBaseTransport):
    """A network whose user may be killed at each request."""

    def __init__(self, inner: httpx.AsyncBaseTransport, killer: Killer) -> None:
        self._inner = inner
        self._killer = killer

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        name = f"{request.method} {request.url.path}"
        self._killer.passes(name, BEFORE)
        response = await self._inner.handle_async_request(request)
        self._killer.passes(name, AFTER)
        return response

    async def aclose(self) -> None:
        await self._inner.aclose()


class Workers:
    """Two dispatch processes at a time. In the storm each is killed again and again at a drawn request."""

    def __init__(
        self, seed: int, info: dict[str, Any], ledger: str | Path, folder: Path, number: int = 2
    ) -> None:
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
        command = [sys.executable, "-m", "benchmarks.dispatch_campaign.processes", json.dumps(job)]
        return subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log, text=True)


def connectwise_settings(info: dict[str, Any]) -> ConnectWiseSettings:
    """From the sandbox's first line."""
    return ConnectWiseSettings(**{name: info["connectwise"][name] for name in CONNECTWISE_KEYS})


def field_nation_settings(info: dict[str, Any], secret: str = "") -> FieldNationSettings:
    """From the sandbox's first line; ``secret`` is what webhooks are signed with."""
    keys = {name: info["field_nation"][name] for name in FIELD_NATION_KEYS}
    return FieldNationSettings(**keys, webhook_secret=secret)


@asynccontextmanager
async def open_run(
    info: dict[str, Any],
    ledger: str | Path,
    *,
    wrap: Wrap | None = None,
    later: float = 0.0,
    settings: DispatchSettings | None = None,
    accept_cancellations: int = 0,
) -> AsyncIterator[DispatchRun]:
    """A run of dispatch, with a request budget that the processes share.

    ``wrap`` lays something around both clients' network; ``later``: seconds that its clocks are ahead;
    ``accept_cancellations``: as in ``DispatchRun``.
    """
    ours, theirs = connectwise_settings(info), field_nation_settings(info)
    clock = Clock(now=lambda: time.time() + later)
    async with AsyncExitStack() as stack:
        opened = await stack.enter_async_context(Ledger.open(ledger, clock=clock))
        limiters = [
            opened.rate_limits.limiter(each.credential_key, REQUESTS_A_MINUTE, 60.0)
            for each in (ours, theirs)
        ]
        options: list[dict[str, Any]] = [
            {"rate_limiter": limiter, **({"transport": wrap(httpx.AsyncHTTPTransport())} if wrap else {})}
            for limiter in limiters
        ]
        client = ConnectWiseClient(ours, **options[0])
        other = FieldNationClient(theirs, **options[1])
        yield DispatchRun(
            settings or campaign_rules(),
            client=await stack.enter_async_context(client),
            field_nation=await stack.enter_async_context(other),
            ledger=opened,
            accept_cancellations=accept_cancellations,
            now=lambda: datetime.now(UTC) + timedelta(seconds=later),
        )


logger = logging.getLogger("campaign")


async def _sweep_tickets(run: DispatchRun) -> dict[str, Any]:
    swept = await sweep(run)
    return {**swept.counts(), "passed": swept.passed, "reopened": swept.reopened, "doubles": swept.doubles}


async def _sweep_orders(run: DispatchRun) -> dict[str, Any]:
    swept = await sweep_work_orders(run)
    return {**swept.counts(), "passed": swept.passed, "doubles": swept.doubles}


async def _sweep_notes(run: DispatchRun) -> dict[str, Any]:
    return Counter(str(each.status) for each in await sweep_notes(run))


_SWEEPS: tuple[tuple[str, Callable[[DispatchRun], Awaitable[Any]], int], ...] = (
    ("tickets", _sweep_tickets, 1),
    ("work orders", _sweep_orders, 1),
    ("notes", _sweep_notes, 3),
)
"""Name, sweep, and in which rounds: the notes cost two requests for each work order."""


async def work(job: dict[str, Any]) -> None:
    killer = Killer(job["kill_at"], job["kill_when"], job["kill_writes"], Path(job["note"]))

    def wrap(inner: httpx.AsyncBaseTransport) -> httpx.AsyncBaseTransport:
        return KillingTransport(inner, killer)

    async with open_run(job["info"], job["ledger"], wrap=wrap) as run:
        stop = anyio.Event()
        async with anyio.create_task_group() as group:
            group.start_soon(_sweep_again, run, stop, float(job["first"]), float(job["pause"]))
            await serve_inbox(run, work_orders=handle_work_order, notes=handle_notes, stop=stop)
            stop.set()


async def _sweep_again(run: DispatchRun, stop: anyio.Event, first: float, pause: float) -> None:
    """As a schedule would: one sweep after the other, and a failed one is followed by the next."""
    wait, rounds = first, 0
    while True:
        with anyio.move_on_after(wait):
            await stop.wait()
            return
        wait, rounds = pause, rounds + 1
        for name, one, every in _SWEEPS:
            if rounds % every:
                continue
            try:
                done = await one(run)
                logger.info("swept %s: %s", name, done)
            except ConnectorError as error:
                logger.warning("the sweep of %s ended early: %s", name, error)


def main() -> None:
    """Logs go to standard error, which the campaign keeps in a file."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)
    anyio.run(work, json.loads(sys.argv[1]))


if __name__ == "__main__":
    main()
