"""One record through its life: created, updated, left, closed, reopened.

And with a process killed in between, a creation whose answer was lost, a record that changed meanwhile.
"""

from __future__ import annotations

from typing import Any

import anyio
import pytest

from deployments.blocks import trial_rules
from deployments.local.up import trial_ticket
from tasks.dispatch.notes import copy_notes
from tasks.dispatch.reconcile import dispatch_record, retry_dispatch
from tasks.dispatch.rule_names import rule_name_problems
from tasks.dispatch.run import DispatchRun
from tasks.dispatch.settings import CreateState, OnLeave, WorkOrderDefaults, WriteBack
from tasks.dispatch.sweep import sweep
from tasks.rules.dispatch.result import DispatchResult, DispatchStatus
from tests.support.dispatch import DISPATCH, OPEN, SERVICE, Board, rules
from tests.support.kill import Killed, Killer, KillingLedger, KillingTransport

pytestmark = pytest.mark.anyio

CANCELLING = rules(on_leave=OnLeave.CANCEL)
CLOSED = "Completed"


async def dispatched(run: DispatchRun, ticket: int, *results: DispatchStatus) -> DispatchResult:
    outcome = await dispatch_record(run, SERVICE, ticket)
    assert outcome.status in results, outcome
    return outcome


async def test_a_ticket_in_the_trigger_becomes_one_work_order(board: Board) -> None:
    ticket = board.ticket()
    async with board.run() as run:
        first = await dispatched(run, ticket, DispatchStatus.CREATED)
        await dispatched(run, ticket, DispatchStatus.UNCHANGED)
    [order] = board.orders()
    assert order["id"] == first.work_order_id
    assert order["title"] == f"[CW-S-{ticket}] Replace the access point"
    assert order["incident_id"] == f"CW-S-{ticket}"
    assert order["location"]["address1"] == "1 Harbour Street"
    assert order["status"]["name"] == "Draft"


async def test_a_ticket_outside_of_the_trigger_is_left_alone(board: Board) -> None:
    ticket = board.ticket(status=OPEN)
    async with board.run() as run:
        await dispatched(run, ticket, DispatchStatus.OUTSIDE)
        assert await run.ledger.intents.newest(run.tenant, "service", ticket) is None
    assert board.orders() == []
    assert board.sent("field_nation") == {}


async def test_only_what_differs_is_sent_and_what_people_changed_stays(board: Board) -> None:
    ticket = board.ticket()
    async with board.run() as run:
        number = (await dispatched(run, ticket, DispatchStatus.CREATED)).work_order_id or 0
        await run.field_nation.update_work_order(number, {"description": {"html": "<p>By hand</p>"}})
        board.change(ticket, summary="Replace the switch", zip="33603")
        updated = await dispatched(run, ticket, DispatchStatus.UPDATED)
        await dispatched(run, ticket, DispatchStatus.UNCHANGED)
        listed = await run.ledger.write_list.find(most=100)
    assert [(each.operation, each.kind, each.record) for each in listed] == [
        ("create", "work order", str(number)),
        ("modify", "work order", str(number)),
    ]
    assert ":company-" in listed[1].tenant
    assert updated.message in ("changed location, title", "changed description, location, title")
    [order] = board.orders()
    assert order["title"] == f"[CW-S-{ticket}] Replace the switch"
    assert order["location"]["zip"] == "33603"
    assert order["location"]["address1"] == "1 Harbour Street"


async def test_the_figures_of_a_creation(board: Board) -> None:
    settings = rules(write_back=WriteBack(status="Waiting on customer"))
    first, second = board.ticket(), board.ticket("Another")
    async with board.run(settings) as run:
        await run.client.company_info()
        board.sandbox.clear_requests()
        await dispatched(run, first, DispatchStatus.CREATED)
        assert sum(board.sent("connectwise").values()) <= 5
        assert sum(board.sent("field_nation").values()) <= 2
        board.sandbox.clear_requests()
        await dispatched(run, second, DispatchStatus.CREATED)
    assert sum(board.sent("connectwise").values()) == 3
    assert sum(board.sent("field_nation").values()) == 2


async def test_a_new_ticket_is_published_in_two_requests(board: Board) -> None:
    async with board.run(rules(create_state=CreateState.PUBLISH)) as run:
        await dispatched(run, board.ticket(), DispatchStatus.CREATED)
    ticket = board.ticket("Later")
    async with board.run(rules(create_state=CreateState.PUBLISH), later=-600) as run:
        await run.ledger.state.set(run.tenant, "dispatch-begun", {"at": "2020-01-01T00:00:00Z"})
        board.sandbox.clear_requests()
        await dispatched(run, ticket, DispatchStatus.CREATED)
    sent = board.sent("field_nation")
    assert sent == {"POST /workorders": 1, "POST /workorders/{id}/publish": 1}


async def test_what_cannot_be_published_stays_a_draft_and_is_said(board: Board) -> None:
    settings = rules(create_state=CreateState.PUBLISH, work_orders=WorkOrderDefaults(template_id=999))
    ticket = board.ticket()
    async with board.run(settings) as run:
        outcome = await dispatched(run, ticket, DispatchStatus.CREATED)
        assert "stays a draft" in " ".join(outcome.warnings)
        await run.field_nation.update_work_order(
            outcome.work_order_id or 0,
            {"types_of_work": [{"id": 103}], "pay": {"type": "fixed", "base": {"amount": 1, "units": 1}}},
        )
        await dispatched(run, ticket, DispatchStatus.UNCHANGED)
    assert board.orders()[0]["status"]["name"] == "Published"


async def test_leaving_before_assignment_is_reported_once(board: Board) -> None:
    ticket = board.ticket()
    async with board.run() as run:
        await dispatched(run, ticket, DispatchStatus.CREATED)
        board.move(ticket, OPEN)
        told = await dispatched(run, ticket, DispatchStatus.REPORTED)
        assert "left the trigger" in told.message
        await dispatched(run, ticket, DispatchStatus.UNCHANGED)
    assert len(board.living(f"CW-S-{ticket}")) == 1


@pytest.mark.parametrize("status", [OPEN, CLOSED])
async def test_leaving_or_closing_cancels_where_that_is_set_and_coming_back_makes_another(
    board: Board, status: str
) -> None:
    ticket = board.ticket()
    async with board.run(CANCELLING) as run:
        first = await dispatched(run, ticket, DispatchStatus.CREATED)
        board.move(ticket, status)
        await dispatched(run, ticket, DispatchStatus.CANCELLED)
        await dispatched(run, ticket, DispatchStatus.UNCHANGED)
        board.move(ticket, DISPATCH)
        second = await dispatched(run, ticket, DispatchStatus.CREATED)
        await dispatched(run, ticket, DispatchStatus.UNCHANGED)
    assert first.work_order_id != second.work_order_id
    assert board.living(f"CW-S-{ticket}") == [second.work_order_id]


async def test_after_assignment_nothing_is_cancelled(board: Board) -> None:
    ticket = board.ticket()
    async with board.run(rules(on_leave=OnLeave.CANCEL, create_state=CreateState.PUBLISH)) as run:
        number = (await dispatched(run, ticket, DispatchStatus.CREATED)).work_order_id or 0
        board.sandbox.provider(number, "accept")
        board.move(ticket, OPEN)
        await dispatched(run, ticket, DispatchStatus.UNCHANGED)
        board.move(ticket, CLOSED)
        told = await dispatched(run, ticket, DispatchStatus.REPORTED)
        assert "after assignment nothing is cancelled" in told.message
        await dispatched(run, ticket, DispatchStatus.UNCHANGED)
        board.move(ticket, DISPATCH)
        await dispatched(run, ticket, DispatchStatus.UNCHANGED)
    assert board.living(f"CW-S-{ticket}") == [number]


async def test_a_ticket_whose_work_order_was_cancelled_by_a_person_gets_no_other_until_it_comes_back(
    board: Board,
) -> None:
    ticket = board.ticket()
    async with board.run() as run:
        number = (await dispatched(run, ticket, DispatchStatus.CREATED)).work_order_id or 0
        await run.field_nation.cancel_work_order(number, "not needed")
        board.change(ticket, summary="Changed since")
        await dispatched(run, ticket, DispatchStatus.UNCHANGED)
        board.move(ticket, OPEN)
        await dispatched(run, ticket, DispatchStatus.UNCHANGED)
        board.move(ticket, DISPATCH)
        await dispatched(run, ticket, DispatchStatus.CREATED)
    assert len(board.living(f"CW-S-{ticket}")) == 1


async def test_a_deleted_ticket_is_reported(board: Board) -> None:
    ticket = board.ticket()
    async with board.run() as run:
        await dispatched(run, ticket, DispatchStatus.CREATED)
        board.sandbox.delete("service/tickets", ticket)
        assert "was deleted" in (await dispatched(run, ticket, DispatchStatus.REPORTED)).message
        await dispatched(run, ticket, DispatchStatus.UNCHANGED)


async def test_a_late_look_at_an_old_record_changes_nothing(board: Board) -> None:
    ticket = board.ticket()
    async with board.run() as run:
        old: dict[str, Any] = await run.client.tickets("service").get(ticket)
        await dispatched(run, ticket, DispatchStatus.CREATED)
        await dispatch_record(run, SERVICE, ticket, record={**old, "summary": "Old"})
    assert "Old" not in board.orders()[0]["title"]


PUBLISHING = rules(create_state=CreateState.PUBLISH)
PUBLISH = "POST /workorders/{id}/publish"


def refuse_publishing(board: Board, limit: int | None = None) -> None:
    fault = {"kind": "status", "status": 400, "body": {"message": "not now"}}
    path = {"system": "field_nation", "method": "POST", "path": "/workorders/*/publish"}
    board.sandbox.faults([{**path, "limit": limit, "fault": fault}])


async def test_a_cancelled_draft_is_not_published_again_and_again(board: Board) -> None:
    refuse_publishing(board)
    ticket = board.ticket()
    async with board.run(PUBLISHING) as run:
        made = await dispatch_record(run, SERVICE, ticket)
        assert "stays a draft" in made.warnings[0]
        await run.field_nation.cancel_work_order(made.work_order_id or 0, "by hand")
        told = await dispatch_record(run, SERVICE, ticket)
        assert (told.status, told.warnings) == (DispatchStatus.UNCHANGED, ())
        board.sandbox.clear_requests()
        await dispatch_record(run, SERVICE, ticket)
    assert PUBLISH not in board.sent("field_nation")


async def test_a_draft_that_could_not_be_published_is_published_when_a_person_asks(board: Board) -> None:
    refuse_publishing(board, limit=1)
    ticket = board.ticket()
    async with board.run(PUBLISHING) as run:
        assert (await dispatch_record(run, SERVICE, ticket)).warnings
        assert (await retry_dispatch(run, SERVICE, ticket)).warnings == ()
    [order] = board.orders()
    assert order["status"]["name"] == "Published"


async def test_the_description_of_a_found_work_order_is_no_message_to_copy(board: Board) -> None:
    rule = {"system": "field_nation", "method": "POST", "path": "/workorders", "nth": [1]}
    board.sandbox.faults([{**rule, "fault": {"kind": "drop_after"}}])
    ticket = board.ticket(initialDescription="Bring a ladder")
    async with board.run() as run:
        unclear = await dispatch_record(run, SERVICE, ticket, wait=False)
        assert unclear.status is DispatchStatus.UNCLEAR
        board.move(ticket, OPEN)
        found = await dispatch_record(run, SERVICE, ticket)
        assert found.status is DispatchStatus.ADOPTED
        assert (await copy_notes(run, found.work_order_id or 0)).did == ()
    [order] = board.orders()
    assert "Bring a ladder" in order["description"]["html"]
    assert order["messages"]["results"] == []


async def test_what_changed_before_a_work_order_was_found_is_sent_by_the_next_sweep(board: Board) -> None:
    rule = {"system": "field_nation", "method": "POST", "path": "/workorders", "nth": [1]}
    board.sandbox.faults([{**rule, "fault": {"kind": "drop_after"}}])
    ticket = board.ticket("Replace the router")
    async with board.run() as run:
        assert (await dispatch_record(run, SERVICE, ticket, wait=False)).status is DispatchStatus.UNCLEAR
        board.change(ticket, summary="Replace the switch")
        assert (await dispatch_record(run, SERVICE, ticket)).status is DispatchStatus.ADOPTED
    async with board.run(later=10) as run:
        await sweep(run)
    [order] = board.orders()
    assert order["title"] == f"[CW-S-{ticket}] Replace the switch"


async def test_a_found_work_order_of_a_record_that_left_is_not_published_and_its_leaving_is_told(
    board: Board,
) -> None:
    rule = {"system": "field_nation", "method": "POST", "path": "/workorders", "nth": [1]}
    board.sandbox.faults([{**rule, "fault": {"kind": "drop_after"}}])
    ticket = board.ticket()
    async with board.run() as run:
        await dispatch_record(run, SERVICE, ticket, wait=False)
        board.move(ticket, OPEN)
        assert (await dispatch_record(run, SERVICE, ticket)).status is DispatchStatus.ADOPTED
        [order] = board.orders()
        assert order["status"]["name"] == "Draft"
        assert (await dispatch_record(run, SERVICE, ticket)).status is DispatchStatus.REPORTED


async def test_a_found_work_order_of_a_record_that_left_is_cancelled_where_that_is_set(board: Board) -> None:
    rule = {"system": "field_nation", "method": "POST", "path": "/workorders", "nth": [1]}
    board.sandbox.faults([{**rule, "fault": {"kind": "drop_after"}}])
    ticket = board.ticket()
    async with board.run(rules(on_leave="cancel")) as run:
        await dispatch_record(run, SERVICE, ticket, wait=False)
        board.move(ticket, OPEN)
        assert (await dispatch_record(run, SERVICE, ticket)).status is DispatchStatus.ADOPTED
        assert (await dispatch_record(run, SERVICE, ticket)).status is DispatchStatus.CANCELLED
    assert [each["status"]["name"] for each in board.orders()] == ["Deleted"]


CANCELLING_PUBLISHED = rules(create_state=CreateState.PUBLISH, on_leave="cancel")


@pytest.fixture
def no_limits(board: Board) -> None:
    """These tests send more than 60 requests a minute."""
    board.sandbox.switch(field_nation_rate_limit=None)


async def killed_leaving(board: Board, ticket: int, killer: Killer, how: str) -> bool:
    """Whether the kill came while the leaving was worked on; False: there are not so many steps."""
    wrap: dict[str, Any] = {"wrap": lambda inner: KillingTransport(inner, killer)} if how == "request" else {}
    async with board.run(CANCELLING_PUBLISHED, **wrap) as run:
        if how == "ledger":
            for name in ("intents", "links"):
                setattr(run.ledger, name, KillingLedger(getattr(run.ledger, name), killer, name))
        try:
            await dispatch_record(run, SERVICE, ticket)
        except Killed:
            return True
        return False


@pytest.mark.usefixtures("no_limits")
@pytest.mark.parametrize(
    ("how", "when"),
    [
        ("request", "after"),
        pytest.param("ledger", "before", marks=pytest.mark.slow),
        pytest.param("ledger", "after", marks=pytest.mark.slow),
    ],
)
async def test_the_record_that_came_back_has_a_living_work_order(board: Board, how: str, when: str) -> None:
    killed: dict[int, str] = {}
    for step in range(1, 20):
        ticket, killer = board.ticket(f"Step {step}"), Killer(step, when)
        async with board.run(CANCELLING_PUBLISHED) as run:
            await dispatch_record(run, SERVICE, ticket)
        board.move(ticket, OPEN)
        if not await killed_leaving(board, ticket, killer, how):
            break
        killed[ticket] = killer.seen[-1]
        board.move(ticket, DISPATCH)
    assert len(killed) >= 3
    async with board.run(CANCELLING_PUBLISHED, later=100) as run, anyio.create_task_group() as group:
        for ticket in killed:
            group.start_soon(dispatch_record, run, SERVICE, ticket)
    for ticket, name in killed.items():
        assert len(board.living(f"CW-S-{ticket}")) == 1, name
        await nothing_more_is_made(board, ticket)


async def nothing_more_is_made(board: Board, ticket: int) -> None:
    before = len(board.orders(f"CW-S-{ticket}"))
    async with board.run(CANCELLING_PUBLISHED, later=200) as run:
        await dispatch_record(run, SERVICE, ticket)
    assert len(board.orders(f"CW-S-{ticket}")) == before


async def test_the_rules_of_a_trial_fit_to_a_ticket_that_is_there(board: Board) -> None:
    board.sandbox.reset(assets=20)
    ticket = trial_ticket(board.sandbox)
    assert ticket is not None
    async with board.run(trial_rules()) as run:
        assert await rule_name_problems(run) == []
        assert (await dispatch_record(run, SERVICE, ticket)).status is DispatchStatus.CREATED
