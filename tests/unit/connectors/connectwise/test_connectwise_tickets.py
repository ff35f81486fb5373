"""Tickets, agreements and the search by POST, against a fake server."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from connectors.connectwise.api import ApiPath
from connectors.connectwise.bulk_reads import LONGEST_SEARCH_BODY, LONGEST_SEARCH_CONDITIONS
from connectors.connectwise.models import TICKETS, TicketKind
from connectors.errors import RejectedError, RetryableError, StopError
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
        with pytest.raises(StopError, match=r"something else than a list.*POST"):
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
            await client.send(RequestKind.READ, method, ApiPath.of(path), json={})
    assert caught.value.remedy


@pytest.mark.parametrize(("method", "path"), WAYS)
async def test_wrong_keys_close_every_way(method: str, path: str) -> None:
    fake = FakeConnectWise()
    fake.say(method, path, refusal(401, "Unauthorized", "UserNotAuthenticated"))
    async with fake.client() as client:
        with pytest.raises(StopError):
            await client.send(RequestKind.READ, method, ApiPath.of(path), json={})


async def test_a_search_that_stays_overloaded_is_for_later() -> None:
    fake = FakeConnectWise()
    fake.say("POST", SEARCH, *[httpx.Response(503)] * 4)
    async with fake.client() as client:
        with pytest.raises(RetryableError):
            await anext(client.search_tickets("service", "id > 0"))
