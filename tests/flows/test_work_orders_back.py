"""The flows and actions of the way back with Prefect: a dry run, a report with links, forms."""

from __future__ import annotations

import gc
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from prefect import State

from connectors.field_nation.block import FieldNationConnection
from deployments.blocks import save_field_nation_block, save_sandbox_blocks
from deployments.local.prefect import LocalPrefect
from deployments.local.sandbox import Sandbox
from flows.actions import ACTIONS
from flows.sync_notes import sync_notes
from flows.sync_work_order import sync_work_order
from flows.work_order_sweep import work_order_sweep
from tasks.dispatch.settings import DispatchRules
from tasks.rules.dispatch.result import DispatchStatus
from tests.support.run_flow import FlowRunner, save_once
from tests.support.work_orders import BackWorld, back_rules

pytestmark = [pytest.mark.anyio, pytest.mark.prefect]


@pytest.fixture
async def desk(prefect_server: LocalPrefect, sandbox: Sandbox, ledger: Path) -> AsyncIterator[BackWorld]:
    """The scenario of dispatch with all blocks saved under the name default."""
    made = BackWorld(sandbox, ledger)

    async def save() -> None:
        await save_sandbox_blocks(sandbox.info, ledger)
        await save_field_nation_block(sandbox.info)
        await DispatchRules(rules=back_rules()).save("default", overwrite=True)

    await save_once(prefect_server, "the way back", save)
    yield made
    gc.collect()


@pytest.fixture
def artifacts(desk: BackWorld, prefect_server: LocalPrefect) -> FlowRunner:
    return FlowRunner(desk.sandbox, prefect_server, desk.ledger)


async def test_one_work_order_is_shown_first_and_then_brought_back(
    desk: BackWorld, artifacts: FlowRunner
) -> None:
    async with desk.run() as run:
        ticket, number = await desk.dispatched(run)
    desk.whole_life(number)
    shown = await sync_work_order(number)
    assert "would: status.name = Assigned" in shown.did
    assert desk.status(ticket) == "New"
    back = await sync_work_order(number, dry_run=False)
    assert (back.status, desk.status(ticket)) == (DispatchStatus.UPDATED, "Assigned")
    report = await artifacts.artifact("sync-work-order")
    assert f"/workorders/{number}" in report
    assert f"recid={ticket}" in report
    assert "an internal note for completed" in report
    desk.sandbox.delete("service/tickets", ticket)
    desk.provider(number, "message", message="Hello?")
    state: State[Any] = await sync_notes(number, dry_run=False, return_state=True)
    assert state.is_failed()
    assert "one of the two is gone" in str(state.message)


async def test_the_sweeps_write_only_when_they_are_told_to(desk: BackWorld, artifacts: FlowRunner) -> None:
    async with desk.run() as run:
        ticket, number = await desk.dispatched(run)
        twin = await run.field_nation.create_work_order({"title": f"[CW-S-{ticket}] Again"})
    desk.whole_life(number)
    desk.provider(number, "message", message="Which gate?")
    await sync_notes()
    state: State[Any] = await work_order_sweep(return_state=True)
    assert "2 living work orders" in str(state.message)
    assert (desk.status(ticket), desk.notes(ticket)) == ("New", [])
    state = await work_order_sweep(dry_run=False, return_state=True)
    assert state.name == "Finished with 2 failures"
    await sync_notes(dry_run=False)
    assert desk.status(ticket) == "Assigned"
    assert len(desk.notes(ticket)) == 2
    report = (await artifacts.artifact("work-order-sweep")).replace("\\", "")
    assert f"has 2 living work orders, {number} and {twin['id']}" in report
    assert "copy message" not in await artifacts.artifact("sync-notes")


async def test_the_documented_actions_by_hand(desk: BackWorld) -> None:
    block: Any = await FieldNationConnection.aload("default")
    synchronize: Any = ACTIONS["status_synchronization"]
    copy: Any = ACTIONS["notes_sync"]
    async with desk.run() as run:
        ticket, number = await desk.dispatched(run)
        stranger = (await run.field_nation.create_work_order({"title": "Mine"}))["id"]
    desk.whole_life(number)
    desk.provider(number, "message", message="Which gate?")
    for _ in range(2):
        assert (await synchronize(connection=block, work_order_id=number)).total == 1
        await copy(connection=block, work_order_id=number)
    assert (desk.status(ticket), len(desk.notes(ticket)), len(desk.times(ticket))) == ("Assigned", 2, 1)
    state: State[Any] = await synchronize(connection=block, work_order_id=stranger, return_state=True)
    assert "belongs to no record that is known" in str(state.message)
