"""Pages, Link headers, forward-only, order, fields and count of the sandbox's ConnectWise."""

from __future__ import annotations

import re
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.connectwise.reads import Address, page_by_number, page_forward
from tests.support.sandbox.connectwise import World, caller, insert_configurations, names, small_world

pytestmark = pytest.mark.anyio
URL = "/company/configurations"
FORWARD = {"pagination-type": "forward-only"}


@pytest.fixture
def world() -> World:
    """60 configurations, srv-01 to srv-60; every second one of the other company."""
    made = small_world()
    insert_configurations(
        made, *({"name": f"srv-{n:02}", "company": {"id": 1 + n % 2}} for n in range(1, 61))
    )
    return made


def links(response: httpx.Response) -> dict[str, str]:
    """rel -> address, as any reader of RFC 5988 would have it."""
    return {rel: url for url, rel in re.findall(r'<([^>]*)>; rel="(\w+)"', response.headers.get("link", ""))}


async def test_25_records_unless_a_page_size_is_given(world: World) -> None:
    with caller(world) as client:
        assert len((await client.get(URL)).json()) == 25
        assert len((await client.get(URL, params={"PAGESIZE": 60})).json()) == 60


async def test_following_the_link_header_gives_every_record_once(world: World) -> None:
    with caller(world) as client:
        address: str | None = f'{URL}?conditions=company/id=1 and name like "srv%25"&pageSize=7&fields=id'
        seen: list[int] = []
        while address:
            response = await client.get(address)
            seen += [record["id"] for record in response.json()]
            address = links(response).get("next")
        assert seen == [n for n in range(1, 61) if n % 2 == 0]


async def test_the_relations_of_first_middle_and_last_page(world: World) -> None:
    with caller(world) as client:
        pages = [await client.get(URL, params={"pageSize": 20, "page": page}) for page in (1, 2, 3, 4)]
        assert [set(links(page)) for page in pages[:3]] == [
            {"next", "last"},
            {"next", "last", "prev", "first"},
            {"prev", "first"},
        ]
        assert links(pages[0])["next"] == (
            "http://psa.test/v4_6_release/apis/3.0/company/configurations?pageSize=20&page=2"
        )
        assert (pages[3].status_code, pages[3].json()) == (200, [])


async def test_forward_only_goes_by_id_and_ends_with_an_empty_link(world: World) -> None:
    with caller(world) as client:
        first = await client.get(URL, params={"pageSize": 40, "page": 9, "fields": "id"}, headers=FORWARD)
        assert [record["id"] for record in first.json()] == list(range(1, 41))
        assert links(first)["next"].endswith("pageId=40")
        second = await client.get(links(first)["next"], headers=FORWARD)
        assert [record["id"] for record in second.json()] == list(range(41, 61))
        assert second.headers["link"] == ""


async def test_a_condition_that_names_ids_finds_those_in_order_and_no_others(world: World) -> None:
    with caller(world) as client:
        for condition in ("id in (7, 3, 999, 3)", "ID IN (3,7)", "id in (7,3) and id > 0"):
            found = await client.get(URL, params={"conditions": condition, "fields": "id"})
            assert [record["id"] for record in found.json()] == [3, 7], condition
        second = await client.get(URL, params={"conditions": "id in (3,7)", "pageId": 3}, headers=FORWARD)
        assert [record["id"] for record in second.json()] == [7]


async def test_forward_only_refuses_an_order(world: World) -> None:
    with caller(world) as client:
        refused = await client.get(URL, params={"orderBy": "name"}, headers=FORWARD)
        assert refused.status_code == 400


async def test_a_page_size_over_1000_is_capped_or_refused(world: World) -> None:
    insert_configurations(world, *({"name": f"more-{n}"} for n in range(1000)))
    with caller(world) as client:
        assert len((await client.get(URL, params={"pageSize": 1001, "fields": "id"})).json()) == 1000
        world.switches.page_size_over_limit = "refuse"
        assert (await client.get(URL, params={"pageSize": 1001})).status_code == 400
        assert (await client.get(URL, params={"pageSize": "many"})).status_code == 400


async def test_order_by_names_that_may_be_nested(world: World) -> None:
    with caller(world) as client:
        found = await names(client, orderBy="company/name desc, name DESC", pageSize=60)
        assert (found[0], found[30], found[-1]) == ("srv-59", "srv-60", "srv-02")
        for wrong in ("bogus", "name sideways", "name asc desc"):
            refused = await client.get(URL, params={"orderBy": wrong})
            assert (refused.status_code, refused.json()["code"]) == (400, "ApiFindCondition")


async def test_records_without_the_value_come_first(world: World) -> None:
    world.store.edit("company/configurations", 60, {"backupYear": 2020})
    with caller(world) as client:
        assert (await names(client, orderBy="backupYear", pageSize=60))[-1] == "srv-60"


async def test_fields_pick_members_and_members_of_references(world: World) -> None:
    with caller(world) as client:
        picked = await client.get(f"{URL}/1", params={"fields": "ID,Name,type/id,company/identifier,Status"})
        status = {"id": 1, "name": "Active"}
        found = picked.json()
        assert found.pop("status").items() >= status.items()
        assert found == {"id": 1, "name": "srv-01", "type": {"id": 1}, "company": {"identifier": "Other"}}
        info = await client.get(f"{URL}/1", params={"fields": "_info/lastUpdated"})
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", info.json()["_info"]["lastUpdated"])


async def test_unknown_fields_are_ignored_or_refused(world: World) -> None:
    with caller(world) as client:
        assert (await client.get(f"{URL}/1", params={"fields": "id,bogus"})).json() == {"id": 1}
        world.switches.unknown_fields = "refuse"
        refused = await client.get(URL, params={"fields": "id,bogus"})
        assert refused.json()["message"] == "bogus is not a recognized name."


async def test_unset_custom_fields_are_listed_without_value_or_with_null(world: World) -> None:
    with caller(world) as client:
        world.store.edit("company/configurations", 1, {"customFields": [{"id": 1, "value": "key"}]})
        shown = (await client.get(f"{URL}/1")).json()["customFields"]
        assert [one["caption"] for one in shown][:3] == ["ls_asset_id", "ls_asset_url", "ls_software"]
        assert (shown[0]["value"], "value" in shown[1], shown[2]["type"]) == ("key", False, "TextArea")
        world.switches.unset_custom_field = "null"
        shown = (await client.get(f"{URL}/1")).json()["customFields"]
        assert shown[1]["value"] is None


async def test_every_collection_lists_counts_and_filters(world: World) -> None:
    paths = [
        "/company/configurations", "/company/configurations/types",
        "/company/configurations/types/1/questions",
        "/company/configurations/statuses", "/company/companies", "/company/companies/1/sites",
        "/company/contacts", "/system/departments", "/system/locations", "/procurement/manufacturers",
        "/system/myCompany/corporateStructureLevels", "/system/userDefinedFields", "/system/members",
    ]  # fmt: skip
    with caller(world) as client:
        for path in paths:
            listed = (await client.get(path, params={"conditions": "id >= 1"})).json()
            counted = (await client.get(f"{path}/count")).json()["count"]
            assert listed, path
            assert counted >= len(listed), path
            one = await client.get(f"{path}/{listed[0]['id']}")
            assert one.json() == listed[0], path


async def test_a_renamed_reference_shows_its_new_name(world: World) -> None:
    with caller(world) as client:
        world.store.edit("company/configurations/types", 1, {"name": "Servers"})
        assert (await client.get(f"{URL}/1")).json()["type"]["name"] == "Servers"


RECORDS: list[dict[str, Any]] = [{"id": number} for number in range(1, 30)]


@given(st.integers(1, 40), st.integers(1, 40))
def test_a_numbered_page_is_its_slice(page: int, size: int) -> None:
    found, link = page_by_number(RECORDS, {"page": str(page)}, size, Address("http://x", (("page", "1"),)))
    assert found == RECORDS[(page - 1) * size : page * size]
    assert ('rel="next"' in link) is (page * size < len(RECORDS))


@given(st.sets(st.integers(1, 60)), st.integers(1, 12))
def test_forward_pages_give_every_record_once(ids: set[int], size: int) -> None:
    records = [{"id": number} for number in sorted(ids)]
    seen: list[int] = []
    query: dict[str, str] = {}
    for _ in range(len(ids) + 1):
        page, link = page_forward(iter(records), query, size, Address("http://x", ()))
        seen += [record["id"] for record in page]
        if not link:
            break
        query = {"pageid": link.partition("pageId=")[2].partition(">")[0]}
    assert seen == sorted(ids)
