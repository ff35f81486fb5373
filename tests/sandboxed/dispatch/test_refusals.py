"""What Field Nation refuses is not sent again at every sweep, but as soon as it may end otherwise."""

from __future__ import annotations

from typing import Any

import pytest

from tasks.dispatch.reconcile import dispatch_record, retry_dispatch
from tasks.dispatch.run import DispatchRun
from tasks.dispatch.settings import CreateState
from tasks.dispatch.sweep import sweep
from tasks.rules.dispatch.result import DispatchResult, DispatchStatus
from tests.support.dispatch import QUICK, SERVICE, Board, rules

pytestmark = pytest.mark.anyio
PUBLISHING = rules(create_state=CreateState.PUBLISH)
CREATE, UPDATE, PUBLISH = "POST /workorders", "PUT /workorders/{id}", "POST /workorders/{id}/publish"


def refuse(board: Board, method: str, path: str, status: int = 400, **headers: str) -> None:
    fault = {"kind": "status", "status": status, "body": {"message": "not so"}, "headers": headers}
    board.sandbox.faults([{"system": "field_nation", "method": method, "path": path, "fault": fault}])


async def swept(board: Board, run: DispatchRun) -> tuple[list[DispatchResult], dict[str, int]]:
    """What a sweep told, and what it wrote at Field Nation."""
    board.sandbox.clear_requests()
    outcomes = (await sweep(run)).results
    sent = board.sent("field_nation")
    return outcomes, {name: number for name, number in sent.items() if not name.startswith("GET")}


async def test_a_refused_creation_is_told_each_time_and_sent_once(board: Board) -> None:
    refuse(board, "POST", "/workorders")
    ticket = board.ticket()
    async with board.run() as run:
        for wanted in ({CREATE: 1}, {}, {}):
            [outcome], written = await swept(board, run)
            assert (outcome.status, written) == (DispatchStatus.REFUSED, wanted)
            assert "not so" in outcome.message
        board.change(ticket, summary="Another summary")
        assert (await swept(board, run))[1] == {CREATE: 1}
        assert (await swept(board, run))[1] == {}
        board.sandbox.faults([])
        assert (await retry_dispatch(run, SERVICE, ticket)).status is DispatchStatus.CREATED


async def test_other_rules_send_a_refused_creation_again(board: Board) -> None:
    refuse(board, "POST", "/workorders")
    board.ticket()
    async with board.run() as run:
        await swept(board, run)
    async with board.run(rules(reference_prefix="CW", waiting=QUICK, polling={"at_once": 2})) as run:
        assert (await swept(board, run))[1] == {CREATE: 1}


async def test_a_refused_publishing_is_told_each_time_and_sent_once(board: Board) -> None:
    refuse(board, "POST", "/workorders/*/publish")
    ticket = board.ticket()
    async with board.run(PUBLISHING) as run:
        [outcome], written = await swept(board, run)
        assert written == {CREATE: 1, PUBLISH: 1}
        for _ in range(2):
            [outcome], written = await swept(board, run)
            assert ("not so" in outcome.warnings[0], written) == (True, {})
        # A person adds what was missing.
        changed: dict[str, Any] = {"description": {"html": "<p>With a ladder</p>"}}
        await run.field_nation.update_work_order(board.orders()[0]["id"], changed)
        assert (await swept(board, run))[1] == {PUBLISH: 1}
        assert (await swept(board, run))[1] == {}
        board.sandbox.faults([])
        assert (await retry_dispatch(run, SERVICE, ticket)).warnings == ()
    assert board.orders()[0]["status"]["name"] == "Published"


async def test_a_draft_that_a_person_published_is_not_told_of_any_more(board: Board) -> None:
    refuse(board, "POST", "/workorders/*/publish")
    ticket = board.ticket()
    async with board.run(PUBLISHING) as run:
        made = await dispatch_record(run, SERVICE, ticket)
        board.sandbox.faults([])
        await run.field_nation.publish_work_order(made.work_order_id or 0)
        refuse(board, "POST", "/workorders/*/publish")
        [outcome], written = await swept(board, run)
        assert (outcome.warnings, written) == ((), {})
    async with board.run(PUBLISHING, later=60) as run:
        assert (await sweep(run)).results == []


async def test_a_refused_update_is_not_sent_again_whoever_looks(board: Board) -> None:
    ticket = board.ticket()
    async with board.run() as run:
        made = await dispatch_record(run, SERVICE, ticket)
        refuse(board, "PUT", "/workorders/*")
        board.change(ticket, summary="Another summary")
        for wanted in (1, 0, 0):
            board.sandbox.clear_requests()
            outcome = await dispatch_record(run, SERVICE, ticket)
            assert (outcome.status, "not so" in outcome.message) == (DispatchStatus.REFUSED, True)
            assert board.sent("field_nation").get(UPDATE, 0) == wanted
        board.sandbox.faults([])
        await run.field_nation.update_work_order(made.work_order_id or 0, {"description": {"html": "x"}})
        assert (await dispatch_record(run, SERVICE, ticket)).status is DispatchStatus.UPDATED


async def test_what_only_passes_is_sent_again(board: Board) -> None:
    refuse(board, "POST", "/workorders/*/publish", 503, **{"Retry-After": "0"})
    ticket = board.ticket()
    async with board.run(PUBLISHING) as run:
        [outcome], _ = await swept(board, run)
        assert outcome.status is DispatchStatus.FAILED
        _, written = await swept(board, run)
        assert written[PUBLISH] > 0
        board.sandbox.faults([])
        [untold] = (await dispatch_record(run, SERVICE, ticket)).warnings
        assert "no custom field 'FN Work Order'" in untold
    assert board.orders()[0]["status"]["name"] == "Published"
