"""Lanes side by side: processes forked from one that has imported everything and run a flow once."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import signal
import sys
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection, wait
from pathlib import Path

from benchmarks.chaos.lanes import Lane
from benchmarks.chaos.schedule import ASSETS, ENRICHMENT, draw_schedule
from benchmarks.chaos.verdict import ScheduleResult
from deployments.local.sandbox import start_sandbox
from flows.asset_synchronization import asset_synchronization
from tasks.asset_sync.settings import AssetSynchronizationSettings

Told = Callable[[ScheduleResult], None]
Ask = tuple[int, str]
FORK = multiprocessing.get_context("fork")


class LaneProcess:
    """A forked process that runs the schedules it is handed, one at a time."""

    def __init__(self, name: str, api_url: str, folder: Path) -> None:
        self.name = name
        self.folder = folder / name
        self.pipe, theirs = FORK.Pipe()
        self.busy: Ask | None = None
        self._process = FORK.Process(target=_serve, args=(name, api_url, self.folder, theirs), name=name)
        self._process.start()
        theirs.close()

    def ask(self, one: Ask) -> None:
        self.busy = one
        self.pipe.send(one)

    def close(self) -> None:
        """It ends its run and its sandbox."""
        self.pipe.close()
        self._process.terminate()
        self._process.join(20)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()


def _serve(name: str, api_url: str, folder: Path, pipe: Connection) -> None:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with start_sandbox() as sandbox:
        lane = Lane(name, sandbox, api_url, folder)
        lane.prepare()
        while True:
            try:
                seed, flow = pipe.recv()
            except (EOFError, OSError):
                return
            result = lane.run(draw_schedule(seed, flow))
            if result.faults:
                keep_log(lane, result)
            pipe.send(result)


def keep_log(lane: Lane, result: ScheduleResult) -> None:
    """What the runs of a failing schedule logged, beside the lanes' folders."""
    log = (lane.folder / "log.txt").read_bytes()
    (lane.folder.parent / f"failed-{result.flow}-{result.seed}.log").write_bytes(log)


def run_schedules(asks: Sequence[Ask], lanes: int, api_url: str, folder: Path, told: Told) -> None:
    """Run them all, ``lanes`` at a time; ``told`` hears each result as it comes.

    RuntimeError if a lane ends by itself.
    """
    left = list(reversed(asks))
    working = [LaneProcess(f"chaos-{number}", api_url, folder) for number in range(min(lanes, len(asks)))]
    try:
        for each in working:
            each.ask(left.pop())
        while busy := [each for each in working if each.busy]:
            ready = wait([each.pipe for each in busy])
            for lane in [each for each in busy if each.pipe in ready]:
                told(_heard(lane))
                lane.busy = None
                if left:
                    lane.ask(left.pop())
    finally:
        for each in working:
            each.close()


def _heard(lane: LaneProcess) -> ScheduleResult:
    try:
        result: ScheduleResult = lane.pipe.recv()
    except (EOFError, OSError) as error:
        raise RuntimeError(f"The lane {lane.name} ended by itself during {lane.busy}") from error
    return result


def warm_up(api_url: str, folder: Path) -> None:
    """One small run in this process: what a first run imports and builds is then there in every fork.

    Prefect's own threads do not outlive a fork: it starts them anew in the child (``os.register_at_fork``).
    """
    folder.mkdir(parents=True, exist_ok=True)
    with start_sandbox("--assets", "5") as sandbox:
        lane = Lane("chaos-warm-up", sandbox, api_url, folder)
        lane.prepare()
        names = {"connectwise": lane.name, "lansweeper": lane.name, "ledger": lane.name}
        settings = AssetSynchronizationSettings(company=sandbox.company)
        asyncio.run(asset_synchronization(settings, **names, return_state=True))  # type: ignore[arg-type]


def asks_of(base: int, number: int) -> list[Ask]:
    """The seeds and flows of a campaign: two thirds assets, one third enrichment."""
    return [(base + each, ENRICHMENT if each % 3 == 2 else ASSETS) for each in range(number)]


def default_lanes() -> int:
    """Schedules mostly wait, so more of them than cores run side by side."""
    return 2 * (os.cpu_count() or 1)
