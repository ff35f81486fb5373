"""The client against the sandbox, over loopback: a whole life, faults, and what the vendor drops."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import anyio
import pytest

from connectors.errors import RejectedError, RetryableError, UnclearOutcomeError
from connectors.field_nation.api import as_results
from connectors.field_nation.block import FieldNationConnection
from connectors.field_nation.client import FieldNationClient, posted_message
from connectors.field_nation.models import Status, dropped_fields, status_of, sub_status_of
from connectors.field_nation.settings import FieldNationSettings
from connectors.retry import RequestKind
from tests.support.sandbox.field_nation import WHOLE

pytestmark = pytest.mark.anyio
KEYS = ("client_id", "client_secret", "username", "password", "base_address")


def settings_of(sandbox: Any) -> FieldNationSettings:
    return FieldNationSettings(**{name: sandbox.info["field_nation"][name] for name in KEYS})


def client_of(sandbox: Any, **options: Any) -> FieldNationClient:
    return FieldNationClient(settings_of(sandbox), verify=False, **options)


def fault(sandbox: Any, kind: str, path: str, **more: Any) -> None:
    rule = {"system": "field_nation", "method": "POST", "path": path, "nth": [1]}
    sandbox.faults([{**rule, "fault": {"kind": kind, **more}}])


async def test_a_whole_life(sandbox: Any) -> None:
    async with client_of(sandbox) as client:
        made = await client.create_work_order(WHOLE)
        number = made["id"]
        assert dropped_fields(WHOLE, made) == []
        assert status_of(await client.publish_work_order(number)) is Status.PUBLISHED
        await client.send(
            RequestKind.CREATE, "POST", f"/workorders/{number}/route", str, json={"technician": {"id": 5001}}
        )
        sandbox.provider(number, "accept", provider=5001)
        sandbox.provider(number, "check-in", at="2026-12-01T14:00:00+00:00")
        read = await client.get_work_order(number)
        assert (status_of(read), sub_status_of(read)) == (Status.ASSIGNED, "checked_in")
        sandbox.provider(number, "message", message="I'm in")
        sandbox.provider(number, "check-out", hours=2)
        sandbox.provider(number, "custom-field", id=812, value="SN-9")
        sandbox.provider(number, "upload", name="photo.jpg")
        sandbox.provider(number, "work-done", closing_notes="Replaced")
        after = await client.post_message(number, "Thank you")
        assert [one["message"] for one in after] == ["I'm in", "Thank you"]
        assert (posted_message(after, "Thank you") or {})["from"]["role"] == "buyer"
        listed = [each["message"] for each in await client.list_messages(number)]
        assert listed == [each["message"] for each in after]
        fields = {one["id"]: one["value"] for one in await client.list_custom_fields(number)}
        assert (fields[801], fields[812]) == ("101", "SN-9")
        approved = await client.approve_work_order(number)
        assert (status_of(approved), approved["closing_notes"]) == (Status.APPROVED, "Replaced")
        updated_too_late = client.update_work_order(number, {"title": "New"})
        sandbox.provider(number, "pay")
        with pytest.raises(RejectedError, match="status Paid can't be changed"):
            await updated_too_late


async def test_what_the_vendor_drops_is_seen(sandbox: Any) -> None:
    place = {name: value for name, value in WHOLE["location"].items() if name != "mode"}
    wrong = {**WHOLE, "location": place, "scheduling": {"mode": "exact"}, "custom_fields": {"id": 801}}
    async with client_of(sandbox) as client:
        made = await client.create_work_order(wrong)
    assert dropped_fields(wrong, made) == [
        "location.address1",
        "location.city",
        "location.state",
        "location.zip",
        "location.country",
        "scheduling.mode",
        "custom_fields",
    ]


async def test_lists_and_searches_lag_and_direct_reads_do_not(sandbox: Any) -> None:
    sandbox.switch(field_nation_search_lag=0.4)
    today = datetime.now(UTC).strftime("%Y-%m-%d")
    async with client_of(sandbox) as client:
        number = (await client.create_work_order(WHOLE))["id"]
        assert (await client.get_work_order(number, columns="status"))["id"] == number
        assert await client.search_work_orders("CW-101") == []
        assert await client.work_orders_created(today, today) == []
        await anyio.sleep(0.45)
        assert [one["id"] for one in await client.search_work_orders("CW-101", columns="status")] == [number]
        assert [one["id"] for one in await client.work_orders_created(today, today)] == [number]


@pytest.mark.parametrize("names", ["new", "old"])
async def test_filters_work_under_either_name(sandbox: Any, names: str) -> None:
    sandbox.switch(field_nation_filter_names=names)
    async with client_of(sandbox) as client:
        made = [(await client.create_work_order({**WHOLE, "title": f"T{n}"}))["id"] for n in range(3)]
        pages = [page async for page in client.work_orders_pages(filters={"f_zip": "33602"}, page_size=2)]
        assert [[one["id"] for one in page] for page in pages] == [made[:2], made[2:]]
        assert (await client.list_work_orders(filters={"f_zip": "99999"})).total == 0


@pytest.mark.parametrize("kind", ["drop_after", "late"])
async def test_a_create_whose_answer_is_lost_is_unclear_and_done_once(sandbox: Any, kind: str) -> None:
    fault(sandbox, kind, "/workorders", **({"delay": 0.1} if kind == "late" else {}))
    async with client_of(sandbox) as client:
        with pytest.raises(UnclearOutcomeError):
            await client.create_work_order(WHOLE)
        await anyio.sleep(0.2)
        assert len(await client.search_work_orders("CW-101")) == 1
    assert sandbox.requests()["field_nation"]["by"]["POST /workorders"] == 1


async def test_a_create_that_never_arrived_left_nothing(sandbox: Any) -> None:
    fault(sandbox, "drop_before", "/workorders")
    async with client_of(sandbox) as client:
        with pytest.raises(UnclearOutcomeError):
            await client.create_work_order(WHOLE)
        assert await client.search_work_orders("CW-101") == []


async def test_a_step_is_repeated_after_a_lost_answer(sandbox: Any) -> None:
    fault(sandbox, "drop_after", "/workorders/{id}/publish")
    async with client_of(sandbox) as client:
        number = (await client.create_work_order(WHOLE))["id"]
        assert status_of(await client.publish_work_order(number)) is Status.PUBLISHED
    assert sandbox.requests()["field_nation"]["by"]["POST /workorders/{id}/publish"] == 2


async def test_expired_tokens_are_renewed_by_many_callers_at_once(sandbox: Any) -> None:
    async with client_of(sandbox) as client:
        number = (await client.create_work_order(WHOLE))["id"]
        sandbox.field_nation("POST", "tokens/revoke")
        async with anyio.create_task_group() as group:
            for _ in range(6):
                group.start_soon(client.get_work_order, number)
        await client.list_webhooks()
    assert sandbox.field_nation("GET", "tokens") == {"password": 1, "refresh_token": 1}


@pytest.mark.parametrize("shape", ["problem", "message"])
async def test_the_vendors_words_arrive_in_either_shape(sandbox: Any, shape: str) -> None:
    sandbox.switch(field_nation_errors=shape)
    bad = {**WHOLE, "schedule": {"service_window": {"mode": "exact", "start": "2026-12-01"}}}
    async with client_of(sandbox) as client:
        with pytest.raises(RejectedError, match="schedule/service_window/start: must be"):
            await client.create_work_order(bad)


@pytest.mark.parametrize("status", [404, 401])
async def test_an_unknown_work_order_stops_only_itself(sandbox: Any, status: int) -> None:
    sandbox.switch(field_nation_unknown_order=status)
    async with client_of(sandbox) as client:
        with pytest.raises(RejectedError, match="Work order 9 was not found"):
            await client.get_work_order(9)


async def test_the_limit_is_the_vendors_and_is_told(sandbox: Any) -> None:
    async def no_sleep(seconds: float) -> None:
        assert 0 < seconds <= 61

    sandbox.switch(field_nation_rate_limit=[3, 60.0])
    async with client_of(sandbox, sleep=no_sleep) as client:
        for _ in range(3):
            await client.send(RequestKind.READ, "GET", "/types-of-work", as_results)
        with pytest.raises(RetryableError) as caught:
            await client.send(RequestKind.READ, "GET", "/types-of-work", as_results)
    assert caught.value.retry_after is not None
    assert 0 < caught.value.retry_after <= 61


async def test_webhooks_are_made_changed_and_removed(sandbox: Any) -> None:
    async with client_of(sandbox) as client:
        names = [one["name"] for one in await client.list_webhook_events()]
        made = await client.create_webhook("https://hooks.test/field-nation", names)
        assert made["secret"]
        [listed] = await client.list_webhooks()
        assert (listed["webhookId"], listed["events"]) == (made["webhookId"], names)
        assert "secret" not in listed
        changed = await client.update_webhook(made["webhookId"], {"status": "inactive"})
        assert (changed["status"], changed["url"]) == ("inactive", made["url"])
        await client.delete_webhook(made["webhookId"])
        assert await client.list_webhooks() == []


async def test_the_check_tells_what_was_reached(sandbox: Any) -> None:
    keys = {name: sandbox.info["field_nation"][name] for name in KEYS}
    result = await FieldNationConnection.model_validate(keys).check()
    assert result.ok
    assert result.message == "Connected to Field Nation sandbox, where the user sees 0 work orders."
    assert "can't be verified" in str(result)
    wrong = await FieldNationConnection.model_validate({**keys, "password": "other-one"}).check()
    assert not wrong.ok
    assert "Check the client ID" in wrong.message
    assert "other-one" not in str(wrong)
