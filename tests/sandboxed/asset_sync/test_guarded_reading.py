"""What is read wrong is not written wrong: refused or left alone, with the numbers, nothing twice."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from tasks.rules.asset_sync.safety import SafetyThresholds
from tests.support.faults import CONFIGURATIONS, LEAN, lose_ledger, opened, rule
from tests.support.run_flow import FlowRunner, custom_value

pytestmark = [pytest.mark.anyio, pytest.mark.prefect]

WORLD = 25
"""Assets: above the ten from which on numbers are compared."""


def wrong(how: str, **when: Any) -> dict[str, Any]:
    """A wrong reading of the company's configurations, not of the records that are read by id."""
    query = "*company/id = 6*"
    return rule("GET", CONFIGURATIONS, {"kind": "wrong_read", "how": how}, query=query, **when)


def wrong_count(how: str) -> dict[str, Any]:
    query = "*company/id = 6*"
    return rule("GET", f"{CONFIGURATIONS}/count", {"kind": "wrong_read", "how": how}, query=query)


def other_company(runner: FlowRunner) -> int:
    companies = [each["id"] for each in runner.sandbox.state("company/companies")]
    return int(next(each for each in companies if each != runner.sandbox.company_id))


def keys_of_tenant(runner: FlowRunner) -> Counter[str]:
    records = runner.sandbox.state("company/configurations")
    return Counter(key for each in records if (key := custom_value(each, "ls_asset_id")))


async def refused(runner: FlowRunner, **changes: Any) -> str:
    """Run, see that nothing at all was written, and answer the refusal's text."""
    runner.sandbox.clear_requests()
    state = await runner.state(mappings=LEAN, **changes)
    assert runner.sandbox.requests()["writes"] == 0
    assert state.is_failed()
    return str(state.message)


@pytest.fixture
async def loaded(runner: FlowRunner) -> FlowRunner:
    """A company whose assets were synchronized once."""
    runner.sandbox.reset(assets=WORLD)
    await runner.report(mappings=LEAN)
    assert runner.sandbox.company_id == 6
    return runner


async def test_wrong_readings_are_refused_with_what_is_known_and_how_to_go_on(loaded: FlowRunner) -> None:
    before, configurations = keys_of_tenant(loaded), loaded.configurations()
    known, linked = len(configurations), len(before)

    loaded.sandbox.faults([wrong("empty")])
    text = await refused(loaded, ceilings=SafetyThresholds())
    assert f"{known} known from the last reading" in text
    assert "0 read now, 100% fewer" in text
    assert f"0 different ones were read, twice, but the vendor counts {known}" in text
    assert "set Accept once to configurations = 0 for one run" in text
    # The vendor's count is wrong too, as with a role that lost its rights, and the person accepts too much.
    loaded.sandbox.faults([wrong("empty"), wrong_count("empty")])
    text = await refused(loaded, accept_once={"configurations": 0, "linked": 0})
    assert "the list of configurations did not show them" in text

    loaded.sandbox.faults([wrong("half")])
    assert "Pages are missing or repeated" in await refused(loaded)
    # The first answer of the rule is another company's: as a proxy that answers from its cache.
    loaded.sandbox.faults([rule("GET", CONFIGURATIONS, {"kind": "wrong_read", "how": "repeat"})])
    async with opened() as (client, _):
        await client.configurations.list(f"company/id = {other_company(loaded)}", page_size=3)
    assert "Pages are missing or repeated" in await refused(loaded)

    for how in ("no_values", "no_custom_fields"):
        loaded.sandbox.faults([wrong(how)])
        text = await refused(loaded)
        assert f"(ls_asset_id): {linked} known" in text
        assert "set Accept once to linked = 0" in text
    report = await loaded.report(mappings=LEAN, dry_run=True)
    assert any(f"{linked} links known from before are gone" in each for each in report.findings)
    assert report.counts.created == 0
    for artifact in ("asset-synchronization-plan", "asset-synchronization-report"):
        text = await loaded.artifact(artifact)
        assert text.index("links known from before") < text.index("| Read |")

    part = {"kind": "wrong_read", "how": "empty", "keep": 2}
    loaded.sandbox.faults([{"system": "lansweeper", "path": "assetResources", "fault": part}])
    text = await refused(loaded)
    assert f"Assets in Lansweeper: {WORLD} known" in text
    assert "set Accept once to assets = 2 for one run" in text

    # A page that was missing once is read again; a filtered reading says nothing about the site.
    loaded.sandbox.faults([wrong("half", nth=[1])])
    condition = {"path": "assetBasicInfo.type", "operator": "EQUAL", "value": "Printer"}
    report = await loaded.report(mappings=LEAN, asset_filter=[condition])
    assert report.findings == []
    loaded.sandbox.faults([])
    report = await loaded.report(mappings=LEAN)
    assert (report.counts.read, report.counts.created, report.findings) == (WORLD, 0, [])
    assert loaded.configurations() == configurations
    assert keys_of_tenant(loaded) == before


async def test_keys_that_a_new_ledger_does_not_know_and_a_role_does_not_show_are_created_by_nobody(
    loaded: FlowRunner,
) -> None:
    """The other keys no longer fit either, so the assets look like those of a first load."""
    before = keys_of_tenant(loaded)
    bare = {"serialNumber": "", "macAddress": ""}
    for each in loaded.configurations():
        loaded.sandbox.edit("company/configurations", each["id"], {"name": f"host {each['id']}", **bare})
    await lose_ledger()
    for how in ("no_values", "no_custom_fields"):
        loaded.sandbox.faults([wrong(how)])
        text = await refused(loaded)
        assert f"in the company: 0 read, but the vendor counts {len(before)}" in text
    assert keys_of_tenant(loaded) == before


async def test_a_merged_company_creates_nothing_whether_the_ledger_knows_it_or_not(
    loaded: FlowRunner,
) -> None:
    before, other = keys_of_tenant(loaded), other_company(loaded)
    moved = loaded.sandbox.move(other, owner=loaded.sandbox.company_id)
    assert len(moved) > 10
    text = await refused(loaded)
    assert "set Accept once to configurations = 0 for one run" in text
    # Accepted by a person who has read no further: still nothing is created twice.
    report = await loaded.report(mappings=LEAN, accept_once={"configurations": 0, "linked": 0})
    assert report.counts.created == 0
    assert any(f"(id {other}) now, and left alone" in each for each in report.findings)
    assert f"(id {other}) carries it" in await loaded.artifact("asset-synchronization-report")

    await lose_ledger()
    loaded.sandbox.faults([rule("GET", CONFIGURATIONS, {"kind": "wrong_read", "how": "no_values"})])
    assert f"in other companies: 0 read, but the vendor counts {len(before)}" in await refused(loaded)
    loaded.sandbox.faults([])
    report = await loaded.report(mappings=LEAN)
    assert report.counts.created == 0
    assert report.counts.skipped >= len(before)
    loaded.sandbox.clear_requests()
    await loaded.report(mappings=LEAN)
    asked = loaded.sandbox.requests()["connectwise"]["by"]
    assert asked["GET /company/configurations"] == 2, "the tenant's keys are read once"
    assert keys_of_tenant(loaded) == before


async def test_one_configuration_that_a_person_moved_and_one_that_was_deleted(loaded: FlowRunner) -> None:
    """Too few to be a shrink: their assets are left alone; a deleted one comes back when it is accepted."""
    by_key = {custom_value(each, "ls_asset_id"): each["id"] for each in loaded.configurations()}
    moved, gone = sorted(key for key in by_key if key)[:2]
    loaded.sandbox.move(other_company(loaded), ids=[by_key[moved]])
    loaded.sandbox.delete("company/configurations", by_key[gone])
    report = await loaded.report(mappings=LEAN)
    assert report.counts.created == 0
    assert keys_of_tenant(loaded)[moved] == 1
    assert any("set Accept once to recreated = 1 for one run" in each for each in report.findings)
    report = await loaded.report(mappings=LEAN, accept_once={"recreated": 1})
    assert report.counts.created == 1
    report = await loaded.report(mappings=LEAN, accept_once={"recreated": 1})
    assert report.counts.created == 0
    assert keys_of_tenant(loaded) == Counter(key for key in by_key if key)


async def test_a_dry_run_raises_the_bar_for_the_first_load_which_then_creates_no_reference_either(
    runner: FlowRunner,
) -> None:
    runner.sandbox.reset(assets=WORLD)
    types = runner.sandbox.state("company/configurations/types")
    await runner.report(mappings=LEAN, dry_run=True)
    plan = await runner.artifact("asset-synchronization-plan")
    assert "Reference records to create" in plan
    assert "ls\\_" in plan
    runner.sandbox.faults([wrong("empty"), wrong_count("empty")])
    await runner.report(mappings=LEAN, dry_run=True, accept_once={"configurations": 0})
    assert "0 read now, 100% fewer" in await refused(runner)
    assert runner.sandbox.state("company/configurations/types") == types


async def test_configurations_moved_in_mid_run_are_created_nowhere(runner: FlowRunner) -> None:
    runner.sandbox.reset(assets=WORLD)
    move = {"to": other_company(runner), "from": 6, "share": 1.0}
    person = {"kind": "edit", "when": "after", "collection": "company/configurations", "move": move}
    runner.sandbox.faults([rule("POST", f"{CONFIGURATIONS}/bulk", person, limit=1)])
    await runner.report(mappings=LEAN)
    runner.sandbox.faults([])
    await runner.report(mappings=LEAN, accept_once={"configurations": 0, "linked": 0})
    assert set(keys_of_tenant(runner).values()) == {1}
