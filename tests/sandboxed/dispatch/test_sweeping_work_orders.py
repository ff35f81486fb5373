"""The sweep over work orders: what webhooks missed, what is over, who is a stranger, two of one record."""

from __future__ import annotations

from pathlib import Path

import pytest

from connectors.errors import RejectedError, StopError
from connectors.retry import RequestKind
from deployments.local.sandbox import Sandbox
from tasks.dispatch.inbox import handle_notes, handle_work_order
from tasks.dispatch.notes import preview_copies
from tasks.dispatch.sweep import sweep_notes, sweep_work_orders
from tasks.dispatch.work_order_events import preview_events
from tasks.rules.dispatch.result import DispatchStatus
from tests.support.work_orders import BackWorld

pytestmark = pytest.mark.anyio


@pytest.fixture
def desk(sandbox: Sandbox, tmp_path: Path) -> BackWorld:
    return BackWorld(sandbox, tmp_path / "ledger.db")


async def test_a_sweep_brings_back_what_is_new_and_then_only_lists(desk: BackWorld) -> None:
    async with desk.run() as run:
        ticket, number = await desk.dispatched(run)
        _, quiet = await desk.dispatched(run, place=1)
        await run.field_nation.create_work_order({"title": "Of somebody else"})
        desk.whole_life(number)
        first = await sweep_work_orders(run)
        assert (first.listed, first.strangers, first.unlisted) == (3, 1, 0)
        assert {back.work_order_id: back.status for back in first.results} == {
            number: DispatchStatus.UPDATED,
            quiet: DispatchStatus.UNCHANGED,
        }
        desk.sandbox.clear_requests()
        second = await sweep_work_orders(run)
    assert (second.passed, second.results, second.doubles) == (2, [], [])
    assert desk.sent() == {"connectwise": {}, "field_nation": {"GET /workorders": 3}}
    assert desk.status(ticket) == "Assigned"


async def test_a_dry_sweep_says_what_it_would_do_and_writes_nothing(desk: BackWorld) -> None:
    async with desk.run() as run:
        ticket, number = await desk.dispatched(run)
        desk.whole_life(number)
        desk.provider(number, "message", message="Done")
        before = desk.status(ticket)
        dry = await sweep_work_orders(run, dry_run=True)
        notes = await sweep_notes(run, dry_run=True)
        assert [name for sent in desk.sent().values() for name in sent if not name.startswith("GET")] == []
        wet = await sweep_work_orders(run)
    assert (before, desk.status(ticket)) == ("New", "Assigned")
    assert sorted(words.removeprefix("would: ") for words in dry.results[0].did) == sorted(wet.results[0].did)
    assert [back.did for back in notes] == [("would: copy message 2 to ConnectWise",)]


async def test_what_no_list_holds_is_read_until_it_is_over(desk: BackWorld) -> None:
    """Paid and cancelled ones leave the lists."""
    async with desk.run() as run:
        _, number = await desk.dispatched(run)
        _, deleted = await desk.dispatched(run, place=1)
        await run.field_nation.send(RequestKind.MODIFY, "DELETE", f"/workorders/{deleted}/publish")
        await run.field_nation.cancel_work_order(deleted, "not wanted")
        first = await sweep_work_orders(run)
        assert (first.unlisted, len(first.results)) == (1, 2)
        desk.sandbox.clear_requests()
        second = await sweep_work_orders(run)
    assert (second.unlisted, second.passed) == (0, 1)
    assert desk.sent()["field_nation"] == {"GET /workorders": 3}
    assert number != deleted


async def test_two_living_work_orders_of_one_record_are_reported(desk: BackWorld) -> None:
    async with desk.run() as run:
        ticket, number = await desk.dispatched(run)
        twin = (await run.field_nation.create_work_order({"title": f"[CW-S-{ticket}] Again"}))["id"]
        swept = await sweep_work_orders(run)
    [words] = swept.doubles
    assert f"CW-S-{ticket} has 2 living work orders, {number} and {twin}" in words
    assert [back.work_order_id for back in swept.results if back.status is DispatchStatus.REPORTED] == [twin]


async def test_one_that_fails_does_not_keep_the_others(desk: BackWorld) -> None:
    async with desk.run() as run:
        pairs = [await desk.dispatched(run, place=place) for place in range(3)]
        for _, number in pairs:
            desk.provider(number, "accept")
        path = f"/workorders/{pairs[1][1]}"
        status = {"kind": "status", "status": 500}
        rule = {"system": "field_nation", "method": "GET", "path": path, "share": 1.0, "fault": status}
        desk.sandbox.faults([rule])
        swept = await sweep_work_orders(run)
        desk.sandbox.faults([])
        again = await sweep_work_orders(run)
    assert swept.counts() == {DispatchStatus.UPDATED: 2, DispatchStatus.FAILED: 1}
    assert again.counts() == {DispatchStatus.UPDATED: 1}


@pytest.mark.slow
async def test_wrong_credentials_end_the_sweep(desk: BackWorld) -> None:
    async with desk.run() as run:
        _, number = await desk.dispatched(run)
        desk.provider(number, "accept")
        status = {"kind": "status", "status": 401}
        rule = {"system": "connectwise", "path": "/service/tickets/*", "share": 1.0, "fault": status}
        desk.sandbox.faults([rule])
        with pytest.raises(StopError):
            await sweep_work_orders(run)
        desk.sandbox.faults([])
        assert (await sweep_work_orders(run)).counts() == {DispatchStatus.UPDATED: 1}


async def test_a_message_about_a_work_order_copies_notes_only_where_there_are_messages(
    desk: BackWorld,
) -> None:
    async with desk.run() as run:
        ticket, number = await desk.dispatched(run)
        desk.provider(number, "accept")
        assert (await handle_work_order(run, number)).done
        assert "GET /workorders/{id}/messages" not in desk.sent()["field_nation"]
        desk.provider(number, "message", message="Which gate?")
        for _ in range(2):
            assert (await handle_work_order(run, number)).done
        assert desk.sent()["field_nation"]["GET /workorders/{id}/messages"] == 1
        note = {"ticketId": ticket, "text": "Gate 3", "detailDescriptionFlag": True, "member": {"id": 1}}
        desk.sandbox.add("service/tickets/notes", note)
        assert (await handle_notes(run, number)).done
        assert (await handle_work_order(run, 5)).done
        assert [one["message"].partition(" ")[0] for one in await run.field_nation.list_messages(number)] == [
            "Which",
            "Ada",
        ]
    assert sum("Which gate?" in one["text"] for one in desk.notes(ticket)) == 1


@pytest.mark.slow
async def test_previews_of_strangers_say_so(desk: BackWorld) -> None:
    async with desk.run() as run:
        alone = (await run.field_nation.create_work_order({"title": "Mine"}))["id"]
        assert (await preview_events(run, alone)).status is DispatchStatus.OUTSIDE
        assert (await preview_copies(run, alone)).status is DispatchStatus.OUTSIDE
        with pytest.raises(RejectedError):
            await run.field_nation.get_work_order(5)
