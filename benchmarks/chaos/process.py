"""One run of a flow in a forked process under its fault plan: a kill, a wrong clock, a full disk.

``fork_and_wait`` hears a forked process out and waits for its end: a zombie or a leftover never stays.
``descendants``, ``with_text`` and ``kill_tree`` find and end processes with everything they have started.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import json
import os
import random
import resource
import selectors
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NoReturn

from prefect import State

from benchmarks.chaos.faults import ASSET_WAITING, ENRICHMENT_WAITING, shorten, turn_small_pages, use_network
from benchmarks.chaos.schedule import ASSETS, ENRICHMENT, FaultPlan
from benchmarks.dispatch_campaign.processes import BEFORE, Killer, KillingTransport
from flows.asset_synchronization import asset_synchronization
from flows.tickets_agreements_sla_sync import tickets_agreements_sla_sync
from tasks.asset_sync.settings import AssetSynchronizationSettings
from tasks.enrichment.settings import EnrichmentSettings
from tasks.rules.asset_sync.reading import AcceptOnce
from tasks.rules.enrichment.safety import AcceptedReading
from tasks.rules.report import Report
from tasks.shared.results import RunFailedError

PRODUCT = ("connectors.", "tasks.", "flows.")
DURING = "during"
UNDER_WAY = 0.1
"""Seconds after which a request that was handed to the network has reached the vendor."""
SHARED_MEMORY = 32_768
"""Bytes of the file through which SQLite's processes find their way in the log of writes."""
LONGEST_RUN = 300.0
_READ_RIGHT = dict.fromkeys(AcceptedReading.model_fields, 0) | {"losing": 10**6}
ACCEPTED: dict[str, dict[str, Any]] = {
    ASSETS: {
        "accept_once": dict.fromkeys(AcceptOnce.model_fields, 0)
        | {"recreated": 10**6, "other_tenant": 10**6},
        "retry_refused": True,
    },
    ENRICHMENT: {"accept_once": _READ_RIGHT, "retry_refused": True},
}
"""Settings of a person who has looked, found all that is read right, and has refused records tried again."""


@dataclasses.dataclass(frozen=True)
class Job:
    """What a forked run is told.

    ``fault_plan`` is None for a clean or quiet run; ``note`` is the file that names the request of the kill.
    """

    flow: str
    company: str
    settings: dict[str, Any]
    block: str
    ledger: Path
    note: Path
    seed: str
    fault_plan: FaultPlan | None = None
    page_size: int | None = None


@dataclasses.dataclass
class ChosenKiller(Killer):
    """Counts requests that hold ``on`` only; ``during`` kills when the vendor has the request."""

    on: str = ""

    def passes(self, name: str, when: str) -> None:
        if self.on not in name:
            return
        if self.when != DURING:
            super().passes(name, when)
            return
        self.seen += when == BEFORE
        if self.at and when == BEFORE and self.seen == self.at:
            asyncio.get_running_loop().call_later(UNDER_WAY, self._kill, name)

    def _kill(self, name: str) -> None:
        self.note.write_text(f"{DURING} {name}\n", encoding="utf-8")
        os.kill(os.getpid(), signal.SIGKILL)


def live(job: Job, log: int, answer: int) -> NoReturn:
    """Everything that a forked process does: run, tell what came of it on ``answer``, end.

    Logs and tracebacks go to ``log``. Both are pipes, so that a full disk does not reach them.
    """
    status = 1
    try:
        os.dup2(log, 1)
        os.dup2(log, 2)
        sys.stdout = sys.stderr = os.fdopen(2, "w", buffering=1, closefd=False)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        random.seed(job.seed)
        _arm(job)
        told = asyncio.run(_run(job))
        with os.fdopen(answer, "w", encoding="utf-8") as file:
            file.write(json.dumps(told, default=str) + "\n")
        status = 0
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(status)


def _arm(job: Job) -> None:
    fault_plan = job.fault_plan or FaultPlan()
    shorten()
    if job.page_size:
        turn_small_pages(job.page_size)
    killer = ChosenKiller(
        fault_plan.kill_at, fault_plan.kill_when, fault_plan.kill_writes, job.note, on=fault_plan.kill_on
    )
    use_network(lambda inner: KillingTransport(inner, killer), impatient=job.fault_plan is not None)
    if fault_plan.clock_skew_seconds:
        skew_clock(fault_plan.clock_skew_seconds)
    if fault_plan.ledger_room_bytes is not None:
        fill_disk(job.ledger, fault_plan.ledger_room_bytes)


def skew_clock(seconds: float) -> None:
    """From now on the product's modules see another time of day; running times stay as they are."""
    shift = timedelta(seconds=seconds)

    class Skewed(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> Any:
            return datetime.now(tz) + shift

    shown = SimpleNamespace(**{name: getattr(time, name) for name in dir(time)})
    shown.time = lambda: time.time() + seconds
    for name, module in list(sys.modules.items()):
        if name.startswith(PRODUCT):
            if vars(module).get("datetime") is datetime:
                vars(module)["datetime"] = Skewed
            if vars(module).get("time") is time:
                vars(module)["time"] = shown


def fill_disk(ledger: Path, room: int) -> None:
    """No file of this process can grow beyond what the ledger's log of writes has now, and ``room``.

    SQLite writes each transaction to that log first; it is told of the limit as of a full disk.
    """
    wal = ledger.with_name(ledger.name + "-wal")
    size = max(wal.stat().st_size if wal.exists() else 0, SHARED_MEMORY) + room
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))


async def _run(job: Job) -> dict[str, Any]:
    flow, settings = _flow_of(job)
    names = {"connectwise": job.block, "lansweeper": job.block, "ledger": job.block}
    state: State[Any] = await flow(settings, **names, return_state=True)
    result = await state.aresult(raise_on_failure=False)
    result = result.data if isinstance(result, RunFailedError) else result
    usage = resource.getrusage(resource.RUSAGE_SELF)
    told: dict[str, Any] = {"cpu": usage.ru_utime + usage.ru_stime, "state": state.name}
    if isinstance(result, BaseException):
        return told | {"error": f"{type(result).__name__}: {result}"}
    if isinstance(result, Report):
        report = dataclasses.asdict(result)
        report["written"] = [dataclasses.asdict(each) for each in result.written]
        return told | {"report": report, "counts": report["counts"], "error": ""}
    return told | {"error": str(state.message or "")}


def _flow_of(job: Job) -> tuple[Callable[..., Any], Any]:
    dry_run = bool(job.fault_plan and job.fault_plan.dry_run)
    accepted = {} if job.fault_plan else ACCEPTED[job.flow]
    common = {**job.settings, **accepted, "company": job.company, "dry_run": dry_run}
    if job.flow == ASSETS:
        values = {**common, "ceilings": {"go_on": True}, "waiting": ASSET_WAITING}
        return asset_synchronization, AssetSynchronizationSettings.model_validate(values)
    values = {**common, "waiting": ENRICHMENT_WAITING}
    return tickets_agreements_sla_sync, EnrichmentSettings.model_validate(values)


@dataclass(frozen=True)
class Ended:
    """How a forked process ended (``signal`` 0: by itself), what it wrote to its pipes, its CPU seconds."""

    status: int
    signal: int
    log: bytes
    answer: bytes
    cpu: float
    hung: bool = False


Live = Callable[[int, int], NoReturn]
"""What a forked process does with its pipes ``log`` and ``answer``; it never returns."""


def fork_and_wait(live: Live, limit: float = LONGEST_RUN) -> Ended:
    """Run ``live`` in a forked process and wait for its end.

    After ``limit`` seconds, or if this process is told to end, the forked one is killed.
    """
    return fork_all_and_wait([live], limit)[0]


def fork_all_and_wait(lives: Sequence[Live], limit: float = LONGEST_RUN) -> list[Ended]:
    """``fork_and_wait`` for several that are at work at the same time."""
    children: list[_Child] = []
    try:
        for live in lives:
            children.append(_fork(live, children))
        texts = _hear([pipe for each in children for pipe in each.pipes], time.monotonic() + limit)
    except BaseException:
        for each in children:
            _kill(each.pid)
            os.waitpid(each.pid, 0)
        raise
    finally:
        for each in children:
            for pipe in each.pipes:
                os.close(pipe)
    if texts.hung:
        for each in children:
            _kill(each.pid)
    return [_ended(each, texts, 2 * place) for place, each in enumerate(children)]


@dataclass(frozen=True)
class _Child:
    pid: int
    pipes: tuple[int, int]


def _fork(live: Live, others: Sequence[_Child]) -> _Child:
    (log_out, log_in), (answer_out, answer_in) = os.pipe(), os.pipe()
    pid = os.fork()
    if pid == 0:
        for pipe in (log_out, answer_out, *(one for each in others for one in each.pipes)):
            os.close(pipe)
        live(log_in, answer_in)
    os.close(log_in)
    os.close(answer_in)
    return _Child(pid, (log_out, answer_out))


def _ended(child: _Child, texts: _Heard, place: int) -> Ended:
    _, status, usage = os.wait4(child.pid, 0)
    ended_by = os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0
    cpu = usage.ru_utime + usage.ru_stime
    code = os.WEXITSTATUS(status) if os.WIFEXITED(status) else -ended_by
    return Ended(code, ended_by, texts.parts[place], texts.parts[place + 1], cpu, texts.hung)


@dataclass(frozen=True)
class _Heard:
    parts: list[bytes]
    hung: bool


def _hear(pipes: list[int], until: float) -> _Heard:
    found = {pipe: bytearray() for pipe in pipes}
    with selectors.DefaultSelector() as selector:
        for pipe in pipes:
            selector.register(pipe, selectors.EVENT_READ)
        while selector.get_map() and (left := until - time.monotonic()) > 0:
            for key, _ in selector.select(left):
                if data := os.read(key.fd, 65536):
                    found[key.fd] += data
                else:
                    selector.unregister(key.fd)
        hung = bool(selector.get_map())
    return _Heard([bytes(found[pipe]) for pipe in pipes], hung)


def _kill(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def descendants(process_id: int) -> list[int]:
    """The children of a process, and theirs, from ``/proc``."""
    parents: dict[int, list[int]] = {}
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            # pid (name, which may hold blanks) state parent ...
            parent = int(status.read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
        parents.setdefault(parent, []).append(int(status.parent.name))
    found: list[int] = []
    waiting = [process_id]
    while waiting:
        children = parents.get(waiting.pop(), [])
        found += children
        waiting += children
    return found


def with_text(text: str) -> list[int]:
    """The processes that have this text in their environment, such as the id of their flow run."""
    wanted, found = text.encode(), list[int]()
    for environment in Path("/proc").glob("[0-9]*/environ"):
        try:
            told = environment.read_bytes()
        except OSError:
            continue
        if wanted in told:
            found.append(int(environment.parent.name))
    return found


def kill_tree(process_id: int) -> int:
    """SIGKILL for a process and everything that it started; returns how many they were.

    The process is held first, so that it can't start another one between the look and the kill.
    """
    _send([process_id], signal.SIGSTOP)
    doomed = [process_id, *descendants(process_id)]
    _send(doomed, signal.SIGKILL)
    return len(doomed)


def kill(processes: Iterable[int]) -> None:
    """SIGKILL for those of them that are there."""
    _send(processes, signal.SIGKILL)


def _send(processes: Iterable[int], number: signal.Signals) -> None:
    for each in processes:
        with suppress(ProcessLookupError):
            os.kill(each, number)
