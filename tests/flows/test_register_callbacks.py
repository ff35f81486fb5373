"""register-callbacks against the sandbox: dry, twice, through faults, and taken back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from connectors.errors import StopError
from deployments.blocks import save_field_nation_block, save_sandbox_blocks
from deployments.local.prefect import LocalPrefect
from deployments.local.sandbox import Sandbox
from flows.register_callbacks import ARTIFACT_KEY, register_callbacks
from tasks.dispatch.registration import RegisteredEntry, Registration
from tasks.shared.connections import field_nation_client
from tests.support.run_flow import FlowRunner, save_once

pytestmark = [pytest.mark.anyio, pytest.mark.prefect]
ADDRESS = "https://hooks.example.com"
SECRET = "5f4dcc3b-5aa7-4000-8000-65d61d8327de"


@pytest.fixture
async def connected(sandbox: Sandbox, prefect_server: LocalPrefect, ledger: Path) -> FlowRunner:
    async def save() -> None:
        await save_sandbox_blocks(sandbox.info, ledger)
        await save_field_nation_block(sandbox.info, SECRET)

    await save_once(prefect_server, "callbacks", save)
    return FlowRunner(sandbox, prefect_server, ledger)


async def registered(**given: Any) -> list[tuple[str, str]]:
    """System and outcome of every entry."""
    rows: list[RegisteredEntry] = await register_callbacks(**{"address": ADDRESS, "dry_run": False} | given)
    return [(each.system, each.outcome) for each in rows]


async def webhooks() -> list[dict[str, Any]]:
    async with field_nation_client("default") as client:
        return await client.list_webhooks()


async def test_a_dry_run_writes_nothing_the_next_makes_both_and_the_third_finds_them(
    connected: FlowRunner,
) -> None:
    both = ("ConnectWise", "Field Nation")
    assert await registered(dry_run=True) == [(each, "would be created") for each in both]
    assert connected.sandbox.requests()["writes"] == 0
    assert "would be created" in await connected.artifact(ARTIFACT_KEY)
    assert await registered() == [(each, "created") for each in both]
    (entry,) = connected.sandbox.state("system/callbacks")
    assert (entry["type"], entry["level"], entry["objectId"]) == ("Ticket", "Owner", 1)
    assert entry["url"] == f"{ADDRESS}/connectwise/callbacks?recordId="
    (webhook,) = await webhooks()
    assert (webhook["url"], webhook["status"]) == (f"{ADDRESS}/field-nation/webhooks", "active")
    connected.sandbox.clear_requests()
    assert await registered() == [(each, "there") for each in both]
    assert await registered(what=Registration.LIST, address="") == [
        (each, "of another receiver") for each in both
    ]
    assert connected.sandbox.requests()["writes"] == 0


async def test_removing_takes_ours_and_leaves_the_others(connected: FlowRunner) -> None:
    await registered(address="https://old.example.com")
    await registered()
    assert sorted(await registered(what=Registration.REMOVE)) == [
        ("ConnectWise", "of another receiver"),
        ("ConnectWise", "removed"),
        ("Field Nation", "of another receiver"),
        ("Field Nation", "removed"),
    ]
    assert [each["url"] for each in await webhooks()] == ["https://old.example.com/field-nation/webhooks"]
    assert len(connected.sandbox.state("system/callbacks")) == 1


async def test_boards_a_lost_answer_and_a_webhook_that_was_switched_off(connected: FlowRunner) -> None:
    board = connected.sandbox.state("service/boards")[0]
    lost = {"kind": "drop_after"}
    connected.sandbox.faults(
        [
            {
                "system": "connectwise",
                "method": "POST",
                "path": "/system/callbacks",
                "fault": lost,
                "nth": [1],
            },
            {"system": "field_nation", "method": "POST", "path": "/webhooks", "fault": lost, "nth": [1]},
        ]
    )
    assert await registered(boards=[board["name"].upper()]) == [
        ("ConnectWise", "created"),
        ("Field Nation", "created"),
    ]
    assert connected.sandbox.faults_fired() == [1, 1]
    (entry,) = connected.sandbox.state("system/callbacks")
    assert (entry["level"], entry["objectId"]) == ("Board", board["id"])
    (webhook,) = await webhooks()
    async with field_nation_client("default") as client:
        await client.update_webhook(webhook["webhookId"], {"status": "inactive"})
    assert ("Field Nation", "changed") in await registered(boards=[board["name"]])
    assert [each["status"] for each in await webhooks()] == ["active"]


async def test_what_can_not_work_is_said_before_anything_is_written(connected: FlowRunner) -> None:
    with pytest.raises(StopError, match="must begin with https"):
        await registered(address="http://hooks.example.com")
    with pytest.raises(StopError, match="no board Nowhere"):
        await registered(boards=["Nowhere"])
    await save_field_nation_block(connected.sandbox.info)
    with pytest.raises(StopError, match="no webhook secret"):
        await registered()
    assert await webhooks() == []
