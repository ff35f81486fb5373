"""Whatever is sent, the sandbox's ConnectWise answers as a server: a vendor's status and readable JSON."""

from __future__ import annotations

import json
from typing import Any

import anyio
import httpx
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from sandbox.connectwise.schema.company import CONFIGURATIONS
from tests.support.sandbox.connectwise import caller, insert_configurations, small_world
from tests.support.sandbox.service_desk import insert_service_desk

URL = "/company/configurations"
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["id", "name", "value", "caption", "questionId", "answer", "identifier"]), inner
        )
    ),
    max_leaves=6,
)
MEMBERS = st.sampled_from([*CONFIGURATIONS.fields, "id", "bogus"])
BODIES = st.dictionaries(MEMBERS, VALUES, max_size=6)
PATHS = MEMBERS | st.builds("{}/{}/{}".format, MEMBERS, st.integers(0, 3) | st.just("-"), MEMBERS)
OPERATIONS = st.lists(
    st.fixed_dictionaries(
        {"op": st.sampled_from(["add", "replace", "remove"]), "path": PATHS, "value": VALUES}
    ),
    max_size=4,
)


def send(method: str, path: str, body: Any = None, **params: str) -> httpx.Response:
    """One request over a fresh world with one configuration; an exception of the server reaches the test."""
    world = small_world()
    insert_configurations(world, {"customFields": [{"id": 1, "value": "key"}]})
    insert_service_desk(world.store)
    world.store.links("service/tickets/configurations").add(1, 1)
    world.switches.bundle_limit, world.switches.configuration_condition = 2, "in"

    async def asked() -> httpx.Response:
        with caller(world) as client:
            headers = {"Content-Type": "application/json"}
            return await client.request(
                method, path, content=json.dumps(body), headers=headers, params=params
            )

    return anyio.run(asked)


def readable(response: httpx.Response) -> None:
    assert response.status_code < 500
    json.loads(response.text, parse_constant=lambda word: 1 / 0)


NAUGHTY = [
    {"questions": [{"questionId": "abc", "answer": "x"}]},
    {"questions": [{"questionId": 1, "answer": []}]},
    {"backupBillableSpaceGb": float("nan")},
    {"backupBillableSpaceGb": "inf"},
    {"customFields": [{"id": 4, "value": "nan"}]},
    {"customFields": [{"id": "²"}]},
    {"backupYear": 10**30},
    {"company": {"id": True}},
]


@pytest.mark.parametrize("body", NAUGHTY)
def test_bodies_that_once_broke_a_server(body: dict[str, Any]) -> None:
    refused = send("POST", URL, {"name": "x", "type": {"id": 1}, "company": {"id": 1}, **body})
    readable(refused)
    assert refused.status_code == 400


BUNDLED = st.fixed_dictionaries(
    {"sequenceNumber": VALUES, "resourceType": st.sampled_from(["ticket", "ticketconfiguration"]) | VALUES},
    optional={
        "apiRequest": st.dictionaries(
            st.sampled_from(["id", "parentId", "fields", "page", "filters", "entity"]),
            VALUES | st.fixed_dictionaries({"conditions": VALUES, "page": VALUES, "pageSize": VALUES}),
            max_size=4,
        )
    },
)


@settings(max_examples=40, deadline=None)
@given(st.lists(BUNDLED, max_size=2) | VALUES)
def test_any_bundle_gets_a_readable_answer(requests: Any) -> None:
    readable(send("POST", "/system/bundles", {"requests": requests}))


@settings(max_examples=25, deadline=None)
@given(
    st.dictionaries(st.sampled_from(["conditions", "orderBy", "childconditions", "page"]), VALUES) | VALUES,
    st.sampled_from(["configuration/id", "configuration", "id", "closedFlag"]),
    st.sampled_from(["=", "in", "not in", "like", "<"]),
    VALUES,
)
def test_any_search_gets_a_readable_answer(body: Any, name: str, operator: str, value: Any) -> None:
    for one in (body, {"conditions": f"{name} {operator} {json.dumps(value)}"}):
        readable(send("POST", "/service/tickets/search", one))
        readable(send("POST", "/service/tickets/1/configurations", one))


@settings(max_examples=60, deadline=None)
@given(BODIES, st.sampled_from([("POST", URL), ("PUT", f"{URL}/1")]))
def test_any_record(body: dict[str, Any], where: tuple[str, str]) -> None:
    required = {"name": "x", "type": {"id": 1}, "company": {"id": 1}}
    readable(send(*where, {**required, **body}))


@settings(max_examples=60, deadline=None)
@given(OPERATIONS)
@example(
    [
        {"op": "add", "path": "customFields", "value": None},
        {"op": "add", "path": "customFields/-/name", "value": None},
    ]
)
@example(
    [
        {"op": "add", "path": "customFields", "value": "text"},
        {"op": "add", "path": "customFields/-", "value": {}},
    ]
)
def test_any_patch(operations: list[dict[str, Any]]) -> None:
    readable(send("PATCH", f"{URL}/1", operations))


@settings(max_examples=40, deadline=None)
@given(st.lists(VALUES | BODIES, max_size=3), st.sampled_from(["POST", "PUT"]))
def test_any_bulk(body: list[Any], method: str) -> None:
    readable(send(method, f"{URL}/bulk", body))


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(
        ["conditions", "childConditions", "customFieldConditions", "orderBy", "fields", "page", "pageSize"]
    ),
    st.text(alphabet="abid/=<>()[]\"'%* ,-0123naiul", max_size=20),
)
def test_any_query(name: str, value: str) -> None:
    readable(send("GET", URL, **{name: value}))
