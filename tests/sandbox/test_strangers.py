"""What other people's clients send now and then: packed bodies, other character sets, odd pages and digits.

Each is refused in the vendor's way, and nothing of it is kept.
"""

from __future__ import annotations

import gzip
import json
import time
from typing import Any

import pytest

from tests.sandbox.test_malformed import API, GRAPHQL, REST, Vendors

pytestmark = pytest.mark.anyio

TYPES = f"{API}/company/configurations/types"
ASSETS = """query ($id: ID!, $filters: AssetsFilterGroupedInput) {
  site(id: $id) { assetResources(fields: ["key"], filters: $filters) { items } } }"""
EDIT = """mutation ($id: ID!, $key: ID!, $day: ValueDateInput) { site(id: $id) {
  editAsset(key: $key, fields: {assetCustom: {purchaseDate: $day}}) { assetCustom { purchaseDate } } } }"""
CREATE = """mutation ($id: ID!) { site(id: $id) {
  createCustomField(field: {name: "New", type: INPUT}) { key } } }"""


@pytest.fixture
def vendors() -> Vendors:
    return Vendors()


def kept(vendors: Vendors) -> tuple[int, int, int]:
    """How many types, work orders and custom fields there are."""
    world = vendors.world
    types = world.store.collection("company/configurations/types")
    return len(types), len(world.field_nation.orders), len(world.lansweeper.custom_fields)


@pytest.mark.parametrize(
    ("pack", "headers"),
    [
        (gzip.compress, {"Content-Encoding": "gzip"}),
        (bytes, {"Content-Encoding": "br"}),
        (lambda body: body.decode().encode("utf-16"), {"Content-Type": "application/json; charset=utf-16"}),
        (lambda body: body.decode().encode("utf-32"), {}),
        (lambda body: body.replace(b"New", "Né".encode("latin-1")), {}),
        (bytes, {"Content-Type": "application/json; charset=iso-8859-1"}),
        (bytes, {"Content-Type": "application/json; charset=nope"}),
        (bytes, {"Content-Type": "text/plain"}),
        (bytes, {"Content-Type": "application/x-www-form-urlencoded"}),
    ],
)
async def test_a_body_that_is_no_plain_json_is_refused(
    vendors: Vendors, pack: Any, headers: dict[str, str]
) -> None:
    before, site = kept(vendors), vendors.world.credentials.site_id
    bodies = [
        (TYPES, {"name": "New"}, vendors.headers),
        (f"{REST}/workorders?access_token={vendors.token}", {"title": "New"}, {}),
        (
            GRAPHQL,
            {"query": CREATE, "variables": {"id": site}},
            {"Authorization": f"Token {vendors.world.credentials.access_token}"},
        ),
    ]
    for address, body, own in bodies:
        sent = {**own, "Content-Type": "application/json", **headers}
        answer = await vendors.http.post(address, content=pack(json.dumps(body).encode()), headers=sent)
        assert answer.status_code in (400, 415), (address, answer.text)
    assert kept(vendors) == before


@pytest.mark.parametrize("text", ["0", "-1", "1e9", "1.5", "x", "²", "١", "9" * 30, "9" * 5000])
async def test_a_page_that_is_none_is_refused(vendors: Vendors, text: str) -> None:
    for name in ("page", "pageSize"):
        answer = await vendors.psa("GET", "/service/tickets", **{name: text})
        assert answer.status_code in (400, 414), name
    for name in ("page", "per_page"):
        answer = await vendors.field_nation("GET", f"{REST}/workorders", **{name: text})
        assert answer.status_code == 400, name
    asked = {"id": vendors.world.credentials.site_id, "filters": None, "page": {"limit": text}}
    query = ASSETS.replace("(fields", "(assetPagination: $page, fields")
    query = query.replace("$id: ID!", "$id: ID!, $page: AssetsPaginationInputValidated")
    assert (await vendors.lansweeper({"query": query, "variables": asked})).status_code == 400


async def test_a_page_far_past_the_end_is_empty(vendors: Vendors) -> None:
    answer = await vendors.psa("GET", "/service/tickets", page=str(2**31 - 1))
    assert (answer.status_code, answer.json()) == (200, [])


@pytest.mark.parametrize("word", ["²", "١", "-1", "1.5", "0", "9" * 25])
async def test_an_id_that_is_none_finds_nothing(vendors: Vendors, word: str) -> None:
    for path in (f"/service/tickets/{word}", f"/service/boards/{word}/statuses"):
        assert (await vendors.psa("GET", path)).status_code == 404
    assert (await vendors.field_nation("GET", f"{REST}/workorders/{word}")).status_code == 404


@pytest.mark.parametrize("path", [5, ["summary"], {"a": 1}, "", None])
async def test_a_patch_path_is_a_text(vendors: Vendors, path: Any) -> None:
    operation = {"op": "replace", "path": path, "value": "x"}
    assert (await vendors.psa("PATCH", "/service/tickets/1", [operation])).status_code == 400


async def test_a_refused_method_is_not_carried_out(vendors: Vendors) -> None:
    before, body = kept(vendors), {"query": CREATE, "variables": {"id": vendors.world.credentials.site_id}}
    for method in ("PUT", "PATCH", "DELETE", "GET"):
        assert (await vendors.lansweeper(body, method)).status_code == 405
    assert kept(vendors) == before
    refused = await vendors.psa("PUT", "/service/tickets", {"summary": "x"})
    assert (refused.status_code, refused.headers["allow"]) == (405, "GET, POST")


@pytest.mark.parametrize("pattern", ["(" * 500 + ")" * 500, "a{99999999999}", "(", "a" * 100_000])
async def test_a_pattern_that_nobody_compiles_is_refused_by_name(vendors: Vendors, pattern: str) -> None:
    condition = {"operator": "REGEXP", "path": "assetBasicInfo.name", "value": pattern}
    asked = {"id": vendors.world.credentials.site_id, "filters": {"conditions": [condition]}}
    answer = await vendors.lansweeper({"query": ASSETS, "variables": asked})
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["message"].startswith("Invalid regular expression: ")


async def test_many_wildcards_cost_no_time(vendors: Vendors) -> None:
    condition = {"operator": "LIKE", "path": "assetBasicInfo.name", "value": "%".join("-0-" * 40) + "%~"}
    asked = {"id": vendors.world.credentials.site_id, "filters": {"conditions": [condition]}}
    began = time.process_time()
    answer = await vendors.lansweeper({"query": ASSETS, "variables": asked})
    assert answer.json()["data"]["site"]["assetResources"]["items"] == []
    assert time.process_time() - began < 2


@pytest.mark.parametrize("day", ["9999-99-99", "2026-02-30", "2026-01-01T25:00:00Z", "٢٠٢٦-01-01"])
async def test_a_day_that_is_none_is_refused(vendors: Vendors, day: str) -> None:
    key = next(iter(vendors.world.lansweeper.assets))
    before = json.dumps(vendors.world.lansweeper.assets[key], default=str)
    asked = {"id": vendors.world.credentials.site_id, "key": key, "day": {"value": day}}
    refused = await vendors.lansweeper({"query": EDIT, "variables": asked})
    assert refused.json()["errors"][0]["message"].startswith("DateTime cannot represent")
    assert json.dumps(vendors.world.lansweeper.assets[key], default=str) == before


async def test_tickets_are_sorted_and_found_by_what_their_priority_shows(vendors: Vendors) -> None:
    query = {"fields": "id,priority", "pageSize": "50"}
    listed = await vendors.psa("GET", "/service/tickets", orderBy="priority/sort desc", **query)
    orders = [one["priority"]["sort"] for one in listed.json()]
    assert orders == sorted(orders, reverse=True)
    medium = await vendors.psa("GET", "/service/tickets", conditions='priority/level = "Medium"', **query)
    assert {one["priority"]["level"] for one in medium.json()} == {"Medium"}
    late = await vendors.psa("GET", "/service/tickets", conditions="priority/sort > 3", **query)
    assert all(one["priority"]["sort"] > 3 for one in late.json())
