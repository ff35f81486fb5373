"""Field Nation in the running sandbox: its line of credentials, control addresses, counts, faults, resets."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from deployments.local.sandbox import Sandbox
from tests.support.sandbox.field_nation import HOOKS, REST, WHOLE

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
