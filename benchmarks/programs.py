"""Runs a module of ours in a process of its own, and says on the way how far it has come."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.console import Console

from deployments.local.prefect import LocalPrefect
from deployments.local.sandbox import Sandbox

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / "build"
LOOK_SECONDS = 0.5
LINE_SECONDS = 15.0


def run_module(module: str, prefect: LocalPrefect, *arguments: str) -> str:
    """Run a module of ours in a process of its own and return what it prints."""
    done = subprocess.run(
        [sys.executable, "-m", module, *arguments],
        cwd=ROOT,
        env={**prefect.environment, "PREFECT_LOGGING_LEVEL": "WARNING"},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return done.stdout


def run_watched(
    console: Console,
    sandbox: Sandbox,
    log: Path,
    environment: Mapping[str, str],
    module: str,
    *arguments: str,
) -> dict[str, Any]:
    """The JSON of the last line that the module prints, if any; every quarter of a minute a line of progress.

    Raises:
        RuntimeError: the module failed; the text is the end of its log.
    """
    command = [sys.executable, "-m", module, *arguments]
    with log.open("wb") as told, log.with_suffix(".json").open("wb") as answered:
        process = subprocess.Popen(command, cwd=ROOT, env=dict(environment), stdout=answered, stderr=told)
        began = said = time.monotonic()
        while process.poll() is None:
            time.sleep(LOOK_SECONDS)
            if time.monotonic() - said > LINE_SECONDS:
                said = time.monotonic()
                console.print(f"  {said - began:4.0f} s of {module}: {_progress(sandbox)}")
    if process.returncode:
        tail = log.read_text(encoding="utf-8", errors="replace")[-3000:]
        raise RuntimeError(f"{module} ended with status {process.returncode}. The end of its log:\n{tail}")
    lines = log.with_suffix(".json").read_text(encoding="utf-8").splitlines()
    return dict(json.loads(lines[-1])) if lines else {}


def _progress(sandbox: Sandbox) -> str:
    served = sandbox.requests()
    vendors = (("Lansweeper", "lansweeper"), ("ConnectWise", "connectwise"))
    return ", ".join(f"{served[key]['requests']:,} requests to {name}" for name, key in vendors)
