"""Who may call the sandbox's ConnectWise; whatever is sent, it answers as a vendor does, in JSON."""

from __future__ import annotations

import json
from typing import Any

import anyio
import httpx
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from sandbox.connectwise.schema.company import CONFIGURATIONS
from tests.support.sandbox.connectwise import basic, caller, configuration, insert_configurations, small_world
from tests.support.sandbox.service_desk import insert_service_desk

pytestmark = pytest.mark.anyio


async def test_company_lookup_needs_no_keys_and_names_the_codebase() -> None:
    with caller(small_world()) as client:
        plain = httpx.URL("http://psa.test/login/companyinfo/Acme")
        found = await client.get(plain, headers={"Authorization": "", "clientId": ""})
        assert found.json()["Codebase"] == "v4_6_release/"
        assert found.json()["CompanyID"] == "acme"


async def test_an_unknown_company_is_null_with_200() -> None:
    with caller(small_world()) as client:
        found = await client.get("http://psa.test/login/companyinfo/nobody")
        assert (found.status_code, found.text) == (200, "null")


@pytest.mark.parametrize("part", ["company", "public", "private"])
async def test_wrong_keys_are_refused_with_the_status_of_the_switch(part: str) -> None:
    world = small_world()
    with caller(world) as client:
        wrong = {"Authorization": basic(world, **{part: "wrong"})}
        refused = await client.get("/system/info", headers=wrong)
        assert (refused.status_code, refused.json()["code"]) == (401, "Unauthorized")
        world.switches.bad_keys_status = 404
        assert (await client.get("/system/info", headers=wrong)).status_code == 404


@pytest.mark.parametrize("header", ["", "Bearer x", "Basic !!!", "Basic"])
async def test_other_authorization_is_refused(header: str) -> None:
    with caller(small_world()) as client:
        assert (await client.get("/system/info", headers={"Authorization": header})).status_code == 401


@pytest.mark.parametrize("status", [400, 401, 403])
async def test_a_missing_client_id_is_refused_with_the_status_of_the_switch(status: int) -> None:
    world = small_world()
    world.switches.missing_client_id_status = status
    with caller(world) as client:
        del client.headers["clientId"]
        assert (await client.get("/system/info")).status_code == status


async def test_header_names_match_in_any_case() -> None:
    world = small_world()
    with caller(world) as client:
        client.headers = httpx.Headers(
            {"CLIENTID": world.credentials.client_id, "AUTHORIZATION": basic(world)}
        )
        assert (await client.get("/system/info")).json()["isCloud"] is False


async def test_a_wrong_codebase_is_plain_text() -> None:
    with caller(small_world()) as client:
        for path in ("/v2025_1/apis/3.0/system/info", "/nothing", "/v4_6_release/apis/2.0/system/info"):
            refused = await client.get(f"http://psa.test{path}")
            assert refused.status_code == 400
            assert refused.text == "Cannot route. Codebase/company is invalid"


async def test_a_versioned_codebase_works_beside_the_old_one() -> None:
    world = small_world()
    world.switches.codebase = "v2026_4/"
    with caller(world) as client:
        found = await client.get("http://psa.test/login/companyinfo/acme")
        codebase = found.json()["Codebase"]
        assert (await client.get(f"http://psa.test/{codebase}apis/3.0/system/info")).status_code == 200
        assert (await client.get("/system/info")).status_code == 200


async def test_paths_match_in_any_case_and_with_a_trailing_slash() -> None:
    with caller(small_world()) as client:
        for path in (
            "/Company/COMPANIES/",
            "/company/companies/1/sites/",
            "/system/mycompany/corporatestructurelevels",
        ):
            assert (await client.get(path)).status_code == 200


async def test_unknown_paths_and_methods() -> None:
    with caller(small_world()) as client:
        missing = await client.get("/company/nothing")
        assert (missing.status_code, missing.json()["message"]) == (404, "The endpoint does not exist.")
        assert (await client.delete("/company/configurations")).status_code == 405
        assert (await client.post("/system/members", json={})).status_code == 405
        absent = await client.get("/company/contacts/57919")
        assert (absent.status_code, absent.json()["code"]) == (404, "NotFound")
        assert absent.json()["message"] == "Contact 57919 not found"


async def test_an_address_over_2000_characters_is_414() -> None:
    with caller(small_world()) as client:
        used = len("http://psa.test/v4_6_release/apis/3.0/company/companies?fields=")
        for length, status in ((2000 - used, 200), (2001 - used, 414)):
            answer = await client.get("/company/companies", params={"fields": "x" * length})
            assert answer.status_code == status


async def test_the_request_rate_by_switch() -> None:
    world = small_world()
    world.switches.rate_limit = [2, 60]
    with caller(world) as client:
        statuses = [(await client.get("/system/info")).status_code for _ in range(2)]
        refused = await client.get("/system/info")
        assert [*statuses, refused.status_code] == [200, 200, 429]
        wait = int(refused.headers["retry-after"])
        assert 1 <= wait <= 60
        assert refused.json() == {
            "error": "ConnectWiseAPI",
            "message": f"Too many requests. Please try again in {wait} seconds.",
        }
        world.switches.rate_limit = None
        assert (await client.get("/system/info")).status_code == 200


async def test_a_denied_collection() -> None:
    world = small_world()
    world.switches.denied = ["company/configurations/bulk", "system/locations"]
    with caller(world) as client:
        refused = await client.get("/system/locations")
        assert (refused.status_code, refused.json()["code"]) == (403, "Security")
        bulk = await client.post("/company/configurations/bulk", json=[configuration()])
        assert bulk.status_code == 403
        assert (await client.get("/company/configurations")).status_code == 200


async def test_the_answers_media_type_follows_the_accept_header() -> None:
    with caller(small_world()) as client:
        plain = await client.get("/system/info", headers={"Accept": "application/json"})
        versioned = await client.get(
            "/system/info", headers={"Accept": "application/vnd.connectwise.com+json; version=2026.4"}
        )
        assert plain.headers["content-type"].startswith("application/json")
        assert versioned.headers["content-type"] == "application/vnd.connectwise.com+json; version=2026.4"
        assert plain.headers["api-current-version"] == "2026.4"


async def test_bodies_must_be_json() -> None:
    with caller(small_world()) as client:
        text = await client.post("/procurement/manufacturers", content="name=x")
        assert text.status_code == 415
        broken = await client.post(
            "/procurement/manufacturers", content="{", headers={"Content-Type": "application/json"}
        )
        assert (broken.status_code, broken.json()["code"]) == (400, "ConnectWiseApi")


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
