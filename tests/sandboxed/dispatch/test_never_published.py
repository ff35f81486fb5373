"""A work order that ends before it was published, since a process was killed in between, is left in peace."""

from __future__ import annotations

import pytest

from tasks.dispatch.reconcile import dispatch_record, retry_dispatch
from tasks.dispatch.settings import CreateState
from tasks.rules.dispatch.result import DispatchStatus
from tests.support.dispatch import SERVICE, World, rules

pytestmark = pytest.mark.anyio
PUBLISHING = rules(create_state=CreateState.PUBLISH)
PUBLISH = "POST /workorders/{id}/publish"


def refuse_publishing(world: World, limit: int | None = None) -> None:
    fault = {"kind": "status", "status": 400, "body": {"message": "not now"}}
    path = {"system": "field_nation", "method": "POST", "path": "/workorders/*/publish"}
    world.sandbox.faults([{**path, "limit": limit, "fault": fault}])


async def test_a_cancelled_draft_is_not_published_again_and_again(world: World) -> None:
    refuse_publishing(world)
    ticket = world.ticket()
    async with world.run(PUBLISHING) as run:
        made = await dispatch_record(run, SERVICE, ticket)
        assert "stays a draft" in made.warnings[0]
        await run.field_nation.cancel_work_order(made.work_order_id or 0, "by hand")
        told = await dispatch_record(run, SERVICE, ticket)
        assert (told.status, told.warnings) == (DispatchStatus.UNCHANGED, ())
        world.sandbox.clear_requests()
        await dispatch_record(run, SERVICE, ticket)
    assert PUBLISH not in world.sent("field_nation")


async def test_a_draft_that_could_not_be_published_is_published_when_a_person_asks(world: World) -> None:
    refuse_publishing(world, limit=1)
    ticket = world.ticket()
    async with world.run(PUBLISHING) as run:
        assert (await dispatch_record(run, SERVICE, ticket)).warnings
        assert (await retry_dispatch(run, SERVICE, ticket)).warnings == ()
    [order] = world.orders()
    assert order["status"]["name"] == "Published"
