"""``make chaos``: hundreds of drawn schedules of faults over both flows, and what was true after each.

A schedule is drawn from its seed alone: a world, settings, and one or two disturbed runs of a flow. Then
follow one clean run, which must finish the work, and one quiet run, which must find nothing to do. What the
sandbox holds is compared with a model of the flow that was written apart from it.

``python -m benchmarks.chaos.campaign [--schedules N] [--real N] [--seed S] [--lanes N]`` writes
``build/chaos.json`` and ends with status 1 if anything was wrong. ``--only SEED --flow FLOW`` runs one
schedule again. The requests of one run are sent side by side, so a fault at "the third request" may then hit
another one: repeat it a few times.
"""

from __future__ import annotations

import argparse
import json
import os
import secrets
import shutil
import signal
import sys
import time
from pathlib import Path

from rich.console import Console

from benchmarks.chaos.faults import DIFFERS
from benchmarks.chaos.lanes import SeededFlow, campaign_server, run_schedules, warm_up
from benchmarks.chaos.real_runs import DIFFERS as REAL_DIFFERS
from benchmarks.chaos.real_runs import run_real
from benchmarks.chaos.schedule import ASSETS, ENRICHMENT
from benchmarks.chaos.verdict import ScheduleResult, tally
from benchmarks.performance.runner import BUILD

SCHEDULES, REAL = 480, 20
TELL_EVERY = 20


def seeded_flows(base: int, number: int) -> list[SeededFlow]:
    """The seeds and flows of a campaign: two thirds assets, one third enrichment."""
    return [(base + each, ENRICHMENT if each % 3 == 2 else ASSETS) for each in range(number)]


def default_lanes() -> int:
    """Schedules mostly wait, so more of them than cores run side by side."""
    return 2 * (os.cpu_count() or 1)


class Progress:
    def __init__(self, console: Console, number: int) -> None:
        self._console = console
        self._number = number
        self._began = time.monotonic()
        self.results: list[ScheduleResult] = []

    def hear(self, result: ScheduleResult) -> None:
        """One schedule has ended; one with faults is told at once."""
        self.results.append(result)
        done = len(self.results)
        if result.faults:
            said = f"Seed {result.seed} ({result.flow}): {len(result.faults)} faults"
            self._console.print(said, style="red")
            for fault in result.faults[:5]:
                self._console.print(f"  {fault}"[:600], markup=False)
            again = f"--only {result.seed} --flow {result.flow}"
            self._console.print(f"  Again: python -m benchmarks.chaos.campaign {again}")
        if done % TELL_EVERY == 0 or done == self._number:
            seconds = time.monotonic() - self._began
            self._console.print(f"{done} of {self._number} schedules in {seconds:.0f} s")


def main() -> int:
    given = _arguments()
    # As Ctrl-C does: lanes, their sandboxes and the server are ended too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    console = Console(width=max(120, Console().width))
    base = secrets.randbelow(1_000_000) if given.seed is None else given.seed
    if given.only is None:
        console.print(f"Seed {base}: repeat with python -m benchmarks.chaos.campaign --seed {base}")
        wanted = seeded_flows(base, given.schedules)
    else:
        wanted, given.real = [(given.only, given.flow)], 0
    folder = (given.folder or BUILD / ("chaos" if given.only is None else "chaos-only")).absolute()
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    began = time.monotonic()
    results = _run(wanted, given.lanes, folder, console)
    if given.real:
        results += run_real([base + each for each in range(given.real)], folder / "real", console.print)
    found = {
        "seed": base if given.only is None else given.only,
        "seconds": round(time.monotonic() - began),
        **tally(results),
        "differs from production": DIFFERS | (REAL_DIFFERS if given.real else {}),
    }
    folder.with_suffix(".json").write_text(json.dumps(found, indent=2), encoding="utf-8")
    show(console, found)
    return int(bool(found["failing"]) or len(results) < len(wanted) + given.real)


def _run(wanted: list[SeededFlow], lanes: int, folder: Path, console: Console) -> list[ScheduleResult]:
    progress = Progress(console, len(wanted))
    if wanted:
        with campaign_server(folder / "prefect") as api_url:
            warm_up(api_url, folder / "warm-up")
            run_schedules(wanted, lanes, api_url, folder, progress.hear)
    return progress.results


def show(console: Console, found: dict[str, object]) -> None:
    left_out = ("failing", "differs from production")
    console.print_json(json.dumps({name: found[name] for name in found if name not in left_out}))
    failing = found["failing"]
    assert isinstance(failing, list)
    if failing:
        seeds = ", ".join(f"{each['seed']} ({each['flow']})" for each in failing)
        console.print(f"{len(failing)} schedules failed: {seeds}; build/chaos.json says why", style="red")
    else:
        console.print("Nothing was wrong.", style="green")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.chaos.campaign")
    parser.add_argument("--schedules", type=int, default=SCHEDULES, help="schedules with forked runs")
    parser.add_argument("--real", type=int, default=REAL, help="schedules with a real worker")
    parser.add_argument("--seed", type=int, help="of the first schedule; each further one adds one")
    parser.add_argument("--only", type=int, help="run the one schedule of this seed")
    parser.add_argument("--flow", choices=(ASSETS, ENRICHMENT), default=ASSETS, help="the flow of --only")
    parser.add_argument("--folder", type=Path, help="emptied and used; the result lies beside it as .json")
    parser.add_argument("--lanes", type=int, default=default_lanes(), help="schedules side by side")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
