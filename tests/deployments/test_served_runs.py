"""``python -m deployments.serve`` runs what the UI submits, and pauses its schedules at the end.

Law 9 on a real worker: after ``kill -9`` of worker and run a new run writes within three minutes. Nobody
cleans up by hand: the lease frees itself, the automation marks the killed run as crashed.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime

import httpx
import pytest

from deployments.local.up import ROOT, save_blocks, set_up, worker
from tests.support.local_stack import Pieces, kill_with_descendants, pieces
from tests.support.run_flow import custom_value

pytestmark = pytest.mark.slow


LAST_DEPLOYMENT = "refresh-choices"


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pieces]:
    with pieces(tmp_path_factory.mktemp("served")) as found:
        save_blocks(found.prefect, found.sandbox)
        yield found


@pytest.fixture(scope="module")
def serving(stack: Pieces) -> Iterator[subprocess.Popen[bytes]]:
    """The program, as soon as it has told the server of its deployments."""
    log = (stack.prefect.home / "serve.log").open("wb")
    process = subprocess.Popen(
        [sys.executable, "-m", "deployments.serve"],
        cwd=ROOT,
        env=dict(stack.prefect.environment),
        stdout=log,
        stderr=subprocess.STDOUT,
    )
    try:
        wait_until_served(stack, process)
        yield process
    finally:
        process.kill()
        process.wait()
        log.close()


def wait_until_served(stack: Pieces, process: subprocess.Popen[bytes]) -> None:
    address = f"{stack.prefect.api_url}/deployments/name/{LAST_DEPLOYMENT}/{LAST_DEPLOYMENT}"
    deadline = time.monotonic() + 180
    while httpx.get(address, timeout=60).status_code != httpx.codes.OK:
        assert process.poll() is None, (stack.prefect.home / "serve.log").read_text()[-2000:]
        assert time.monotonic() < deadline
        time.sleep(0.5)


def test_action_picked_in_the_form_is_run_and_shows_its_answer(
    stack: Pieces, serving: subprocess.Popen[bytes]
) -> None:
    path = "/block_types/slug/connectwise-psa-connection/block_documents/name/default"
    block = {"$ref": {"block_document_id": stack.call("GET", path)["id"]}}
    run = stack.start_run("list-locations", connection=block, page_size=2)
    ended = stack.wait_for_end(run, 180)
    assert ended["state_type"] == "COMPLETED", ended["state"]["message"]
    assert ended["work_pool_name"] is None
    artifacts = {"artifacts": {"flow_run_id": {"any_": [run]}}}
    (answer,) = stack.call("POST", "/artifacts/filter", artifacts)
    assert "2 records" in answer["description"]


def test_synchronization_runs_too(stack: Pieces, serving: subprocess.Popen[bytes]) -> None:
    run = stack.start_run("asset-synchronization", settings={"company": stack.sandbox.company})
    ended = stack.wait_for_end(run, 180)
    assert ended["state_type"] == "COMPLETED", ended["state"]["message"]


def test_its_end_pauses_the_schedules(stack: Pieces, serving: subprocess.Popen[bytes]) -> None:
    path = f"/deployments/name/{LAST_DEPLOYMENT}/{LAST_DEPLOYMENT}"
    assert not stack.call("GET", path)["paused"]
    serving.send_signal(signal.SIGINT)
    serving.wait(timeout=60)
    assert stack.call("GET", path)["paused"]


BULK = "POST /company/configurations/bulk"
WRITES_AGAIN_SECONDS = 180
CRASHED_SECONDS = 240
"""90 s of silence, then Prefect's services, which look for silent runs every few seconds."""


@pytest.fixture(scope="module")
def worker_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pieces]:
    with pieces(tmp_path_factory.mktemp("up")) as found:
        set_up(found.prefect, found.sandbox)
        yield found


def start_writing(worker_stack: Pieces) -> str:
    settings = {"company": worker_stack.sandbox.company, "dry_run": False, "ceilings": {"go_on": True}}
    return worker_stack.start_run("asset-synchronization", settings=settings)


def asset_keys(worker_stack: Pieces) -> Counter[str]:
    """How many of the company's configurations carry each asset key."""
    records = worker_stack.sandbox.state("company/configurations")
    own = [each for each in records if each["company"]["id"] == worker_stack.sandbox.company_id]
    return Counter(key for each in own if (key := custom_value(each, "ls_asset_id")))


def kill_in_the_middle(worker_stack: Pieces) -> str:
    """Start a worker and a run, kill both while the run creates configurations; returns the run's id."""
    slow = {"kind": "delay", "seconds": 1}
    path = "/company/configurations/bulk"
    worker_stack.sandbox.faults([{"system": "connectwise", "path": path, "every": 1, "fault": slow}])
    with worker(worker_stack.prefect) as process:
        run_id = start_writing(worker_stack)
        worker_stack.wait_until_served(BULK, 2, seconds=120)
        assert worker_stack.run(run_id)["infrastructure_pid"], "it did not run in the worker's process"
        assert kill_with_descendants(process.pid) >= 2
        process.wait(timeout=10)
    worker_stack.sandbox.faults([])
    return run_id


def test_new_run_writes_within_three_minutes_of_a_kill(worker_stack: Pieces) -> None:
    killed = kill_in_the_middle(worker_stack)
    at, killed_at = time.monotonic(), datetime.now(UTC)
    before = worker_stack.served(BULK)
    assert worker_stack.run(killed)["state_type"] == "RUNNING", "nobody has told Prefect of the kill"
    with worker(worker_stack.prefect):
        second = start_writing(worker_stack)
        worker_stack.wait_until_served(BULK, before + 1, WRITES_AGAIN_SECONDS)
        print(f"It wrote again after {time.monotonic() - at:.0f} s.")
        assert worker_stack.wait_for_end(second, 300)["state_type"] == "COMPLETED"
    crashed = worker_stack.wait_for_end(killed, CRASHED_SECONDS)
    assert crashed["state_type"] == "CRASHED"
    took = datetime.fromisoformat(crashed["state"]["timestamp"]) - killed_at
    print(f"The killed run was marked as crashed after {took.total_seconds():.0f} s.")
    keys = asset_keys(worker_stack)
    assert len(keys) > 350
    assert set(keys.values()) == {1}, "nothing is lost, nothing is created twice"
