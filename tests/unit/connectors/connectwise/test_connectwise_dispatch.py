"""What dispatch needs of ConnectWise: writes that are sent once, notes of three kinds, boards, callbacks."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest

from connectors.connectwise.client import ConnectWiseClient
from connectors.connectwise.models import PatchOperation
from connectors.errors import RejectedError, UnclearOutcomeError, WriteRefusedError
from tests.support.fake_connectwise import FakeConnectWise, body_of, refusal

pytestmark = pytest.mark.anyio

Write = Callable[[ConnectWiseClient], Awaitable[Any]]
DONE: PatchOperation = {"op": "replace", "path": "status", "value": {"id": 12}}
CREATES: list[tuple[str, Write]] = [
    ("/service/tickets", lambda client: client.tickets("service").create({"summary": "x"})),
    ("/project/tickets", lambda client: client.tickets("project").create({"summary": "x"})),
    ("/service/tickets/5/notes", lambda client: client.ticket_notes("service", 5).create({"summary": "x"})),
    ("/project/tickets/5/notes", lambda client: client.ticket_notes("project", 5).create({"summary": "x"})),
    ("/sales/opportunities/6/notes", lambda client: client.opportunity_notes(6).create({"summary": "x"})),
    ("/time/entries", lambda client: client.time_entries.create({"summary": "x"})),
    ("/system/callbacks", lambda client: client.callbacks.create({"summary": "x"})),
]
CHANGES: list[tuple[str, str, Write]] = [
    ("PATCH", "/service/tickets/5", lambda client: client.tickets("service").patch(5, [DONE])),
    ("PATCH", "/project/tickets/5", lambda client: client.tickets("project").patch(5, [DONE])),
    ("PATCH", "/sales/opportunities/6", lambda client: client.opportunities.patch(6, [DONE])),
    ("DELETE", "/system/callbacks/8", lambda client: client.callbacks.delete(8)),
]


@pytest.mark.parametrize(("path", "create"), CREATES)
async def test_a_create_sends_the_record_and_returns_what_was_made(path: str, create: Write) -> None:
    fake = FakeConnectWise()
    fake.say("POST", path, httpx.Response(201, json={"id": 77}))
    async with fake.client() as client:
        assert await create(client) == {"id": 77}
        assert client.session.writes == 1
    assert [body_of(one) for one in fake.asked("POST", path)] == [{"summary": "x"}]


@pytest.mark.parametrize(
    "answer", [httpx.ReadTimeout("slow"), httpx.Response(503), httpx.Response(200, text="x")]
)
@pytest.mark.parametrize(("path", "create"), CREATES)
async def test_a_create_without_a_clear_answer_is_never_repeated(
    path: str, create: Write, answer: httpx.Response | Exception
) -> None:
    fake = FakeConnectWise()
    fake.say("POST", path, answer)
    async with fake.client() as client:
        with pytest.raises(UnclearOutcomeError):
            await create(client)
    assert len(fake.asked("POST", path)) == 1


@pytest.mark.parametrize(("method", "path", "change"), CHANGES)
async def test_an_absolute_change_may_be_sent_twice(method: str, path: str, change: Write) -> None:
    fake = FakeConnectWise()
    fake.say(method, path, httpx.Response(503), httpx.Response(200, json={"id": 5}))
    async with fake.client() as client:
        await change(client)
    asked = fake.asked(method, path)
    assert len(asked) == 2
    assert all(body_of(one) == [DONE] for one in asked if method == "PATCH")


async def test_a_client_for_reading_refuses_each_of_them() -> None:
    fake = FakeConnectWise()
    async with fake.client(read_only=True) as client:
        for write in [create for _, create in CREATES] + [change for *_, change in CHANGES]:
            with pytest.raises(WriteRefusedError):
                await write(client)
    assert fake.seen == []


async def test_the_oldest_description_is_one_request() -> None:
    path = "/service/tickets/5/notes"
    fake = FakeConnectWise({path: [{"id": 3, "text": "the fault"}, {"id": 9, "text": "later"}]})
    async with fake.client() as client:
        found = await client.ticket_notes("service", 5).list(
            "detailDescriptionFlag = true", order_by="id asc", page=1, page_size=1
        )
    assert found == [{"id": 3, "text": "the fault"}]
    assert len(fake.asked("GET", path)) == 1


async def test_related_records_are_read_one_by_one() -> None:
    fake = FakeConnectWise()
    paths: dict[str, Write] = {
        "/company/companies/3": lambda client: client.companies.get(3),
        "/company/companies/3/sites/4": lambda client: client.sites(3).get(4),
        "/company/contacts/5": lambda client: client.contacts.get(5),
        "/system/members/6": lambda client: client.members.get(6),
        "/service/boards/7": lambda client: client.boards.get(7),
        "/sales/opportunities/8": lambda client: client.opportunities.get(8),
    }
    async with fake.client() as client:
        for path, get in paths.items():
            fake.say("GET", path, httpx.Response(200, json={"path": path}))
            fake.say("GET", path, refusal(404, "NotFound", "not found"))
            assert await get(client) == {"path": path}
            with pytest.raises(RejectedError):
                await get(client)


async def test_statuses_are_those_of_one_board() -> None:
    fake = FakeConnectWise(
        {
            "/service/boards": [{"id": 1}, {"id": 2}],
            "/service/boards/2/statuses": [{"id": 12, "name": "Closed", "closedStatus": True}],
        }
    )
    async with fake.client() as client:
        assert len(await client.boards.list()) == await client.boards.count() == 2
        assert [one["id"] for one in await client.board_statuses(2).list()] == [12]


async def test_a_callback_that_exists_is_a_rejection_that_says_so() -> None:
    fake = FakeConnectWise({"/system/callbacks": [{"id": 8}]})
    detail = {
        "code": "ObjectExists",
        "message": "A matching callback entry already exists",
        "field": "objectId",
    }
    answer = refusal(400, "InvalidObject", "callbackEntry object is invalid", [detail])
    fake.say("POST", "/system/callbacks", answer)
    async with fake.client() as client:
        with pytest.raises(RejectedError) as caught:
            await client.callbacks.create({"url": "https://x.test?recordId="})
        assert [one["id"] for one in await client.callbacks.list()] == [8]
    assert [one.code for one in caught.value.details] == ["ObjectExists"]


async def test_records_of_dispatch_are_listed_paged_and_counted() -> None:
    fake = FakeConnectWise(
        {
            path: [{"id": 1}, {"id": 2}]
            for path in ("/sales/opportunities", "/time/entries", "/system/members")
        }
    )
    async with fake.client() as client:
        for collection in (client.opportunities, client.time_entries, client.members):
            assert len(await collection.list()) == 2
            assert [len(page) async for page in collection.pages(page_size=1)] == [1, 1]
            assert await collection.count() == 2
