"""The Lansweeper actions against the sandbox."""

from __future__ import annotations

from typing import Any

import pytest

from connectors.errors import RejectedError, StopError
from deployments.local.sandbox import Sandbox
from tasks.lansweeper.create_custom_field import create_custom_field
from tasks.lansweeper.edit_asset import edit_asset
from tasks.lansweeper.list_assets import DEFAULT_FIELDS, list_assets
from tasks.lansweeper.list_custom_fields import list_custom_fields
from tasks.lansweeper.list_sites import list_sites
from tasks.rules.limits import LimitError

pytestmark = [pytest.mark.anyio, pytest.mark.prefect, pytest.mark.usefixtures("blocks")]


async def test_the_sites_of_the_token_are_listed(sandbox: Sandbox) -> None:
    (site,) = await list_sites("default")
    assert site == {"id": sandbox.info["lansweeper"]["site_id"], "name": site["name"]}
    assert site["name"]


async def test_every_asset_is_read_with_just_the_requested_leaves(sandbox: Sandbox) -> None:
    assets = await list_assets("default", fields=["assetBasicInfo.name"], page_size=7)
    stored = {each["key"]: each["assetBasicInfo"].get("name") for each in sandbox.state("lansweeper/assets")}
    assert {each["key"]: each["assetBasicInfo"].get("name") for each in assets} == stored
    assert all(set(each) == {"key", "assetBasicInfo"} for each in assets)
    assert all(set(each["assetBasicInfo"]) <= {"name"} for each in assets)
    assert sandbox.requests()["lansweeper"]["by"]["assetResources"] == 9


async def test_the_default_fields_exist_and_a_filter_chooses(sandbox: Sandbox) -> None:
    condition = {"operator": "EQUAL", "path": "assetBasicInfo.type", "value": "Printer"}
    filters = {"conjunction": "AND", "conditions": [condition]}
    site = sandbox.info["lansweeper"]["site_id"]
    printers = await list_assets("default", site, filters=filters)
    assert {each["assetBasicInfo"]["type"] for each in printers} == {"Printer"}
    assert 0 < len(printers) < 60
    assert any(each["assetCustom"].get("manufacturer") for each in printers)
    assert len(DEFAULT_FIELDS) < 30


async def test_an_empty_site_gives_no_asset(sandbox: Sandbox) -> None:
    sandbox.reset(assets=0)
    assert await list_assets("default") == []


async def test_what_is_wrong_is_told_in_one_message(sandbox: Sandbox) -> None:
    with pytest.raises(StopError, match=r"Invalid path: assetBasicInfo\.nmae"):
        await list_assets("default", fields=["assetBasicInfo.nmae"])
    with pytest.raises(RejectedError, match="The site id is not valid"):
        await list_assets("default", site_id="nope")
    sandbox.clear_requests()
    with pytest.raises(RejectedError, match=r"A page of 501 assets can't be read.*Ask for 1 to 500"):
        await list_assets("default", sandbox.info["lansweeper"]["site_id"], page_size=501)
    assert sandbox.requests()["lansweeper"]["requests"] == 0
    with pytest.raises(StopError, match="no lansweeper-connection block named 'nope'"):
        await list_sites("nope")


def asset(sandbox: Sandbox, number: int = 0) -> dict[str, Any]:
    return dict(sandbox.state("lansweeper/assets")[number])


async def test_fields_are_made_listed_and_written_by_name(sandbox: Sandbox) -> None:
    props = {"options": ["Gold", "Silver"]}
    made = await create_custom_field("default", " cw_sla ", "SELECT", props)
    assert (made["name"], made["type"], made["props"]["options"]) == ("cw_sla", "SELECT", ["Gold", "Silver"])
    assert made in await list_custom_fields("default", sandbox.info["lansweeper"]["site_id"])
    key = asset(sandbox)["key"]
    edited = await edit_asset("default", key, {"cw_sla": "Gold"}, {"assetCustom": {"comment": "on loan"}})
    assert edited["key"] == key
    assert edited["assetCustom"]["fields"] == [{"fieldKey": made["key"], "name": "cw_sla", "value": "Gold"}]
    assert asset(sandbox)["assetCustom"]["comment"] == "on loan"
    assert sandbox.requests()["lansweeper"]["writes"] == 2


async def test_a_scanned_field_is_locked_only_if_asked_for(sandbox: Sandbox) -> None:
    before = asset(sandbox)
    rename = {"assetBasicInfo": {"name": "mine"}}
    with pytest.raises(LimitError, match="later scans no longer change it"):
        await edit_asset("default", before["key"], fields=rename)
    assert asset(sandbox) == before
    await edit_asset("default", before["key"], fields=rename, allow_locking=True)
    assert asset(sandbox)["assetBasicInfo"]["name"] == "mine"


async def test_what_is_wrong_is_told_before_anything_is_written(sandbox: Sandbox) -> None:
    key = asset(sandbox)["key"]
    with pytest.raises(LimitError, match=r"no custom field 'nope' on this site"):
        await edit_asset("default", key, {"nope": "x"})
    with pytest.raises(LimitError, match="Asset Key is empty"):
        await edit_asset("default", " ", {"cw_sla": "x"})
    with pytest.raises(LimitError, match="needs options"):
        await create_custom_field("default", "cw_sla", "SELECT")
    with pytest.raises(RejectedError, match="Asset 'nobody' not found"):
        await edit_asset("default", "nobody", fields={"assetCustom": {"comment": "x"}})
    assert sandbox.requests()["lansweeper"]["writes"] == 1
