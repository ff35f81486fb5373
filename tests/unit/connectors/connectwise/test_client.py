"""The ConnectWise client: codebase, headers, lists, pages, counts and writes, against a fake server."""

from __future__ import annotations

import base64
from typing import Any

import anyio
import httpx
import pytest

from connectors.connectwise.client import ConnectWiseClient
from connectors.connectwise.models import Search
from connectors.errors import RejectedError, RetryableError, StopError, UnclearOutcomeError, WriteRefusedError
from tests.support.fake_connectwise import ROOT, SETTINGS, FakeConnectWise, body_of, refusal

pytestmark = pytest.mark.anyio

CONFIGURATIONS = "/company/configurations"


def configurations(number: int) -> list[dict[str, Any]]:
    return [{"id": 10 + 3 * n, "name": f"device {n}"} for n in range(number)]


async def test_the_codebase_is_looked_up_once_and_only_when_needed() -> None:
    fake = FakeConnectWise({CONFIGURATIONS: configurations(3)})
    async with fake.client() as client:
        assert fake.seen == []
        async with anyio.create_task_group() as group:
            for _ in range(4):
                group.start_soon(client.configurations.count)
    assert [request.url.path for request in fake.seen].count("/login/companyinfo/bluelight") == 1
    assert len(fake.asked("GET", f"{CONFIGURATIONS}/count")) == 4


async def test_an_unknown_company_is_a_clear_error() -> None:
    fake = FakeConnectWise()
    fake.info = None
    async with fake.client() as client:
        with pytest.raises(StopError, match="does not know the company 'bluelight'"):
            await client.companies.list()


async def test_requests_carry_key_client_id_and_plain_json() -> None:
    fake = FakeConnectWise({CONFIGURATIONS: []})
    async with fake.client() as client:
        await client.configurations.list()
    headers = fake.seen[-1].headers
    credential = base64.b64encode(b"bluelight+PublicKey0123456:PrivateKey654321").decode()
    assert headers["Authorization"] == f"Basic {credential}"
    assert headers["clientId"] == SETTINGS.client_id
    assert headers["Accept"] == "application/json"
    assert fake.seen[-1].url.host == "api-na.myconnectwise.net"


async def test_a_codebase_that_moved_is_found_again_by_a_read() -> None:
    fake = FakeConnectWise({CONFIGURATIONS: configurations(1)})
    async with fake.client() as client:
        await client.configurations.list()
        fake.info, fake.root = {**fake.info, "Codebase": "v2026_4/"}, "/v2026_4/apis/3.0"
        assert len(await client.configurations.list()) == 1
    assert fake.seen[-1].url.path == f"/v2026_4/apis/3.0{CONFIGURATIONS}"


async def test_a_write_is_not_sent_again_to_another_codebase() -> None:
    fake = FakeConnectWise({CONFIGURATIONS: []})
    async with fake.client() as client:
        await client.configurations.list()
        fake.info, fake.root = {**fake.info, "Codebase": "v2026_4/"}, "/v2026_4/apis/3.0"
        with pytest.raises(StopError, match="Cannot route"):
            await client.configurations.create({"name": "x"})
    assert [request.method for request in fake.seen].count("POST") == 1


async def test_a_list_without_page_reads_every_record_forward_only() -> None:
    fake = FakeConnectWise({CONFIGURATIONS: configurations(2400)})
    async with fake.client() as client:
        records = await client.configurations.list("company/id = 2", fields="id,name")
    assert records == fake.collections[CONFIGURATIONS]
    asked = fake.asked("GET", CONFIGURATIONS)
    assert [request.url.params.get("pageId") for request in asked] == [None, "3007", "6007"]
    assert {request.url.params["conditions"] for request in asked} == {"company/id = 2"}
    assert {request.headers["pagination-type"] for request in asked} == {"forward-only"}


@pytest.mark.parametrize(
    ("page", "page_size", "first", "number"),
    [(2, None, 25, 25), (2, 100, 100, 100), (2, 200, 200, 100), (None, 300, 0, 300)],
)
async def test_the_documented_paging_table(
    page: int | None, page_size: int | None, first: int, number: int
) -> None:
    fake = FakeConnectWise({CONFIGURATIONS: configurations(300)})
    async with fake.client() as client:
        records = await client.configurations.list(page=page, page_size=page_size)
    assert records == fake.collections[CONFIGURATIONS][first : first + number]
    assert len(fake.asked("GET", CONFIGURATIONS)) == 1


async def test_a_page_size_above_1000_is_refused_before_anything_is_sent() -> None:
    fake = FakeConnectWise()
    async with fake.client() as client:
        with pytest.raises(RejectedError, match="page size of 1001"):
            await client.companies.list(page_size=1001)
        with pytest.raises(RejectedError, match="page size of 1001"):
            client.companies.pages(page_size=1001)
    assert fake.seen == []


async def test_an_order_is_read_page_by_page() -> None:
    fake = FakeConnectWise({CONFIGURATIONS: configurations(1500)})
    async with fake.client() as client:
        records = await client.configurations.list(order_by="name asc")
    assert len(records) == 1500
    assert [request.url.params["page"] for request in fake.asked("GET", CONFIGURATIONS)] == ["1", "2"]


async def test_pages_come_one_by_one() -> None:
    fake = FakeConnectWise({CONFIGURATIONS: configurations(25)})
    async with fake.client() as client:
        sizes = [len(page) async for page in client.configurations.pages(page_size=10)]
    assert sizes == [10, 10, 5]


async def test_a_missing_link_header_is_an_error_before_the_page_is_handed_out() -> None:
    fake = FakeConnectWise()
    fake.say("GET", CONFIGURATIONS, httpx.Response(200, json=configurations(2)))
    async with fake.client() as client:
        with pytest.raises(StopError, match="no Link header"):
            await anext(client.configurations.pages())


async def test_a_link_that_does_not_move_on_is_an_error() -> None:
    fake = FakeConnectWise()
    answer = {"Link": f'<https://x.test{ROOT}{CONFIGURATIONS}?pageId=5>; rel="next"'}
    pages = [httpx.Response(200, json=configurations(2), headers=answer) for _ in range(2)]
    fake.say("GET", CONFIGURATIONS, *pages)
    async with fake.client() as client:
        with pytest.raises(StopError, match="does not lead to a further page"):
            await client.configurations.list()
    assert fake.seen[-1].url.host == "api-na.myconnectwise.net"


async def test_something_else_than_a_list_is_an_error() -> None:
    fake = FakeConnectWise()
    fake.say("GET", CONFIGURATIONS, httpx.Response(200, json={"id": 1}, headers={"Link": ""}))
    async with fake.client() as client:
        with pytest.raises(StopError, match="should be a list but is"):
            await client.configurations.list()


async def test_something_else_than_a_count_is_an_error() -> None:
    fake = FakeConnectWise()
    fake.say("GET", f"{CONFIGURATIONS}/count", httpx.Response(200, json=[]))
    async with fake.client() as client:
        with pytest.raises(StopError, match="the count should be"):
            await client.configurations.count()


async def test_conditions_pass_as_typed() -> None:
    fake = FakeConnectWise({CONFIGURATIONS: []})
    typed: Search = {
        "child_conditions": 'a/b like "x%"',
        "custom_field_conditions": 'caption="X" AND value != null',
    }
    async with fake.client() as client:
        await client.configurations.list('name = "a+b & c"', **typed)
    assert dict(fake.seen[-1].url.params) == {
        "conditions": 'name = "a+b & c"',
        "childConditions": 'a/b like "x%"',
        "customFieldConditions": 'caption="X" AND value != null',
        "pageSize": "1000",
    }


async def test_counts_take_the_same_conditions() -> None:
    fake = FakeConnectWise({"/company/companies/7/sites": [{"id": 1}]})
    async with fake.client() as client:
        assert await client.sites(7).count("inactiveFlag = false") == 1
        assert client.session.sent["GET /company/companies/{parentId}/sites/count"] == 1
    assert fake.seen[-1].url.params["conditions"] == "inactiveFlag = false"


async def test_bulk_answers_pass_unread() -> None:
    fake = FakeConnectWise()
    answer = {"payload": [{"success": True, "originalIndex": 0, "statusCode": 201, "data": {"id": 4}}]}
    fake.say("POST", f"{CONFIGURATIONS}/bulk", httpx.Response(207, json=answer))
    fake.say("PUT", f"{CONFIGURATIONS}/bulk", httpx.Response(207, json=[{"id": 4}]))
    async with fake.client() as client:
        assert await client.create_configurations([{"name": "a"}]) == answer
        assert await client.replace_configurations([{"id": 4, "name": "b"}]) == [{"id": 4}]
        assert client.session.writes == 2
    assert body_of(fake.seen[-1]) == [{"id": 4, "name": "b"}]


async def test_a_bulk_create_without_an_answer_is_unclear_and_sent_once() -> None:
    fake = FakeConnectWise()
    fake.say("POST", f"{CONFIGURATIONS}/bulk", httpx.ReadTimeout("slow"))
    async with fake.client() as client:
        with pytest.raises(UnclearOutcomeError):
            await client.create_configurations([{"name": "a"}])
    assert len(fake.asked("POST", f"{CONFIGURATIONS}/bulk")) == 1


@pytest.mark.parametrize("answer", [httpx.ReadTimeout("slow"), httpx.Response(429), httpx.Response(503)])
async def test_a_bulk_replace_is_never_sent_again_as_it_is(answer: httpx.Response | Exception) -> None:
    fake = FakeConnectWise()
    fake.say("PUT", f"{CONFIGURATIONS}/bulk", answer)
    async with fake.client() as client:
        with pytest.raises(RetryableError):
            await client.replace_configurations([{"id": 1}])
    assert len(fake.asked("PUT", f"{CONFIGURATIONS}/bulk")) == 1


async def test_bulk_that_is_not_offered_is_a_rejection_so_that_single_writes_can_follow() -> None:
    fake = FakeConnectWise()
    missing = refusal(404, "ConnectWiseApi", "The endpoint does not exist.")
    fake.say("PUT", f"{CONFIGURATIONS}/bulk", missing)
    async with fake.client() as client:
        with pytest.raises(RejectedError, match="does not offer"):
            await client.replace_configurations([{"id": 1}])


async def test_single_writes_send_what_the_vendor_asks_for() -> None:
    fake = FakeConnectWise()
    fake.say("PATCH", f"{CONFIGURATIONS}/9", httpx.Response(200, json={"id": 9}))
    fake.say("PATCH", f"{CONFIGURATIONS}/9/changeType", httpx.Response(200, json={"id": 9}))
    fake.say("DELETE", f"{CONFIGURATIONS}/9", httpx.Response(204))
    fake.say("POST", "/system/locations", httpx.Response(201, json={"id": 3}))
    async with fake.client() as client:
        await client.configurations.patch(9, [{"op": "replace", "path": "name", "value": "b"}])
        await client.change_configuration_type(9, 4)
        await client.configurations.delete(9)
        await client.locations.create({"name": "Lisbon", "structureLevel": {"id": 2}})
    bodies = [body_of(request) for request in fake.seen if request.content]
    assert bodies == [
        [{"op": "replace", "path": "name", "value": "b"}],
        [{"op": "replace", "path": "type", "value": {"id": 4}}],
        {"name": "Lisbon", "structureLevel": {"id": 2}},
    ]


async def test_a_client_for_reading_refuses_each_write() -> None:
    fake = FakeConnectWise()
    async with fake.client(read_only=True) as client:
        for write in (
            client.manufacturers.create({"name": "Lenovo"}),
            client.create_configurations([]),
            client.replace_configurations([]),
            client.configurations.patch(1, []),
            client.configurations.delete(1),
        ):
            with pytest.raises(WriteRefusedError):
                await write
    assert fake.seen == []


async def test_no_shown_form_of_a_client_holds_a_key() -> None:
    async with ConnectWiseClient(SETTINGS) as client:
        shown = f"{client!r} {client} {client.settings!r} {client.session!r} {client.settings.credential_key}"
    assert not any(secret in shown for secret in SETTINGS.secrets())


async def test_an_id_in_quotes_is_a_number() -> None:
    fake = FakeConnectWise()
    fake.say("POST", CONFIGURATIONS, httpx.Response(201, json={"id": "7", "name": "x"}))
    async with fake.client() as client:
        assert (await client.configurations.create({"name": "x"}))["id"] == 7
