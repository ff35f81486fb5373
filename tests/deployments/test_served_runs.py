"""``python -m deployments.serve`` really runs what the UI submits, and pauses its schedules at the end."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Iterator

import httpx
import pytest

from deployments import ROOT
from deployments.local.up import save_blocks
from tests.support.local_stack import Pieces, pieces

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
