"""Collections that show another one's records, and additions, which say what they come to."""

from __future__ import annotations

import pytest

from tests.support.sandbox.connectwise import caller, small_world
from tests.support.sandbox.service_desk import insert_sales_and_time, insert_service_desk

pytestmark = pytest.mark.anyio


async def test_info_about_a_member_has_the_whole_name_and_address() -> None:
    world = small_world()
    world.store.collection("system/members")[1]["officeEmail"] = "jo@x.test"
    with caller(world) as client:
        [shown] = (await client.get("/system/info/members")).json()
        assert (shown["fullName"], shown["defaultEmail"]) == ("Jo Doe", "jo@x.test")
        assert not {"officeEmail", "securityRole"} & set(shown)
        assert (await client.get("/system/info/members/1")).json() == shown
        query = {"conditions": 'fullName like "jo%"', "orderBy": "fullName desc"}
        assert len((await client.get("/system/info/members", params=query)).json()) == 1
        assert (await client.get("/system/info/members/9")).status_code == 404
        assert (await client.post("/system/info/members", json={})).status_code == 405


async def test_a_ticket_lists_the_time_and_the_plans_of_its_own() -> None:
    world = small_world()
    insert_service_desk(world.store)
    insert_sales_and_time(world.store)
    world.store.insert("schedule/types", {"identifier": "S", "name": "Service Ticket"})
    entry = {"type": {"identifier": "S"}, "objectId": 1, "member": {"identifier": "jdoe"}}
    with caller(world) as client:
        planned = (await client.post("/schedule/entries", json=entry)).json()["id"]
        for tickets, number, expected in (("service", 1, 1), ("project", 2, 0)):
            for part in ("timeentries", "scheduleentries"):
                path = f"/{tickets}/tickets/{number}/{part}"
                listed = (await client.get(path)).json()
                assert [set(one) for one in listed] == [{"id", "_info"}] * expected
                assert (await client.get(f"{path}/count")).json() == {"count": expected}
        assert (await client.get("/service/tickets/1/scheduleentries")).json()[0]["id"] == planned
        assert (await client.get("/service/tickets/1/documents")).json() == []
        assert (await client.get("/service/tickets/99/timeentries")).status_code == 404
        assert (await client.get("/service/tickets/1/timeentries/1")).status_code == 404


async def test_an_addition_says_what_it_comes_to() -> None:
    world = small_world()
    insert_service_desk(world.store)
    world.store.insert("procurement/catalog", {"identifier": "MSP-WS", "description": "Managed workstation"})
    body = {"product": {"identifier": "MSP-WS"}, "billCustomer": "Billable", "quantity": 12, "unitPrice": 45}
    with caller(world) as client:
        made = await client.post("/finance/agreements/1/additions", json={**body, "lessIncluded": 2})
        assert (made.status_code, made.json()["extPrice"]) == (201, 450)
        assert made.json()["product"] == {
            "id": 1,
            "identifier": "MSP-WS",
            "_info": made.json()["product"]["_info"],
        }
        address = f"/finance/agreements/1/additions/{made.json()['id']}"
        again = await client.put(address, json=made.json())
        assert again.json()["extPrice"] == 450
