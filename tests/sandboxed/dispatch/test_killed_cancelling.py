"""Killed while it cancels a work order, and the record is back in its trigger before anybody looks again."""

from __future__ import annotations

from typing import Any

import anyio
import pytest

from tasks.dispatch.reconcile import dispatch_record
from tasks.dispatch.settings import CreateState
from tests.support.dispatch import DISPATCH, OPEN, SERVICE, World, rules
from tests.support.kill import Killed, Killer, KillingLedger, KillingTransport

pytestmark = pytest.mark.anyio
CANCELLING = rules(create_state=CreateState.PUBLISH, on_leave="cancel")


@pytest.fixture(autouse=True)
def no_limits(world: World) -> None:
    """These tests send more than 60 requests a minute."""
    world.sandbox.switch(field_nation_rate_limit=None)


async def killed_leaving(world: World, ticket: int, killer: Killer, how: str) -> bool:
    """Whether the kill came while the leaving was worked on; False: there are not so many steps."""
    wrap: dict[str, Any] = {"wrap": lambda inner: KillingTransport(inner, killer)} if how == "request" else {}
    async with world.run(CANCELLING, **wrap) as run:
        if how == "ledger":
            for name in ("intents", "links"):
                setattr(run.ledger, name, KillingLedger(getattr(run.ledger, name), killer, name))
        try:
            await dispatch_record(run, SERVICE, ticket)
        except Killed:
            return True
        return False


@pytest.mark.parametrize(
    ("how", "when"),
    [
        ("request", "after"),
        pytest.param("ledger", "before", marks=pytest.mark.slow),
        pytest.param("ledger", "after", marks=pytest.mark.slow),
    ],
)
async def test_the_record_that_came_back_has_a_living_work_order(world: World, how: str, when: str) -> None:
    killed: dict[int, str] = {}
    for step in range(1, 20):
        ticket, killer = world.ticket(f"Step {step}"), Killer(step, when)
        async with world.run(CANCELLING) as run:
            await dispatch_record(run, SERVICE, ticket)
        world.move(ticket, OPEN)
        if not await killed_leaving(world, ticket, killer, how):
            break
        killed[ticket] = killer.seen[-1]
        world.move(ticket, DISPATCH)
    assert len(killed) >= 3
    async with world.run(CANCELLING, later=100) as run, anyio.create_task_group() as group:
        for ticket in killed:
            group.start_soon(dispatch_record, run, SERVICE, ticket)
    for ticket, name in killed.items():
        assert len(world.living(f"CW-S-{ticket}")) == 1, name
        await nothing_more_is_made(world, ticket)


async def nothing_more_is_made(world: World, ticket: int) -> None:
    before = len(world.orders(f"CW-S-{ticket}"))
    async with world.run(CANCELLING, later=200) as run:
        await dispatch_record(run, SERVICE, ticket)
    assert len(world.orders(f"CW-S-{ticket}")) == before
