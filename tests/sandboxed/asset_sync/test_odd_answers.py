"""Another company's records, unlike doubles, assets without keys or with new ones, undo of nothing read."""

from __future__ import annotations

from typing import Any

import pytest

from flows.undo_run import undo_run
from tests.support.faults import CONFIGURATIONS, LEAN, opened, rule
from tests.support.run_flow import FlowRunner, custom_value

pytestmark = [pytest.mark.anyio, pytest.mark.prefect]

WORLD = 25


def answer(path: str, body: Any) -> dict[str, Any]:
    """Answers every question about the run's company so, whatever it asks."""
    fault = {"kind": "status", "status": 200, "body": body, "headers": {"Link": ""}}
    return rule("GET", path, fault, query="*company/id = 6*")


async def refused(runner: FlowRunner) -> str:
    runner.sandbox.clear_requests()
    state = await runner.state(mappings=LEAN)
    assert runner.sandbox.requests()["writes"] == 0
    assert state.is_failed()
    return str(state.message)


async def test_configurations_of_another_company_or_twice_and_unlike_are_not_believed(
    runner: FlowRunner,
) -> None:
    runner.sandbox.reset(assets=WORLD)
    async with opened() as (client, _):
        every = await client.configurations.list()
    own = [each for each in every if each["company"]["id"] == 6]
    assert len(every) > len(own)
    runner.sandbox.faults(
        [answer(CONFIGURATIONS, every), answer(f"{CONFIGURATIONS}/count", {"count": len(every)})]
    )
    text = await refused(runner)
    assert f"ConnectWise also gave {len(every) - len(own)} configurations of other companies" in text
    twins = [{**each, "serialNumber": f"X{each['id']}"} for each in own]
    runner.sandbox.faults([answer(CONFIGURATIONS, own + twins)])
    assert f"{len(own)} configurations came twice and not alike" in await refused(runner)
    runner.sandbox.faults([answer(CONFIGURATIONS, own + own)])
    assert (await runner.report(mappings=LEAN, dry_run=True)).counts.modified == 9


async def test_assets_without_keys_or_with_new_ones_are_refused(runner: FlowRunner) -> None:
    runner.sandbox.reset(assets=WORLD)
    assets = runner.sandbox.state("lansweeper/assets")
    for each in assets:
        bare = {
            "assetBasicInfo": {**each["assetBasicInfo"], "mac": None},
            "assetCustom": {**each["assetCustom"], "serialNumber": None},
        }
        runner.sandbox.edit("lansweeper/assets", each["key"], bare)
    assert "has a serial number or a MAC address" in await refused(runner)
    for each in assets:
        members = {name: each[name] for name in ("assetBasicInfo", "assetCustom")}
        runner.sandbox.edit("lansweeper/assets", each["key"], members)
    await runner.report(mappings=LEAN)
    # As after a site that was scanned anew: each configuration carries the key of an asset that is gone.
    for each in runner.configurations():
        if key := custom_value(each, "ls_asset_id"):
            fields = [{"caption": "ls_asset_id", "value": f"x{key[1:]}"}]
            runner.sandbox.edit("company/configurations", each["id"], {"customFields": fields})
    text = await refused(runner)
    assert f"Links met by assets: {WORLD} known" in text
    assert "set Accept once to met = 0 for one run" in text


async def test_an_undo_does_not_take_records_for_gone_that_connectwise_counts(runner: FlowRunner) -> None:
    runner.sandbox.reset(assets=12)
    report = await runner.report(mappings=LEAN)
    runner.sandbox.faults([rule("GET", CONFIGURATIONS, {"kind": "wrong_read", "how": "empty"})])
    for dry_run in (True, False):
        state: Any = await undo_run(report.run_id, dry_run=dry_run, return_state=True)
        assert state.is_failed()
        assert "configurations that the run wrote and gave 0" in str(state.message)
