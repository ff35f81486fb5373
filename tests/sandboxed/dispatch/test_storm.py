"""Many tickets, two processes, and everything that goes wrong at once: each ticket gets one work order."""

from __future__ import annotations

import random
from collections import Counter
from functools import partial
from typing import Any

import anyio
import pytest

from tasks.dispatch.inbox import drain_once
from tasks.dispatch.sweep import sweep
from tests.support.dispatch import QUICK, World, rules
from tests.support.kill import Killed, Killer, KillingTransport

pytestmark = [pytest.mark.anyio, pytest.mark.slow]
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


async def engine(world: World, draw: random.Random, kills: list[str]) -> None:
    """A process that is killed now and then, and begun again."""
    while True:
        killer = Killer(draw.randrange(5, 60), draw.choice(["before", "after"]))
        try:
            async with world.run(RULES, wrap=partial(KillingTransport, killer=killer)) as run:
                while (await run.ledger.inbox.count()).get("waiting"):
                    await drain_once(run)
                    await anyio.sleep(0.05)
                return
        except BaseException as error:
            if not was_killed(error):
                raise
            kills.append(str(error))


@pytest.mark.parametrize("seed", [1, 2])
async def test_a_storm_leaves_one_work_order_for_each_ticket(world: World, seed: int) -> None:
    draw, kills = random.Random(seed), list[str]()
    world.sandbox.switch(field_nation_rate_limit=None, field_nation_search_lag=0.2)
    tickets = [world.ticket(f"Ticket {number}") for number in range(TICKETS)]
    told = tickets * COPIES
    draw.shuffle(told)
    async with world.run(RULES) as run:
        for number, ticket in enumerate(told):
            await run.ledger.inbox.put("connectwise", str(number), {"Type": "ticket", "ID": ticket})
    world.sandbox.faults(
        [
            {"system": "field_nation", "method": method, "path": path, "share": share, "fault": fault}
            for method, path, share, fault in FAULTS
        ]
    )
    async with anyio.create_task_group() as group:
        group.start_soon(engine, world, draw, kills)
        group.start_soon(engine, world, draw, kills)
    fired = world.sandbox.faults_fired()
    world.sandbox.faults([])
    async with world.run(RULES, later=10_000) as run:
        for _ in range(3):
            swept = await sweep(run)
            assert swept.doubles == []
        assert await run.ledger.intents.count(run.tenant) == {"created": TICKETS}
        assert await run.ledger.inbox.count() == {"done": TICKETS * COPIES}
    assert Counter(len(world.orders(f"CW-S-{ticket}")) for ticket in tickets) == {1: TICKETS}
    assert sum(fired) >= 5
    assert len(kills) >= 2
