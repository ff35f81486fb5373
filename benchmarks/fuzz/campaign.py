"""``make fuzz``: every target in a process of its own, two side by side, and what came of all inputs.

``python -m benchmarks.fuzz [--seed N] [--inputs N] [--only NAME] [--seconds S] [--input K]`` writes
``build/fuzz.json`` and ends with status 1 if anything was wrong, or if the long form (no ``--inputs``, no
``--only``) ran out of time before it had tried ``LEAST`` inputs. ``--inputs`` is meant for each target,
``--seconds`` too. ``--only NAME --seed S --input K`` replays one input of one target.
"""

from __future__ import annotations

import argparse
import asyncio
import importlib
import json
import secrets
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol, cast

from benchmarks.fuzz.tally import PROBLEMS, RAW, Tally, in_words
from deployments import ROOT

TARGETS = ("receiver", "ledger", "rules", "answers", "wire", "sandbox_requests")
"""Modules of this package, in the order in which they begin."""
LEAST = 50_000
SECONDS = 900.0
"""The time of one target."""
SHORT_SECONDS = 5.0
"""The time of one target in the test of ``make test``."""
GRACE_SECONDS = 120.0
"""After its time, until a target's process is stopped."""
SIDE_BY_SIDE = 2
RESULT = ROOT / "build" / "fuzz.json"


class Target(Protocol):
    """What a module of a target has."""

    NAME: str
    INPUTS: int
    SHORT: int

    async def run(self, tally: Tally, *, inputs: int) -> None: ...


def target_named(name: str) -> Target:
    """The module of a target."""
    return cast(Target, importlib.import_module(f"benchmarks.fuzz.{name}"))


def run_target(name: str, tally: Tally, inputs: int) -> dict[str, Any]:
    """Runs one target in this process; what ends it is a problem like any other."""

    async def begin() -> None:
        with tally.watched_logs():
            await target_named(name).run(tally, inputs=inputs)

    try:
        asyncio.run(begin())
    except Exception as error:
        tally.problem(RAW, "the target itself", in_words(error))
    tally.check_memory()
    return tally.report()


def main(arguments: list[str] | None = None) -> int:
    """Run the targets and write the result; 1 if anything was wrong."""
    given = _parsed(arguments)
    if given.report is not None:
        return _run_one(given)
    began = time.monotonic()
    names = [given.only] if given.only else list(TARGETS)
    print(f"seed {given.seed}", flush=True)
    reports = _run_all(names, given)
    whole = {
        "seed": given.seed,
        "commit": _commit(),
        "when": datetime.now(UTC).isoformat(timespec="seconds"),
        "seconds": round(time.monotonic() - began, 1),
        "inputs": sum(each["inputs"] for each in reports),
        "problems": {what: sum(each["problems"][what] for each in reports) for what in PROBLEMS},
        "targets": reports,
    }
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(json.dumps(whole, indent=1) + "\n", encoding="utf-8")
    return _verdict(whole, long_form=not (given.only or given.inputs))


def _parsed(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.fuzz", description="Fuzzes every target.")
    parser.add_argument("--seed", type=int, default=secrets.randbelow(1_000_000))
    parser.add_argument("--inputs", type=int, help="of each target")
    parser.add_argument("--only", choices=TARGETS, help="one target")
    parser.add_argument("--seconds", type=float, default=SECONDS, help="of each target")
    parser.add_argument("--input", type=int, help="replay this input of --only")
    parser.add_argument("--report", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args(arguments)
    if given.input is not None and not given.only:
        parser.error("--input needs --only")
    return given


def _run_one(given: argparse.Namespace) -> int:
    """The process of one target."""

    def hear(number: int) -> None:
        print(f"{given.only}: {number} inputs, {len(tally.problems)} problems", flush=True)

    tally = Tally(given.only, seed=given.seed, only=given.input, seconds=given.seconds, hear=hear)
    report = run_target(given.only, tally, given.inputs or target_named(given.only).INPUTS)
    given.report.write_text(json.dumps(report), encoding="utf-8")
    return 0


def _run_all(names: list[str], given: argparse.Namespace) -> list[dict[str, Any]]:
    waiting = list(names)
    running: dict[str, tuple[subprocess.Popen[bytes], float]] = {}
    reports: dict[str, dict[str, Any]] = {}
    RESULT.parent.mkdir(exist_ok=True)
    while waiting or running:
        while waiting and len(running) < SIDE_BY_SIDE:
            name = waiting.pop(0)
            running[name] = (_started(name, given), time.monotonic())
        time.sleep(0.2)
        for name, (process, began) in list(running.items()):
            if process.poll() is None and time.monotonic() - began > given.seconds + GRACE_SECONDS:
                process.kill()
            if process.poll() is not None:
                del running[name]
                reports[name] = _report_of(name, process, given.seed)
                wrong = sum(reports[name]["problems"].values())
                print(f"{name}: done, {reports[name]['inputs']} inputs, {wrong} problems", flush=True)
    return [reports[name] for name in names]


def _report_path(name: str) -> Path:
    return RESULT.with_name(f"fuzz-{name}.json")


def _started(name: str, given: argparse.Namespace) -> subprocess.Popen[bytes]:
    _report_path(name).unlink(missing_ok=True)
    command = [sys.executable, "-m", "benchmarks.fuzz", "--only", name, "--seed", str(given.seed)]
    command += ["--seconds", str(given.seconds), "--report", str(_report_path(name))]
    for option in ("inputs", "input"):
        value = getattr(given, option)
        command += [] if value is None else [f"--{option}", str(value)]
    return subprocess.Popen(command, cwd=ROOT)


def _report_of(name: str, process: subprocess.Popen[bytes], seed: int) -> dict[str, Any]:
    path = _report_path(name)
    if path.exists():
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        path.unlink()
        return found
    ended = Tally(name, seed=seed)
    ended.problem(RAW, "the target itself", f"its process ended with status {process.returncode}")
    return ended.report()


def _commit() -> str:
    done = subprocess.run(  # the commit is a note beside the figures: without git it is empty
        ["git", "rev-parse", "--short", "HEAD"],  # noqa: S607
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout.strip()


def _verdict(whole: dict[str, Any], *, long_form: bool) -> int:
    for report in whole["targets"]:
        for each in report["first problems"][:20]:
            again = f"--only {report['target']} --seed {whole['seed']} --input {each['input']}"
            print(f"\n{each['what']} ({each['kind']}): {again}\n{each['text']}")
    found = ", ".join(f"{number} {what}" for what, number in whole["problems"].items())
    print(f"\n{whole['inputs']} inputs in {whole['seconds']:.0f} s: {found}")
    if long_form and whole["inputs"] < LEAST:
        print(f"Too few: the long form tries at least {LEAST}; give it more --seconds.")
        return 1
    return 1 if any(whole["problems"].values()) else 0
