"""The client on its own: lists and their echo, steps taken twice, refusals in all five shapes."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from connectors.errors import RejectedError, RetryableError, StopError, UnclearOutcomeError
from connectors.field_nation.client import all_messages, posted_message
from connectors.field_nation.models import LIVING, Status, status_of, sub_status_of
from connectors.field_nation.refusals import read_field_nation_refusal
from tests.support.fake_field_nation import FakeFieldNation, order, problem

pytestmark = pytest.mark.anyio


def page(number: int, pages: int, *ids: int, total: int = 0, **echo: Any) -> httpx.Response:
    metadata = {"page": number, "pages": pages, "per_page": 2, "total": total}
    return httpx.Response(200, json={"metadata": metadata, "results": [order(n) for n in ids], **echo})


async def test_every_page_is_read_and_the_vendors_stored_choices_are_left_alone() -> None:
    fake = FakeFieldNation()
    fake.say("GET", "/workorders", page(1, 2, 1, 2), page(2, 2, 3))
    async with fake.client() as client:
        pages = [[one["id"] for one in page] async for page in client.work_orders_pages("workorders_draft")]
    assert pages == [[1, 2], [3]]
    for request in fake.seen:
        assert request.url.params["sticky"] == "false"
        assert request.url.params["list"] == "workorders_draft"
        assert (request.url.params["sort"], request.url.params["order"]) == ("id", "asc")


async def test_a_filter_that_is_not_echoed_is_refused() -> None:
    fake = FakeFieldNation()
    fake.say("GET", "/workorders", page(1, 1, 1, 2, f_client=["5"]))
    async with fake.client() as client:
        with pytest.raises(RejectedError, match="did not understand the filter f_search"):
            await client.list_work_orders(filters={"f_search": "CW-1", "f_client": "5"})


async def test_a_filter_is_sent_under_both_names_and_one_echo_is_enough() -> None:
    fake = FakeFieldNation()
    fake.say("GET", "/workorders", page(1, 1, 4, f_created=["2026-11-01", "2026-11-02"]))
    async with fake.client() as client:
        assert [one["id"] for one in await client.work_orders_created("2026-11-01", "2026-11-02")] == [4]
    sent = fake.seen[0].url.params
    assert sent["f_created"] == sent["f_created_date"] == "2026-11-01,2026-11-02"


async def test_a_page_that_does_not_move_stops_the_reading() -> None:
    fake = FakeFieldNation()
    fake.say("GET", "/workorders", page(1, 3, 1), page(1, 3, 1))
    async with fake.client() as client:
        with pytest.raises(StopError, match="page 1 where page 2"):
            _ = [one async for one in client.work_orders_pages()]


async def test_an_empty_page_ends_the_reading() -> None:
    fake = FakeFieldNation()
    fake.say("GET", "/workorders", page(1, 5, 1, total=1), page(2, 5, total=1))
    async with fake.client() as client:
        assert [len(one) async for one in client.work_orders_pages()] == [1, 0]


CREATED = {"f_created_date": ["2026-11-01", "2026-11-02"]}


async def test_a_part_of_a_list_is_not_taken_for_all_of_it() -> None:
    """A creation that was not seen would be made a second time."""
    fake = FakeFieldNation()
    fake.say("GET", "/workorders", page(1, 5, 1, total=9, **CREATED), page(2, 5, total=8, **CREATED))
    async with fake.client() as client:
        with pytest.raises(RetryableError, match=r"Only 1 work orders came.* 8 at Field Nation /workorders"):
            await client.work_orders_created("2026-11-01", "2026-11-02")


@pytest.mark.parametrize(
    "pages",
    [
        [page(1, 2, 1, 2), page(2, 3, 1, 2), page(3, 4, 1, 2)],
        [page(n, n + 1, *range(1000 * n, 1000 * n + 400), total=400 * n) for n in range(1, 9)],
    ],
)
async def test_a_list_that_grows_for_ever_is_stopped(pages: list[httpx.Response]) -> None:
    fake = FakeFieldNation()
    fake.say("GET", "/workorders", *pages)
    async with fake.client() as client:
        with pytest.raises(StopError, match="reading of work orders was stopped"):
            _ = [one async for one in client.work_orders_pages()]


async def test_another_work_order_than_the_one_asked_for_is_refused_for_itself() -> None:
    fake = FakeFieldNation()
    fake.say("GET", "/workorders/7", httpx.Response(200, json=order(8)))
    fake.say("GET", "/workorders/7", httpx.Response(200, json={"id": "7"}))
    async with fake.client() as client:
        for words in ("should be 7 but is 8", "should have an id but has the text '7'"):
            with pytest.raises(RejectedError, match=words):
                await client.get_work_order(7)


LOST = [httpx.Response(500), httpx.ReadTimeout("x"), httpx.Response(200, text="<html>")]


@pytest.mark.parametrize("answer", LOST)
async def test_a_create_without_an_answer_is_unclear_and_not_repeated(answer: Any) -> None:
    fake = FakeFieldNation()
    fake.say("POST", "/workorders", answer)
    async with fake.client() as client:
        with pytest.raises(UnclearOutcomeError):
            await client.create_work_order({"title": "x"})
    assert len(fake.seen) == 1


async def test_messages_are_not_repeated_either() -> None:
    fake = FakeFieldNation()
    fake.say("POST", "/workorders/7/messages", httpx.ReadError("x"))
    async with fake.client() as client:
        with pytest.raises(UnclearOutcomeError):
            await client.post_message(7, "x")
    assert len(fake.seen) == 1


async def test_a_create_is_repeated_after_429_since_nothing_was_done() -> None:
    fake = FakeFieldNation()
    limited = problem(429, "RATE_LIMIT_EXCEEDED", "Slow down", agent={"action": "RETRY", "backoffMs": 2500})
    fake.say("POST", "/workorders", limited, httpx.Response(200, json=order(3)))
    async with fake.client() as client:
        assert (await client.create_work_order({"title": "x"}))["id"] == 3
    assert fake.slept == [2.5]


@pytest.mark.parametrize(
    ("headers", "body", "waits"),
    [
        ({"Retry-After": "7"}, {"agent": {"backoffMs": 60000}}, 7.0),
        ({}, {"message": "slow"}, 60.0),
        ({}, {"agent": {"backoffMs": "soon"}}, 60.0),
    ],
)
async def test_how_long_a_limit_is_waited_out(headers: dict[str, str], body: Any, waits: float) -> None:
    fake = FakeFieldNation()
    limited = httpx.Response(429, json=body, headers=headers)
    fake.say("GET", "/workorders/7", limited, httpx.Response(200, json=order(7)))
    async with fake.client() as client:
        await client.get_work_order(7)
    assert fake.slept == [waits]


async def test_a_second_minute_of_waiting_is_left_to_the_task() -> None:
    fake = FakeFieldNation()
    fake.say("GET", "/workorders/7", *(httpx.Response(429, json={}) for _ in range(2)))
    async with fake.client() as client:
        with pytest.raises(RetryableError) as caught:
            await client.get_work_order(7)
    assert caught.value.retry_after == 60.0


TITLE = {"detail": "required", "pointer": "#/title"}
REFUSED = problem(400, "VALIDATION_ERROR", "A work order in that status can't be changed so.")


@pytest.mark.parametrize(
    ("method", "path", "status", "call"),
    [
        ("POST", "/workorders/7/publish", "Published", lambda c: c.publish_work_order(7)),
        ("POST", "/workorders/7/publish", "Assigned", lambda c: c.publish_work_order(7)),
        ("POST", "/workorders/7/approve", "Paid", lambda c: c.approve_work_order(7)),
        ("DELETE", "/workorders/7", "Deleted", lambda c: c.cancel_work_order(7, "closed")),
    ],
)
async def test_a_step_whose_answer_was_lost_counts_as_taken(
    method: str, path: str, status: str, call: Any
) -> None:
    fake = FakeFieldNation()
    fake.say(method, path, httpx.ReadTimeout("lost"), REFUSED)
    fake.say("GET", "/workorders/7", httpx.Response(200, json=order(7, status)))
    async with fake.client() as client:
        assert (await call(client))["status"]["name"] == status


async def test_a_step_that_was_not_taken_stays_refused() -> None:
    fake = FakeFieldNation()
    fake.say("POST", "/workorders/7/approve", REFUSED)
    fake.say("GET", "/workorders/7", httpx.Response(200, json=order(7, "Assigned")))
    async with fake.client() as client:
        with pytest.raises(RejectedError, match="can't be changed so"):
            await client.approve_work_order(7)


@pytest.mark.parametrize(
    ("status", "body", "words"),
    [
        (
            400,
            {"code": "VALIDATION_ERROR", "detail": "Invalid.", "errors": [TITLE]},
            "Invalid (title: required)",
        ),
        (404, {"status": 404, "message": "Not here"}, "Not here"),
        (401, {"status_code": 401, "message": "Wrong user"}, "Wrong user"),
        (401, {"error": "invalid_grant", "error_description": "Wrong password"}, "Wrong password"),
        (400, {"metadata": {}, "errors": [{"code": 400, "message": "url?"}], "result": {}}, "url?"),
        (400, {"code": 12, "message": "Old words", "fields": ["a"], "trace": ["x"]}, "Old words"),
        (502, "<html><title>Bad Gateway</title>", "Bad Gateway"),
        (500, "", "Internal Server Error"),
        (400, ["odd"], '["odd"]'),
    ],
)
def test_every_shape_of_refusal_is_read(status: int, body: Any, words: str) -> None:
    given = {"text": body} if isinstance(body, str) else {"json": body}
    refusal = read_field_nation_refusal(httpx.Response(status, **given))
    assert refusal is not None
    fields = [f"{one.field}: {one.message}" for one in refusal.details if one.field]
    assert (f"{refusal.message} ({'; '.join(fields)})" if fields else refusal.message) == words


def test_a_2xx_is_no_refusal() -> None:
    assert read_field_nation_refusal(httpx.Response(204)) is None


@pytest.mark.parametrize(
    ("section", "status"),
    [
        ({"id": 1, "name": "Work Done"}, Status.WORK_DONE),
        ({"name": "WORK_DONE"}, Status.WORK_DONE),
        ({"id": 9, "name": "Weitergeleitet"}, Status.ROUTED),
        ({"id": 3}, Status.ASSIGNED),
        ({"name": "New kind"}, Status.UNKNOWN),
        (None, Status.UNKNOWN),
    ],
)
def test_statuses_are_known_by_name_before_id(section: Any, status: Status) -> None:
    assert status_of({"status": section}) is status


def test_what_is_over_is_not_living() -> None:
    assert set(Status) - LIVING == {Status.PAID, Status.CANCELLED, Status.DELETED, Status.UNKNOWN}


def test_the_sub_status_comes_from_the_code() -> None:
    assert sub_status_of({"status": {"code": "Checked_In", "sub_status": ""}}) == "checked_in"
    assert sub_status_of({}) == ""


def test_the_message_just_posted_is_found_in_the_whole_list() -> None:
    reply = {"msg_id": "12", "message": "On my way"}
    listed = [
        {"msg_id": "10", "message": "On my way", "replies": []},
        {"msg_id": "9", "message": "Hello", "replies": [reply]},
        {"msg_id": "11", "message": "Bye"},
    ]
    assert [one["msg_id"] for one in all_messages(listed)] == ["9", "10", "11", "12"]
    assert posted_message(listed, "On my way") == reply
    assert posted_message(listed, "On my way", known={"12"}) == listed[0]
    assert posted_message(listed, "Never said") is None


async def test_ids_that_are_none_never_get_into_a_path() -> None:
    async with FakeFieldNation().client() as client:
        with pytest.raises(RejectedError, match="is no id"):
            await client.delete_webhook("../workorders/7")
        with pytest.raises(RejectedError, match="must be a UUID"):
            await client.create_webhook("https://x.test", ["workorder.created"], secret="secret")
        with pytest.raises(ValueError):
            await client.post_message("7/../8", "x")  # type: ignore[arg-type]
