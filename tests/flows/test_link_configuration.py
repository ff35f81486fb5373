"""A person decides about matches: shown first, then written, honoured by runs, listed, undone."""

from __future__ import annotations

import json
from typing import Any

import pytest
from prefect import State

from flows.link_configuration import link_configuration
from flows.undo_run import undo_run
from tests.support.faults import LEAN
from tests.support.run_flow import QUICK, FlowRunner, custom_value

pytestmark = [pytest.mark.anyio, pytest.mark.prefect]

FEW = 20


async def decide(runner: FlowRunner, **inputs: Any) -> State[Any]:
    inputs = {"company": runner.sandbox.company, "dry_run": False, "waiting": QUICK} | inputs
    state: State[Any] = await link_configuration(**inputs, return_state=True)
    return state


def key_of(runner: FlowRunner, number: int) -> str | None:
    return custom_value(next(each for each in runner.configurations() if each["id"] == number), "ls_asset_id")


async def queue(runner: FlowRunner) -> list[dict[str, str]]:
    found: list[dict[str, str]] = json.loads(await runner.artifact("ambiguous-assets"))
    return found


async def twins(runner: FlowRunner) -> tuple[str, int, int]:
    """An asset's key, and the ids of two configurations that have its serial number."""
    runner.new_world(assets=FEW)
    asset = next(
        each
        for each in runner.sandbox.state("lansweeper/assets")
        if (each.get("assetCustom") or {}).get("serialNumber")
    )
    serial = {"serialNumber": "SN-TWICE-1"}
    runner.sandbox.edit("lansweeper/assets", asset["key"], {"assetCustom": serial})
    one, other = [each["id"] for each in runner.configurations()[:2]]
    for number in (one, other):
        bare = {"macAddress": None, "name": f"Old entry {number}", **serial}
        runner.sandbox.edit("company/configurations", number, bare)
    return asset["key"], one, other


async def test_a_row_of_the_queue_decides_its_asset_and_undo_takes_it_back(runner: FlowRunner) -> None:
    key, one, other = await twins(runner)
    planned = await runner.report(mappings=LEAN, dry_run=True)
    rows = [json.loads(each["Parameters of link-configuration"]) for each in await queue(runner)]
    ready = next(each for each in rows if each["asset_key"] == key and each["configuration_id"] == other)
    before = runner.sandbox.requests()["writes"]
    assert (await decide(runner, **{**ready, "dry_run": True})).is_completed()
    assert runner.sandbox.requests()["writes"] == before
    assert "Dry run" in await runner.artifact("link-configuration-plan")
    decided = await decide(runner, **ready)
    assert decided.is_completed()
    assert key_of(runner, other) == key
    assert runner.sandbox.requests()["writes"] == before + 1
    (listed,) = json.loads(await runner.artifact("match-decisions"))
    assert (listed["Decision"], listed["Asset key"]) == ("link", key)
    report = await runner.report(mappings=LEAN)
    assert report.counts.ambiguous == planned.counts.ambiguous - 1
    assert report.counts.failed == 0
    assert runner.asset_keys()[key] == 1
    left = [json.loads(each["Parameters of link-configuration"]) for each in await queue(runner)]
    assert key not in {each["asset_key"] for each in left}
    run_id = str(decided.state_details.flow_run_id)
    await undo_run(run_id, dry_run=False, waiting=QUICK)
    assert key_of(runner, other) is None
    again = await runner.report(mappings=LEAN, dry_run=True)
    assert again.counts.modified == 1
    assert "matched on decision" not in await runner.artifact("asset-synchronization-plan")
    assert {key_of(runner, one), key_of(runner, other)} == {None}


async def test_never_and_ignore_hold_until_they_are_withdrawn(runner: FlowRunner) -> None:
    key, one, other = await twins(runner)
    await decide(runner, asset_key=key, decision="never", configuration_id=one)
    await decide(runner, asset_key=key, decision="never", configuration_id=other)
    first = await runner.report(mappings=LEAN, dry_run=True)
    await decide(runner, asset_key=key, decision="ignore")
    ignored = await runner.report(mappings=LEAN, dry_run=True)
    assert ignored.counts.skipped == first.counts.skipped + 1
    assert ignored.counts.created == first.counts.created - 1
    assert "ignore this asset" in await runner.artifact("asset-synchronization-plan")
    await decide(runner, asset_key=key, decision="withdraw")
    withdrawn = await runner.report(mappings=LEAN, dry_run=True)
    assert withdrawn.counts.ambiguous == first.counts.ambiguous + 1
    assert withdrawn.counts.skipped == first.counts.skipped


async def test_a_link_moves_only_if_told_and_unlink_lets_keys_decide_again(runner: FlowRunner) -> None:
    key, one, other = await twins(runner)
    await decide(runner, asset_key=key, configuration_id=one)
    refused = await decide(runner, asset_key=key, configuration_id=other)
    assert refused.is_failed()
    assert "Move the link" in str(refused.message)
    assert key_of(runner, other) is None
    await decide(runner, asset_key=key, configuration_id=other, move=True)
    assert (key_of(runner, one), key_of(runner, other)) == (None, key)
    await decide(runner, asset_key=key, decision="unlink", configuration_id=other)
    assert key_of(runner, other) is None
    report = await runner.report(mappings=LEAN, dry_run=True)
    assert report.findings == []
    assert key in await runner.artifact("ambiguous-assets")


@pytest.mark.parametrize(
    ("inputs", "words"),
    [
        ({"asset_key": "no-such-asset", "configuration_id": 1}, "has no asset with the key"),
        ({"configuration_id": 99999999}, "has no configuration 99999999"),
        ({}, "needs a configuration"),
        ({"decision": "withdraw"}, "No decision stands"),
    ],
)
async def test_what_does_not_exist_is_refused(runner: FlowRunner, inputs: dict[str, Any], words: str) -> None:
    key = str(runner.sandbox.state("lansweeper/assets")[0]["key"])
    state = await decide(runner, **({"asset_key": key} | inputs))
    assert state.is_failed()
    assert words in str(state.message)


async def test_a_configuration_of_another_company_is_refused(runner: FlowRunner) -> None:
    key = str(runner.sandbox.state("lansweeper/assets")[0]["key"])
    strangers = [
        each
        for each in runner.sandbox.state("company/configurations")
        if each["company"]["id"] != runner.sandbox.company_id
    ]
    state = await decide(runner, asset_key=key, configuration_id=strangers[0]["id"])
    assert "belongs to" in str(state.message)
