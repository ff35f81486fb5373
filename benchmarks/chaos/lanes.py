"""Lanes: schedules side by side, each lane with one sandbox, one ledger and one name for its blocks.

The lanes are processes forked from one that has imported everything and run a flow once (``warm_up``). They
share one Prefect server (``campaign_server``).
"""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import os
import shutil
import signal
import sqlite3
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import quote, urlsplit

import httpx
from prefect.events.clients import NullEventsClient
from prefect.events.worker import EventsWorker
from prefect.logging.configuration import setup_logging
from prefect.settings import (
    PREFECT_API_URL,
    PREFECT_HOME,
    PREFECT_LOGGING_LEVEL,
    PREFECT_LOGGING_TO_API_ENABLED,
    PREFECT_LOGGING_TO_API_WHEN_MISSING_FLOW,
    temporary_settings,
)

from benchmarks.chaos.asset_oracle import AssetOracle
from benchmarks.chaos.enrichment_oracle import EnrichmentOracle
from benchmarks.chaos.faults import LONGEST_LATE
from benchmarks.chaos.people import act
from benchmarks.chaos.process import Ended, Job, fork_all_and_wait, fork_and_wait, live
from benchmarks.chaos.readings import RESTORED
from benchmarks.chaos.schedule import ASSETS, ENRICHMENT, FaultPlan, Schedule, draw_schedule
from benchmarks.chaos.verdict import (
    KILLED,
    RAISED,
    TOO_LONG,
    Oracle,
    RunRecord,
    ScheduleResult,
    Verdict,
    injected_faults,
    judge_runs,
    judge_secrets,
)
from connectors.ledger.store import Ledger
from deployments.blocks import sandbox_blocks
from deployments.local.prefect import WITHOUT_EVENTS, local_prefect
from deployments.local.sandbox import Sandbox, start_sandbox
from flows.asset_synchronization import asset_synchronization
from tasks.asset_sync.settings import AssetSynchronizationSettings

ORACLES: dict[str, type[Any]] = {ASSETS: AssetOracle, ENRICHMENT: EnrichmentOracle}
NOT_JUDGED = ("custom_field_ids",)
"""Settings that change no outcome: the ids are those that would be found by caption."""
OnResult = Callable[[ScheduleResult], None]
SeededFlow = tuple[int, str]
LATE_KINDS = {"late", "delay"}
FORK = multiprocessing.get_context("fork")


@dataclass
class Lane:
    """``name`` is that of its three blocks, ``other`` of three more of the same tenants.

    ``folder`` holds its ledger and its log.
    """

    name: str
    sandbox: Sandbox
    api_url: str
    folder: Path

    @property
    def other(self) -> str:
        return f"{self.name}-other"

    @property
    def ledger(self) -> Path:
        return self.folder / "ledger.db"

    @property
    def note(self) -> Path:
        """The file in which a killed run names the request that it was killed at."""
        return self.folder / "killed-at.txt"

    def prepare(self) -> None:
        """Save the blocks, and make a ledger with tables to be copied. RuntimeError if that fails."""
        self.folder.mkdir(parents=True, exist_ok=True)

        def save(log: int, answer: int) -> NoReturn:
            os.dup2(log, 2)
            try:
                asyncio.run(self._prepare())
            except BaseException as error:
                os.write(log, repr(error).encode())
                os._exit(1)
            os._exit(0)

        ended = fork_and_wait(save)
        if ended.status:
            raise RuntimeError(f"The lane {self.name} could not be prepared: {ended.log.decode()}")

    async def _prepare(self) -> None:
        for block in sandbox_blocks(self.sandbox.info, self.ledger, request_limit=100_000):
            await block.save(self.name, overwrite=True)
            await block.save(self.other, overwrite=True)
        async with Ledger.open(self._empty):
            pass

    @property
    def _empty(self) -> Path:
        return self.folder / "empty.db"

    @property
    def _older(self) -> Path:
        return self.folder / "older.db"

    def run(self, schedule: Schedule) -> ScheduleResult:
        """One schedule from the fresh data to the verdict; what the runs logged is in ``log.txt``."""
        began = time.monotonic()
        self._begin(schedule)
        settings = {name: value for name, value in schedule.settings.items() if name not in NOT_JUDGED}
        oracle: Oracle = ORACLES[schedule.flow](self.sandbox, settings)
        runs = [self._disturbed(schedule, number) for number in range(len(schedule.rounds))]
        if any(kinds_of(each) & LATE_KINDS for each in schedule.rounds):
            time.sleep(2 * LONGEST_LATE)
        runs += [self._run(schedule, "clean", None), self._run(schedule, "quiet", None)]
        verdict = self._judge(oracle, runs)
        return ScheduleResult(
            seed=schedule.seed,
            flow=schedule.flow,
            verdict=verdict,
            runs=runs,
            seconds=round(time.monotonic() - began, 2),
            injected=sum(map(injected_faults, runs), Counter()),
        )

    def _begin(self, schedule: Schedule) -> None:
        for each in (*self.folder.glob("ledger.db*"), self.note, self.folder / "log.txt"):
            each.unlink(missing_ok=True)
        shutil.copyfile(self._empty, self.ledger)
        self.sandbox.reset(schedule.seed, schedule.assets, schedule.scenario, schedule.switches)

    def _judge(self, oracle: Oracle, runs: list[RunRecord]) -> Verdict:
        try:
            verdict = oracle.judge(runs)
        except Exception as error:
            verdict = Verdict(faults=[f"the oracle failed: {type(error).__name__}: {error}"])
        known = {fault.casefold() for fault in verdict.faults}
        mine = Verdict()
        judge_runs(runs, mine)
        verdict.checked += mine.checked
        verdict.faults += [fault for fault in mine.faults if fault.casefold() not in known]
        judge_secrets(self.sandbox.info, (self.folder / "log.txt").read_bytes(), self.ledger, verdict)
        return verdict

    def _disturbed(self, schedule: Schedule, number: int) -> RunRecord:
        fault_plan = schedule.rounds[number]
        self.sandbox.faults(list(fault_plan.faults))
        if fault_plan.ledger == RESTORED:
            copy_database(self.ledger, self._older)
        try:
            record = self._run(schedule, "disturbed", fault_plan, number)
            record.fired = self.sandbox.faults_fired()
        finally:
            self.sandbox.faults([])
        if fault_plan.ledger:
            self._lose_ledger(self._older if fault_plan.ledger == RESTORED else self._empty, fault_plan)
        act(self.sandbox, fault_plan.people)
        return record

    def _lose_ledger(self, instead: Path, fault_plan: FaultPlan) -> None:
        """Put a copy in the ledger's place, once the vendors have ended what is under way."""
        if kinds_of(fault_plan) & LATE_KINDS:
            time.sleep(2 * LONGEST_LATE)
        for each in self.folder.glob("ledger.db*"):
            each.unlink()
        shutil.copyfile(instead, self.ledger)

    def _run(self, schedule: Schedule, kind: Any, fault_plan: FaultPlan | None, number: int = 0) -> RunRecord:
        job = Job(
            flow=schedule.flow,
            company=self.sandbox.company,
            settings=schedule.settings,
            block=self.other if fault_plan and fault_plan.other_block else self.name,
            ledger=self.ledger,
            note=self.note,
            seed=f"{schedule.seed}-{kind}-{number}",
            fault_plan=fault_plan,
            page_size=schedule.page_size,
        )
        self.note.unlink(missing_ok=True)
        self.sandbox.clear_requests()
        jobs = [job]
        if fault_plan and fault_plan.two_at_once:
            calm = replace(fault_plan, kill_at=0, clock_skew_seconds=0.0, ledger_room_bytes=None)
            jobs.append(replace(job, block=self.other, fault_plan=calm, seed=f"{job.seed}-other"))
        runs = fork_all_and_wait([partial(live, each) for each in jobs])
        requests = self.sandbox.requests()
        with (self.folder / "log.txt").open("ab") as file:
            for ended in runs:
                file.write(f"--- {kind} {number}\n".encode() + ended.log)
        if any(ended.signal for ended in runs):
            self.free_leases()
        records = [self._record(kind, ended, requests, fault_plan) for ended in runs]
        return records[0] if len(records) == 1 else merge_records(records)

    def _record(
        self, kind: Any, ended: Ended, requests: dict[str, Any], fault_plan: FaultPlan | None
    ) -> RunRecord:
        told = json.loads(ended.answer) if ended.answer and not ended.signal else {}
        error = told.get("error", "")
        outcome = RAISED if error else str(told.get("state", RAISED))
        if ended.signal:
            outcome = KILLED
            error = TOO_LONG if ended.hung else ""
        elif not told:
            error = ended.log.decode(errors="replace")[-2000:]
        return RunRecord(
            kind=kind,
            outcome=outcome,
            counts=told.get("counts"),
            report=told.get("report"),
            requests=requests,
            fault_plan=fault_plan,
            error=error,
            killed_at=self.note.read_text(encoding="utf-8").strip() if self.note.exists() else "",
            cpu=round(ended.cpu, 2),
        )

    def free_leases(self) -> None:
        """What Prefect does by itself a minute after the holder was killed; a tenant's key has its port."""
        places = (self.sandbox.info["connectwise"]["site"], self.sandbox.info["lansweeper"]["endpoint"])
        ports = {urlsplit(place).port for place in places}
        with httpx.Client(base_url=self.api_url, timeout=120) as client:
            listed = client.post("/v2/concurrency_limits/filter", json={"limit": 200}).raise_for_status()
            for each in listed.json():
                if any(f"-{port}-" in each["name"] for port in ports):
                    client.delete(f"/v2/concurrency_limits/{quote(each['name'])}").raise_for_status()


def merge_records(records: Sequence[RunRecord]) -> RunRecord:
    """Runs at the same time as one record without a report: nobody can tell whose a request was."""
    outcomes = [each.outcome for each in records]
    return replace(
        records[0],
        outcome=KILLED if KILLED in outcomes else " beside ".join(sorted(outcomes)),
        counts=None,
        report=None,
        error=next((each.error for each in records if each.error), ""),
    )


def kinds_of(fault_plan: FaultPlan) -> set[str]:
    """The kinds of its fault rules."""
    return {rule["fault"]["kind"] for rule in fault_plan.faults}


def copy_database(source: Path, target: Path) -> None:
    """Copy an SQLite file with what its log of writes holds."""
    target.unlink(missing_ok=True)
    with closing(sqlite3.connect(source)) as one, closing(sqlite3.connect(target)) as other:
        one.backup(other)


class LaneProcess:
    """A forked process that runs the schedules it is handed, one at a time."""

    def __init__(self, name: str, api_url: str, folder: Path) -> None:
        self.name = name
        self.folder = folder / name
        self.pipe, theirs = FORK.Pipe()
        self.busy: SeededFlow | None = None
        self._process = FORK.Process(target=_serve, args=(name, api_url, self.folder, theirs), name=name)
        self._process.start()
        theirs.close()

    def start(self, one: SeededFlow) -> None:
        """Hand it one schedule; it must not be busy."""
        self.busy = one
        self.pipe.send(one)

    def close(self) -> None:
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


def run_schedules(
    wanted: Sequence[SeededFlow], lanes: int, api_url: str, folder: Path, on_result: OnResult
) -> None:
    """Run them all, ``lanes`` at a time; RuntimeError if a lane ends by itself."""
    left = list(reversed(wanted))
    working = [LaneProcess(f"chaos-{number}", api_url, folder) for number in range(min(lanes, len(wanted)))]
    try:
        for each in working:
            each.start(left.pop())
        while busy := [each for each in working if each.busy]:
            ready = wait([each.pipe for each in busy])
            for lane in [each for each in busy if each.pipe in ready]:
                on_result(_heard(lane))
                lane.busy = None
                if left:
                    lane.start(left.pop())
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
        names: dict[str, Any] = dict.fromkeys(("connectwise", "lansweeper", "ledger"), lane.name)
        settings = AssetSynchronizationSettings(company=sandbox.company)

        async def run_once() -> None:
            await asset_synchronization(settings, **names, return_state=True)

        asyncio.run(run_once())


@contextmanager
def campaign_server(home: Path) -> Iterator[str]:
    """The address of its API. It ends with the block; logs and events are not sent to it."""
    home.mkdir(parents=True, exist_ok=True)
    with local_prefect(home, WITHOUT_EVENTS) as server:
        settings = {
            PREFECT_API_URL: server.api_url,
            PREFECT_HOME: home,
            PREFECT_LOGGING_LEVEL: "WARNING",
            PREFECT_LOGGING_TO_API_ENABLED: False,
            PREFECT_LOGGING_TO_API_WHEN_MISSING_FLOW: "ignore",
        }
        EventsWorker.set_client_override(NullEventsClient)
        with temporary_settings(settings):
            setup_logging()
            yield server.api_url
