"""The Lansweeper client against the sandbox: reads, edits one by one and several in one request."""

from __future__ import annotations

from typing import Any

import anyio
import pytest

from connectors.errors import RetryableError, StopError
from connectors.lansweeper.block import LansweeperConnection
from connectors.lansweeper.client import LansweeperClient
from connectors.lansweeper.edits import TooManyAliasesError
from connectors.lansweeper.graphql import any_key, condition
from connectors.lansweeper.models import Asset, AssetEdit, Filters
from connectors.lansweeper.settings import LansweeperSettings

pytestmark = pytest.mark.anyio

FIELDS = ["assetBasicInfo.name", "assetBasicInfo.mac", "assetCustom.serialNumber", "url"]
MORE = [
    *FIELDS,
    "softwares.name",
    "softwares.version",
    "networkAdapters.name",
    "operatingSystem.caption",
    *(
        f"assetBasicInfo.{name}"
        for name in ("description", "domain", "fqdn", "firstSeen", "lastSeen", "type")
    ),
    *(f"assetBasicInfo.{name}" for name in ("ipAddress", "userName", "userDomain", "typeGroup", "subType")),
    *(
        f"assetCustom.{name}"
        for name in ("manufacturer", "model", "purchaseDate", "warrantyDate", "location")
    ),
    *(f"assetCustom.{name}" for name in ("stateName", "sku", "department", "building", "contact", "comment")),
    *(f"assetCustom.{name}" for name in ("barCode", "branchOffice", "dnsName", "orderNumber")),
]


def client_of(sandbox: Any, **options: Any) -> LansweeperClient:
    known = sandbox.info["lansweeper"]
    return LansweeperClient(LansweeperSettings(known["access_token"], endpoint=known["endpoint"]), **options)


async def read(client: LansweeperClient, site_id: str, fields: list[str], **options: Any) -> list[Asset]:
    return [item async for page in client.asset_pages(site_id, fields, **options) for item in page.items]


async def test_the_assets_of_the_site_are_read_whole(sandbox: Any) -> None:
    async with client_of(sandbox) as client:
        site = await client.site()
        assets = await read(client, site["id"], FIELDS, page_size=25)
        assert client.session.requests == 4
    stored = {one["key"]: one for one in sandbox.state("lansweeper/assets")}
    assert [one["key"] for one in assets] == list(dict.fromkeys(one["key"] for one in assets))
    assert {one["key"] for one in assets} == set(stored)
    for one in assets:
        assert one.get("assetBasicInfo", {}).get("name") == stored[one["key"]]["assetBasicInfo"].get("name")


async def test_more_than_30_paths_bring_the_same_assets(sandbox: Any) -> None:
    assert len(MORE) > 30
    async with client_of(sandbox) as client:
        site = await client.site()
        few, many = await read(client, site["id"], FIELDS), await read(client, site["id"], MORE, page_size=25)
    assert [one["key"] for one in many] == [one["key"] for one in few]
    assert sandbox.requests()["lansweeper"]["by"]["assetResources"] == 1 + 2 * 3


async def test_a_filter_chooses_assets(sandbox: Any) -> None:
    async with client_of(sandbox) as client:
        site = await client.site()
        of_windows = condition("assetBasicInfo.type", "EQUAL", "Windows")
        windows: Filters = {"conjunction": "AND", "conditions": [of_windows]}
        assets = await read(client, site["id"], ["assetBasicInfo.type"], filters=windows)
    assert assets
    assert {one["assetBasicInfo"]["type"] for one in assets} == {"Windows"}


async def test_one_asset_its_types_and_custom_fields(sandbox: Any) -> None:
    async with client_of(sandbox) as client:
        site = (await client.site())["id"]
        assert "Windows" in await client.asset_types(site)
        created = await client.create_custom_field(site, "cw_total_tickets", "NUMERIC")
        assert created["key"] in {field["key"] for field in await client.custom_fields(site)}
        first = (await read(client, site, ["key"]))[0]["key"]
        change = {"assetCustom": {"fields": [{"fieldKey": created["key"], "value": "7"}]}}
        await client.edit_asset(site, first, change)
        [details] = await read(client, site, ["key", "assetCustom.fields.value"], filters=any_key([first]))
    assert {"value": "7"} in details["assetCustom"]["fields"]
    assert sandbox.requests()["lansweeper"]["writes"] == 2


@pytest.mark.parametrize(("path", "words"), [("assetBasicInfo.nmae", "Invalid path: assetBasicInfo.nmae")])
async def test_an_unknown_path_is_one_clear_error(sandbox: Any, path: str, words: str) -> None:
    async with client_of(sandbox) as client:
        with pytest.raises(StopError, match=rf"{words}.*Correct the field path"):
            await read(client, (await client.site())["id"], [path])


async def test_a_server_error_is_read_again_and_a_long_wait_is_not_slept(sandbox: Any) -> None:
    sandbox.faults([{"system": "lansweeper", "nth": [1], "fault": {"kind": "status", "status": 503}}])
    async with client_of(sandbox) as client:
        assert await client.authorized_sites()
    refusal = {"kind": "status", "status": 429, "headers": {"Retry-After": "120"}}
    sandbox.faults([{"system": "lansweeper", "nth": [1], "fault": refusal}])
    async with client_of(sandbox) as client:
        with pytest.raises(RetryableError) as refused:
            await client.authorized_sites()
    assert refused.value.retry_after == 120


async def test_the_check_says_what_is_reached_or_wrong(sandbox: Any) -> None:
    known = sandbox.info["lansweeper"]
    block = LansweeperConnection(access_token=known["access_token"], endpoint=known["endpoint"])
    check = await block.check()
    assert check.ok
    assert "60 assets" in check.message
    foreign = LansweeperConnection(**{**known, "site_id": "00000000-0000-4000-8000-000000000000"})
    assert "may not see the site" in (await foreign.check()).message
    unknown = LansweeperConnection(access_token="0123456789abcdef", endpoint=known["endpoint"])
    assert "Check the access token" in (await unknown.check()).message


def test_a_mangled_token_is_refused_when_the_block_is_filled_in() -> None:
    with pytest.raises(ValueError, match="begins with the name of a header") as refused:
        LansweeperConnection(access_token="Token abcdef123456")
    assert "abcdef" not in str(refused.value)


@pytest.mark.slow
async def test_the_minutes_limit_is_waited_out_by_all_requests_of_the_client(sandbox: Any) -> None:
    """151 requests without a budget: the vendor's cool-down restarts with every call made during it."""
    counts: list[int] = []

    async def ask(client: LansweeperClient) -> None:
        for _ in range(77):
            await client.authorized_sites()
            counts.append(1)

    async with client_of(sandbox) as client, anyio.create_task_group() as tasks:
        tasks.start_soon(ask, client)
        tasks.start_soon(ask, client)
    assert len(counts) == 154
    assert sandbox.requests()["lansweeper"]["requests"] <= 156


def edits_of(sandbox: Any, number: int) -> list[AssetEdit]:
    keys = [one["key"] for one in sandbox.state("lansweeper/assets")[:number]]
    return [AssetEdit(key, {"assetCustom": {"comment": f"seen {key}"}}) for key in keys]


def written(sandbox: Any) -> list[str]:
    found = sandbox.state("lansweeper/assets")
    return [one["key"] for one in found if (one["assetCustom"].get("comment") or "").startswith("seen")]


@pytest.mark.parametrize("paths", [True, False])
async def test_what_is_gone_fails_and_the_rest_is_written(sandbox: Any, paths: bool) -> None:
    sandbox.switch(graphql_error_paths=paths)
    edits = edits_of(sandbox, 24)
    edits.insert(7, AssetEdit("nobody", edits[0].fields))
    async with client_of(sandbox) as client:
        outcomes = await client.edit_assets((await client.site())["id"], edits)
    failed = [outcome for outcome in outcomes if not outcome.ok]
    assert [(one.key, one.message, one.explained) for one in failed] == [
        ("nobody", "Asset 'nobody' not found", True)
    ]
    assert written(sandbox) == [edit.key for edit in edits if edit.key != "nobody"]
    assert sandbox.requests()["lansweeper"]["by"]["editAsset"] == 1


async def test_too_many_are_refused_whole_and_fewer_pass(sandbox: Any) -> None:
    sandbox.switch(alias_limit=10)
    edits = edits_of(sandbox, 25)
    async with client_of(sandbox) as client:
        site = (await client.site())["id"]
        with pytest.raises(TooManyAliasesError, match="Send fewer edits"):
            await client.edit_assets(site, edits)
        assert written(sandbox) == []
        assert all(outcome.ok for outcome in await client.edit_assets(site, edits[:10]))


@pytest.mark.parametrize(("counting", "used"), [("request", 1), ("each", 25)])
async def test_the_rate_shows_whether_edits_count_singly(sandbox: Any, counting: str, used: int) -> None:
    sandbox.switch(alias_counting=counting)
    async with client_of(sandbox) as client:
        site = (await client.site())["id"]
        before = client.rate
        await client.edit_assets(site, edits_of(sandbox, 25))
        assert client.rate is not None
        assert client.rate.used_since(before) == used


async def test_refused_edits_without_paths_say_so(sandbox: Any) -> None:
    sandbox.switch(graphql_error_paths=False)
    edits = edits_of(sandbox, 5)
    fault = {"kind": "partial", "keys": [edits[1].key], "message": "Locked", "status": 500}
    sandbox.faults([{"path": "editAsset", "fault": fault}])
    edits[3] = AssetEdit("nobody", edits[3].fields)
    async with client_of(sandbox) as client:
        outcomes = await client.edit_assets((await client.site())["id"], edits)
    assert [outcome.ok for outcome in outcomes] == [True, False, True, False, True]
    assert {outcome.explained for outcome in outcomes if not outcome.ok} == {False}
    assert "does not say which" in outcomes[1].message
    assert "Locked; Asset 'nobody' not found" in outcomes[3].message
