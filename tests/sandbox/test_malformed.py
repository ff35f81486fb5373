"""What no vendor can read is refused with 4xx by all three, never an error of the sandbox's own."""

from __future__ import annotations

import base64
import json
from typing import Any

import httpx
import pytest

from sandbox.app import SandboxApp
from sandbox.credentials import mint_credentials
from sandbox.data.generate import build_world
from sandbox.field_nation.access import REQUIRED
from tests.support.sandbox.field_nation import WHOLE

pytestmark = pytest.mark.anyio

API = "/v4_6_release/apis/3.0"
REST = "/api/rest/v2"
GRAPHQL = "/api/v2/graphql"
HOOK = {"events": ["workorder.created"], "url": "https://x.test/in", "method": "post", "status": "active"}
LONG = "9" * 5000
DEEP = "[" * 20_000
HALF = "half a \ud83d smile"


class Vendors:
    """The three vendors with a caller that has every key; an exception of the sandbox's own is raised."""

    def __init__(self, scenario: str = "dispatch") -> None:
        self.world = build_world(7, 5, mint_credentials(7), scenario=scenario)
        self.world.switches.change({"field_nation_rate_limit": None, "lansweeper_limits": False})
        self.app = SandboxApp(self.world)
        keys = self.world.credentials
        login = f"{keys.company_id}+{keys.public_key}:{keys.private_key}"
        self.headers = {
            "Authorization": "Basic " + base64.b64encode(login.encode()).decode(),
            "clientId": keys.client_id,
            "Content-Type": "application/json",
        }
        transport = httpx.ASGITransport(app=self.app)
        self.http = httpx.AsyncClient(transport=transport, base_url="http://vendors.test")
        known = {name: getattr(keys.field_nation, name) for name in REQUIRED}
        asked = json.dumps({"grant_type": "password", **known}).encode()
        granted = self.app.field_nation.tokens.grant("application/json", asked, 3600, True)
        self.token = str(granted["access_token"])

    async def psa(self, method: str, path: str, body: Any = None, **query: str) -> httpx.Response:
        return await self.http.request(
            method, API + path, headers=self.headers, content=content_of(body), params=query or None
        )

    async def field_nation(self, method: str, path: str, body: Any = None, **query: str) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        params = {**query, **({} if "/webhooks" in path else {"access_token": self.token})}
        return await self.http.request(method, path, headers=headers, content=content_of(body), params=params)

    async def lansweeper(self, body: Any, method: str = "POST", **headers: str) -> httpx.Response:
        token = {"Authorization": f"Token {self.world.credentials.access_token}"}
        headers = {"Content-Type": "application/json", **token, **headers}
        return await self.http.request(method, GRAPHQL, headers=headers, content=content_of(body))


def content_of(body: Any) -> str | bytes | None:
    """What is sent: a text as it is, anything else as JSON."""
    return body if body is None or isinstance(body, str | bytes) else json.dumps(body)


@pytest.fixture
def vendors() -> Vendors:
    return Vendors()


@pytest.mark.parametrize("text", [DEEP, '{"a":' * 20_000, "NaN", LONG, "1e999", "\xff\xfe", '{"a"', "\x00"])
async def test_bodies_that_are_no_json(vendors: Vendors, text: str) -> None:
    answers = [
        await vendors.psa("POST", "/company/configurations", text),
        await vendors.psa("PATCH", "/service/tickets/1", text),
        await vendors.psa("PUT", "/company/configurations/bulk", text),
        await vendors.psa("POST", "/system/bundles", text),
        await vendors.field_nation("POST", f"{REST}/workorders", text),
        await vendors.field_nation("POST", "/api/v1/webhooks", text),
        await vendors.field_nation("POST", "/authentication/api/oauth/token", text),
        await vendors.lansweeper(text),
    ]
    assert [one.status_code for one in answers] == [400] * len(answers)


async def test_depth_below_the_limit_is_read(vendors: Vendors) -> None:
    nested: Any = "x"
    for _ in range(60):
        nested = [nested]
    answer = await vendors.field_nation("POST", f"{REST}/workorders", {"title": "x", "pay": nested})
    assert answer.status_code == 200


async def test_half_an_emoji_is_kept_as_a_replacement_character(vendors: Vendors) -> None:
    company = (await vendors.psa("GET", "/company/companies/6", fields="id")).json()
    made = await vendors.psa(
        "POST", "/company/configurations", {"name": HALF, "type": {"id": 1}, "company": company}
    )
    assert (made.status_code, made.json()["name"]) == (201, "half a � smile")
    assert (await vendors.psa("GET", "/company/configurations")).status_code == 200
    order = await vendors.field_nation("POST", f"{REST}/workorders", {**WHOLE, "title": HALF})
    assert (order.status_code, order.json()["title"]) == (200, "half a � smile")
    field = {"query": _CREATE, "variables": {"id": vendors.world.credentials.site_id, "name": HALF}}
    created = (await vendors.lansweeper(field)).json()["data"]["site"]["createCustomField"]
    assert created["name"] == "half a � smile"
    assert (await vendors.psa("POST", "/company/configurations", {HALF: 1})).status_code == 400


_CREATE = (
    "mutation ($id: ID!, $name: String!) "
    "{site(id: $id) {createCustomField(field: {name: $name, type: INPUT}) {name}}}"
)


@pytest.mark.parametrize(
    "query",
    [
        {"conditions": f"id = {LONG[:400]}"},
        {"conditions": "((((" * 15 + "id=1"},
        {"conditions": 'name like "' + "%a" * 300 + 'b"'},
        {"conditions": "lastUpdated > [0000-00-00]"},
        {"conditions": 'name like "[z-a]"'},
        {"conditions": "\x00"},
        {"childConditions": "questions/answer in (1)"},
        {"childConditions": "x/y = 1"},
        {"customFieldConditions": "caption like"},
        {"orderBy": "customFields"},
        {"orderBy": "a b c"},
        {"orderBy": "company/identifier/x desc"},
        {"page": "NaN"},
        {"pageSize": "1e9"},
        {"page": LONG[:1500]},
    ],
)
async def test_queries_that_no_list_can_read(vendors: Vendors, query: dict[str, str]) -> None:
    vendors.world.store.insert(
        "company/configurations", {"name": "a" * 90, "type": {"id": 1}, "company": {"id": 6}}
    )
    answer = await vendors.psa("GET", "/company/configurations", **query)
    assert answer.status_code in (200, 400, 414)


async def test_the_search_takes_long_conditions_and_refuses_long_numbers(vendors: Vendors) -> None:
    answer = await vendors.psa("POST", "/service/tickets/search", {"conditions": f"id in ({LONG})"})
    assert answer.status_code == 400


async def test_a_reference_sorts_by_its_name(vendors: Vendors) -> None:
    found = (await vendors.psa("GET", "/service/tickets", orderBy="company desc", pageSize="99")).json()
    names = [one["company"]["name"].casefold() for one in found]
    assert names == sorted(names, reverse=True)
    assert len(set(names)) > 1


@pytest.mark.parametrize(
    "operation",
    [
        {"op": "replace", "path": "configurationType", "value": None},
        {"op": "remove", "path": "configurationType"},
        {"op": "add", "path": "/fieldType/9/x", "value": {}},
        {"op": "replace", "path": 7, "value": []},
        {"op": ["add"], "path": "question"},
    ],
)
async def test_a_patch_can_not_break_a_list(vendors: Vendors, operation: dict[str, Any]) -> None:
    path = "/company/configurations/types/1/questions"
    assert (await vendors.psa("PATCH", f"{path}/1", [operation])).status_code in (200, 400)
    assert len((await vendors.psa("GET", path)).json()) == 2
    assert (await vendors.psa("GET", "/company/configurations")).status_code == 200


@pytest.mark.parametrize("url", ["http://[::1", "http://x.test:99999/", "http://", "https:///x", "\x00"])
async def test_addresses_that_are_none(vendors: Vendors, url: str) -> None:
    entry = {"url": url, "objectId": 1, "type": "Ticket", "level": "Owner"}
    assert (await vendors.psa("POST", "/system/callbacks", entry)).status_code == 400
    hook = {**HOOK, "url": url}
    assert (await vendors.field_nation("POST", "/api/v1/webhooks", hook)).status_code == 400


@pytest.mark.parametrize(
    "change",
    [
        {"events": 5},
        {"events": "workorder.created"},
        {"events": [[]]},
        {"method": []},
        {"notificationEmail": {}},
        {"isIntegrationOnly": "x"},
        {"webhookAttribute": []},
        {"webhookAttribute": {"header": "x"}},
        {"webhookAttribute": {"header": {"a b": "c"}}},
        {"webhookAttribute": {"header": {"a": "b\r\nc: d"}}},
        {"secret": {"a": 1}},
    ],
)
async def test_webhooks_that_are_none(vendors: Vendors, change: dict[str, Any]) -> None:
    answer = await vendors.field_nation("POST", "/api/v1/webhooks", {**HOOK, **change})
    assert answer.status_code == 400


@pytest.mark.parametrize("query", [{"page": "abc"}, {"perPage": "-1"}, {"page": "0"}, {"perPage": LONG}])
@pytest.mark.parametrize("path", ["", "/delivery-logs"])
async def test_pages_of_webhooks(vendors: Vendors, path: str, query: dict[str, str]) -> None:
    answer = await vendors.field_nation("GET", f"/api/v1/webhooks{path}", **query)
    assert answer.status_code == 400


@pytest.mark.parametrize("query", [{"list": "nope"}, {"list": "workorders_draft", "page": "x"}])
async def test_a_refused_list_is_not_kept(vendors: Vendors, query: dict[str, str]) -> None:
    assert (await vendors.field_nation("GET", f"{REST}/workorders", **query)).status_code == 400
    answer = await vendors.field_nation("GET", f"{REST}/workorders")
    assert (answer.status_code, answer.json()["metadata"]["list"]) == (200, "workorders_all")


@pytest.mark.parametrize(
    "window",
    [
        {"mode": "exact", "start": {"utc": "0001-01-01 00:00:00"}},
        {"mode": "exact", "start": {"utc": "9999-12-31 23:59:59"}},
        {"mode": "hours", "start": {"local": {"date": "2026-01-01"}}},
        {"mode": [], "start": 5},
    ],
)
async def test_moments_that_are_none(vendors: Vendors, window: dict[str, Any]) -> None:
    body = {**WHOLE, "schedule": {"service_window": window}}
    assert (await vendors.field_nation("POST", f"{REST}/workorders", body)).status_code == 400
    assert (await vendors.field_nation("GET", f"{REST}/workorders")).status_code == 200


async def test_what_an_exact_time_does_not_need_is_dropped(vendors: Vendors) -> None:
    window = {"mode": "exact", "start": {"utc": "2026-12-01 09:00:00"}, "end": "never"}
    body = {
        **WHOLE,
        "schedule": {"service_window": window},
        "pay": {"base": {"amount": 1e308, "units": 1e308}},
    }
    made = await vendors.field_nation("POST", f"{REST}/workorders", body)
    shown = (await vendors.field_nation("GET", f"{REST}/workorders/{made.json()['id']}")).json()
    assert shown["schedule"]["service_window"]["start"] == shown["schedule"]["service_window"]["end"]
    assert shown["pay"]["total"] == 0


@pytest.mark.parametrize("path", [f"/workorders/{LONG}", f"/workorders/410001/messages/{LONG}"])
async def test_ids_that_are_none(vendors: Vendors, path: str) -> None:
    assert (await vendors.field_nation("POST", REST + path, {})).status_code == 404


@pytest.mark.parametrize("token", [["x"], {"a": 1}, 5, None])
async def test_a_refresh_token_is_text(vendors: Vendors, token: object) -> None:
    keys = vendors.world.credentials.field_nation
    asked = {"grant_type": "refresh_token", "client_id": keys.client_id, "client_secret": keys.client_secret}
    answer = await vendors.field_nation(
        "POST", "/authentication/api/oauth/token", {**asked, "refresh_token": token}
    )
    assert answer.status_code == 401


@pytest.mark.parametrize(
    "body",
    [
        {"query": "{a" * 20_000},
        {"query": "{site" + "(id:[" * 5000},
        {"query": "{" + "a " * 200_000 + "}"},
        {"query": "{me{id}}", "variables": [1], "operationName": ["x"]},
        {"query": "query A {me{id}}", "operationName": "B"},
        {"query": 5},
        {"query": '{me(id:"\\ud800"){id}}'},
    ],
)
async def test_documents_that_are_none(vendors: Vendors, body: dict[str, Any]) -> None:
    assert (await vendors.lansweeper(body)).status_code in (200, 400)
