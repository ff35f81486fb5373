"""Who may call the sandbox's ConnectWise, and what callers at fault are told."""

from __future__ import annotations

import httpx
import pytest

from tests.support.sandbox.connectwise import basic, caller, configuration, small_world

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
