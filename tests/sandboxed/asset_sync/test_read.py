"""A read that Lansweeper cuts short is told, and never taken for proof that an asset is gone."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.faults import LEAN
from tests.support.run_flow import FlowRunner, custom_value

pytestmark = [pytest.mark.anyio, pytest.mark.prefect]


def cut_short(data: dict[str, Any]) -> dict[str, Any]:
    """A second page of assets that is the last one too soon."""
    fault = {"kind": "status", "status": 200, "body": {"data": data}}
    return {"system": "lansweeper", "path": "assetResources", "nth": [2], "fault": fault}


async def test_page_that_ends_too_soon_is_told_and_nothing_is_taken_over(runner: FlowRunner) -> None:
    runner.sandbox.reset(assets=520)
    empty = {"site": {"assetResources": {"items": [], "pagination": {"next": None}}}}
    runner.sandbox.faults([cut_short(empty)])
    report = await runner.report(mappings=LEAN, dry_run=True)
    assert report.counts.read == 500
    assert report.notes == ["Lansweeper named 520 assets but gave 500; none of the missing counts as gone."]


async def test_filtered_run_takes_no_configuration_of_an_asset_it_did_not_read(runner: FlowRunner) -> None:
    await runner.report(mappings=LEAN)
    owner, printer = "assetBasicInfo.type", "Printer"
    assets = {each["key"]: each for each in runner.sandbox.state("lansweeper/assets")}
    linked = {custom_value(each, "ls_asset_id"): each for each in runner.configurations()}
    printers = [key for key, each in assets.items() if each["assetBasicInfo"]["type"] == printer]
    others = [key for key in linked if key and key not in printers]
    # A printer that has no configuration any more looks, by its serial, like another asset's.
    lost, taken = printers[0], others[0]
    serial = assets[lost].get("assetCustom", {}).get("serialNumber") or "SERIAL-1"
    runner.sandbox.edit("lansweeper/assets", lost, {"assetCustom.serialNumber": serial})
    runner.sandbox.edit("company/configurations", linked[taken]["id"], {"serialNumber": serial})
    runner.sandbox.edit(
        "company/configurations", linked[lost]["id"], {"serialNumber": None, "customFields": []}
    )
    await runner.report(mappings=LEAN, asset_filter=[{"path": owner, "operator": "EQUAL", "value": printer}])
    after = {each["id"]: custom_value(each, "ls_asset_id") for each in runner.configurations()}
    assert after[linked[taken]["id"]] == taken
