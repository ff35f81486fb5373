"""Law 9 on a real worker: after ``kill -9`` of worker and run a new run writes within three minutes.

Nobody cleans up by hand: the lease frees itself, the automation marks the killed run as crashed.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from deployments.local.up import set_up, worker
from tests.support.local_stack import Pieces, kill_with_descendants, pieces
from tests.support.run_flow import custom_value

pytestmark = pytest.mark.slow

BULK = "POST /company/configurations/bulk"
WRITES_AGAIN_SECONDS = 180
CRASHED_SECONDS = 240
"""90 s of silence, then Prefect's services, which look for silent runs every few seconds."""


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pieces]:
    with pieces(tmp_path_factory.mktemp("up")) as found:
        set_up(found.prefect, found.sandbox)
        yield found


def start_writing(stack: Pieces) -> str:
    settings = {"company": stack.sandbox.company, "dry_run": False, "ceilings": {"go_on": True}}
    return stack.start_run("asset-synchronization", settings=settings)


def asset_keys(stack: Pieces) -> Counter[str]:
    """How many of the company's configurations carry each asset key."""
    records = stack.sandbox.state("company/configurations")
    own = [each for each in records if each["company"]["id"] == stack.sandbox.company_id]
    return Counter(key for each in own if (key := custom_value(each, "ls_asset_id")))


def kill_in_the_middle(stack: Pieces) -> str:
    """Start a worker and a run, kill both while the run creates configurations; returns the run's id."""
    slow = {"kind": "delay", "seconds": 1}
    path = "/company/configurations/bulk"
    stack.sandbox.faults([{"system": "connectwise", "path": path, "every": 1, "fault": slow}])
    with worker(stack.prefect) as process:
        run_id = start_writing(stack)
        stack.wait_until_served(BULK, 2, seconds=120)
        assert stack.run(run_id)["infrastructure_pid"], "it did not run in the worker's process"
        assert kill_with_descendants(process.pid) >= 2
        process.wait(timeout=10)
    stack.sandbox.faults([])
    return run_id


def test_new_run_writes_within_three_minutes_of_a_kill(stack: Pieces) -> None:
    killed = kill_in_the_middle(stack)
    at, killed_at = time.monotonic(), datetime.now(UTC)
    before = stack.served(BULK)
    assert stack.run(killed)["state_type"] == "RUNNING", "nobody has told Prefect of the kill"
    with worker(stack.prefect):
        second = start_writing(stack)
        stack.wait_until_served(BULK, before + 1, WRITES_AGAIN_SECONDS)
        print(f"It wrote again after {time.monotonic() - at:.0f} s.")
        assert stack.wait_for_end(second, 300)["state_type"] == "COMPLETED"
    crashed = stack.wait_for_end(killed, CRASHED_SECONDS)
    assert crashed["state_type"] == "CRASHED"
    took = datetime.fromisoformat(crashed["state"]["timestamp"]) - killed_at
    print(f"The killed run was marked as crashed after {took.total_seconds():.0f} s.")
    keys = asset_keys(stack)
    assert len(keys) > 350
    assert set(keys.values()) == {1}, "nothing is lost, nothing is created twice"
