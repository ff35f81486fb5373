"""The whole dispatch demo, and the served inbox that survives the death of its run."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from benchmarks.chaos.process import descendants
from deployments.local.demo_dispatch import broken_promises
from deployments.local.prefect import LocalPrefect, local_prefect
from deployments.local.receiver import local_inbox
from deployments.local.sandbox import start_sandbox
from deployments.local.up import save_blocks
from tests.docs.pages import ROOT

pytestmark = pytest.mark.slow


def test_the_demo_keeps_its_promises_in_under_three_minutes() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "deployments.local.demo_dispatch"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    figures = json.loads((ROOT / "build" / "demo-dispatch.json").read_text())
    assert broken_promises(figures) == []
    assert figures["seconds"]["whole demo"] < 180


def test_an_inbox_whose_run_is_killed_starts_the_next(tmp_path: Path) -> None:
    with start_sandbox("--scenario", "dispatch") as sandbox, local_prefect(tmp_path) as prefect:
        save_blocks(prefect, sandbox)
        save_field_nation(prefect, sandbox.info)
        with local_inbox(prefect, tmp_path / "inbox.log") as served:
            (first,) = wait_for_running(prefect, set())
            for child in descendants(served.pid):
                os.kill(child, signal.SIGKILL)
            second = wait_for_running(prefect, {first})
            assert second - {first}
            served.terminate()
            assert served.wait(timeout=40) == 0
        assert not wait_for_none_running(prefect) - {first}


def save_field_nation(prefect: LocalPrefect, info: dict[str, Any]) -> None:
    code = (
        "import asyncio, json, sys; from deployments.blocks import save_field_nation_block;"
        "asyncio.run(save_field_nation_block(json.loads(sys.argv[1])))"
    )
    command = [sys.executable, "-c", code, json.dumps(info)]
    subprocess.run(command, cwd=ROOT, env=dict(prefect.environment), check=True)


def running(prefect: LocalPrefect) -> set[str]:
    body = {"flow_runs": {"state": {"type": {"any_": ["RUNNING"]}}}}
    found = httpx.post(f"{prefect.api_url}/flow_runs/filter", json=body).raise_for_status().json()
    return {each["id"] for each in found}


def wait_for_running(prefect: LocalPrefect, known: set[str]) -> set[str]:
    deadline = time.monotonic() + 90
    while not (found := running(prefect)) - known:
        assert time.monotonic() < deadline
        time.sleep(0.3)
    return found


def wait_for_none_running(prefect: LocalPrefect) -> set[str]:
    deadline = time.monotonic() + 15
    while (found := running(prefect)) and time.monotonic() < deadline:
        time.sleep(0.3)
    return found
