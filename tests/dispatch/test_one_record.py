"""One record through its life: created, updated, left, closed, reopened."""

from __future__ import annotations

import pytest

from tasks.dispatch.dispatching import dispatch_record
from tasks.dispatch.run import Result
from tests.dispatch.world import SERVICE, World

pytestmark = pytest.mark.anyio


async def test_a_ticket_in_the_trigger_becomes_one_work_order(world: World) -> None:
    ticket = world.ticket()
    async with world.run() as run:
        first = await dispatch_record(run, SERVICE, ticket)
        second = await dispatch_record(run, SERVICE, ticket)
    assert (first.result, second.result) == (Result.CREATED, Result.UNCHANGED)
    [order] = world.orders()
    assert order["id"] == first.work_order_id
    assert order["title"] == f"[CW-S-{ticket}] Replace the access point"
    assert order["incident_id"] == f"CW-S-{ticket}"
    assert order["location"]["address1"] == "1 Harbour Street"
    assert order["status"]["name"] == "Draft"
