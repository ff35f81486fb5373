"""The inbox: messages become looks at records, one for each, and none is lost."""

from __future__ import annotations

from typing import Any

import anyio
import pytest

from tasks.dispatch.inbox import Handled, drain_all, drain_once, serve_inbox
from tasks.dispatch.run import DispatchRun
from tasks.rules.dispatch.result import DispatchStatus
from tests.support.dispatch import OPEN, SERVICE, World, rules

pytestmark = pytest.mark.anyio
DAY = 86_400.0


def callback(ticket: int, **more: Any) -> dict[str, Any]:
    return {"Type": "ticket", "Action": "updated", "ID": ticket, "Entity": None, **more}


async def put(run: DispatchRun, *bodies: dict[str, Any], source: str = "connectwise") -> None:
    for number, body in enumerate(bodies):
        await run.ledger.inbox.put(source, f"{number}", body)


async def test_many_messages_about_one_record_are_one_look(world: World) -> None:
    first, second, outside = world.ticket(), world.ticket("Another"), world.ticket(status=OPEN)
    async with world.run() as run:
        await put(
            run, *([callback(first)] * 5), callback(second), callback(outside), {"Type": "company", "ID": 1}
        )
        drained = await drain_once(run)
        assert await run.ledger.inbox.count() == {"done": 8}
    assert drained.counts() == {DispatchStatus.CREATED: 2, DispatchStatus.OUTSIDE: 1}
    assert len(world.orders()) == 2


async def test_a_project_ticket_is_told_by_its_message_or_by_a_read(world: World) -> None:
    phase = world.sandbox.state("project/phases")[0]["id"]
    boards = {each["name"]: each["id"] for each in world.sandbox.state("service/boards")}
    ticket = world.sandbox.add(
        "project/tickets",
        {"summary": "Roll out", "phase": {"id": phase}, "board": {"id": boards["Projects"]}},
    )
    async with world.run() as run:
        await put(run, callback(ticket))
        [outcome] = (await drain_once(run)).results
    assert (outcome.subject, outcome.status) == (f"CW-P-{ticket}", DispatchStatus.OUTSIDE)


async def test_a_vendor_that_is_away_costs_no_message(world: World) -> None:
    world.sandbox.faults(
        [{"system": "field_nation", "path": "/workorders*", "fault": {"kind": "status", "status": 401}}]
    )
    ticket = world.ticket()
    settings = rules(polling={"inbox_attempts": 1})
    async with world.run(settings) as run:
        await put(run, callback(ticket))
        assert (await drain_once(run)).again == 1
        assert (await drain_once(run)).messages == 0
    world.sandbox.faults([])
    async with world.run(settings, later=120) as run:
        assert (await drain_once(run)).counts() == {DispatchStatus.CREATED: 1}
    assert len(world.orders()) == 1


async def test_a_record_that_another_process_has_is_no_try(world: World) -> None:
    ticket = world.ticket()
    async with world.run() as run:
        about = (run.tenant, SERVICE.value, ticket, run.state.ref(SERVICE, ticket).reference)
        await run.ledger.intents.claim(*about, holder="another", seconds=60)
        await put(run, callback(ticket))
        for _ in range(3):
            assert (await drain_once(run)).counts() == {DispatchStatus.BUSY: 1}
            await anyio.sleep(run.settings.waiting.busy_seconds + 0.05)
        [message] = await run.ledger.inbox.claim("test", limit=1, seconds=60)
    assert message.attempts == 1


async def test_messages_of_work_orders_wait_for_their_handler(world: World) -> None:
    seen: list[int] = []

    async def handler(run: DispatchRun, number: int) -> Handled:
        seen.append(number)
        return Handled(True)

    async with world.run() as run:
        await put(run, {"event": {"name": "x"}, "workorder": {"id": 7}}, source="field_nation")
        assert (await drain_all(run)).messages == 0
        assert (await drain_all(run, handler)).done == 1
    assert seen == [7]


async def test_a_killed_drain_loses_nothing(world: World) -> None:
    ticket = world.ticket()
    async with world.run() as run:
        await put(run, callback(ticket))
        await run.ledger.inbox.claim("killed", limit=10, seconds=60)
        assert (await drain_once(run)).messages == 0
    async with world.run(later=61) as run:
        assert (await drain_once(run)).counts() == {DispatchStatus.CREATED: 1}


async def test_it_serves_until_it_is_told_to_stop_and_finishes_what_it_took(world: World) -> None:
    ticket, stop = world.ticket(), anyio.Event()
    async with world.run(rules(polling={"inbox_seconds": 0.05})) as run, anyio.create_task_group() as group:

        async def tell() -> None:
            await put(run, callback(ticket))
            for _ in range(200):
                if world.orders():
                    break
                await anyio.sleep(0.05)
            stop.set()

        group.start_soon(tell)
        served = await serve_inbox(run, stop=stop)
        assert await run.ledger.inbox.count() == {"done": 1}
    assert (served.messages, served.done, served.results) == (1, 1, {"created": 1})
