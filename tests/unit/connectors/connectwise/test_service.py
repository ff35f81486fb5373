"""Tickets, notes, boards, callbacks and the search by POST, against a fake server."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest

from connectors.connectwise.api import ApiPath
from connectors.connectwise.bulk_reads import LONGEST_SEARCH_BODY, LONGEST_SEARCH_CONDITIONS
from connectors.connectwise.client import ConnectWiseClient
from connectors.connectwise.models import TICKETS, PatchOperation, TicketKind
from connectors.errors import RejectedError, RetryableError, StopError, UnclearOutcomeError, WriteRefusedError
from connectors.http import whole_body
from connectors.retry import RequestKind
from tests.support.fake_connectwise import FakeConnectWise, body_of, refusal

pytestmark = pytest.mark.anyio


SEARCH = "/service/tickets/search"


def items(number: int) -> list[dict[str, Any]]:
    return [{"id": 5 + 2 * n, "deviceIdentifier": f"pc-{n}"} for n in range(number)]


def page(*ids: int, link: str | None = None) -> httpx.Response:
    return httpx.Response(200, json=[{"id": n} for n in ids], headers={} if link is None else {"Link": link})


@pytest.mark.parametrize("kind", ["service", "project"])
async def test_both_kinds_of_tickets_lie_in_collections_of_their_own(kind: TicketKind) -> None:
    path = TICKETS[kind]
    fake = FakeConnectWise({path: items(3), f"{path}/9/configurations": items(1200)})
    fake.say("GET", f"{path}/9", httpx.Response(200, json={"id": 9}))
    async with fake.client() as client:
        assert await client.tickets(kind).list("company/id = 2", fields="id") == items(3)
        assert [one async for one in client.tickets(kind).pages(page_size=2)] == [items(3)[:2], items(3)[2:]]
        assert await client.tickets(kind).count() == 3
        assert await client.tickets(kind).get(9) == {"id": 9}
        assert await client.ticket_configurations(kind, 9).list() == items(1200)
        assert client.session.sent[f"GET {path}/{{parentId}}/configurations"] == 2


async def test_a_ticket_that_is_gone_concerns_only_itself() -> None:
    fake = FakeConnectWise()
    path = "/service/tickets/9/configurations"
    fake.say("GET", path, refusal(404, "NotFound", "Ticket 9 not found"))
    async with fake.client() as client:
        with pytest.raises(RejectedError, match="Ticket 9 not found"):
            await client.ticket_configurations("service", 9).list()


async def test_agreements_and_what_they_cover() -> None:
    fake = FakeConnectWise(
        {
            "/finance/agreements": items(4),
            "/finance/agreements/7/configurations": items(30),
        }
    )
    async with fake.client() as client:
        assert len(await client.agreements.list("company/id = 2")) == await client.agreements.count() == 4
        assert [len(one) async for one in client.agreements.pages(page_size=3)] == [3, 1]
        assert await client.agreement_configurations(7).list() == items(30)


async def test_a_search_goes_on_after_the_last_id() -> None:
    fake = FakeConnectWise()
    fake.say("POST", SEARCH, page(3, 8), page(9, 12), page(20))
    async with fake.client() as client:
        found = client.search_tickets("service", "a = 1 or b = 2", fields="summary", page_size=2)
        assert [[one["id"] for one in some] async for some in found] == [[3, 8], [9, 12], [20]]
    asked = fake.asked("POST", SEARCH)
    assert [body_of(one) for one in asked] == [
        {"conditions": "a = 1 or b = 2", "orderBy": "id asc"},
        {"conditions": "(a = 1 or b = 2) and id > 8", "orderBy": "id asc"},
        {"conditions": "(a = 1 or b = 2) and id > 12", "orderBy": "id asc"},
    ]
    assert {str(one.url.params) for one in asked} == {"pageSize=2&fields=id%2Csummary"}


@pytest.mark.parametrize(("link", "requests"), [('<https://x.test?page=2>; rel="next"', 3), ("", 1)])
async def test_a_search_believes_the_link_header_where_there_is_one(link: str, requests: int) -> None:
    fake = FakeConnectWise()
    fake.say("POST", SEARCH, page(3, 8, link=link), page(9, link=link), page(link=link))
    async with fake.client() as client:
        _ = [one async for one in client.search_tickets("service", "id > 0", page_size=2)]
    assert len(fake.asked("POST", SEARCH)) == requests


@pytest.mark.parametrize("answers", [[page(8, 3)], [page(3, 8), page(3, 8)], [page(3, 3)]])
async def test_a_search_out_of_order_is_not_believed(answers: list[httpx.Response]) -> None:
    fake = FakeConnectWise()
    fake.say("POST", SEARCH, *answers)
    async with fake.client() as client:
        with pytest.raises(RejectedError, match="order of their ids"):
            _ = [one async for one in client.search_tickets("service", "id > 0", page_size=2)]


async def test_the_longest_search_still_has_room_for_its_next_page() -> None:
    fake = FakeConnectWise()
    fake.say("POST", SEARCH, page(2**31 - 2), page())
    conditions = "x" * (LONGEST_SEARCH_CONDITIONS - 2)
    async with fake.client() as client:
        _ = [one async for one in client.search_tickets("service", conditions, page_size=1)]
        with pytest.raises(RejectedError, match="conditions of a search are too long"):
            await anext(client.search_tickets("service", conditions + "x"))
    lengths = [len(one.content) for one in fake.asked("POST", SEARCH)]
    assert len(lengths) == 2
    assert LONGEST_SEARCH_BODY - 60 < max(lengths) <= LONGEST_SEARCH_BODY


async def test_a_search_is_a_read() -> None:
    fake = FakeConnectWise()
    fake.say("POST", SEARCH, httpx.Response(503), httpx.ReadTimeout("slow"), page(1))
    async with fake.client(read_only=True) as client:
        found = [one async for one in client.search_tickets("service", "id > 0")]
        assert client.session.writes == 0
    assert found == [[{"id": 1}]]


async def test_something_else_than_tickets_is_an_error() -> None:
    fake = FakeConnectWise()
    fake.say("POST", SEARCH, httpx.Response(200, json={"id": 1}))
    async with fake.client() as client:
        with pytest.raises(StopError, match=r"should be a list but is an object with id.*POST"):
            await anext(client.search_tickets("service", "id > 0"))


WAYS = [("POST", SEARCH), ("POST", "/system/bundles"), ("GET", "/system/reports/ConfigurationAgreement")]


@pytest.mark.parametrize(("method", "path"), WAYS)
@pytest.mark.parametrize("status", [403, 404, 405])
async def test_a_way_that_is_not_open_is_a_rejection_so_that_another_can_follow(
    method: str, path: str, status: int
) -> None:
    fake = FakeConnectWise()
    fake.say(method, path, refusal(status, "ConnectWiseApi", "The endpoint does not exist."))
    async with fake.client() as client:
        with pytest.raises(RejectedError) as caught:
            await client.send(RequestKind.READ, method, ApiPath.of(path), whole_body, json={})
    assert caught.value.remedy


@pytest.mark.parametrize(("method", "path"), WAYS)
async def test_wrong_keys_close_every_way(method: str, path: str) -> None:
    fake = FakeConnectWise()
    fake.say(method, path, refusal(401, "Unauthorized", "UserNotAuthenticated"))
    async with fake.client() as client:
        with pytest.raises(StopError):
            await client.send(RequestKind.READ, method, ApiPath.of(path), whole_body, json={})


async def test_a_search_that_stays_overloaded_is_for_later() -> None:
    fake = FakeConnectWise()
    fake.say("POST", SEARCH, *[httpx.Response(503)] * 4)
    async with fake.client() as client:
        with pytest.raises(RetryableError):
            await anext(client.search_tickets("service", "id > 0"))


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
    number = int(path.rpartition("/")[2])
    fake.say(method, path, httpx.Response(503), httpx.Response(200, json={"id": number}))
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
        for number, (path, get) in enumerate(paths.items(), start=3):
            fake.say("GET", path, httpx.Response(200, json={"id": number, "path": path}))
            fake.say("GET", path, refusal(404, "NotFound", "not found"))
            assert await get(client) == {"id": number, "path": path}
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
