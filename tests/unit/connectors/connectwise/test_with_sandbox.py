"""The ConnectWise client against the sandbox, over loopback HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from typing import Any

import pytest

from connectors.connectwise.block import check_connection
from connectors.connectwise.client import ConnectWiseClient
from connectors.connectwise.conditions import any_of, equals
from connectors.connectwise.models import PatchOperation
from connectors.connectwise.refusals import CHECK_CLIENT_ID, CHECK_KEYS, SHORTEN
from connectors.connectwise.settings import ConnectWiseSettings
from connectors.errors import RejectedError, StopError, UnclearOutcomeError
from deployments.local.sandbox import Sandbox

pytestmark = pytest.mark.anyio


Open = Callable[..., ConnectWiseClient]
BULK = "/company/configurations/bulk"


async def no_sleep(seconds: float) -> None:
    """Waits for nothing."""


@pytest.fixture
def settings(sandbox: Sandbox) -> ConnectWiseSettings:
    info = sandbox.info["connectwise"]
    return ConnectWiseSettings(
        **{name: info[name] for name in ("site", "company_id", "public_key", "private_key", "client_id")}
    )


@pytest.fixture
def connect(settings: ConnectWiseSettings) -> Open:
    def opened(**changes: Any) -> ConnectWiseClient:
        return ConnectWiseClient(replace(settings, **changes), sleep=no_sleep)

    return opened


def new_record(sandbox: Sandbox, name: str) -> dict[str, Any]:
    one = sandbox.state("company/configurations/types")[0]
    return {"name": name, "type": {"id": one["id"]}, "company": {"id": sandbox.company_id}}


async def test_every_record_is_read_whatever_the_page_size(sandbox: Sandbox, connect: Open) -> None:
    expected = sorted(record["id"] for record in sandbox.state("company/configurations"))
    async with connect() as client:
        listed = await client.configurations.list(fields="id")
        paged = [
            one["id"] async for page in client.configurations.pages(fields="id", page_size=7) for one in page
        ]
        ordered = await client.configurations.list(fields="id", order_by="id asc")
        assert [one["id"] for one in listed] == paged == [one["id"] for one in ordered] == expected
        assert await client.configurations.count() == len(expected)


async def test_every_collection_can_be_listed_and_counted(sandbox: Sandbox, connect: Open) -> None:
    async with connect() as client:
        collections = [
            client.configuration_types,
            client.configuration_statuses,
            client.companies,
            client.contacts,
            client.departments,
            client.locations,
            client.manufacturers,
            client.user_defined_fields,
        ]
        for collection in collections:
            assert len(await collection.list()) == await collection.count() > 0, collection.path
        sites = client.sites(sandbox.company_id)
        assert len(await sites.list()) == await sites.count()


@pytest.mark.parametrize("name", ['17" Racks', "O'Neill \\ Sons\\", "Müller (x) and [y], 100 %_"])
async def test_a_value_finds_itself_and_nothing_else(connect: Open, name: str) -> None:
    async with connect() as client:
        made = await client.manufacturers.create({"name": name})
        found = await client.manufacturers.list(equals("name", name))
    assert [one["id"] for one in found] == [made["id"]]


async def test_records_are_found_by_ids(sandbox: Sandbox, connect: Open) -> None:
    ids = [record["id"] for record in sandbox.state("company/configurations")][:5]
    async with connect() as client:
        assert [one["id"] for one in await client.configurations.list(any_of("id", ids))] == sorted(ids)


async def test_a_record_lives_and_dies(sandbox: Sandbox, connect: Open) -> None:
    types = sandbox.state("company/configurations/types")
    async with connect() as client:
        made = await client.configurations.create(new_record(sandbox, "pc-1"))
        number = made["id"]
        await client.configurations.patch(number, [{"op": "replace", "path": "name", "value": "pc-2"}])
        await client.change_configuration_type(number, types[1]["id"])
        read = await client.configurations.get(number)
        assert (read["name"], read["type"]["id"]) == ("pc-2", types[1]["id"])
        await client.configurations.delete(number)
        with pytest.raises(RejectedError, match="not found"):
            await client.configurations.get(number)


async def test_a_refused_record_says_which_field(sandbox: Sandbox, connect: Open) -> None:
    async with connect() as client:
        with pytest.raises(RejectedError) as caught:
            await client.configurations.create({"name": "x" * 101, "company": {"id": sandbox.company_id}})
    assert (caught.value.status, caught.value.code) == (400, "InvalidObject")
    assert {detail.field for detail in caught.value.details} >= {"type"}


async def test_bulk_writes_answer_by_item(sandbox: Sandbox, connect: Open) -> None:
    async with connect() as client:
        answer = await client.create_configurations([new_record(sandbox, f"bulk {n}") for n in range(3)])
        ids = [item["data"]["id"] for item in answer["payload"]]
        whole = await client.configurations.list(any_of("id", ids))
        changed = [{**record, "notes": "seen"} for record in whole]
        assert all(item["success"] for item in (await client.replace_configurations(changed))["payload"])
        assert {one["notes"] for one in await client.configurations.list(any_of("id", ids))} == {"seen"}


async def test_a_create_whose_answer_is_lost_is_sent_once(sandbox: Sandbox, connect: Open) -> None:
    sandbox.faults([{"method": "POST", "path": BULK, "fault": {"kind": "drop_after"}}])
    async with connect() as client:
        with pytest.raises(UnclearOutcomeError):
            await client.create_configurations([new_record(sandbox, "lost answer")])
        assert len(await client.configurations.list(equals("name", "lost answer"))) == 1
    assert sandbox.requests()["connectwise"]["writes"] == 1


async def test_reads_outlive_a_rough_network(sandbox: Sandbox, connect: Open) -> None:
    expected = len(sandbox.state("company/configurations"))
    sandbox.faults(
        [
            {
                "method": "GET",
                "path": "/company/configurations",
                "nth": [1],
                "fault": {"kind": "drop_before"},
            },
            {
                "method": "GET",
                "path": "/company/configurations",
                "nth": [2],
                "fault": {"kind": "status", "status": 429, "headers": {"Retry-After": "9"}, "body": {}},
            },
            {
                "method": "GET",
                "path": "/company/configurations",
                "nth": [4],
                "fault": {"kind": "status", "status": 502, "body": "<html><title>Bad gateway</title></html>"},
            },
        ]
    )
    async with connect() as client:
        records = [one async for page in client.configurations.pages(page_size=20) for one in page]
    assert len(records) == expected


@pytest.mark.parametrize("status", [401, 404])
async def test_wrong_keys_are_told_apart_from_missing_records(
    sandbox: Sandbox, connect: Open, status: int
) -> None:
    sandbox.switch(bad_keys_status=status)
    async with connect(private_key="WrongKey12345678") as client:
        result = await check_connection(client)
    assert not result.ok
    assert CHECK_KEYS in result.message


@pytest.mark.parametrize("status", [400, 401, 403])
async def test_a_wrong_client_id(sandbox: Sandbox, connect: Open, status: int) -> None:
    sandbox.switch(missing_client_id_status=status)
    async with connect(client_id="00000000-0000-4000-8000-000000000000") as client:
        result = await check_connection(client)
    assert not result.ok
    assert CHECK_CLIENT_ID in result.message


async def test_an_unknown_company(connect: Open) -> None:
    async with connect(company_id="nobody") as client:
        with pytest.raises(StopError, match="does not know the company 'nobody'"):
            await client.companies.list()


async def test_a_missing_right_is_named(sandbox: Sandbox, connect: Open) -> None:
    sandbox.switch(denied=["procurement/manufacturers"])
    async with connect() as client:
        assert "may not read: manufacturers." in (await check_connection(client)).message
        sandbox.switch(denied=[])
        assert (await check_connection(client)).ok


async def test_an_address_that_is_too_long(connect: Open) -> None:
    async with connect() as client:
        with pytest.raises(RejectedError) as caught:
            await client.configurations.list(any_of("id", range(10_000, 12_000)))
    assert (caught.value.status, caught.value.remedy) == (414, SHORTEN)


async def test_bulk_that_is_switched_off_is_a_rejection(sandbox: Sandbox, connect: Open) -> None:
    sandbox.switch(bulk_enabled=False)
    async with connect() as client:
        with pytest.raises(RejectedError, match="does not offer"):
            await client.create_configurations([new_record(sandbox, "x")])


async def test_a_new_codebase_is_found(sandbox: Sandbox, connect: Open) -> None:
    sandbox.switch(codebase="v2026_3/")
    async with connect() as client:
        assert await client.companies.count() > 0


@pytest.fixture
async def client(sandbox: Sandbox) -> AsyncIterator[ConnectWiseClient]:
    info = sandbox.info["connectwise"]
    names = ("site", "company_id", "public_key", "private_key", "client_id")
    settings = ConnectWiseSettings(**{name: info[name] for name in names})
    async with ConnectWiseClient(settings) as client:
        yield client


async def test_a_ticket_is_made_closed_and_read(sandbox: Sandbox, client: ConnectWiseClient) -> None:
    made = await client.tickets("service").create({"summary": "x", "company": {"id": sandbox.company_id}})
    statuses = await client.board_statuses(made["board"]["id"]).list()
    closed = next(status["id"] for status in statuses if status["closedStatus"])
    operation: PatchOperation = {"op": "replace", "path": "status", "value": {"id": closed}}
    patched = await client.tickets("service").patch(made["id"], [operation])
    assert patched["status"]["id"] == closed
    read = await client.tickets("service").get(made["id"], fields="id,closedFlag")
    assert read == {"id": made["id"], "closedFlag": True}


async def test_a_status_of_another_board_is_refused(sandbox: Sandbox, client: ConnectWiseClient) -> None:
    made = await client.tickets("service").create({"summary": "x", "company": {"id": sandbox.company_id}})
    boards = {board["id"] for board in await client.boards.list()} - {made["board"]["id"]}
    (foreign, *_) = await client.board_statuses(min(boards)).list()
    operation: PatchOperation = {"op": "replace", "path": "status", "value": {"id": foreign["id"]}}
    with pytest.raises(RejectedError, match="not found for"):
        await client.tickets("service").patch(made["id"], [operation])


async def test_a_ticket_whose_answer_is_lost_is_sent_once(
    sandbox: Sandbox, client: ConnectWiseClient
) -> None:
    sandbox.faults([{"method": "POST", "path": "/service/tickets", "fault": {"kind": "drop_after"}}])
    with pytest.raises(UnclearOutcomeError):
        await client.tickets("service").create({"summary": "lost", "company": {"id": sandbox.company_id}})
    assert await client.tickets("service").count(equals("summary", "lost")) == 1


async def test_related_records_are_read_one_by_one(sandbox: Sandbox, client: ConnectWiseClient) -> None:
    (site, *_) = await client.sites(sandbox.company_id).list()
    (contact, *_) = await client.contacts.list()
    (board, *_) = await client.boards.list()
    (member, *_) = await client.members.list()
    assert await client.companies.get(sandbox.company_id, "id") == {"id": sandbox.company_id}
    assert await client.sites(sandbox.company_id).get(site["id"], "id,name") == {
        "id": site["id"],
        "name": site["name"],
    }
    assert await client.contacts.get(contact["id"], "id") == {"id": contact["id"]}
    assert (await client.boards.get(board["id"]))["name"] == board["name"]
    assert (await client.members.get(member["id"]))["identifier"] == member["identifier"]
    with pytest.raises(RejectedError):
        await client.sites(sandbox.company_id).get(99_999)
