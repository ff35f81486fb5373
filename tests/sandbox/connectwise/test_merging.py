"""POST /service/tickets/{id}/merge: the children close into the parent, or nothing is changed."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.sandbox.connectwise import caller, small_world
from tests.support.sandbox.service_desk import insert_service_desk, ticket

pytestmark = pytest.mark.anyio


async def test_the_children_close_and_their_time_is_the_parents() -> None:
    world = small_world()
    insert_service_desk(world.store)
    child = world.store.insert("service/tickets", ticket(summary="Twice"))["id"]
    world.store.insert("time/entries", {"chargeToId": child, "timeStart": "2026-01-05T08:00:00Z"})
    with caller(world) as client:
        answer = await client.post(
            "/service/tickets/1/merge", json={"mergeTicketIds": [child], "status": {"id": 3}}
        )
        assert (answer.status_code, answer.json()) == (200, {"success": True})
        merged = (await client.get(f"/service/tickets/{child}")).json()
        assert (merged["closedFlag"], merged["mergedParentTicket"]["id"]) == (True, 1)
        assert [one["chargeToId"] for one in (await client.get("/time/entries")).json()] == [1]


@pytest.mark.parametrize(
    ("parent", "body", "status"),
    [
        (1, {}, 400),
        (1, {"mergeTicketIds": [99], "status": {"id": 3}}, 400),
        (1, {"mergeTicketIds": [1], "status": {"id": 3}}, 400),
        (1, {"mergeTicketIds": [2], "status": {"id": 99}}, 400),
        (1, {"mergeTicketIds": "x", "status": {"id": 3}}, 400),
        (99, {"mergeTicketIds": [1], "status": {"id": 3}}, 404),
    ],
)
async def test_what_is_refused_changes_nothing(parent: int, body: dict[str, Any], status: int) -> None:
    world = small_world()
    insert_service_desk(world.store)
    world.store.insert("service/tickets", ticket())
    with caller(world) as client:
        assert (await client.post(f"/service/tickets/{parent}/merge", json=body)).status_code == status
        assert not any(one["closedFlag"] for one in (await client.get("/service/tickets")).json())
