"""``run_real``: schedules with a real worker and a real server, several lanes at a time."""

from __future__ import annotations

import shutil
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from queue import Empty, SimpleQueue

from benchmarks.chaos.real_runs import RealRun, draw_real, restarts_server
from benchmarks.chaos.real_stack import Lane, StoppedError, lanes
from benchmarks.chaos.verdict import ScheduleResult, Verdict

LANES = 4
LOOK = 0.5
Say = Callable[[str], None]


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
            time.sleep(LOOK)
    return [results[seed] for seed in seeds]


def _work(lane: Lane, waiting: SimpleQueue[int], results: dict[int, ScheduleResult], say: Say) -> None:
    while True:
        try:
            seed = waiting.get_nowait()
        except Empty:
            return
        try:
            results[seed] = _one(lane, seed, say)
        except StoppedError:
            return


def _one(lane: Lane, seed: int, say: Say) -> ScheduleResult:
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
