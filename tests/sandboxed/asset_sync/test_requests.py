"""How many requests a healthy run makes: at most three more for the guards than without them."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from tests.support.run_flow import FlowRunner

pytestmark = [pytest.mark.anyio, pytest.mark.prefect]

WORLD = 25
MOST = 3
"""Requests to both vendors that the guards may cost a run."""
COUNT = "GET /company/configurations/count"
FIELDS, LEVELS = "GET /system/userDefinedFields", "GET /system/myCompany/corporateStructureLevels"
LISTS = {
    "GET /login/companyinfo/{id}": 1,
    "GET /company/companies": 1,
    "GET /company/configurations": 1,
    "GET /company/configurations/statuses": 1,
    "GET /company/configurations/types": 1,
    "GET /procurement/manufacturers": 1,
    "GET /system/locations": 1,
    "assetResources": 1,
}
"""What every run reads; it asks for the custom fields too, unless a person has typed every id."""
SITE = {"authorizedSites": 1}
"""Which every run asked for before there were guards, whether the connection names its site or not."""
DOUBLES = {COUNT: 1}
"""Of what a run has created, before there were guards as well."""
BATCH_READ = {"GET /company/configurations": 3}
"""The company, a batch of modifications before it is written, and once more as the canary."""


async def reads(runner: FlowRunner, **changes: Any) -> dict[str, int]:
    """The reads of both vendors in one run, by what is read."""
    runner.sandbox.clear_requests()
    report = await runner.report(**changes)
    assert report.counts.failed == 0
    served = runner.sandbox.requests()
    by = {**served["connectwise"]["by"], **served["lansweeper"]["by"]}
    return {each: times for each, times in by.items() if " " not in each or each.startswith("GET")}


def more(now: dict[str, int], before: dict[str, int]) -> int:
    """How many more requests than before the guards, which is never more than they may cost."""
    grown = sum(now.values()) - sum(before.values())
    assert grown <= MOST, Counter(now) - Counter(before)
    return grown


def typed_ids(runner: FlowRunner) -> dict[str, Any]:
    """Every custom field id, and a structure level that no location is on."""
    fields = {each["caption"]: each["id"] for each in runner.sandbox.state("system/userDefinedFields")}
    captions = ("ls_asset_id", "ls_asset_url", "ls_software", "ls_asset_location")
    used = used_levels(runner)
    levels = [each["id"] for each in runner.sandbox.state("system/myCompany/corporateStructureLevels")]
    return {
        "custom_field_ids": {caption: fields[caption] for caption in captions},
        "structure_level_id": next(each for each in levels if each not in used),
    }


def used_levels(runner: FlowRunner) -> set[int]:
    return {each["structureLevel"]["id"] for each in runner.sandbox.state("system/locations")}


async def test_a_run_counts_its_company_and_a_first_load_also_all_keys_and_what_it_has_made(
    runner: FlowRunner,
) -> None:
    runner.sandbox.reset(assets=WORLD, scenario="fresh")
    every = LISTS | {FIELDS: 1}
    before = every | SITE
    dry, first, second = [await reads(runner, dry_run=each) for each in (True, False, False)]
    assert dry == every | {COUNT: 2}
    assert first == every | {COUNT: 3}
    assert second == every | {COUNT: 1}
    assert (more(dry, before), more(first, before | DOUBLES), more(second, before)) == (1, 1, 0)


async def test_a_company_with_records_of_its_own_needs_no_count_of_its_keys_alone(runner: FlowRunner) -> None:
    runner.sandbox.reset(assets=4 * WORLD)
    every = LISTS | {FIELDS: 1}
    before = every | SITE
    dry, first, second = [await reads(runner, dry_run=each) for each in (True, False, False)]
    # Before any is written whole, those that show no value in any custom field are counted, too.
    assert dry == every | {COUNT: 3}
    assert first == every | BATCH_READ | {COUNT: 4}
    assert second == every | {COUNT: 1}
    assert (more(dry, before), more(first, before | BATCH_READ | DOUBLES), more(second, before)) == (2, 2, 0)


async def test_typed_ids_of_an_empty_company_cost_the_custom_fields_and_a_level_where_one_is_created_on_it(
    runner: FlowRunner,
) -> None:
    runner.sandbox.reset(assets=WORLD, scenario="fresh")
    typed, before = typed_ids(runner), LISTS | SITE
    dry = await reads(runner, **typed, dry_run=True)
    assert dry == LISTS | {FIELDS: 1, COUNT: 2, LEVELS: 1}
    first, second = [await reads(runner, **typed) for _ in range(2)]
    assert first == LISTS | {FIELDS: 1, COUNT: 3, LEVELS: 1}
    # There are configurations now, and they show the custom fields; the new locations are on the level.
    assert second == LISTS | {COUNT: 1}
    assert (more(dry, before), more(first, before | DOUBLES), more(second, before)) == (3, 3, 0)


async def test_typed_ids_that_configurations_show_cost_nothing(runner: FlowRunner) -> None:
    runner.sandbox.reset(assets=4 * WORLD)
    typed, before = typed_ids(runner), LISTS | SITE
    dry, first, second = [await reads(runner, **typed, dry_run=each) for each in (True, False, False)]
    assert dry == LISTS | {COUNT: 3, LEVELS: 1}
    assert first == LISTS | BATCH_READ | {COUNT: 4, LEVELS: 1}
    assert second == LISTS | {COUNT: 1}
    assert (more(dry, before), more(first, before | BATCH_READ | DOUBLES), more(second, before)) == (3, 3, 0)


async def test_a_level_costs_nothing_where_no_location_is_to_be_created(runner: FlowRunner) -> None:
    runner.sandbox.reset(assets=WORLD, scenario="fresh")
    typed = typed_ids(runner)
    assets = runner.sandbox.state("lansweeper/assets")
    for name in {each["assetCustom"]["location"] for each in assets if each["assetCustom"].get("location")}:
        location = {"name": name, "structureLevel": {"id": min(used_levels(runner))}}
        runner.sandbox.add("system/locations", location)
    assert await reads(runner, **typed, dry_run=True) == LISTS | {FIELDS: 1, COUNT: 2}
