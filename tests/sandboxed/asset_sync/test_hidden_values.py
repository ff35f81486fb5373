"""Values of custom fields that a role or an answer does not show: no write takes them away."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.faults import BULK, CONFIGURATIONS, LEAN, rule, status
from tests.support.run_flow import FlowRunner, custom_value

pytestmark = [pytest.mark.anyio, pytest.mark.prefect]

NO_VALUES = {"kind": "wrong_read", "how": "no_values"}


def racks(runner: FlowRunner) -> dict[int, Any]:
    return {
        each["id"]: rack for each in runner.configurations() if (rack := custom_value(each, "Rack position"))
    }


@pytest.fixture
def unlinked(runner: FlowRunner) -> FlowRunner:
    """A company before its first load, whose configurations have values of a field of somebody else's."""
    runner.sandbox.reset(assets=25)
    for at, each in enumerate(runner.configurations()):
        fields = [{"caption": "Rack position", "value": f"R{at}"}, {"caption": "ls_asset_id", "value": None}]
        runner.sandbox.edit("company/configurations", each["id"], {"customFields": fields})
    assert len(racks(runner)) > 10
    return runner


async def test_a_first_load_under_a_role_without_custom_fields_is_refused(unlinked: FlowRunner) -> None:
    before = racks(unlinked)
    unlinked.sandbox.faults([rule("GET", CONFIGURATIONS, NO_VALUES)])
    unlinked.sandbox.clear_requests()
    state = await unlinked.state(mappings=LEAN)
    assert state.is_failed()
    assert f"any custom field: 0 read, but the vendor counts {len(before)}" in str(state.message)
    assert unlinked.sandbox.requests()["writes"] == 0
    # Accepted: no record is written whole, so nothing is taken away all the same.
    report = await unlinked.report(mappings=LEAN, accept_once={"custom_values": 0, "linked": 0})
    assert report.counts.modified > 5
    assert racks(unlinked) == before
    assert unlinked.sandbox.requests()["connectwise"]["by"].get(f"PUT {BULK}", 0) == 0


async def test_where_connectwise_does_not_count_by_custom_field_bare_records_go_by_patch(
    unlinked: FlowRunner,
) -> None:
    before = racks(unlinked)
    refused = status(400, {"code": "ConnectWiseApi", "message": "customFieldConditions is not supported"})
    unlinked.sandbox.faults(
        [
            rule("GET", f"{CONFIGURATIONS}/count", refused, query="*customField*"),
            rule("GET", CONFIGURATIONS, NO_VALUES),
        ]
    )
    report = await unlinked.report(mappings=LEAN)
    assert any("may have values that were not read" in note for note in report.notes)
    assert racks(unlinked) == before


async def test_values_that_only_the_reading_before_the_write_lost_are_not_written_back_empty(
    unlinked: FlowRunner,
) -> None:
    before = racks(unlinked)
    unlinked.sandbox.faults([rule("GET", CONFIGURATIONS, NO_VALUES, query="*id in*")])
    report = await unlinked.report(mappings=LEAN)
    assert report.counts.modified > 5
    assert any("may have values that were not read" in note for note in report.notes)
    assert racks(unlinked) == before


async def test_one_field_that_a_role_lost_since_the_last_run_is_refused(unlinked: FlowRunner) -> None:
    before = racks(unlinked)
    await unlinked.report(mappings=LEAN)
    some = unlinked.configurations()[:5]
    for each in some:
        unlinked.sandbox.edit("company/configurations", each["id"], {"name": f"typed {each['id']}"})
    lost = {**NO_VALUES, "captions": ["Rack position"]}
    unlinked.sandbox.faults([rule("GET", CONFIGURATIONS, lost)])
    unlinked.sandbox.clear_requests()
    state = await unlinked.state(mappings=LEAN)
    assert f"Values of the custom field 'Rack position': {len(before)} known" in str(state.message)
    assert unlinked.sandbox.requests()["writes"] == 0
    assert racks(unlinked) == before


async def test_a_field_that_is_gone_has_lost_no_values_though_every_id_was_typed(
    unlinked: FlowRunner,
) -> None:
    fields = {each["caption"]: each["id"] for each in unlinked.sandbox.state("system/userDefinedFields")}
    rack = fields.pop("Rack position")
    await unlinked.report(mappings=LEAN, custom_field_ids=fields)
    unlinked.sandbox.delete("system/userDefinedFields", rack)
    for each in unlinked.configurations():
        kept = [field for field in each["customFields"] if field["caption"] != "Rack position"]
        unlinked.sandbox.edit("company/configurations", each["id"], {"customFields": kept})
    unlinked.sandbox.clear_requests()
    report = await unlinked.report(mappings=LEAN, custom_field_ids=fields)
    assert report.findings == []
    assert unlinked.sandbox.requests()["connectwise"]["by"]["GET /system/userDefinedFields"] == 1


async def test_a_healthy_first_load_of_empty_fields_writes_whole_batches(runner: FlowRunner) -> None:
    runner.sandbox.reset(assets=25)
    for each in runner.configurations():
        fields = [{"caption": caption, "value": None} for caption in ("Rack position", "ls_asset_id")]
        runner.sandbox.edit("company/configurations", each["id"], {"customFields": fields})
    runner.sandbox.clear_requests()
    report = await runner.report(mappings=LEAN)
    assert report.counts.modified > 5
    asked = runner.sandbox.requests()["connectwise"]["by"]
    assert asked[f"PUT {BULK}"] == 1
    assert not [name for name in asked if name.startswith("PATCH")]
    assert asked[f"GET {CONFIGURATIONS}/count"] == 4, "of the company, of values, of other keys, of doubles"


async def test_the_plans_reading_given_once_more_is_not_written_whole(runner: FlowRunner) -> None:
    runner.sandbox.reset(assets=25)
    unmapped = ("managementLink", "modelNumber", "vendor", "site", "questions", "installationDate")
    before = {each["id"]: [each.get(name) for name in unmapped] for each in runner.configurations()}
    assert sum(any(values) for values in before.values()) > 5
    # A cache: each reading of configurations is answered with the first, which asked for few members.
    runner.sandbox.faults([rule("GET", CONFIGURATIONS, {"kind": "wrong_read", "how": "repeat"})])
    report = await runner.report(mappings=LEAN)
    assert report.counts.modified > 5
    after = {each["id"]: [each.get(name) for name in unmapped] for each in runner.configurations()}
    assert {number: after[number] for number in before} == before
    assert runner.sandbox.requests()["connectwise"]["by"].get(f"PUT {BULK}", 0) == 0
    assert any("may have values that were not read" in note for note in report.notes)
