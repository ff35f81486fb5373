"""How many requests a healthy run makes: each list once, and at most three for the guards of its reading."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.run_flow import FlowRunner

pytestmark = [pytest.mark.anyio, pytest.mark.prefect]

WORLD = 25
COUNT = "GET /company/configurations/count"
FIELDS, LEVELS = "GET /system/userDefinedFields", "GET /system/myCompany/corporateStructureLevels"
UNGUARDED = {
    "GET /login/companyinfo/{id}": 1,
    "GET /company/companies": 1,
    "GET /company/configurations": 1,
    "GET /company/configurations/statuses": 1,
    "GET /company/configurations/types": 1,
    "GET /procurement/manufacturers": 1,
    "GET /system/locations": 1,
}
"""What every run reads; it asks for the custom fields too, unless a person has typed every id."""


async def reads(runner: FlowRunner, **changes: Any) -> dict[str, int]:
    """The reads of ConnectWise in one run, by what is read; Lansweeper is asked for its site and a page."""
    runner.sandbox.clear_requests()
    report = await runner.report(**changes)
    assert report.counts.failed == 0
    served = runner.sandbox.requests()
    assert served["lansweeper"]["by"] == {"authorizedSites": 1, "assetResources": 1}
    return {each: times for each, times in served["connectwise"]["by"].items() if each.startswith("GET")}


async def test_a_run_counts_its_company_and_a_first_load_also_all_keys_and_what_it_has_made(
    runner: FlowRunner,
) -> None:
    runner.sandbox.reset(assets=WORLD, scenario="fresh")
    assert await reads(runner) == UNGUARDED | {FIELDS: 1, COUNT: 3}
    assert await reads(runner) == UNGUARDED | {FIELDS: 1, COUNT: 1}


async def test_a_company_with_records_of_its_own_needs_no_count_of_its_keys_alone(runner: FlowRunner) -> None:
    runner.sandbox.reset(assets=4 * WORLD)
    # Before any is written whole, those that show no value in any custom field are counted, too.
    found = await reads(runner)
    assert found[COUNT] == 4
    assert found.keys() == (UNGUARDED | {FIELDS: 1, COUNT: 4}).keys()
    assert await reads(runner) == UNGUARDED | {FIELDS: 1, COUNT: 1}


async def test_typed_ids_cost_the_custom_fields_and_a_level_only_where_a_location_is_to_be_created(
    runner: FlowRunner,
) -> None:
    runner.sandbox.reset(assets=WORLD, scenario="fresh")
    fields = {each["caption"]: each["id"] for each in runner.sandbox.state("system/userDefinedFields")}
    captions = ("ls_asset_id", "ls_asset_url", "ls_software", "ls_asset_location")
    used = {each["structureLevel"]["id"] for each in runner.sandbox.state("system/locations")}
    levels = [each["id"] for each in runner.sandbox.state("system/myCompany/corporateStructureLevels")]
    typed = {
        "custom_field_ids": {caption: fields[caption] for caption in captions},
        "structure_level_id": next(each for each in levels if each not in used),
    }
    assert await reads(runner, **typed, dry_run=True) == UNGUARDED | {FIELDS: 1, COUNT: 2, LEVELS: 1}
    assets = runner.sandbox.state("lansweeper/assets")
    for name in {each["assetCustom"]["location"] for each in assets if each["assetCustom"].get("location")}:
        runner.sandbox.add("system/locations", {"name": name, "structureLevel": {"id": min(used)}})
    # Before the guards there were none of the three.
    assert await reads(runner, **typed, dry_run=True) == UNGUARDED | {FIELDS: 1, COUNT: 2}
