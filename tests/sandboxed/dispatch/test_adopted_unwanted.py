"""A creation whose answer was lost, of a record that was changed meanwhile."""

from __future__ import annotations

import pytest

from tasks.dispatch.notes import copy_notes
from tasks.dispatch.reconcile import dispatch_record
from tasks.dispatch.sweep import sweep
from tasks.rules.dispatch.result import DispatchStatus
from tests.support.dispatch import OPEN, SERVICE, World, rules

pytestmark = pytest.mark.anyio


async def test_the_description_of_a_found_work_order_is_no_message_to_copy(world: World) -> None:
    rule = {"system": "field_nation", "method": "POST", "path": "/workorders", "nth": [1]}
    world.sandbox.faults([{**rule, "fault": {"kind": "drop_after"}}])
    ticket = world.ticket(initialDescription="Bring a ladder")
    async with world.run() as run:
        unclear = await dispatch_record(run, SERVICE, ticket, wait=False)
        assert unclear.status is DispatchStatus.UNCLEAR
        world.move(ticket, OPEN)
        found = await dispatch_record(run, SERVICE, ticket)
        assert found.status is DispatchStatus.ADOPTED
        assert (await copy_notes(run, found.work_order_id or 0)).did == ()
    [order] = world.orders()
    assert "Bring a ladder" in order["description"]["html"]
    assert order["messages"]["results"] == []


async def test_what_changed_before_a_work_order_was_found_is_sent_by_the_next_sweep(world: World) -> None:
    rule = {"system": "field_nation", "method": "POST", "path": "/workorders", "nth": [1]}
    world.sandbox.faults([{**rule, "fault": {"kind": "drop_after"}}])
    ticket = world.ticket("Replace the router")
    async with world.run() as run:
        assert (await dispatch_record(run, SERVICE, ticket, wait=False)).status is DispatchStatus.UNCLEAR
        world.change(ticket, summary="Replace the switch")
        assert (await dispatch_record(run, SERVICE, ticket)).status is DispatchStatus.ADOPTED
    async with world.run(later=10) as run:
        await sweep(run)
    [order] = world.orders()
    assert order["title"] == f"[CW-S-{ticket}] Replace the switch"


async def test_a_found_work_order_of_a_record_that_left_is_not_published_and_its_leaving_is_told(
    world: World,
) -> None:
    rule = {"system": "field_nation", "method": "POST", "path": "/workorders", "nth": [1]}
    world.sandbox.faults([{**rule, "fault": {"kind": "drop_after"}}])
    ticket = world.ticket()
    async with world.run() as run:
        await dispatch_record(run, SERVICE, ticket, wait=False)
        world.move(ticket, OPEN)
        assert (await dispatch_record(run, SERVICE, ticket)).status is DispatchStatus.ADOPTED
        [order] = world.orders()
        assert order["status"]["name"] == "Draft"
        assert (await dispatch_record(run, SERVICE, ticket)).status is DispatchStatus.REPORTED


async def test_a_found_work_order_of_a_record_that_left_is_cancelled_where_that_is_set(world: World) -> None:
    rule = {"system": "field_nation", "method": "POST", "path": "/workorders", "nth": [1]}
    world.sandbox.faults([{**rule, "fault": {"kind": "drop_after"}}])
    ticket = world.ticket()
    async with world.run(rules(on_leave="cancel")) as run:
        await dispatch_record(run, SERVICE, ticket, wait=False)
        world.move(ticket, OPEN)
        assert (await dispatch_record(run, SERVICE, ticket)).status is DispatchStatus.ADOPTED
        assert (await dispatch_record(run, SERVICE, ticket)).status is DispatchStatus.CANCELLED
    assert [each["status"]["name"] for each in world.orders()] == ["Deleted"]
