"""A run on each worker, one budget, one lease whatever server is asked, and a server killed in mid-run."""

from __future__ import annotations

import uuid
from collections import Counter
from typing import Any

import httpx
import pytest

from connectors.retry import AttemptOutcome
from tests.cluster.conftest import LIMIT, WINDOW
from tests.cluster.stack import Cluster
from tests.support.budget import follow, most_in_a_window
from tests.support.local_stack import ENDED, kill_with_descendants
from tests.support.run_flow import QUICK, custom_value

BULK = "POST /company/configurations/bulk"
SLOW = [
    {
        "system": "connectwise",
        "path": "/company/configurations/bulk",
        "every": 1,
        "fault": {"kind": "delay", "seconds": 20},
    }
]
PATIENCE = 180


@pytest.fixture(autouse=True)
def fresh(stack: Cluster) -> None:
    """The sandbox's data as at its start; the servers, the workers and the ledger go on."""
    stack.sandbox.reset()


def synchronize(stack: Cluster, *, dry_run: bool, **waiting: float) -> str:
    settings = {
        "company": stack.sandbox.company,
        "dry_run": dry_run,
        "ceilings": {"go_on": True},
        "waiting": QUICK.model_dump() | waiting,
    }
    return stack.start_run("asset-synchronization", settings=settings)


def asset_keys(stack: Cluster) -> Counter[str]:
    records = stack.sandbox.state("company/configurations")
    own = [each for each in records if each["company"]["id"] == stack.sandbox.company_id]
    return Counter(key for each in own if (key := custom_value(each, "ls_asset_id")))


def logs_of(stack: Cluster, run_id: str) -> str:
    body = {"logs": {"flow_run_id": {"any_": [run_id]}}, "limit": 200}
    return "\n".join(each["message"] for each in stack.call("POST", "/logs/filter", body))


def test_a_run_on_each_worker_within_one_budget(stack: Cluster) -> None:
    # The vendor counts as well, by its own clock, and refuses one request too many.
    stack.sandbox.clear_requests()
    stack.sandbox.switch(rate_limit=[LIMIT, WINDOW])
    runs = [synchronize(stack, dry_run=True) for _ in range(2)]
    seen = follow(
        stack.sandbox, lambda: all(stack.run(each)["state_type"] in ENDED for each in runs), PATIENCE
    )
    ended = [stack.run(each) for each in runs]
    assert [each["state_type"] for each in ended] == ["COMPLETED", "COMPLETED"], ended
    assert {each["labels"]["prefect.worker.name"] for each in ended} == {"worker-one", "worker-two"}
    assert seen[-1][1] > 2 * LIMIT, "too few requests for the budget to matter"
    assert most_in_a_window(seen, WINDOW) <= LIMIT
    assert not any(str(AttemptOutcome.RATE_LIMITED) in logs_of(stack, each) for each in runs)


def test_the_migration_registered_the_blocks_of_prefect_and_ours(stack: Cluster) -> None:
    slugs = {each["slug"] for each in stack.call("POST", "/block_types/filter", {})}
    assert {"slack-webhook", "s3-bucket", "local-file-system", "integration-ledger"} <= slugs


def test_a_lease_of_one_server_is_held_renewed_and_freed_by_the_other(stack: Cluster) -> None:
    first, second = (f"http://{address}/api" for address in stack.addresses.values())

    def ask(server: str, path: str, body: dict[str, Any]) -> httpx.Response:
        return httpx.post(f"{server}/v2/concurrency_limits/{path}", json=body, timeout=60)

    name = f"limit-{uuid.uuid4()}"
    ask(first, "", {"name": name, "limit": 1}).raise_for_status()
    wanted = {"names": [name], "slots": 1, "mode": "concurrency", "lease_duration": 60}
    lease = ask(first, "increment-with-lease", wanted).raise_for_status().json()["lease_id"]
    assert ask(second, "increment-with-lease", wanted).status_code == httpx.codes.LOCKED
    ask(second, f"leases/{lease}/renew", {"lease_duration": 60}).raise_for_status()
    ask(second, "decrement-with-lease", {"lease_id": lease}).raise_for_status()
    ask(first, "increment-with-lease", wanted).raise_for_status()


def test_one_run_at_a_time_writes_and_goes_on_when_a_server_is_killed(stack: Cluster) -> None:
    """The last test: one server is gone then."""
    stack.sandbox.faults(SLOW)
    before = stack.served(BULK)
    writing = synchronize(stack, dry_run=False)
    stack.wait_until_served(BULK, before + 1, PATIENCE)
    refused = stack.wait_for_end(synchronize(stack, dry_run=False, lease_seconds=1), PATIENCE)
    assert refused["state_type"] == "CANCELLED"
    assert "Another run writes to company" in refused["state"]["message"]

    assert stack.run(writing)["state_type"] == "RUNNING"
    assert kill_with_descendants(stack.servers["first"].pid) >= 1
    stack.servers["first"].wait(timeout=10)
    stack.sandbox.faults([])
    ended = stack.wait_for_end(writing, PATIENCE)
    assert ended["state_type"] == "COMPLETED", ended["state"]
    names = {each["labels"]["prefect.worker.name"] for each in (refused, ended)}
    assert names == {"worker-one", "worker-two"}
    assert set(asset_keys(stack).values()) == {1}, "nothing is created twice"

    again = stack.wait_for_end(synchronize(stack, dry_run=False), PATIENCE)
    assert again["state_type"] == "COMPLETED", "the lease was not freed, or the other server gives out none"
