"""Several edits in one request, against the sandbox."""

from __future__ import annotations

from typing import Any

import pytest

from connectors.lansweeper.edits import TooManyAliasesError
from connectors.lansweeper.models import AssetEdit
from tests.unit.connectors.lansweeper.test_lansweeper_sandbox import client_of

pytestmark = pytest.mark.anyio


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
