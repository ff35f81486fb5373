"""The client against a Lansweeper in memory: pages, joins, limits, refusals."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import orjson
import pytest

from connectors.errors import (
    ConnectorError,
    RejectedError,
    RetryableError,
    StopError,
    UnclearOutcomeError,
    WriteRefusedError,
)
from connectors.lansweeper import api
from connectors.lansweeper.client import LansweeperClient
from connectors.lansweeper.models import Asset
from tests.support.fake_lansweeper import SITE, TOKEN, FakeLansweeper, answered, asset, refused

pytestmark = pytest.mark.anyio
MANY = [f"assetBasicInfo.extra{number}" for number in range(40)]


async def read(client: LansweeperClient, fields: list[str], **options: Any) -> list[Asset]:
    pages = [page async for page in client.asset_pages(SITE, fields, **options)]
    assert [page.total for page in pages[1:]] == [None] * (len(pages) - 1)
    return [item for page in pages for item in page.items]


def page_answer(items: list[Any], cursor: str | None, **more: Any) -> httpx.Response:
    return answered({"site": {"assetResources": {"items": items, "pagination": {"next": cursor}, **more}}})


async def test_all_pages_are_read_with_total_on_the_first_only() -> None:
    fake = FakeLansweeper([asset(number) for number in range(5)])
    async with fake.client() as client:
        pages = [page async for page in client.asset_pages(SITE, ["assetBasicInfo.name"], page_size=2)]
        assert [len(page.items) for page in pages] == [2, 2, 1]
        assert pages[0].total == 5
        assert pages[0].items[0] == {"key": "key-0", "assetBasicInfo": {"name": "WKS-0"}}
        assert client.session.sent == {"POST /api/v2/graphql assetResources": 3}
    assert ["total" in request["query"] for request in fake.requests] == [True, False, False]
    assert [variables["page"]["page"] for variables in fake.variables()] == ["FIRST", "NEXT", "NEXT"]
    assert fake.headers[0]["authorization"] == f"Token {TOKEN}"


async def test_an_empty_site_is_one_empty_page() -> None:
    async with FakeLansweeper().client() as client:
        pages = [page async for page in client.asset_pages(SITE, ["assetBasicInfo.name"])]
    assert [(page.items, page.total) for page in pages] == [([], 0)]


async def test_more_than_30_paths_are_read_with_several_queries_and_joined() -> None:
    extra = {path.partition(".")[2]: 1 for path in MANY}
    fake = FakeLansweeper([asset(number, **extra) for number in range(5)])
    async with fake.client() as client:
        assets = await read(client, [*MANY, "softwares.name", "softwares.version"], page_size=2)
    assert [item["key"] for item in assets] == [f"key-{number}" for number in range(5)]
    assert all(set(item["assetBasicInfo"]) == set(extra) for item in assets)
    assert assets[0]["softwares"] == asset(0)["softwares"]
    assert len(fake.requests) == 6


async def test_assets_that_come_and_go_during_a_read_are_never_read_in_part() -> None:
    extra = {path.partition(".")[2]: 1 for path in MANY}
    fake = FakeLansweeper([asset(number, **extra) for number in range(6)])

    def change(request: int) -> None:
        if request == 2:  # between the two queries about the first page
            fake.assets.insert(0, asset(99, **extra))
            fake.assets.pop(3)

    fake.before_page = change
    async with fake.client() as client:
        assets = await read(client, MANY, page_size=2)
    assert all(set(item["assetBasicInfo"]) == set(extra) for item in assets)
    keys = [item["key"] for item in assets]
    assert len(keys) == len(set(keys))
    assert {"key-0", "key-1", "key-3", "key-4", "key-5"} <= set(keys)


async def test_pages_halve_when_an_answer_is_refused_for_its_size() -> None:
    fake = FakeLansweeper([asset(number, note="x" * 1000) for number in range(40)], most_bytes=12_000)
    async with fake.client() as client:
        assets = await read(client, ["assetBasicInfo.note"], page_size=40)
    assert len(assets) == 40
    assert [variables["page"]["limit"] for variables in fake.variables()] == [40, 20, 10, 10, 10, 10]


async def test_pages_halve_before_an_answer_is_refused_for_its_size() -> None:
    fake = FakeLansweeper([asset(number, note="x" * 320_000) for number in range(20)])
    async with fake.client() as client:
        assert len(await read(client, ["assetBasicInfo.note"], page_size=10)) == 20
    assert [variables["page"]["limit"] for variables in fake.variables()] == [10, 5, 5]


async def test_a_single_asset_that_is_too_large_is_the_vendors_error() -> None:
    fake = FakeLansweeper([asset(1, note="x" * 1000)], most_bytes=500)
    async with fake.client() as client:
        with pytest.raises(RejectedError, match=r"exceeds the maximum size.*Ask for fewer"):
            await read(client, ["assetBasicInfo.note"], page_size=4)


async def test_a_cursor_that_does_not_move_is_an_error() -> None:
    fake = FakeLansweeper(queued=[page_answer([asset(1)], "c"), page_answer([asset(2)], "c")])
    async with fake.client() as client:
        with pytest.raises(StopError, match="a cursor that does not move"):
            await read(client, ["assetBasicInfo.name"])


async def test_ever_new_cursors_with_the_same_assets_are_an_error() -> None:
    fake = FakeLansweeper(queued=[page_answer([asset(1)], f"c{n}") for n in range(9)])
    async with fake.client() as client:
        with pytest.raises(StopError, match="page 2 brought nothing new"):
            await read(client, ["assetBasicInfo.name"])


@pytest.mark.parametrize(
    "data",
    [
        {"site": {"assetResources": {"items": [{"key": 5}], "pagination": {"next": None}}}},
        {"site": {"assetResources": {"items": ["x"], "pagination": {"next": None}}}},
        {"site": {"assetResources": {"items": {"a": 1}}}},
        {"site": {"assetResources": {"items": [], "pagination": "x"}}},
        {"site": {"assetResources": {"items": [{"key": "a"}], "pagination": {"next": 5}}}},
        {"site": {"assetResources": {"items": [], "pagination": {}, "total": "many"}}},
        {"site": {"assetResources": []}},
    ],
)
async def test_assets_of_another_form_are_an_error_that_names_the_part(data: dict[str, Any]) -> None:
    fake = FakeLansweeper(queued=[answered(data)])
    async with fake.client() as client:
        with pytest.raises(StopError, match=r"should be|without a key"):
            await read(client, ["assetBasicInfo.name"])


async def test_a_page_without_items_ends_the_read_whatever_its_cursor() -> None:
    fake = FakeLansweeper(queued=[page_answer([asset(1), None], "c"), page_answer([], "d")])
    async with fake.client() as client:
        assert len(await read(client, ["assetBasicInfo.name"])) == 1


@pytest.mark.parametrize("size", [0, 501])
async def test_a_page_size_that_cannot_be_is_refused_before_sending(size: int) -> None:
    fake = FakeLansweeper()
    async with fake.client() as client:
        with pytest.raises(RejectedError, match="Ask for 1 to 500"):
            await read(client, ["assetBasicInfo.name"], page_size=size)
    assert fake.requests == []


@pytest.mark.parametrize(
    ("status", "message", "remedy"),
    [
        (400, "Context creation failed: You must be logged in.", "Check the access token"),
        (403, "You don't have access to this site", "Check the site ID"),
        (403, "You are not authorized to perform this action", "role"),
        (500, "You are not authorized to perform this action", "role"),
        (400, "Invalid path: assetBasicInfo.nmae", "Correct the field path in the mapping"),
        (400, "Cannot query field 'x' on type 'Site'.", "does not offer the field"),
    ],
)
async def test_refusals_that_need_a_person_stop_with_a_remedy(status: int, message: str, remedy: str) -> None:
    fake = FakeLansweeper(queued=[refused(status, message)])
    async with fake.client() as client:
        with pytest.raises(StopError, match=remedy) as stopped:
            await read(client, ["assetBasicInfo.name"])
    assert message.rstrip(".") in str(stopped.value)
    assert (stopped.value.status, stopped.value.path) == (status, "/api/v2/graphql")
    assert len(fake.requests) == 1


async def test_errors_under_status_200_are_errors() -> None:
    fake = FakeLansweeper(queued=[refused(200, "Asset is locked")])
    async with fake.client() as client:
        with pytest.raises(RejectedError, match="Asset is locked"):
            await client.edit_asset(SITE, "key", {})


async def test_a_gateways_page_does_not_hide_the_status_nor_a_login_page_pass_for_data() -> None:
    page = httpx.Response(403, html="<html><title>Forbidden by the proxy</title></html>")
    login = httpx.Response(200, html="<html><title>Log in</title></html>")
    async with FakeLansweeper(queued=[page, login]).client() as client:
        with pytest.raises(StopError, match=r"Forbidden by the proxy.*403"):
            await client.authorized_sites()
        with pytest.raises(StopError, match="not JSON but reads 'Log in'"):
            await client.authorized_sites()


async def test_no_error_shows_the_token() -> None:
    fake = FakeLansweeper(queued=[refused(400, f"Bad header Authorization: Token {TOKEN}")])
    async with fake.client() as client:
        with pytest.raises(ConnectorError) as error:
            await client.authorized_sites()
    assert TOKEN[4:40] not in str(error.value)


async def test_a_read_only_client_refuses_every_mutation_unsent() -> None:
    fake = FakeLansweeper()
    async with fake.client(read_only=True) as client:
        with pytest.raises(WriteRefusedError):
            await client.edit_asset(SITE, "key", {})
        with pytest.raises(WriteRefusedError):
            await client.create_custom_field(SITE, "cw_sla", "TEXTAREA")
    assert fake.requests == []


async def test_a_creation_without_an_answer_is_unclear_and_sent_once() -> None:
    fake = FakeLansweeper(queued=[httpx.ReadError("dropped")])
    async with fake.client() as client:
        with pytest.raises(UnclearOutcomeError):
            await client.create_custom_field(SITE, "cw_sla", "TEXTAREA")
    assert len(fake.requests) == 1


async def test_a_creation_answered_with_nothing_is_unclear() -> None:
    async with FakeLansweeper(queued=[answered({"site": {"createCustomField": None}})]).client() as client:
        with pytest.raises(UnclearOutcomeError, match="a custom field should be an object but is nothing"):
            await client.create_custom_field(SITE, "cw_sla", "TEXTAREA")


async def test_a_long_rate_limit_is_a_retry_of_the_task_and_pauses_the_budget() -> None:
    class Limiter:
        pauses: list[float] = []  # noqa: RUF012

        async def acquire(self) -> None: ...

        async def pause(self, seconds: float) -> None:
            self.pauses.append(seconds)

    limiter = Limiter()
    fake = FakeLansweeper(queued=[refused(429, "Too many requests", {"Retry-After": "600"})])
    async with fake.client(rate_limiter=limiter) as client:
        with pytest.raises(RetryableError, match="Too many requests") as refusal:
            await client.authorized_sites()
    assert (refusal.value.retry_after, limiter.pauses) == (600, [600])


async def test_other_requests_wait_for_the_end_of_a_cool_down() -> None:
    time, waits = [100.0], []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)
        time[0] += seconds

    gate = api.CoolDown(None, now=lambda: time[0], sleep=sleep)
    await gate.acquire()
    await gate.pause(61)
    await gate.acquire()
    await gate.acquire()
    assert waits == [61]


async def test_the_only_site_is_used_when_none_is_named() -> None:
    async with FakeLansweeper().client() as client:
        assert await client.site() == {"id": SITE, "name": "acme"}


async def test_the_site_is_asked_for_once_and_its_id_not_at_all_where_it_is_named() -> None:
    lansweeper = FakeLansweeper()
    async with lansweeper.client(site_id=SITE) as client:
        assert await client.site_id() == SITE
        assert lansweeper.requests == []
    async with lansweeper.client() as client:
        assert await client.site_id() == (await client.site())["id"] == SITE
        assert len(lansweeper.requests) == 1
    sites = [{"id": "site-a", "name": "A"}]
    async with FakeLansweeper(sites=sites).client(site_id="SITE-A") as client:
        assert await client.site_id() == "site-a"


@pytest.mark.parametrize(
    ("sites", "named", "words"),
    [
        ([], "", "may see no site"),
        (
            [{"id": "a", "name": "A"}, {"id": "b", "name": "B"}],
            "",
            r"several sites: A \(a\), B \(b\).*Enter the ID",
        ),
        ([{"id": "a", "name": "A"}], "b", r"may not see the site b, but A \(a\)"),
    ],
)
async def test_an_undecided_site_is_one_clear_error(sites: list[Any], named: str, words: str) -> None:
    async with FakeLansweeper(sites=sites).client(site_id=named) as client:
        with pytest.raises(StopError, match=words):
            await client.site()


async def test_a_site_that_is_null_is_an_error() -> None:
    async with FakeLansweeper(queued=[answered({"site": None})]).client() as client:
        with pytest.raises(RejectedError, match="with nothing"):
            await client.asset_types(SITE)


async def test_a_custom_field_and_an_edit_travel_as_variables() -> None:
    created = {"key": "f1", "name": "cw_sla", "type": "TEXTAREA", "props": None}
    edited = {"assetBasicInfo": {"name": "x"}, "assetCustom": {"fields": []}}
    queued = [answered({"site": {"createCustomField": created}}), answered({"site": {"editAsset": edited}})]
    fake = FakeLansweeper(queued=[*queued])
    change = {"assetCustom": {"fields": [{"fieldKey": "f1", "value": 'a "quoted" } value'}]}}
    async with fake.client() as client:
        assert await client.create_custom_field(SITE, "cw_sla", "TEXTAREA") == created
        assert await client.edit_asset(SITE, "key-1", change) == edited
        assert client.session.writes == 2
    assert orjson.loads(orjson.dumps(fake.variables()[1])) == {"site": SITE, "key": "key-1", "fields": change}


async def test_a_read_goes_on_where_it_had_to_wait() -> None:
    fake = FakeLansweeper([asset(number) for number in range(9)])
    limiter = Exhausted(after=3)

    async def patient(call: Callable[[], Awaitable[tuple[Any, int]]]) -> tuple[Any, int]:
        try:
            return await call()
        except RetryableError:
            limiter.left = 99
            return await call()

    async with fake.client(rate_limiter=limiter) as client:
        found = await read(client, ["assetBasicInfo.name"], page_size=2, send=patient)
    assert [each["key"] for each in found] == [f"key-{number}" for number in range(9)]
    assert [variables["page"].get("cursor") for variables in fake.variables()] == [None, "2", "4", "6", "8"]


class Exhausted:
    """A request budget that is used up ``after`` so many requests."""

    def __init__(self, after: int) -> None:
        self.left = after

    async def acquire(self) -> None:
        if self.left == 0:
            raise RetryableError("All requests are used", retry_after=60)
        self.left -= 1

    async def pause(self, seconds: float) -> None:
        raise AssertionError("nobody said 429")
