"""The report view of agreements with configurations, and bundles of reads."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.support.sandbox.connectwise import World, caller, insert_configurations, small_world
from tests.support.sandbox.service_desk import agreement, insert_service_desk

pytestmark = pytest.mark.anyio

REPORT = "/system/reports/ConfigurationAgreement"
COLUMNS = {
    "AgreementRecId", "AgreementName", "AgreementType", "AgrTypeRecId", "CompanyRecId", "CompanyId",
    "CompanyName", "ConfigurationRecId", "ConfigurationName", "ConfigurationType", "ConfigurationTypeRecId",
    "Last_Update",
}  # fmt: skip


@pytest.fixture
def world() -> World:
    """Agreement 1 (company 1) has the configurations 1 and 2, agreement 2 (company 2) has 2 and 3."""
    made = small_world()
    insert_configurations(made, {"name": "a"}, {"name": "b"}, {"name": "c"})
    insert_service_desk(made.store)
    made.store.insert("finance/agreements", agreement(name="Silver", company={"id": 2}, contact={"id": 2}))
    for owner, configuration in ((2, 3), (2, 2), (1, 2), (1, 1)):
        made.store.links("finance/agreements/configurations").add(owner, configuration)
    made.store.links("service/tickets/configurations").add(1, 1)
    made.store.links("project/tickets/configurations").add(2, 2)
    made.switches.bundle_limit = 20
    return made


async def rows(client: httpx.AsyncClient, **query: Any) -> list[list[Any]]:
    response = await client.get(REPORT, params=query)
    assert response.status_code == 200, response.text
    return list(response.json()["row_values"])


async def test_rows_are_zipped_with_their_columns_by_place(world: World) -> None:
    with caller(world) as client:
        assert (await client.get("/system/reports")).json() == [{"name": "ConfigurationAgreement"}]
        whole = (await client.get(REPORT)).json()
        columns = (await client.get(f"{REPORT}/columns")).json()
    names = [name for one in whole["column_definitions"] for name in one]
    assert set(names) == COLUMNS == {name for one in columns for name in one}
    first = dict(zip(names, whole["row_values"][0], strict=True))
    assert (first["AgreementName"], first["AgreementType"]) == ("Gold", "Managed Services")
    assert (first["CompanyId"], first["ConfigurationName"]) == ("BlueLightCo", "a")


async def test_rows_by_condition_columns_order_and_page(world: World) -> None:
    pair = "agreementrecid, ConfigurationRecId"
    with caller(world) as client:
        assert await rows(client, columns=pair) == [[1, 1], [1, 2], [2, 2], [2, 3]]
        assert await rows(client, columns=pair, conditions="CompanyRecId=2") == [[2, 2], [2, 3]]
        among = "ConfigurationRecId in (2) and AgreementName = 'gold'"
        assert await rows(client, columns=pair, conditions=among) == [[1, 2]]
        assert await rows(client, columns=pair, pageSize=3, page=2) == [[2, 3]]
        ordered = await rows(client, columns=pair, orderBy="ConfigurationRecId desc", pageSize=1)
        assert ordered == [[2, 3]]
        counted = await client.get(f"{REPORT}/count", params={"conditions": "CompanyRecId=2"})
    assert counted.json() == {"count": 2}


async def test_a_report_page_has_at_most_a_thousand_rows(world: World) -> None:
    for number in range(10, 1210):
        insert_configurations(world, {"id": number, "name": str(number)})
        world.store.links("finance/agreements/configurations").add(1, number)
    with caller(world) as client:
        assert len(await rows(client, pageSize=5000, columns="ConfigurationRecId")) == 1000


async def test_reports_that_are_refused(world: World) -> None:
    with caller(world) as client:
        for query in ({"columns": "Nonsense"}, {"conditions": "Nonsense=1"}, {"orderBy": "Nonsense"}):
            answer = await client.get(REPORT, params=query)
            assert answer.json()["message"] == "Nonsense is not a recognized name."
        assert (await client.post(REPORT, json={})).status_code == 405
        assert (await client.get("/system/reports/Other")).status_code == 404
        world.switches.agreement_report = False
        assert (await client.get(REPORT)).status_code == 404
        assert (await client.get("/system/reports")).json() == []
        world.switches.denied = ["system/reports"]
        assert (await client.get(REPORT)).status_code == 403


def asked(number: int, resource: str, **request: Any) -> dict[str, Any]:
    return {"sequenceNumber": number, "resourceType": resource, "apiRequest": request}


async def bundle(client: httpx.AsyncClient, *requests: dict[str, Any], path: str = "") -> Any:
    response = await client.post(f"/system/bundles{path}", json={"requests": list(requests)})
    return response.json()["results"] if response.status_code == 200 else response


async def test_a_bundle_answers_each_request_under_its_number(world: World) -> None:
    with caller(world) as client:
        results = await bundle(
            client,
            asked(3, "AgreementConfiguration", parentId=1, page={"pageSize": 1, "page": 2}, fields="id"),
            asked(1, "ticket", id=1, fields="id,summary"),
            asked(2, "company", filters={"conditions": "identifier='Other'"}, fields="id"),
            asked(9, "purchaseorderlineitem", parentId=1),
        )
    assert [one["sequenceNumber"] for one in results] == [3, 1, 2, 9]
    assert [one["entities"] for one in results] == [
        [{"id": 2}],
        [{"id": 1, "summary": "It is broken"}],
        [{"id": 2}],
        [],
    ]
    assert [one["count"] for one in results] == [2, 1, 1, 0]
    assert all(one["success"] and one["statusCode"] == 200 for one in results)


async def test_configurations_of_tickets_of_both_kinds_in_one_bundle(world: World) -> None:
    with caller(world) as client:
        results = await bundle(
            client, *(asked(one, "ticketconfiguration", parentId=one, fields="id") for one in (1, 2))
        )
    assert [one["entities"] for one in results] == [[{"id": 1}], [{"id": 2}]]


async def test_one_request_of_a_bundle_fails_alone(world: World) -> None:
    world.switches.denied = ["system/members"]
    with caller(world) as client:
        results = await bundle(
            client,
            asked(1, "ticketconfiguration", parentId=99),
            asked(2, "company", id=99),
            asked(3, "spaceship", id=1),
            asked(4, "member", id=1),
            asked(5, "ticket", filters={"conditions": "nonsense=1"}),
            asked(6, "ticket", entity={"id": 1}),
            asked(7, "company", id=1),
        )
    assert [one["statusCode"] for one in results] == [404, 404, 400, 403, 400, 400, 200]
    assert [one["success"] for one in results] == [False] * 6 + [True]
    assert results[0]["error"]["message"] == "Ticket 99 not found"


async def test_counts_come_without_entities(world: World) -> None:
    with caller(world) as client:
        [result] = await bundle(client, asked(1, "agreementconfiguration", parentId=1), path="/count")
    assert (result["count"], result["entities"]) == (2, [])


async def test_bundles_that_are_refused_whole(world: World) -> None:
    one = asked(1, "company", id=1)
    with caller(world) as client:
        assert (await bundle(client, *[one] * 21)).status_code == 400
        assert len(await bundle(client, *[one] * 20)) == 20
        assert (await bundle(client, {**one, "extra": 1})).status_code == 400
        assert (await bundle(client, asked(1, "company", nonsense=1))).status_code == 400
        assert (await bundle(client, asked(1, "company", id="x"))).status_code == 400
        assert (await client.post("/system/bundles", json={})).status_code == 400
        assert (await client.get("/system/bundles")).status_code == 405
        world.switches.bundle_limit = 0
        assert (await bundle(client, one)).status_code == 404


async def test_only_the_names_of_the_switch_are_known_beside_the_documented(world: World) -> None:
    world.switches.bundle_resource_types = ["agreement"]
    with caller(world) as client:
        results = await bundle(
            client, asked(1, "agreement", id=1), asked(2, "ticketconfiguration", parentId=1)
        )
    assert [one["success"] for one in results] == [True, False]
