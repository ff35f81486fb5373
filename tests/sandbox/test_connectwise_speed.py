"""The sandbox's ConnectWise must not be what a benchmark measures: pages and writes over 20,000 records."""

from __future__ import annotations

import time

import pytest

from tests.sandbox.connectwise_world import World, caller, configuration, insert_configurations, small_world

pytestmark = [pytest.mark.anyio, pytest.mark.speed]
FIELDS = (
    "id,name,activeFlag,type/id,type/name,status/name,manufacturer/name,location/name,serialNumber,"
    "modelNumber,macAddress,ipAddress,osType,osInfo,customFields,_info/lastUpdated"
)


@pytest.fixture(scope="module")
def large_world() -> World:
    world = small_world()
    for number in range(20_000):
        insert_configurations(
            world,
            {
                "name": f"srv-{number}",
                "company": {"id": 1 + number % 2},
                "serialNumber": f"SN{number}",
                "manufacturer": {"id": 1},
                "location": {"id": 1},
                "customFields": [{"id": 1, "value": f"key-{number}"}],
            },
        )
    return world


async def test_a_page_of_a_thousand_takes_well_under_a_third_of_a_second(large_world: World) -> None:
    asked = {"conditions": "company/id=2", "pageSize": 1000, "pageId": 17_900, "fields": FIELDS}
    with caller(large_world) as client:
        started = time.process_time()
        page = await client.get(
            "/company/configurations", params=asked, headers={"pagination-type": "forward-only"}
        )
        taken = time.process_time() - started
    assert len(page.json()) == 1000
    assert taken < 0.25


async def test_a_bulk_create_of_fifty_is_quick(large_world: World) -> None:
    bodies = [configuration(name=f"new-{number}") for number in range(50)]
    with caller(large_world) as client:
        started = time.process_time()
        answer = await client.post("/company/configurations/bulk", json=bodies)
        taken = time.process_time() - started
    assert all(one["success"] for one in answer.json()["payload"])
    assert taken < 0.1
