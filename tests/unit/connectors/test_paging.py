"""A reading of pages makes progress or stops: nothing new, more than the vendor counts, too many, too few."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from connectors.errors import ConnectorError, RejectedError, RetryableError, StopError
from connectors.paging import COUNTED_FROM, MOST_UNCOUNTED_PAGES, PageProgress
from tests.support.fake_connectwise import FakeConnectWise

pytestmark = pytest.mark.anyio

CONFIGURATIONS = "/company/configurations"


def test_a_page_that_brings_nothing_new_stops_unless_it_is_the_last() -> None:
    progress = PageProgress("things")
    progress.page([1, 2], more=True)
    progress.page([2, 3], more=True)
    progress.page([1, 3], more=False)
    with pytest.raises(StopError, match="page 4 brought nothing new"):
        progress.page([1, 2, 3], more=True)


def test_far_more_than_the_vendor_counts_stops() -> None:
    progress = PageProgress("things", error=RejectedError)
    progress.page(range(1000), more=True, total=10)
    with pytest.raises(RejectedError, match="the vendor counts 10"):
        progress.page(range(1000, 2000), more=True, total=10)


def test_records_count_where_one_key_stands_for_a_whole_page() -> None:
    progress = PageProgress("rows")
    progress.page(["a"], more=True, total=10, records=1000)
    with pytest.raises(StopError, match="2,000 came, the vendor counts 10"):
        progress.page(["b"], more=True, records=1000)


def test_pages_without_end_stop() -> None:
    progress = PageProgress("things", most_pages=3)
    progress.page([1], more=True)
    progress.page([2], more=True)
    with pytest.raises(StopError, match="3 pages came"):
        progress.page([3], more=True)


async def test_a_long_reading_without_a_count_asks_for_it_once() -> None:
    asked = 0

    async def count() -> int:
        nonlocal asked
        asked += 1
        return 60

    progress = PageProgress("things")
    for number in range(COUNTED_FROM):
        assert asked == 0
        progress.page([number], more=True)
        await progress.count_with(count)
    progress.page(range(1100), more=True)
    await progress.count_with(count)
    assert asked == 1
    with pytest.raises(StopError, match="1,121 came, the vendor counts 60"):
        progress.page(range(1121), more=True)


@pytest.mark.parametrize("error", [RejectedError, StopError])
async def test_where_no_count_can_be_had_a_reading_stops_sooner(error: type[ConnectorError]) -> None:
    async def count() -> int:
        raise error("not offered")

    progress = PageProgress("things")
    for number in range(1, MOST_UNCOUNTED_PAGES):
        progress.page([number], more=True)
        await progress.count_with(count)
    with pytest.raises(StopError, match=f"{MOST_UNCOUNTED_PAGES} pages came"):
        progress.page([MOST_UNCOUNTED_PAGES], more=True)


def test_fewer_than_every_page_counted_is_no_whole_reading() -> None:
    progress = PageProgress("things")
    progress.page([1], more=True, total=3)
    progress.page([2], more=False, total=2)
    progress.finish()
    short = PageProgress("things")
    short.page([1], more=False, total=3)
    with pytest.raises(RetryableError, match="Only 1 things came, though the vendor counts 3"):
        short.finish()


@pytest.mark.parametrize(
    "page",
    [lambda n: [], lambda n: [{"id": 1}], lambda n: [{"id": 1 + n % 2}]],
    ids=["empty", "same", "two in turn"],
)
async def test_connectwise_pages_by_id_with_a_moving_link_stop(page: Any) -> None:
    fake = FakeConnectWise()
    answers = [
        httpx.Response(
            200, json=page(n), headers={"Link": f'<https://x.example/?pageId={n + 1}>; rel="next"'}
        )
        for n in range(20)
    ]
    fake.say("GET", CONFIGURATIONS, *answers)
    async with fake.client() as client:
        with pytest.raises(StopError, match="brought nothing new"):
            await client.configurations.list()
    assert len(fake.asked("GET", CONFIGURATIONS)) <= 3


async def test_a_connectwise_server_that_ignores_the_page_stops_the_reading() -> None:
    fake = FakeConnectWise()
    full = httpx.Response(200, json=[{"id": n} for n in range(1, 1001)])
    fake.say("GET", CONFIGURATIONS, *[full] * 20)
    async with fake.client() as client:
        with pytest.raises(StopError, match="brought nothing new"):
            await client.configurations.list(order_by="name")
    assert len(fake.asked("GET", CONFIGURATIONS)) == 2


@pytest.mark.parametrize("search", [{}, {"order_by": "name"}], ids=["by id", "by number"])
async def test_connectwise_pages_with_ever_new_ids_stop_far_above_the_vendors_count(search: Any) -> None:
    fake = FakeConnectWise({CONFIGURATIONS: [{"id": 1}, {"id": 2}]})
    further = '<https://x.example/?pageId={0}&page={0}>; rel="next"'
    answers = [
        httpx.Response(
            200, json=[{"id": 100 * n + k} for k in range(100)], headers={"Link": further.format(n + 1)}
        )
        for n in range(1, 100)
    ]
    fake.say("GET", CONFIGURATIONS, *answers)
    async with fake.client() as client:
        with pytest.raises(StopError, match="the vendor counts 2, and still more follow"):
            await client.configurations.list("type/id = 3", **search)
    assert len(fake.asked("GET", CONFIGURATIONS)) == COUNTED_FROM + 1
    (count,) = fake.asked("GET", f"{CONFIGURATIONS}/count")
    assert dict(count.url.params) == {"conditions": "type/id = 3"}
