"""Tokens and webhooks of the sandbox's Field Nation: who gets in, what is told to whom, how it is signed.

And its control addresses in the running sandbox: credentials, counts, faults, resets.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import httpx
import pytest

from deployments.local.sandbox import Sandbox
from sandbox.field_nation.access import TOKEN_PATH
from sandbox.field_nation.store import EVENTS
from tests.support.sandbox.field_nation import HOOKS, REST, WHOLE, Listener, Place, listener, place

pytestmark = pytest.mark.anyio

SECRET = "2f6b6d5c-0000-4000-8000-000000000009"


async def subscribe(at: Place, to: Listener, *events: str, **more: Any) -> dict[str, Any]:
    names = [f"workorder.{name}" for name in events] or list(EVENTS)
    body = {"events": names, "url": to.url, "method": "post", "status": "active", "secret": SECRET, **more}
    answer = await at.hooks("POST", "", body)
    assert answer.status_code == 200, answer.text
    return dict(answer.json()["result"])


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"password": "no"}, 401),
        ({"client_secret": "no"}, 401),
        ({"username": ""}, 400),
        ({"grant_type": "client_credentials"}, 400),
        ({"grant_type": "refresh_token", "refresh_token": "made up"}, 401),
    ],
)
async def test_wrong_token_requests(changes: dict[str, str], status: int) -> None:
    async with place() as at:
        answer = await at.http.post(TOKEN_PATH, json=at.grant(**changes))
        assert (answer.status_code, answer.json()["status_code"]) == (status, status)
        form = await at.http.post(TOKEN_PATH, data=at.grant())
        assert form.status_code == 400


async def test_a_refresh_token_works_once_and_only_where_the_switch_allows() -> None:
    async with place() as at:
        first = (await at.http.post(TOKEN_PATH, json=at.grant())).json()
        renew = {"grant_type": "refresh_token", "refresh_token": first["refresh_token"]}
        keys = {name: at.grant()[name] for name in ("client_id", "client_secret")}
        answers = [(await at.http.post(TOKEN_PATH, json={**renew, **keys})).status_code for _ in range(2)]
        assert answers == [200, 401]
        at.world.switches.field_nation_refresh = False
        assert (await at.http.post(TOKEN_PATH, json={**renew, **keys})).status_code == 400


async def test_tokens_end_and_belong_into_the_query_or_the_header() -> None:
    async with place() as at:
        assert (await at.rest("GET", "/types-of-work")).status_code == 200
        bearer = {"Authorization": f"Bearer {at.token}"}
        assert (await at.http.get("/api/rest/v2/types-of-work", headers=bearer)).status_code == 401
        assert (await at.http.get("/api/v1/webhooks", params={"access_token": at.token})).status_code == 401
        at.world.switches.field_nation_token_seconds = 0
        await at.log_in()
        assert (await at.rest("GET", "/types-of-work")).json()["code"] == "AUTHENTICATION_REQUIRED"


@pytest.mark.parametrize(
    "changes",
    [
        {"events": ["workorder.updated"]},
        {"events": []},
        {"url": "http://elsewhere.test/x"},
        {"method": "get"},
        {"status": "on"},
        {"secret": "short"},
        {"webhookAttribute": {"header": {"X-FN-Mine": "1"}}},
    ],
)
async def test_wrong_subscriptions_are_refused(changes: dict[str, Any]) -> None:
    body = {"events": ["workorder.created"], "url": "https://x.test", "method": "post", "status": "active"}
    async with place() as at:
        answer = await at.hooks("POST", "", {**body, **changes})
        assert answer.status_code == 400
        assert answer.json()["errors"]
        assert (await at.hooks("GET")).json()["result"] == []


async def test_deliveries_are_signed_and_whole() -> None:
    async with place() as at, listener() as to:
        hook = await subscribe(at, to, "created", webhookAttribute={"header": {"X-Mine": "1"}})
        number = await at.order()
        await at.settle()
    [(headers, raw)] = to.heard
    expected = hmac.new(SECRET.encode(), raw, hashlib.sha256).hexdigest()
    assert headers["x-fn-signature"] == f"sha256={expected}"
    assert headers["x-fn-webhook-id"] == hook["webhookId"]
    assert headers["x-fn-delivery-id"].endswith(":1")
    assert abs(int(headers["x-fn-request-timestamp"]) / 1000 - time.time()) < 30
    assert headers["x-mine"] == "1"
    body = json.loads(raw)
    assert set(body) == {"event", "timestamp", "triggered_by_user", "workorder"}
    assert body["event"]["name"] == "workorder.created"
    assert body["triggered_by_user"] == {"id": 9001}
    assert body["workorder"]["id"] == number
    assert datetime.fromisoformat(body["timestamp"]).tzinfo is not None


async def test_one_life_tells_its_events() -> None:
    async with place() as at, listener() as to:
        await subscribe(at, to)
        number = await at.order()
        await at.rest("POST", f"/workorders/{number}/publish")
        for step in ("accept", "confirm", "on-my-way", "delay", "check-in", "check-out", "work-done"):
            at.app.provider(number, step, {})
        await at.rest("POST", f"/workorders/{number}/approve")
        await at.settle()
    names = {name.removeprefix("workorder.") for name in to.events()}
    assert names == {
        "created",
        "message_posted",
        "problem_reported",
        "task_completed",
        *(
            f"status.{name}"
            for name in [
                "draft",
                "published",
                "assigned",
                "confirmed",
                "on_my_way",
                "delayed",
                "checked_in",
                "checked_out",
            ]
        ),
        "status.work_done",
        "status.approved",
    }
    actors = {json.loads(raw)["triggered_by_user"]["id"] for _, raw in to.heard}
    assert actors == {9001, 5001}


async def test_own_writes_are_told_only_where_the_switch_says_so() -> None:
    async with place(field_nation_own_events=False) as at, listener() as to:
        await subscribe(at, to)
        number = await at.order()
        await at.rest("POST", f"/workorders/{number}/messages", {"message": "own"})
        at.app.provider(number, "message", {"message": "theirs", "user": 9002})
        await at.settle()
    assert to.events() == ["workorder.message_posted"]
    assert json.loads(to.heard[0][1])["event"]["params"]["message"]["message"] == "theirs"


async def test_5xx_is_repeated_with_a_growing_attempt_and_4xx_is_not() -> None:
    async with (
        place(field_nation_webhook_retries=[0.01, 0.01, 0.01]) as at,
        listener(500, 503, 204, 404) as to,
    ):
        await subscribe(at, to, "created")
        await at.order()
        await at.settle()
        await at.order()
        await at.settle()
        log = (await at.hooks("GET", "/delivery-logs")).json()["result"]
    ids = [headers["x-fn-delivery-id"] for headers, _ in to.heard]
    uuids = [one.partition(":")[0] for one in ids]
    assert [one.partition(":")[2] for one in ids] == ["1", "2", "3", "1"]
    assert len(set(uuids)) == 2
    assert len({headers["x-fn-event-trace-id"] for headers, _ in to.heard}) == 2
    assert [(one["deliveryAttempt"], one["deliveryStatus"]) for one in log] == [(3, 204), (1, 404)]


async def test_nobody_listening_is_repeated_until_the_last_attempt() -> None:
    async with place(field_nation_webhook_retries=[0.0, 0.0]) as at:
        await subscribe(at, Listener(), "created", url="http://127.0.0.1:9/none")
        await at.order()
        await at.settle()
        assert [(one.attempt, one.status) for one in at.app.deliveries.log] == [(3, 0)]


async def test_deliveries_can_be_lost_doubled_and_sent_again() -> None:
    async with place(field_nation_webhooks_lost=1.0) as at, listener() as to:
        await subscribe(at, to, "created")
        await at.order()
        at.world.switches.change({"field_nation_webhooks_lost": 0.0, "field_nation_webhooks_doubled": 1.0})
        await at.order()
        await at.settle()
        lost, doubled = at.app.deliveries.log
        assert (lost.lost, lost.attempt, doubled.attempt) == (True, 0, 2)
        answer = await at.hooks("PATCH", f"/delivery-logs/{lost.uuid}/retry")
        assert answer.json()["result"]["job_id"]
        await at.settle()
    assert len(to.heard) == 3


async def test_an_inactive_or_deleted_webhook_hears_nothing() -> None:
    async with place() as at, listener() as to:
        hook = await subscribe(at, to, "created")
        await at.hooks("PUT", f"/{hook['webhookId']}", {"status": "inactive"})
        await at.order()
        await at.hooks("PUT", f"/{hook['webhookId']}", {"status": "active"})
        await at.hooks("DELETE", f"/{hook['webhookId']}")
        await at.order()
        await at.settle()
    assert to.heard == []


KEYS = ("client_id", "client_secret", "username", "password")
TOKEN = "/authentication/api/oauth/token"


@pytest.fixture
def http(sandbox: Sandbox) -> Iterator[httpx.Client]:
    """A caller with a token for both APIs, and the counts at zero again."""
    known = sandbox.info["field_nation"]
    with httpx.Client(base_url=known["base_address"], verify=False) as client:  # noqa: S501 - plain http
        answer = client.post(TOKEN, json={"grant_type": "password", **{name: known[name] for name in KEYS}})
        token = answer.json()["access_token"]
        client.params = httpx.QueryParams({"access_token": token})
        client.headers["Authorization"] = f"Bearer {token}"
        sandbox.clear_requests()
        yield client


def create(http: httpx.Client) -> int:
    return int(http.post(f"{REST}/workorders", json=WHOLE).raise_for_status().json()["id"])


def hook(http: httpx.Client) -> str:
    body = {
        "events": ["workorder.created"],
        "url": "http://127.0.0.1:9",
        "method": "post",
        "status": "active",
    }
    return str(http.post(HOOKS, json=body).json()["result"]["webhookId"])


def test_calls_are_counted_by_template_and_tokens_are_no_writes(sandbox: Sandbox, http: httpx.Client) -> None:
    number = create(http)
    http.get(f"{REST}/workorders/{number}/messages")
    http.put(f"{HOOKS}/{hook(http)}", json={"status": "inactive"})
    http.post(TOKEN, json={})
    assert sandbox.requests()["field_nation"] == {
        "requests": 5,
        "writes": 3,
        "by": {
            "GET /workorders/{id}/messages": 1,
            f"POST {TOKEN}": 1,
            "POST /webhooks": 1,
            "POST /workorders": 1,
            "PUT /webhooks/{id}": 1,
        },
    }


def test_the_state_shows_whole_work_orders_and_a_reset_ends_them(
    sandbox: Sandbox, http: httpx.Client
) -> None:
    number = create(http)
    http.post(f"{REST}/workorders/{number}/messages", json={"message": "Hello"})
    [order] = sandbox.state("field_nation/work_orders")
    assert (order["id"], order["messages"]["results"][0]["message"]) == (number, "Hello")
    sandbox.reset()
    assert sandbox.state("field_nation/work_orders") == []
    assert http.get(f"{REST}/workorders/{number}").status_code == 401, "tokens end with the world"


@pytest.mark.parametrize(
    ("fault", "status"),
    [
        ({"kind": "status", "status": 503, "body": {"message": "down"}}, 503),
        ({"kind": "delay", "seconds": 0}, 200),
    ],
)
def test_faults_reach_field_nation_alone(
    sandbox: Sandbox, http: httpx.Client, fault: dict[str, Any], status: int
) -> None:
    sandbox.faults([{"system": "field_nation", "path": "/workorders/*", "fault": fault}])
    number = create(http)
    assert http.get(f"{REST}/workorders/{number}").status_code == status
    assert http.get("/login/companyinfo/sandbox").status_code == 200


def test_the_provider_acts_and_is_refused_in_words(sandbox: Sandbox, http: httpx.Client) -> None:
    number = create(http)
    answer = sandbox.provider(number, "accept", provider=5002)
    assert answer == {"status": "Assigned", "code": "", "events": ["status.assigned"]}
    for step, words in (("check-out", "Nobody is checked in"), ("dance", "dance"), ("pay", "can't be paid")):
        control = f"{sandbox.info['control']}/field-nation/workorders/{number}/{step}"
        refused = http.post(control)
        assert refused.status_code == 400
        assert words in refused.json()["error"]


def test_deliveries_can_be_seen_and_sent_again(sandbox: Sandbox, http: httpx.Client) -> None:
    sandbox.switch(field_nation_webhook_retries=[], field_nation_webhooks_lost=1.0)
    hook(http)
    number = create(http)
    [delivery] = sandbox.field_nation("GET", "deliveries")
    assert (delivery["workOrderId"], delivery["lost"], delivery["deliveryAttempt"]) == (number, True, 0)
    name = delivery["deliveryId"].partition(":")[0]
    assert sandbox.field_nation("POST", f"deliveries/{name}/resend")["job_id"]
    with pytest.raises(httpx.HTTPStatusError):
        sandbox.field_nation("GET", "nothing-here")
