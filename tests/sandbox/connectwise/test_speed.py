"""The sandbox's ConnectWise must not be what a benchmark measures: pages and writes over 20,000 records."""

from __future__ import annotations

import time
from typing import Any

import pytest

from tests.support.sandbox.connectwise import World, caller, configuration, insert_configurations, small_world
from tests.support.sandbox.service_desk import insert_service_desk, ticket

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


@pytest.fixture(scope="module")
def service_world(large_world: World) -> World:
    """5,000 tickets about one configuration each, and an agreement that covers 15,000."""
    insert_service_desk(large_world.store)
    large_world.switches.configuration_condition = "in"
    for number in range(5000):
        made = large_world.store.insert("service/tickets", ticket(summary=f"t{number}"))["id"]
        large_world.store.links("service/tickets/configurations").add(made, 1 + number * 7 % 20_000)
    for number in range(1, 15_001):
        large_world.store.links("finance/agreements/configurations").add(1, number)
    return large_world


async def test_a_page_of_a_thousand_takes_well_under_a_third_of_a_second(large_world: World) -> None:
    asked: dict[str, Any] = {
        "conditions": "company/id=2",
        "pageSize": 1000,
        "pageId": 17_900,
        "fields": FIELDS,
    }
    with caller(large_world) as client:
        started = time.process_time()
        page = await client.get(
            "/company/configurations", params=asked, headers={"pagination-type": "forward-only"}
        )
        taken = time.process_time() - started
    assert len(page.json()) == 1000
    assert taken < 0.25


async def test_a_group_question_of_a_full_search_body_is_quick(service_world: World) -> None:
    ids = ",".join(str(one) for one in range(10_000, 11_640))
    with caller(service_world) as client:
        started = time.process_time()
        answer = await client.post(
            "/service/tickets/search",
            json={"conditions": f"company/id=1 and configuration/id in ({ids})"},
            params={"fields": "id", "pageSize": 1000},
        )
        taken = time.process_time() - started
    assert len(answer.json()) > 300
    assert taken < 0.1


async def test_a_report_page_of_a_thousand_rows_is_quick(service_world: World) -> None:
    asked: dict[str, Any] = {"conditions": "CompanyRecId=1", "pageSize": 1000, "page": 8}
    with caller(service_world) as client:
        started = time.process_time()
        answer = await client.get("/system/reports/ConfigurationAgreement", params=asked)
        taken = time.process_time() - started
    assert len(answer.json()["row_values"]) == 1000
    assert taken < 0.1


async def test_a_bulk_create_of_fifty_is_quick(large_world: World) -> None:
    bodies = [configuration(name=f"new-{number}") for number in range(50)]
    with caller(large_world) as client:
        started = time.process_time()
        answer = await client.post("/company/configurations/bulk", json=bodies)
        taken = time.process_time() - started
    assert all(one["success"] for one in answer.json()["payload"])
    assert taken < 0.1
