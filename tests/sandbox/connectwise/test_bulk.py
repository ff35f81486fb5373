"""Bulk POST and PUT of configurations: one result an item, shapes and faults by switch."""

from __future__ import annotations

from typing import Any

import anyio
import pytest

from tests.support.sandbox.connectwise import (
    CONFIGURATIONS,
    World,
    caller,
    configuration,
    insert_configurations,
    small_world,
)

pytestmark = pytest.mark.anyio
BULK = "/company/configurations/bulk"


def bodies(count: int) -> list[dict[str, Any]]:
    return [configuration(name=f"srv-{index}") for index in range(count)]


def stored_names(world: World) -> list[str]:
    return [record["name"] for record in world.store.collection(CONFIGURATIONS).values()]


async def test_each_item_has_its_own_result() -> None:
    world = small_world()
    sent = bodies(3)
    sent[1]["company"] = {"id": 99}
    with caller(world) as client:
        answer = await client.post(BULK, json=sent)
        assert answer.status_code == 207
        first, refused, last = answer.json()["payload"]
        assert (first["success"], first["originalIndex"], first["statusCode"]) == (True, 0, 201)
        assert (refused["success"], refused["originalIndex"], refused["statusCode"]) == (False, 1, 400)
        assert refused["error"]["errors"][0]["message"] == "Company 99 not found"
        assert stored_names(world) == ["srv-0", "srv-2"]
        assert world.store.get(CONFIGURATIONS, last["data"]["id"])


@pytest.mark.parametrize(("shape", "count"), [("array", 2), ("record", 2), ("record", 1)])
async def test_other_shapes_of_the_answer(shape: str, count: int) -> None:
    world = small_world()
    world.switches.bulk_answer = shape  # type: ignore[assignment]
    sent = bodies(count)
    sent[-1]["name"] = ""
    with caller(world) as client:
        answer = (await client.post(BULK, json=sent)).json()
        if count == 1:
            assert answer["code"] == "InvalidObject"
        elif shape == "array":
            assert [one["success"] for one in answer] == [True, False]
        else:
            assert (answer[0]["name"], answer[1]["code"]) == ("srv-0", "InvalidObject")


async def test_a_bulk_put_replaces() -> None:
    world = small_world()
    ids = insert_configurations(world, {"notes": "n", "name": "a"}, {"notes": "n", "name": "b"})
    with caller(world) as client:
        sent = [configuration(id=ids[0], name="a2", notes="n"), configuration(id=ids[1], name="b2")]
        answer = await client.put(BULK, json=[*sent, configuration(id=99), configuration()])
        results = answer.json()["payload"]
        assert [one["statusCode"] for one in results] == [200, 200, 404, 400]
        assert results[2]["error"]["message"] == "Configuration 99 not found"
        assert stored_names(world) == ["a2", "b2"]
        notes = [record.get("notes") for record in world.store.collection(CONFIGURATIONS).values()]
        assert notes == ["n", None]


async def test_a_switch_resets_fields_that_were_sent() -> None:
    world = small_world()
    world.switches.bulk_put_resets = ["vendorNotes"]
    [record_id] = insert_configurations(world, {"vendorNotes": "v"})
    with caller(world) as client:
        sent = configuration(id=record_id, vendorNotes="v", notes="n")
        assert (await client.put(BULK, json=[sent])).json()["payload"][0]["success"] is True
        shown = (await client.get(f"/company/configurations/{record_id}")).json()
        assert (shown.get("vendorNotes"), shown["notes"]) == (None, "n")


async def test_an_unreadable_body_writes_nothing() -> None:
    world = small_world()
    with caller(world) as client:
        broken = await client.post(BULK, json=[*bodies(1), configuration(bogus=1)])
        assert broken.status_code == 400
        assert "Path '[1].bogus'" in broken.json()["message"]
        assert (await client.post(BULK, json=configuration())).status_code == 400
        assert stored_names(world) == []


async def test_bulk_may_be_off_or_limited() -> None:
    world = small_world()
    world.switches.bulk_limit = 2
    with caller(world) as client:
        assert (await client.post(BULK, json=bodies(3))).status_code == 400
        assert (await client.post(BULK, json=bodies(2))).status_code == 207
        world.switches.bulk_enabled = False
        off = await client.post(BULK, json=bodies(1))
        assert (off.status_code, off.json()["message"]) == (404, "The endpoint does not exist.")
        assert (await client.request("DELETE", BULK)).status_code == 405


async def test_a_share_of_the_items_is_refused_evenly_over_the_calls() -> None:
    world = small_world()
    fault = {"kind": "partial", "share": 0.1, "status": 400, "code": "InvalidObject", "message": "no"}
    with caller(world, fault) as client:
        results: list[dict[str, Any]] = []
        for _ in range(4):
            results += (await client.post(BULK, json=bodies(25))).json()["payload"]
        refused = [one for one in results if not one["success"]]
        assert len(refused) == 10
        assert refused[0]["error"] == {"code": "InvalidObject", "message": "no"}
        assert len(stored_names(world)) == 90


async def test_named_items_are_refused() -> None:
    world = small_world()
    with caller(world, {"kind": "partial", "indexes": [0, 2], "status": 500, "code": "X"}) as client:
        results = (await client.post(BULK, json=bodies(3))).json()["payload"]
        assert [one["statusCode"] for one in results] == [500, 201, 500]


async def test_items_are_committed_one_by_one() -> None:
    world = small_world()
    with caller(world, {"kind": "late", "item_interval": 0.05}) as client:
        async with anyio.create_task_group() as group:
            group.start_soon(lambda: client.post(BULK, json=bodies(3)))
            await anyio.sleep(0.03)
            assert stored_names(world) == ["srv-0"]
        assert stored_names(world) == ["srv-0", "srv-1", "srv-2"]
