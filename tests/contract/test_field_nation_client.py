"""Every request that the Field Nation client can make exists in the vendor's OpenAPI description.

Each public operation is called with every argument it takes; a new operation without a sample fails here.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import pytest

from connectors.errors import ConnectorError
from connectors.field_nation.client import OLDER_NAMES, FieldNationClient
from connectors.field_nation.settings import FieldNationSettings
from tests.support.sandbox.field_nation import WHOLE
from tests.support.vendor_files import vendor_file

pytestmark = pytest.mark.anyio

NO_REQUEST = {"aclose", "send", "send_webhooks"}
# What a request may hold beyond the file, and why.
KNOWN_EXCEPTIONS = {
    "custom_fields": "the file points a create at a single field by mistake (its own note)",
    **dict.fromkeys(OLDER_NAMES, "the filter's name on the 2026 page"),
}
TOKEN_PATH = "/authentication/api/oauth/token"
SECRET = "2f6b6d5c-0000-4000-8000-000000000009"
SETTINGS = FieldNationSettings(
    client_id="client-1",
    client_secret="hidden-secret-1",
    username="buyer",
    password="hidden-password-1",
    webhook_secret=SECRET,
)
FILTERS = {"f_search": "x", "f_created_date": "2026-11-01,2026-11-02", "f_client": "1"}
HOOK = "1c9ab0f2-1d2c-4f0c-9a52-6f5b1d9d1f11"
EVENTS = ["workorder.created", "workorder.status.assigned"]
NUMBER: dict[str, Any] = {"work_order_id": 7}
SAMPLES: dict[str, dict[str, Any]] = {
    "create_work_order": {"record": WHOLE},
    "get_work_order": {**NUMBER, "columns": "status"},
    "update_work_order": {**NUMBER, "changes": WHOLE},
    "list_work_orders": {"base_list": "workorders_draft", "filters": FILTERS, "columns": "status", "page": 1},
    "work_orders_pages": {"filters": FILTERS, "columns": "status", "page_size": 5},
    "search_work_orders": {"text": "CW-1", "columns": "status"},
    "work_orders_created": {"first": "2026-11-01", "last": "2026-11-02", "columns": "status"},
    "publish_work_order": NUMBER,
    "approve_work_order": NUMBER,
    "cancel_work_order": {**NUMBER, "reason": "closed"},
    "list_messages": NUMBER,
    "post_message": {**NUMBER, "message": "Hello", "type": "ASSIGNEDTECH"},
    "list_custom_fields": NUMBER,
    "list_webhook_events": {},
    "list_webhooks": {},
    "list_set_up": {"path": "/types-of-work"},
    "create_webhook": {"url": "https://x.test/in", "events": EVENTS, "secret": SECRET},
    "update_webhook": {"webhook_id": HOOK, "changes": {"events": EVENTS, "status": "inactive"}},
    "delete_webhook": {"webhook_id": HOOK},
}


def operations() -> set[str]:
    members = inspect.getmembers(FieldNationClient, inspect.isfunction)
    return {name for name, _ in members if not name.startswith("_")} - NO_REQUEST


@pytest.fixture(scope="module")
def spec() -> dict[str, Any]:
    return dict(json.loads(vendor_file("fieldnation-openapi.json").read_text(encoding="utf-8")))


class Recorder:
    """Gives a token, answers everything else with something readable, and keeps the requests."""

    def __init__(self) -> None:
        self.logins: list[httpx.Request] = []
        self.seen: list[httpx.Request] = []

    def handle(self, request: httpx.Request) -> httpx.Response:
        if request.url.path == TOKEN_PATH:
            self.logins.append(request)
            return httpx.Response(200, json={"access_token": "token-1234", "expires_in": 3600})
        self.seen.append(request)
        page = int(request.url.params.get("page", 1))
        metadata = {"page": page, "pages": 2, "total": 2 if "/workorders" in request.url.path else 1}
        echo = {name: [value] for name, value in request.url.params.items() if name.startswith("f_")}
        body = {"id": 7, "metadata": metadata, "results": [{"id": page}], **echo}
        webhooks = "/api/v1/" in request.url.path
        many = request.url.path.endswith(("/webhooks", "/events"))
        result: Any = [] if many and request.method == "GET" else {"webhookId": HOOK}
        return httpx.Response(200, json={"metadata": {}, "result": result} if webhooks else body)


async def requests_of(name: str) -> tuple[Recorder, list[str]]:
    """The requests that one call makes, and the templates that they are counted under."""
    recorder = Recorder()
    async with FieldNationClient(SETTINGS, transport=httpx.MockTransport(recorder.handle)) as client:
        answer = getattr(client, name)(**SAMPLES[name])
        if isinstance(answer, AsyncIterator):
            async for _ in answer:
                pass
        else:
            await answer
        return recorder, list(client.session.sent)


def resolve(spec: dict[str, Any], node: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in node or len(node.get("allOf", [])) == 1:
        if "$ref" not in node:
            node = node["allOf"][0]
            continue
        *_, group, name = node["$ref"].split("/")
        node = spec["components"][group][name]
    return node


def faults(spec: dict[str, Any], schema: dict[str, Any], value: Any, at: str = "") -> Iterator[str]:
    """Members of a body that its schema does not have, required ones that it lacks, and other types."""
    schema = resolve(spec, schema)
    kinds = {"string": str, "number": int | float, "integer": int, "boolean": bool, "array": list}
    kind = kinds.get(schema.get("type", ""))
    if kind is not None and not isinstance(value, kind):
        yield f"{at} is no {schema['type']}"
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from faults(spec, schema["items"], item, f"{at}[{index}]")
    elif isinstance(value, dict) and "properties" in schema:
        yield from (f"{at}.{name} missing" for name in schema.get("required", []) if name not in value)
        for name, inner in value.items():
            if name in schema["properties"]:
                yield from faults(spec, schema["properties"][name], inner, f"{at}.{name}")
            else:
                yield f"{at}.{name}"
    if "enum" in schema and value not in schema["enum"]:
        yield f"{at} is {value}"


def test_every_operation_has_a_sample() -> None:
    assert operations() == set(SAMPLES)


@pytest.mark.parametrize("name", sorted(SAMPLES))
async def test_every_request_is_described(spec: dict[str, Any], name: str) -> None:
    recorder, counted = await requests_of(name)
    assert len(counted) == 1
    assert len(recorder.logins) == 1
    method, template = counted[0].split(" ")
    for request in recorder.seen:
        path, operation = described(spec, request, method)
        assert len(path.split("/")) == len(template.split("/")) + (3 if "/rest/" in path else 2)
        assert_request_fits(spec, request, operation)


def described(spec: dict[str, Any], request: httpx.Request, method: str) -> tuple[str, dict[str, Any]]:
    """The path of the file that a request goes to, exact parts before placeholders, and its operation."""
    have = request.url.path.split("/")
    found = [
        path
        for path in spec["paths"]
        if len(path.split("/")) == len(have)
        and all(
            part == want or want.startswith("{") for part, want in zip(have, path.split("/"), strict=True)
        )
    ]
    assert found, f"{request.url.path} is not described"
    path = min(found, key=lambda each: each.count("{"))
    assert method.lower() in spec["paths"][path], f"{method} {path} is not described"
    return path, dict(spec["paths"][path][method.lower()])


def assert_request_fits(spec: dict[str, Any], request: httpx.Request, operation: dict[str, Any]) -> None:
    parameters = [resolve(spec, one) for one in operation.get("parameters", [])]
    query = {one["name"] for one in parameters if one["in"] == "query"}
    needed = {one["name"] for one in parameters if one["in"] == "query" and one.get("required")}
    in_query = "/rest/" in request.url.path
    given = set(request.url.params) - ({"access_token"} if in_query else set())
    assert needed <= given <= query | set(KNOWN_EXCEPTIONS)
    assert ("access_token" in request.url.params) == in_query
    assert (request.headers.get("authorization") == "Bearer token-1234") == (not in_query)
    body = operation.get("requestBody")
    assert bool(request.content) == bool(body)
    if body:
        sent = {name: v for name, v in json.loads(request.content).items() if name not in KNOWN_EXCEPTIONS}
        assert list(faults(spec, body["content"]["application/json"]["schema"], sent)) == []


async def test_the_log_in_is_described(spec: dict[str, Any]) -> None:
    recorder, _ = await requests_of("get_work_order")
    assert (
        list(
            faults(
                spec,
                {"$ref": "#/components/schemas/AuthTokenPayloadDto"},
                json.loads(recorder.logins[0].content),
            )
        )
        == []
    )


@pytest.mark.parametrize("name", sorted(SAMPLES))
async def test_a_client_for_reading_only_sends_no_write(name: str) -> None:
    recorder = Recorder()
    transport = httpx.MockTransport(recorder.handle)
    async with FieldNationClient(SETTINGS, transport=transport, read_only=True) as client:
        answer = getattr(client, name)(**SAMPLES[name])
        try:
            if isinstance(answer, AsyncIterator):
                async for _ in answer:
                    pass
            else:
                await answer
        except ConnectorError:
            assert recorder.seen == []
        assert {request.method for request in recorder.seen} <= {"GET"}


def test_the_check_of_bodies_sees_what_is_wrong(spec: dict[str, Any]) -> None:
    schema = {"$ref": "#/components/schemas/WorkOrderCreateDto"}
    body = {"titel": "y", "location": {"modus": "custom"}, "pay": {"base": {"amount": "150"}}}
    assert sorted(faults(spec, schema, body)) == [
        ".location.modus",
        ".pay.base.amount is no number",
        ".titel",
        ".title missing",
    ]
