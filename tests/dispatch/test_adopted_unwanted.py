"""A creation whose answer was lost, of a record that left its trigger meanwhile."""

from __future__ import annotations

import pytest

from tasks.dispatch.copying_notes import copy_notes
from tasks.dispatch.dispatching import dispatch_record
from tasks.dispatch.run import Result
from tests.dispatch.world import OPEN, SERVICE, World

pytestmark = pytest.mark.anyio


async def test_the_description_of_a_found_work_order_is_no_message_to_copy(world: World) -> None:
    rule = {"system": "field_nation", "method": "POST", "path": "/workorders", "nth": [1]}
    world.sandbox.faults([{**rule, "fault": {"kind": "drop_after"}}])
    ticket = world.ticket(initialDescription="Bring a ladder")
    async with world.run() as run:
        unclear = await dispatch_record(run, SERVICE, ticket, wait=False)
        assert unclear.result is Result.UNCLEAR
        world.move(ticket, OPEN)
        found = await dispatch_record(run, SERVICE, ticket)
        assert found.result is Result.ADOPTED
        assert (await copy_notes(run, found.work_order_id or 0)).did == ()
    [order] = world.orders()
    assert "Bring a ladder" in order["description"]["html"]
    assert order["messages"]["results"] == []
