"""Settings beside the defaults: reactivation, locations, records that are named but never created."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.faults import LEAN
from tests.support.run_flow import FlowRunner, custom_value

pytestmark = [pytest.mark.anyio, pytest.mark.prefect]


def linked(runner: FlowRunner) -> list[dict[str, Any]]:
    return [each for each in runner.configurations() if custom_value(each, "ls_asset_id")]


async def test_inactive_configurations_stay_so_unless_reactivation_is_set(runner: FlowRunner) -> None:
    await runner.report(mappings=LEAN)
    ids = [each["id"] for each in linked(runner)]
    for record_id in ids[:3]:
        runner.sandbox.edit("company/configurations", record_id, {"activeFlag": False})
    before = sum(not each["activeFlag"] for each in linked(runner))
    left = await runner.report(mappings=LEAN)
    assert left.counts.modified == 0
    report = await runner.report(mappings=LEAN, reactivate=True)
    assert report.counts.modified == before >= 3
    assert all(each["activeFlag"] for each in linked(runner))
    assert (await runner.report(mappings=LEAN, reactivate=True)).counts.modified == 0


async def test_structure_level_creates_the_missing_locations_once(runner: FlowRunner) -> None:
    before = {each["name"] for each in runner.sandbox.state("system/locations")}
    assets = runner.sandbox.state("lansweeper/assets")
    wanted = {name for each in assets if (name := (each.get("assetCustom") or {}).get("location"))}
    levels = runner.sandbox.state("system/myCompany/corporateStructureLevels")
    inputs = {
        "mappings": LEAN | {"assetCustom.location": "location.name"},
        "structure_level_id": levels[0]["id"],
    }
    report = await runner.report(**inputs)
    assert report.counts.failed == 0
    names = [each["name"] for each in runner.sandbox.state("system/locations")]
    made = set(report.references_created.get("location.name", []))
    assert set(names) == before | made
    assert len({name.casefold() for name in names}) == len(names)
    assert wanted
    assert (await runner.report(**inputs)).counts.modified == 0


async def test_sites_contacts_vendors_and_departments_are_found_and_never_created(runner: FlowRunner) -> None:
    kinds = {
        "site.name": "company/sites",
        "contact.name": "company/contacts",
        "vendor.name": "company/companies",
        "department.name": "system/departments",
    }
    before = {path: runner.sandbox.state(path) for path in kinds.values()}
    mine = runner.sandbox.company_id
    site = next(each["name"] for each in before["company/sites"] if each["company"]["id"] == mine)
    contact = next(each for each in before["company/contacts"] if each["company"]["id"] == mine)
    names = {
        "site.name": site,
        "contact.name": f"{contact['firstName']} {contact['lastName']}",
        "vendor.name": before["company/companies"][-1]["name"],
        "department.name": "No such department",
    }
    mappings = {"assetBasicInfo.name": "name", "assetBasicInfo.type": "type.name"}
    entries: list[dict[str, Any]] = [{"source": a, "target": b} for a, b in mappings.items()]
    entries += [{"source": f"`{name!r}`".replace("'", '"'), "target": path} for path, name in names.items()]
    report = await runner.report(mappings=entries)
    assert report.counts.failed == 0
    for each in linked(runner):
        assert each["site"]["name"] == names["site.name"]
        assert each["contact"]["name"] == names["contact.name"]
        assert each["vendor"]["name"] == names["vendor.name"]
    assert {path: runner.sandbox.state(path) for path in kinds.values()} == before
    assert (await runner.report(mappings=entries)).counts.modified == 0


async def test_a_tag_number_matches_where_a_person_chose_so_for_a_type(runner: FlowRunner) -> None:
    """The asset has a serial number and a MAC address of its own; only the tag on its case agrees."""
    one = runner.sandbox.state("lansweeper/assets")[0]
    own_type = one["assetBasicInfo"]["type"]
    mine = {"assetCustom": {"barCode": "BL-TAG-1", "serialNumber": "SN-NEW-1"}}
    runner.sandbox.edit("lansweeper/assets", one["key"], mine)
    theirs = next(each for each in runner.configurations() if not custom_value(each, "ls_asset_id"))
    changes = {"tagNumber": "BL-TAG-1", "serialNumber": "SN-OLD-1"}
    runner.sandbox.edit("company/configurations", theirs["id"], changes)
    inputs = {"mappings": LEAN | {"assetCustom.barCode": "tagNumber"}}
    await runner.report(**inputs, dry_run=True)
    assert "BL-TAG-1" not in linked_tags(runner)
    by_type = [{"type": own_type.upper(), "match_keys": ["tagNumber", "serial"]}]
    report = await runner.report(**inputs, match_keys_by_type=by_type)
    assert report.counts.failed == 0
    assert linked_tags(runner)["BL-TAG-1"] == (theirs["id"], one["key"])


def linked_tags(runner: FlowRunner) -> dict[str, tuple[int, str]]:
    """Tag numbers of configurations that carry an asset key: their id and that key."""
    return {
        each["tagNumber"]: (each["id"], custom_value(each, "ls_asset_id"))
        for each in linked(runner)
        if each.get("tagNumber")
    }
