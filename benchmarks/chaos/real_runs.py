"""Schedules on the real stack: worker, flow run or server die; then a clean and a quiet run, and a verdict.

``draw_real`` draws what the forked schedules draw, and which process dies at which request. ``run_real``
runs several of them side by side.
"""

from __future__ import annotations

import random
import re
import shutil
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any, Literal

from benchmarks.chaos.asset_oracle import AssetOracle
from benchmarks.chaos.enrichment_oracle import EnrichmentOracle
from benchmarks.chaos.faults import LONGEST_LATE, draw_enrichment_faults, draw_vendor_faults
from benchmarks.chaos.people import act, draw_enrichment_people, draw_people, draw_people_faults
from benchmarks.chaos.process import ACCEPTED, kill, with_text
from benchmarks.chaos.readings import RESTORED, draw_readings
from benchmarks.chaos.real_stack import ENDED, RealLane, StoppedError, lanes
from benchmarks.chaos.schedule import ASSETS, ENRICHMENT, FaultPlan, Schedule, draw_settings, draw_switches
from benchmarks.chaos.verdict import (
    COMPLETED,
    KILLED,
    Oracle,
    RunRecord,
    ScheduleResult,
    Verdict,
    fault_name,
    judge_runs,
    judge_secrets,
)

WORKER, FLOW_RUN = "worker and flow run killed", "flow run killed"
SERVER, SERVER_TERM = "Prefect server killed", "Prefect server stopped"
PLANS: tuple[tuple[tuple[str, ...], ...], ...] = (
    ((WORKER,),),
    ((SERVER,),),
    ((FLOW_RUN,),),
    ((SERVER_TERM,),),
    ((WORKER,), (FLOW_RUN,)),
    ((SERVER, WORKER),),
    ((SERVER_TERM, FLOW_RUN),),
)
"""The events of each disturbed round."""
KILLS = (WORKER, FLOW_RUN)
EVENTS = (*KILLS, SERVER, SERVER_TERM)
LATEST = {ASSETS: 20, ENRICHMENT: 60}
"""Until which of the round's requests an event may fall: most rounds send half as many again."""
SLOW = 0.12
"""Seconds that every request of a disturbed round takes longer, so that events find it under way."""
WAITING = {ASSETS: {"settle_seconds": 6, "pause_seconds": 0.5}, ENRICHMENT: {"pause_seconds": 0.5}}
"""Shorter than usual. The wait for the lease of a killed run is not: it frees itself as in production."""
DIFFERS = {
    "real stack: seconds until a creation without answer counts as settled": "6 instead of 60 (assets)",
    "real stack: seconds between reads that must agree": "0.5 instead of 5",
    "real stack: seconds between a worker's looks for runs": "2 instead of 10",
    "real stack: every request of a disturbed round": f"takes {SLOW:g} s longer, to be hit under way",
    "real stack: Lansweeper": "counts no requests; its 429 names one second",
    "real stack: a run's report": "only its counts are read, from its artifact",
}
Say = Callable[[str], None]
Kind = Literal["disturbed", "clean", "quiet"]
RESTARTED = "Prefect server restarted by another schedule"
RUN_SECONDS = 420.0
"""The longest run: a server that restarts meanwhile, and a lease that is waited for."""
ROUND_TRIES = 2
TRIES = 5
"""Runs after a kill until one gets the lease: each waits for it for more than a minute."""
CRASHED_SECONDS = 300.0
"""Until when Prefect marks a killed run: 90 s of silence, and as long again if it was restarted."""
LOOK = 0.1
LANES = 4
JOIN_SECONDS = 0.5
_FIGURES = re.compile(r"^\|(.*)\|\s*$", re.MULTILINE)


@dataclass(frozen=True)
class Event:
    """Something dies as soon as the round has sent ``at`` requests to the vendors."""

    kind: str
    at: int


@dataclass(frozen=True)
class RealSchedule:
    """A schedule with the events of each of its rounds, in the order of their requests."""

    schedule: Schedule
    events: tuple[tuple[Event, ...], ...]


def draw_real(seed: int) -> RealSchedule:
    """Everything that is drawn; the seed alone decides it. Neighbouring seeds have all kinds of events."""
    draw = random.Random(f"{seed}-real")
    flow = ENRICHMENT if seed % 2 else ASSETS
    plan = PLANS[seed // 2 % len(PLANS)]
    settings = draw_settings(draw, enrichment=flow == ENRICHMENT) | {"waiting": WAITING[flow]}
    if flow == ASSETS:
        settings |= {"ceilings": {"go_on": True}, "batch_size": draw.choice((5, 8, 12))}
        settings.pop("custom_field_ids", None)
    schedule = Schedule(
        seed=seed,
        flow=flow,
        assets=draw.randint(40, 70),
        scenario="enrichment" if flow == ENRICHMENT else draw.choice(("provider", "provider", "fresh")),
        switches=draw_switches(draw, enrichment=flow == ENRICHMENT, settings=settings),
        settings=settings,
        rounds=tuple(_misread(seed, _round(draw, flow), flow, number) for number in range(len(plan))),
    )
    return RealSchedule(schedule, tuple(_events(draw, flow, kinds) for kinds in plan))


def restarts_server(seed: int) -> bool:
    return any(event.kind in (SERVER, SERVER_TERM) for events in draw_real(seed).events for event in events)


def _round(draw: random.Random, flow: str) -> FaultPlan:
    enrichment = flow == ENRICHMENT
    rules = [*draw_vendor_faults(draw, draw.randint(1, 2), enrichment=enrichment)]
    people = draw_enrichment_people(draw) if enrichment else draw_people(draw)
    rules += draw_enrichment_faults(draw, 1) if enrichment else draw_people_faults(draw, 1)
    slow = {"path": "*", "every": 1, "fault": {"kind": "delay", "seconds": SLOW}}
    return FaultPlan(faults=(slow, *map(_bearable, rules)), people=people)


def _misread(seed: int, fault_plan: FaultPlan, flow: str, number: int) -> FaultPlan:
    """The round with what makes its run, or the next, read or know something that is not so."""
    further = draw_readings(seed, flow, number, enrichment=flow == ENRICHMENT)
    further.pop("two_at_once", None)
    further["faults"] = (*fault_plan.faults, *map(_bearable, further["faults"]))
    further["people"] = (*fault_plan.people, *further["people"])
    return replace(fault_plan, **further)


def _bearable(rule: dict[str, Any]) -> dict[str, Any]:
    """Lansweeper's 429 without Retry-After means a minute without calls: here one second is named."""
    fault = rule["fault"]
    if fault.get("status") == 429 and rule.get("system") != "connectwise" and not fault.get("headers"):
        return {**rule, "fault": {**fault, "headers": {"Retry-After": "1"}}}
    return rule


def _events(draw: random.Random, flow: str, kinds: tuple[str, ...]) -> tuple[Event, ...]:
    places = sorted(draw.sample(range(3, LATEST[flow]), len(kinds)))
    return tuple(Event(kind, at) for kind, at in zip(kinds, places, strict=True))


class RealRun:
    def __init__(self, lane: RealLane, drawn: RealSchedule, say: Say) -> None:
        self.lane = lane
        self.sandbox = lane.sandbox
        self.drawn = drawn
        self.schedule = drawn.schedule
        self.say = say
        self.runs: list[RunRecord] = []
        self.injected: Counter[str] = Counter()
        self.killed: list[tuple[str, float]] = []
        """The ids of flow runs whose process was killed, and when."""
        self.alive: set[str] = set()
        self.faults: list[str] = []

    def play(self) -> ScheduleResult:
        began, schedule = time.monotonic(), self.schedule
        self.lane.forget()
        self.sandbox.reset(schedule.seed, schedule.assets, schedule.scenario, schedule.switches)
        kind = EnrichmentOracle if schedule.flow == ENRICHMENT else AssetOracle
        oracle: Oracle = kind(self.sandbox, schedule.settings)
        for fault_plan, events in zip(schedule.rounds, self.drawn.events, strict=True):
            self._disturbed(fault_plan, events)
        self.lane.stack.pause(2 * LONGEST_LATE)
        # The next run that is not refused for the lease of a killed one has to do all that is left.
        if self._undisturbed("clean") == "Cancelled":
            self.faults.append(f"Law 9: {TRIES} runs after a kill were refused: {self.runs[-1].error}")
        self._undisturbed("quiet")
        verdict = oracle.judge(self.runs)
        judge_runs(self.runs, verdict)
        self._judge_killed(verdict)
        self._judge_secrets(verdict)
        if self.alive:
            verdict.apart["run called crashed that still lived"] += len(self.alive)
        verdict.faults += self.faults
        seconds = time.monotonic() - began
        return ScheduleResult(
            schedule.seed, schedule.flow, verdict, self.runs, seconds, self.injected, "real"
        )

    def _disturbed(self, fault_plan: FaultPlan, events: tuple[Event, ...]) -> None:
        """The round, once more if a restart by another schedule ended its run before its own events."""
        done = 0
        if fault_plan.ledger == RESTORED:
            self.lane.keep_ledger()
        for _ in range(ROUND_TRIES):
            self.sandbox.faults(list(fault_plan.faults))
            before = sum(self.injected[kind] for kind in EVENTS)
            record = self._run("disturbed", events[done:], other_block=fault_plan.other_block)
            done += sum(self.injected[kind] for kind in EVENTS) - before
            record.fault_plan = replace(fault_plan, people=())
            record.fired = self.sandbox.faults_fired()
            self.injected += happened(record)
            if done == len(events) or record.outcome not in ("Failed", "Crashed"):
                break
        self.sandbox.faults([])
        record.fault_plan = fault_plan
        self.injected.update(f"between runs: {deed['do']}" for deed in fault_plan.people)
        self.injected["through another block"] += fault_plan.other_block
        if fault_plan.ledger:
            self._lose_ledger(fault_plan.ledger)
        act(self.sandbox, fault_plan.people)

    def _lose_ledger(self, how: str) -> None:
        """Once no run has it open and the vendors have ended what is under way."""
        self.lane.stack.pause(2 * LONGEST_LATE)
        self.injected[f"ledger {how}"] += 1
        if how == RESTORED:
            self.lane.restore_ledger()
        else:
            self.lane.forget()

    def _undisturbed(self, kind: Kind) -> str:
        """A run that was not refused and that no other schedule's restart of the server ended."""
        for number in range(TRIES):
            before = self.injected[RESTARTED]
            record = self._run(kind)
            ended_by_another = record.outcome != COMPLETED and self.injected[RESTARTED] > before
            if record.outcome != "Cancelled" and not ended_by_another:
                break
            if number < TRIES - 1:
                record.kind = "disturbed"
        return record.outcome

    def _run(self, kind: Kind, events: tuple[Event, ...] = (), *, other_block: bool = False) -> RunRecord:
        """One run through the deployment; its record is kept."""
        self.sandbox.clear_requests()
        accepted = {} if kind == "disturbed" else ACCEPTED[self.schedule.flow]
        settings = self.schedule.settings | accepted | {"company": self.sandbox.company, "dry_run": False}
        run_id = self.lane.start_run(self.schedule.flow, settings, other_block=other_block)
        restarts, own = self.lane.stack.restarts, self._own_restarts()
        fallen = self._watch(run_id, list(events))
        others = self.lane.stack.restarts - restarts - (self._own_restarts() - own)
        self.injected += Counter({RESTARTED: others})
        killed = any(each.startswith(KILLS) for each in fallen)
        state = {} if killed else self.lane.run_state(run_id)
        record = RunRecord(
            kind,
            KILLED if killed else str(state["state_name"]),
            None if killed else self._counts(run_id, str(state["state_name"])),
            None,
            self.sandbox.requests(),
            error="" if killed else str((state.get("state") or {}).get("message") or ""),
            killed_at="; ".join(fallen),
        )
        self.runs.append(record)
        self.say(f"  seed {self.schedule.seed}: {kind} run: {record.outcome} {record.killed_at}".rstrip())
        return record

    def _watch(self, run_id: str, events: list[Event]) -> list[str]:
        """Let the events happen; returns them, with their requests, when the run is over."""
        deadline, fallen = time.monotonic() + RUN_SECONDS, list[str]()
        looks = 0
        while True:
            looks += 1
            if events:
                served = self.sandbox.requests()
                if served["total"] >= events[0].at:
                    event = events.pop(0)
                    fallen.append(self._happen(event, run_id, served))
                    if event.kind in KILLS:
                        return fallen
            # The server is asked less often: its answers cost as much as the run's own questions.
            if looks % 8 == 0 and self._is_over(run_id):
                return fallen
            if time.monotonic() > deadline:
                self._give_up(run_id)
                return fallen
            self.lane.stack.pause(LOOK)

    def _is_over(self, run_id: str) -> bool:
        """By the server's word, and no process of it is left.

        After a long restart the server calls a run crashed that lives: it goes on and holds its lease.
        """
        state = self.lane.run_state(run_id)["state_type"]
        if state not in ENDED:
            return False
        living = bool(with_text(run_id))
        if living and state == "CRASHED":
            self.alive.add(run_id)
        return not living

    def _happen(self, event: Event, run_id: str, served: dict[str, Any]) -> str:
        """One event, in words: what, at which request, and what was asked so far most recently."""
        if event.kind == WORKER:
            self.lane.kill_worker()
            kill(with_text(run_id))
        elif event.kind == FLOW_RUN:
            if not (processes := with_text(run_id)):
                self.faults.append("A flow run that is under way has no process of its own")
            kill(processes)
        else:
            number = signal.SIGKILL if event.kind == SERVER else signal.SIGTERM
            self.lane.stack.restart_server(number)
        if event.kind in KILLS:
            self.killed.append((run_id, time.monotonic()))
        self.injected[event.kind] += 1
        counts = {"ConnectWise": served["connectwise"], "Lansweeper": served["lansweeper"]}
        writes = ", ".join(f"{each['writes']} of {name}" for name, each in counts.items())
        return f"{event.kind} at request {served['total']} (writes: {writes})"

    def _own_restarts(self) -> int:
        return self.injected[SERVER] + self.injected[SERVER_TERM]

    def _give_up(self, run_id: str) -> None:
        state = self.lane.run_state(run_id)
        self.faults.append(f"A run was still {state['state_name']} after {RUN_SECONDS:.0f} s")
        cancelled = {"state": {"type": "CANCELLED", "message": "The campaign gave it up"}, "force": True}
        self.lane.stack.call("POST", f"/flow_runs/{run_id}/set_state", cancelled)
        kill(with_text(run_id))

    def _counts(self, run_id: str, state: str) -> dict[str, int] | None:
        """The counts in the report's artifact; a worker's run hands its report to nobody."""
        told = state == COMPLETED or state.startswith("Finished with")
        text = self.lane.artifact(run_id, f"{self.schedule.flow}-report") if told else ""
        return read_counts(text) if text else None

    def _judge_killed(self, verdict: Verdict) -> None:
        """Law 9: nobody has told Prefect of a kill, and it marks the run by itself."""
        for run_id, at in self.killed:
            verdict.checked["law 9"] += 1
            while (state := self.lane.run_state(run_id))["state_type"] not in ENDED:
                if time.monotonic() > at + CRASHED_SECONDS:
                    break
                self.lane.stack.pause(1)
            if state["state_type"] != "CRASHED":
                self.faults.append(f"Law 9: a killed run is {state['state_name']}, not Crashed")
        refused = [each for each in self.runs if each.outcome == "Cancelled"]
        for record in refused:
            verdict.checked["law 9"] += 1
            if "Another run" not in record.error:
                self.faults.append(f"A run was cancelled without naming the holder: {record.error}")

    def _judge_secrets(self, verdict: Verdict) -> None:
        """Law 6, also for Prefect's own database, which holds the blocks."""
        log = self.lane.log.read_bytes()
        judge_secrets(self.sandbox.info, log, self.lane.ledger, verdict)
        judge_secrets(self.sandbox.info, b"", self.lane.stack.prefect.home / "prefect.db", verdict)


def happened(record: RunRecord) -> Counter[str]:
    """How often each kind of fault was applied; the slowness of every request is none of them."""
    found: Counter[str] = Counter()
    fault_plan = record.fault_plan or FaultPlan()
    for rule, number in zip(fault_plan.faults, record.fired, strict=True):
        if rule["fault"]["kind"] != "delay":
            found[fault_name(rule["fault"])] += number
    return +found


def read_counts(report: str) -> dict[str, int]:
    """The first table of a report, whose heads are the names of the counts; ValueError if there is none."""
    rows = [[cell.strip(" *") for cell in row.split("|")] for row in _FIGURES.findall(report)]
    if len(rows) < 3:
        raise ValueError(f"No counts in the report: {report[:200]}")
    heads, figures = rows[0], rows[2]
    names = [head.lower().replace(" ", "_") for head in heads]
    return {name: int(each.replace(",", "")) for name, each in zip(names, figures, strict=True)}


def run_real(seeds: Sequence[int], folder: Path, say: Say, *, number: int = LANES) -> list[ScheduleResult]:
    """Run every seed's schedule, ``number`` of them at a time, in ``folder``, which is emptied.

    Everything is ended with the function, also when an exception or a signal's handler ends it: server,
    workers, flow runs and sandboxes. Results are in the order of the seeds; those whose server is restarted
    are run first, since that fails the runs of all lanes before their own events.
    """
    shutil.rmtree(folder, ignore_errors=True)
    waiting: SimpleQueue[int] = SimpleQueue()
    for seed in sorted(seeds, key=lambda each: not restarts_server(each)):
        waiting.put(seed)
    results: dict[int, ScheduleResult] = {}
    with lanes(folder, min(number, len(seeds))) as found:
        threads = [
            threading.Thread(target=_work, args=(lane, waiting, results, say), daemon=True) for lane in found
        ]
        for thread in threads:
            thread.start()
        # Looked at by turns, since a join would keep a signal's handler from ending the campaign.
        while any(thread.is_alive() for thread in threads):
            time.sleep(JOIN_SECONDS)
    return [results[seed] for seed in seeds]


def _work(lane: RealLane, waiting: SimpleQueue[int], results: dict[int, ScheduleResult], say: Say) -> None:
    while True:
        try:
            seed = waiting.get_nowait()
        except Empty:
            return
        try:
            results[seed] = _one(lane, seed, say)
        except StoppedError:
            return


def _one(lane: RealLane, seed: int, say: Say) -> ScheduleResult:
    """One schedule; an exception of the campaign itself is a fault of the schedule."""
    drawn, began = draw_real(seed), time.monotonic()
    try:
        result = RealRun(lane, drawn, say).play()
    except StoppedError:
        raise
    except Exception as error:
        broken = Verdict([f"The campaign itself failed: {type(error).__name__}: {error}"])
        seconds = time.monotonic() - began
        result = ScheduleResult(seed, drawn.schedule.flow, broken, [], seconds, Counter(), "real")
    say(f"  seed {seed} ({drawn.schedule.flow}): {result.seconds:.0f} s, {len(result.faults)} faults")
    return result
