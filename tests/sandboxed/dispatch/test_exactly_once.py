"""A record has one living work order: whatever is lost, late, doubled or killed.

In the storm, which is slow, many tickets and two processes meet everything that goes wrong at once.
"""

from __future__ import annotations

import random
from collections import Counter
from functools import partial
from pathlib import Path
from typing import Any

import anyio
import pytest

from tasks.dispatch.inbox import drain_once
from tasks.dispatch.reconcile import dispatch_record
from tasks.dispatch.records import Override
from tasks.dispatch.settings import CreateState, WriteBack
from tasks.dispatch.sweep import sweep
from tasks.rules.dispatch.result import DispatchResult, DispatchStatus
from tests.support.dispatch import QUICK, SERVICE, Board, rules
from tests.support.kill import Killed, Killer, KillingLedger, KillingTransport

pytestmark = pytest.mark.anyio

WHOLE = rules(create_state=CreateState.PUBLISH, write_back=WriteBack(status="Waiting on customer"))


@pytest.fixture
def no_limits(board: Board) -> None:
    """These tests send more than 60 requests a minute."""
    board.sandbox.switch(field_nation_rate_limit=None)


def fault(board: Board, kind: str, **more: Any) -> None:
    rule = {"system": "field_nation", "method": "POST", "path": "/workorders", "nth": [1]}
    board.sandbox.faults([{**rule, "fault": {"kind": kind, **more}}])


@pytest.mark.usefixtures("no_limits")
@pytest.mark.parametrize(
    ("kind", "more", "result"),
    [
        ("drop_after", {}, DispatchStatus.ADOPTED),
        ("late", {"delay": 0.3}, DispatchStatus.ADOPTED),
        ("drop_before", {}, DispatchStatus.UNRESOLVED),
        pytest.param(
            "status", {"status": 500, "body": {}}, DispatchStatus.UNRESOLVED, marks=pytest.mark.slow
        ),
    ],
)
async def test_a_creation_without_answer(
    board: Board, kind: str, more: dict[str, Any], result: DispatchStatus
) -> None:
    fault(board, kind, **more)
    ticket = board.ticket()
    # A loaded machine takes longer for one call than the second of QUICK.
    settings = rules(waiting=QUICK.model_copy(update={"unresolved_seconds": 20.0}))
    async with board.run(settings) as run:
        outcome = await dispatch_record(run, SERVICE, ticket)
        assert outcome.status is result
        if result is DispatchStatus.UNRESOLVED:
            assert board.orders() == []
            async with board.run(settings, later=settings.waiting.unresolved_seconds) as later:
                assert (await dispatch_record(later, SERVICE, ticket)).status is DispatchStatus.CREATED
        assert (await dispatch_record(run, SERVICE, ticket)).status is DispatchStatus.UNCHANGED
    assert len(board.orders()) == 1


@pytest.mark.usefixtures("no_limits")
async def test_an_unresolved_creation_is_made_once_more_only_and_then_by_hand(board: Board) -> None:
    rule = {"system": "field_nation", "method": "POST", "path": "/workorders"}
    board.sandbox.faults([{**rule, "fault": {"kind": "drop_before"}}])
    ticket = board.ticket()
    settings = rules(waiting=QUICK.model_copy(update={"unresolved_seconds": 0.0, "settle_seconds": 0.1}))
    async with board.run(settings) as run:
        for _ in range(4):
            assert (await dispatch_record(run, SERVICE, ticket)).status is DispatchStatus.UNRESOLVED
        assert board.sent("field_nation")["POST /workorders"] == 2
        board.sandbox.faults([])
        assert (
            await dispatch_record(run, SERVICE, ticket, override=Override(retry_creation=True))
        ).status is DispatchStatus.CREATED
    assert len(board.orders()) == 1


@pytest.mark.usefixtures("no_limits")
async def test_a_creation_that_takes_too_long_is_given_up_and_found(board: Board) -> None:
    fault(board, "delay", seconds=0.8)
    ticket = board.ticket()
    waiting = QUICK.model_copy(update={"creation_seconds": 0.3, "settle_seconds": 1.2})
    async with board.run(rules(waiting=waiting)) as run:
        assert (await dispatch_record(run, SERVICE, ticket)).status is DispatchStatus.ADOPTED
    assert len(board.orders()) == 1


@pytest.mark.usefixtures("no_limits")
async def test_what_a_search_finds_late_is_waited_for(board: Board) -> None:
    board.sandbox.switch(field_nation_search_lag=0.4)
    fault(board, "drop_after")
    ticket = board.ticket()
    async with board.run() as run:
        assert (await dispatch_record(run, SERVICE, ticket)).status is DispatchStatus.ADOPTED
    assert len(board.orders()) == 1


@pytest.mark.usefixtures("no_limits")
async def test_a_refusal_is_told_and_tried_anew(board: Board) -> None:
    ticket = board.ticket(stateIdentifier="ZZ")
    async with board.run() as run:
        refused = await dispatch_record(run, SERVICE, ticket)
        assert refused.status is DispatchStatus.REFUSED
        assert "state" in refused.message
        board.change(ticket, stateIdentifier="FL")
        assert (await dispatch_record(run, SERVICE, ticket)).status is DispatchStatus.CREATED
    assert len(board.orders()) == 1


@pytest.mark.usefixtures("no_limits")
async def test_what_is_missing_is_named_and_nothing_is_sent(board: Board) -> None:
    ticket = board.ticket(addressLine1="", city="", requiredDate=None)
    board.sandbox.edit("company/sites", 1, {"zip": None})  # The company's main site, which the ticket takes.
    async with board.run() as run:
        refused = await dispatch_record(run, SERVICE, ticket)
    assert refused.status is DispatchStatus.REFUSED
    for word in ("start date", "state", "zip"):
        assert word in refused.message
    assert "POST /workorders" not in board.sent("field_nation")


@pytest.mark.usefixtures("no_limits")
async def test_a_lost_ledger_makes_no_second_work_order(board: Board, tmp_path: Path) -> None:
    ticket = board.ticket()
    async with board.run() as run:
        first = await dispatch_record(run, SERVICE, ticket)
    async with board.run(ledger=tmp_path / "new.db") as run:
        again = await dispatch_record(run, SERVICE, ticket)
    assert (again.status, again.work_order_id) == (DispatchStatus.ADOPTED, first.work_order_id)
    assert len(board.orders()) == 1


@pytest.mark.usefixtures("no_limits")
async def test_two_living_ones_are_reported_and_nothing_is_made(board: Board, tmp_path: Path) -> None:
    ticket = board.ticket()
    async with board.run() as run:
        await dispatch_record(run, SERVICE, ticket)
        [order] = board.orders()
        copy = {name: order[name] for name in ("title", "incident_id")}
        await run.field_nation.create_work_order(copy)
    async with board.run(ledger=tmp_path / "new.db") as run:
        told = await dispatch_record(run, SERVICE, ticket)
    assert told.status is DispatchStatus.REPORTED
    assert "2 living work orders" in told.message
    assert len(board.orders()) == 2


@pytest.mark.usefixtures("no_limits")
async def test_twenty_callbacks_at_once_on_two_engines(board: Board) -> None:
    ticket = board.ticket()
    outcomes: list[DispatchResult] = []

    async def one(run: Any) -> None:
        outcomes.append(await dispatch_record(run, SERVICE, ticket))

    async with board.run() as first, board.run() as second, anyio.create_task_group() as group:
        for _ in range(10):
            group.start_soon(one, first)
            group.start_soon(one, second)
    results = [each.status for each in outcomes]
    assert results.count(DispatchStatus.CREATED) == 1
    assert set(results) <= {DispatchStatus.CREATED, DispatchStatus.BUSY, DispatchStatus.UNCHANGED}
    assert len(board.orders()) == 1


@pytest.mark.usefixtures("no_limits")
async def test_twenty_messages_are_one_look_for_each_drain(board: Board) -> None:
    ticket = board.ticket()
    async with board.run() as first, board.run() as second:
        for number in range(20):
            await first.ledger.inbox.put("connectwise", f"m-{number}", {"Type": "ticket", "ID": ticket})
        async with anyio.create_task_group() as group:
            for run in (first, second):
                group.start_soon(drain_once, run)
        while (await first.ledger.inbox.count()).get("waiting"):
            await drain_once(first)
            await anyio.sleep(0.05)
        assert await first.ledger.inbox.count() == {"done": 20}
    assert len(board.orders()) == 1


def steps(board: Board, killer: Killer, how: str) -> dict[str, Any]:
    wrapped = {"wrap": lambda inner: KillingTransport(inner, killer)}
    return wrapped if how == "request" else {}


async def one_killed(board: Board, ticket: int, killer: Killer, how: str) -> bool:
    """Whether the kill came; False: the run ended before there were so many steps."""
    async with board.run(WHOLE, **steps(board, killer, how)) as run:
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
        pytest.param("request", "before", marks=pytest.mark.slow),
        pytest.param("ledger", "before", marks=pytest.mark.slow),
        pytest.param("ledger", "after", marks=pytest.mark.slow),
    ],
)
async def test_killed_at_any_step_there_is_one_work_order_and_all_is_finished(
    board: Board, how: str, when: str
) -> None:
    killed: dict[int, str] = {}
    for step in range(1, 30):
        ticket, killer = board.ticket(f"Step {step}"), Killer(step, when)
        if not await one_killed(board, ticket, killer, how):
            break
        killed[ticket] = killer.seen[-1]
    assert len(killed) >= 7
    results: dict[int, DispatchResult] = {}

    async def resume(run: Any, ticket: int) -> None:
        results[ticket] = await dispatch_record(run, SERVICE, ticket)

    waiting = QUICK.model_copy(update={"unresolved_seconds": 0.0})
    settings = WHOLE.model_copy(update={"waiting": waiting})
    async with board.run(settings, later=100) as run, anyio.create_task_group() as group:
        for ticket in killed:
            group.start_soon(resume, run, ticket)
    for ticket, name in killed.items():
        [order] = board.orders(f"CW-S-{ticket}")
        assert order["status"]["name"] == "Published", name
        assert results[ticket].status in (
            DispatchStatus.CREATED,
            DispatchStatus.ADOPTED,
            DispatchStatus.UNCHANGED,
        ), name
    shown = {each["id"]: each["status"]["name"] for each in board.sandbox.state("service/tickets")}
    assert {shown[ticket] for ticket in killed} == {"Waiting on customer"}


TICKETS, COPIES = 30, 3
WAITING = QUICK.model_copy(
    update={
        "unresolved_seconds": 0.0,
        "unanswered_creations": 9,
        "hold_seconds": 3,
        "creation_seconds": 4,
        # Far longer than a late commit and the search's lag: a loaded machine is slow.
        "settle_seconds": 4,
        "pause_seconds": 0.2,
    }
)
RULES = rules(polling={"inbox_seconds": 0.05, "at_once": 6, "inbox_batch": 15}, waiting=WAITING)
FAULTS: list[tuple[str, str, float, dict[str, Any]]] = [
    ("POST", "/workorders", 0.10, {"kind": "drop_after"}),
    ("POST", "/workorders", 0.08, {"kind": "late", "delay": 0.3}),
    ("POST", "/workorders", 0.06, {"kind": "status", "status": 502, "body": {}}),
    ("POST", "/workorders", 0.06, {"kind": "drop_before"}),
    ("GET", "/workorders*", 0.05, {"kind": "status", "status": 429, "headers": {"Retry-After": "0.1"}}),
]


def was_killed(error: BaseException) -> bool:
    if isinstance(error, BaseExceptionGroup):
        return all(was_killed(each) for each in error.exceptions)
    return isinstance(error, Killed)


async def engine(board: Board, draw: random.Random, kills: list[str]) -> None:
    """A process that is killed now and then, and begun again."""
    while True:
        killer = Killer(draw.randrange(5, 60), draw.choice(["before", "after"]))
        try:
            async with board.run(RULES, wrap=partial(KillingTransport, killer=killer)) as run:
                while (await run.ledger.inbox.count()).get("waiting"):
                    await drain_once(run)
                    await anyio.sleep(0.05)
                return
        except BaseException as error:
            if not was_killed(error):
                raise
            kills.append(str(error))


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2])
async def test_a_storm_leaves_one_work_order_for_each_ticket(board: Board, seed: int) -> None:
    draw, kills = random.Random(seed), list[str]()
    board.sandbox.switch(field_nation_rate_limit=None, field_nation_search_lag=0.2)
    tickets = [board.ticket(f"Ticket {number}") for number in range(TICKETS)]
    told = tickets * COPIES
    draw.shuffle(told)
    async with board.run(RULES) as run:
        for number, ticket in enumerate(told):
            await run.ledger.inbox.put("connectwise", str(number), {"Type": "ticket", "ID": ticket})
    board.sandbox.faults(
        [
            {"system": "field_nation", "method": method, "path": path, "share": share, "fault": fault}
            for method, path, share, fault in FAULTS
        ]
    )
    async with anyio.create_task_group() as group:
        group.start_soon(engine, board, draw, kills)
        group.start_soon(engine, board, draw, kills)
    fired = board.sandbox.faults_fired()
    board.sandbox.faults([])
    async with board.run(RULES, later=10_000) as run:
        for _ in range(3):
            swept = await sweep(run)
            assert swept.doubles == []
        assert await run.ledger.intents.count(run.tenant) == {"created": TICKETS}
        assert await run.ledger.inbox.count() == {"done": TICKETS * COPIES}
    assert Counter(len(board.orders(f"CW-S-{ticket}")) for ticket in tickets) == {1: TICKETS}
    assert sum(fired) >= 5
    assert len(kills) >= 2
