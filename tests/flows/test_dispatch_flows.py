"""The flows and actions of dispatch with Prefect, both ways: forms, dry runs, reports with links."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from prefect import State

from connectors.field_nation.block import FieldNationConnection
from connectors.ledger.store import Ledger
from deployments.blocks import save_field_nation_block, save_sandbox_blocks
from deployments.local.prefect import LocalPrefect
from deployments.local.sandbox import Sandbox
from flows.actions import ACTIONS
from flows.dispatch_inbox import dispatch_inbox
from flows.dispatch_sweep import dispatch_sweep
from flows.dispatch_work_order import dispatch_work_order
from flows.preview_work_order import preview_work_order
from flows.sync_notes import sync_notes
from flows.sync_work_order import sync_work_order
from flows.work_order_sweep import work_order_sweep
from tasks.dispatch.settings import DispatchRules
from tasks.rules.dispatch.result import DispatchStatus
from tasks.shared.results import RunFailedError
from tests.support.dispatch import DISPATCH, OPEN, Board, rules
from tests.support.run_flow import FlowRunner, save_once
from tests.support.work_orders import FieldDesk, event_rules

pytestmark = [pytest.mark.anyio, pytest.mark.prefect]

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
async def board(left_open: None, prefect_server: LocalPrefect, sandbox: Sandbox, ledger: Path) -> Board:
    """The sandbox with all blocks saved under the name default."""
    sandbox.reset(assets=2, tickets=2)
    made = Board(sandbox, ledger)

    async def save() -> None:
        await save_sandbox_blocks(sandbox.info, ledger)
        await save_field_nation_block(sandbox.info)
        await DispatchRules(rules=rules(polling={"inbox_seconds": 0.1})).save("default", overwrite=True)

    await save_once(prefect_server, "dispatch", save)
    return made


@pytest.fixture
def artifacts(board: Board, prefect_server: LocalPrefect) -> FlowRunner:
    """Reads the artifacts that runs left."""
    return FlowRunner(board.sandbox, prefect_server, board.ledger)


async def test_one_record_is_shown_first_and_then_dispatched(board: Board, artifacts: FlowRunner) -> None:
    ticket = board.ticket()
    shown = await dispatch_work_order(ticket)
    assert (shown.step, shown.ref.reference) == ("create", f"CW-S-{ticket}")
    assert board.orders() == []
    assert "1 Harbour Street" in await artifacts.artifact("dispatch-preview")
    outcome = await dispatch_work_order(ticket, dry_run=False)
    [order] = board.orders()
    assert outcome.work_order_id == order["id"]
    report = await artifacts.artifact("dispatch-report")
    assert f"/workorders/{order['id']}" in report
    assert f"recid={ticket}" in report
    preview = await preview_work_order(ticket)
    assert preview.step == "nothing"


async def test_a_refusal_fails_the_run_and_names_what_is_missing(board: Board) -> None:
    ticket = board.ticket(requiredDate=None)
    state: State[Any] = await dispatch_work_order(ticket, dry_run=False, return_state=True)
    assert state.is_failed()
    assert "lacks start date and time" in str(state.message)
    with pytest.raises(RunFailedError, match="lacks start date and time") as caught:
        await dispatch_work_order(ticket, dry_run=False)
    assert caught.value.data.status is DispatchStatus.REFUSED


async def test_the_sweep_and_the_inbox_make_what_is_there(board: Board, artifacts: FlowRunner) -> None:
    first = board.ticket()
    dry = await dispatch_sweep()
    assert len(dry.previews) == 1
    swept = await dispatch_sweep(dry_run=False)
    assert swept.counts() == {"created": 1}
    assert f"CW-S-{first}" in (await artifacts.artifact("dispatch-report")).replace("\\", "")
    second = board.ticket("By callback")
    async with Ledger.open(board.ledger) as ledger:
        await ledger.inbox.put("connectwise", "m-1", {"Type": "ticket", "ID": second})
    served = await dispatch_inbox(run_seconds=1)
    assert "dispatch-inbox · 1 message" in await artifacts.run_names()
    assert served.results == {"created": 1}
    assert len(board.orders()) == 2


async def test_the_documented_actions_by_hand(board: Board) -> None:
    block: Any = await FieldNationConnection.aload("default")
    ticket = board.ticket(status=OPEN)
    create: Any = ACTIONS["work_order_creation"]
    update: Any = ACTIONS["work_order_update"]
    made = await create(connection=block, record_id=ticket)
    assert made.total == 1
    [order] = board.orders()
    board.change(ticket, summary="Other words")
    await update(connection=block, record_id=ticket)
    assert board.orders()[0]["title"] == f"[CW-S-{ticket}] Other words"
    await create(connection=block, record_id=ticket)
    assert [each["id"] for each in board.orders()] == [order["id"]]
    unknown: State[Any] = await update(connection=block, record_id=board.ticket(), return_state=True)
    assert "has no work order" in str(unknown.message)
    nothing: State[Any] = await create(connection=block, record_id=999_999, return_state=True)
    assert "no such record" in str(nothing.message)


def start_drain(server: LocalPrefect) -> subprocess.Popen[bytes]:
    code = (
        "import asyncio, sys; from flows.dispatch_inbox import dispatch_inbox; "
        "state = asyncio.run(dispatch_inbox(return_state=True)); sys.exit(not state.is_completed())"
    )
    return subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, env=dict(server.environment))


def stop_after_work(process: subprocess.Popen[bytes], board: Board) -> int:
    """Tell it to stop once it has made a work order; its exit code."""
    deadline = time.monotonic() + 60
    while not board.orders() and time.monotonic() < deadline:
        time.sleep(0.2)
    process.send_signal(signal.SIGTERM)
    return process.wait(timeout=30)


@pytest.mark.slow
async def test_the_drain_ends_cleanly_when_it_is_told_to(board: Board, prefect_server: LocalPrefect) -> None:
    ticket = board.ticket(status=DISPATCH)
    async with Ledger.open(board.ledger) as ledger:
        await ledger.inbox.put("connectwise", "m-1", {"Type": "ticket", "ID": ticket})
    assert stop_after_work(start_drain(prefect_server), board) == 0
    assert len(board.orders()) == 1


@pytest.fixture
async def desk(left_open: None, prefect_server: LocalPrefect, sandbox: Sandbox, ledger: Path) -> FieldDesk:
    """The scenario of dispatch with all blocks saved under the name default."""
    made = FieldDesk(sandbox, ledger)

    async def save() -> None:
        await save_sandbox_blocks(sandbox.info, ledger)
        await save_field_nation_block(sandbox.info)
        await DispatchRules(rules=event_rules()).save("default", overwrite=True)

    await save_once(prefect_server, "the way back", save)
    return made


@pytest.fixture
def reports(desk: FieldDesk, prefect_server: LocalPrefect) -> FlowRunner:
    return FlowRunner(desk.sandbox, prefect_server, desk.ledger)


async def test_one_work_order_is_shown_first_and_then_brought_back(
    desk: FieldDesk, reports: FlowRunner
) -> None:
    async with desk.run() as run:
        ticket, number = await desk.dispatched(run)
    desk.whole_life(number)
    shown = await sync_work_order(number)
    assert "would: status.name = Assigned" in shown.did
    assert desk.status(ticket) == "New"
    back = await sync_work_order(number, dry_run=False)
    assert (back.status, desk.status(ticket)) == (DispatchStatus.UPDATED, "Assigned")
    report = await reports.artifact("sync-work-order")
    assert f"/workorders/{number}" in report
    assert f"recid={ticket}" in report
    assert "an internal note for completed" in report
    desk.sandbox.delete("service/tickets", ticket)
    desk.provider(number, "message", message="Hello?")
    state: State[Any] = await sync_notes(number, dry_run=False, return_state=True)
    assert state.is_failed()
    assert "one of the two is gone" in str(state.message)


async def test_the_sweeps_write_only_when_they_are_told_to(desk: FieldDesk, reports: FlowRunner) -> None:
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
    report = (await reports.artifact("work-order-sweep")).replace("\\", "")
    assert f"has 2 living work orders, {number} and {twin['id']}" in report
    assert "copy message" not in await reports.artifact("sync-notes")


async def test_the_documented_actions_of_the_way_back(desk: FieldDesk) -> None:
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
