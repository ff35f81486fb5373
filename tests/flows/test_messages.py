"""Bad input gets one clear message that names what is wrong and the remedy, before anything is written."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import SecretStr

from connectors.connectwise.block import ConnectWiseConnection
from connectors.lansweeper.block import LansweeperConnection
from tests.support.faults import LEAN, rule
from tests.support.run_flow import FlowRunner

pytestmark = [pytest.mark.anyio, pytest.mark.prefect]


async def message(runner: FlowRunner, **changes: Any) -> str:
    state = await runner.state(**changes)
    assert state.is_failed()
    assert runner.sandbox.requests()["writes"] == 0
    return str(state.message)


async def change_connectwise(runner: FlowRunner, **fields: Any) -> None:
    block = await ConnectWiseConnection.aload("default")
    for name, value in fields.items():
        setattr(block, name, value)
    await block.save("default", overwrite=True)


async def test_wrong_key(runner: FlowRunner) -> None:
    await change_connectwise(runner, private_key=SecretStr("wrongwrongwrong1"))
    text = await message(runner)
    assert "key" in text
    assert "wrongwrongwrong1" not in text


async def test_unknown_login_company(runner: FlowRunner) -> None:
    await change_connectwise(runner, company_id="nobody")
    assert "does not know the company 'nobody'" in await message(runner)


async def test_unknown_company(runner: FlowRunner) -> None:
    text = await message(runner, company="NoSuchCo")
    assert "'NoSuchCo'" in text
    assert "List Companies" in text


async def test_no_company(runner: FlowRunner) -> None:
    assert "No company is given" in await message(runner, company="  ")


@pytest.mark.parametrize("dry_run", [True, False])
async def test_what_is_typed_by_hand_and_is_not_what_it_stands_for(runner: FlowRunner, dry_run: bool) -> None:
    """Before anything is planned or made, and the field of the form is named; each case takes a second."""
    mapped = LEAN | {"assetCustom.location": "location.name"}
    rack, actve = {"ls_asset_id": 4}, {"types": {"Windows": "Workstatoin"}}
    fields = {each["caption"]: each["id"] for each in runner.sandbox.state("system/userDefinedFields")}
    cases = [
        (["Custom field ids", "'Rack position'"], {"custom_field_ids": rack}),
        (["Custom field ids", "'Rack position'"], {"custom_field_ids": fields | rack}),
        (["Custom field ids", "which no custom field"], {"custom_field_ids": {"ls_asset_id": 999}}),
        (["Structure level id is 77", "It has"], {"structure_level_id": 77, "mappings": mapped}),
        (["Value tables", "'Workstatoin'", "Near it"], {"reference_values": actve, "mappings": LEAN}),
    ]
    for words, settings in cases:
        text = await message(runner, dry_run=dry_run, **settings)
        assert all(each in text for each in words), text


async def test_a_short_list_of_custom_fields_is_not_taken_for_a_missing_field(runner: FlowRunner) -> None:
    fields = "/system/userDefinedFields"
    empty = {"kind": "wrong_read", "how": "empty"}
    runner.sandbox.faults([rule("GET", fields, empty)])
    assert "ConnectWise counts 5 and gave 0, twice" in await message(runner)
    # One that is no link would be left out of the run without a word.
    runner.sandbox.faults([rule("GET", fields, {**empty, "keep": 2}, nth=[1])])
    assert "lacked ls_asset_url" in await message(runner)
    runner.sandbox.faults([rule("GET", fields, empty, nth=[1])])
    assert (await runner.report(mappings=LEAN, dry_run=True)).counts.failed == 0


async def test_missing_custom_field(runner: FlowRunner) -> None:
    for field in runner.sandbox.state("system/userDefinedFields"):
        if field["caption"] == "ls_asset_id":
            runner.sandbox.edit("system/userDefinedFields", field["id"], {"caption": "something else"})
    text = await message(runner)
    assert "'ls_asset_id'" in text
    assert "Custom Fields" in text


async def test_missing_optional_custom_field_is_left_out(runner: FlowRunner) -> None:
    for field in runner.sandbox.state("system/userDefinedFields"):
        if field["caption"] == "ls_software":
            runner.sandbox.edit("system/userDefinedFields", field["id"], {"caption": "something else"})
    report = await runner.report(mappings=LEAN)
    assert report.counts.failed == 0


async def test_mapping_to_a_field_that_does_not_exist(runner: FlowRunner) -> None:
    text = await message(
        runner, mappings={"assetBasicInfo.name": "name", "assetCustom.warrantyDate": "warrantyDetails"}
    )
    assert "'warrantyDetails'" in text
    assert "warrantyExpirationDate" in text


async def test_mapping_from_a_field_that_does_not_exist(runner: FlowRunner) -> None:
    text = await message(
        runner,
        mappings={
            "assetBasicInfo.name": "name",
            "assetBasicInfo.type": "type.name",
            "assetBasicInfo.nmae": "notes",
        },
    )
    assert "assetBasicInfo.nmae" in text


async def test_missing_right(runner: FlowRunner) -> None:
    runner.sandbox.switch(denied=["company/configurations"])
    assert "permission" in await message(runner)


async def test_empty_site(runner: FlowRunner) -> None:
    runner.sandbox.reset(assets=0)
    assert "has no assets" in await message(runner)


async def test_a_site_that_the_token_may_not_see(runner: FlowRunner) -> None:
    block = await LansweeperConnection.aload("default")
    block.site_id = "00000000-0000-4000-8000-00000000abcd"
    await block.save("default", overwrite=True)
    assert "may not see the site 00000000-0000-4000-8000-00000000abcd, but bluelight" in await message(runner)


async def test_site_with_one_asset(runner: FlowRunner) -> None:
    runner.sandbox.reset(assets=1)
    report = await runner.report(mappings=LEAN)
    assert report.counts.read == 1
    assert report.counts.failed == 0


async def test_mangled_token(runner: FlowRunner) -> None:
    block = await LansweeperConnection.aload("default")
    block.access_token = SecretStr(block.access_token.get_secret_value()[:-3])
    await block.save("default", overwrite=True)
    assert "token" in (await message(runner)).lower()
