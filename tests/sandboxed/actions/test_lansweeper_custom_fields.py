"""Edit Asset, List Custom Fields and Create Custom Field against the sandbox."""

from __future__ import annotations

from typing import Any

import pytest

from connectors.errors import RejectedError
from deployments.local.sandbox import Sandbox
from tasks.lansweeper.create_custom_field import create_custom_field
from tasks.lansweeper.edit_asset import edit_asset
from tasks.lansweeper.list_custom_fields import list_custom_fields
from tasks.rules.limits import LimitError

pytestmark = [pytest.mark.anyio, pytest.mark.prefect, pytest.mark.usefixtures("blocks")]


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
