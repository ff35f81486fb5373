"""The laws under faults: nothing lost, nothing twice, nothing unmapped touched, counts that add up."""

from __future__ import annotations

from typing import Any

import pytest

from tasks.rules.asset_sync.report import SyncCounts
from tests.support.faults import BULK, LEAN, rule
from tests.support.run_flow import FlowRunner, custom_value, report_of

pytestmark = [pytest.mark.anyio, pytest.mark.prefect]

MAPPINGS = {**LEAN, "assetBasicInfo.ipAddress": "ipAddress"}
CALM: dict[str, Any] = {}
CALM_COUNTS: list[SyncCounts] = []


@pytest.fixture
async def calm(runner: FlowRunner) -> dict[str, Any]:
    """What a run without faults leaves: the records that carry an asset key, without what differs by run."""
    if not CALM:
        CALM_COUNTS.append((await runner.report(mappings=MAPPINGS)).counts)
        CALM.update(records(runner))
        runner.new_world()
    return CALM


def records(runner: FlowRunner) -> dict[str, Any]:
    linked = [(custom_value(each, "ls_asset_id"), each) for each in runner.configurations()]
    return {key: {name: each[name] for name in each.keys() - {"id", "_info"}} for key, each in linked if key}


async def finish_and_compare(runner: FlowRunner, calm: dict[str, Any], *, writes: bool = False) -> None:
    """After the faults a clean run finishes the work, or finds nothing to do; all is as after a calm run."""
    runner.sandbox.faults([])
    runner.sandbox.clear_requests()
    # What was refused for good is only sent again when a person asks for it.
    report = await runner.report(mappings=MAPPINGS, retry_refused=writes)
    assert report.counts.failed == 0
    assert bool(runner.sandbox.requests()["writes"]) == writes
    assert records(runner) == calm
    assert set(runner.asset_keys().values()) == {1}


async def test_refused_items_are_reported_and_the_rest_is_written(
    runner: FlowRunner, calm: dict[str, Any]
) -> None:
    fault = {"kind": "partial", "share": 0.1, "status": 400, "code": "InvalidObject", "message": "not today"}
    runner.sandbox.faults([rule(None, BULK, fault)])
    state = await runner.state(mappings=MAPPINGS)
    report = await report_of(state)
    assert state.is_failed()
    assert state.name == f"Finished with {report.counts.failed} failures"
    assert 0 < report.counts.failed < len(calm)
    assert all("not today" in each.message for each in report.failures)
    assert len(runner.asset_keys()) == len(calm) - report.counts.failed
    await finish_and_compare(runner, calm, writes=True)


@pytest.mark.slow
async def test_rate_limit_storm_costs_time_not_data(runner: FlowRunner, calm: dict[str, Any]) -> None:
    fault = {"kind": "status", "status": 429, "headers": {"Retry-After": "1"}}
    runner.sandbox.faults([rule(None, "*", fault, every=4, limit=6)])
    report = await runner.report(mappings=MAPPINGS)
    assert report.counts.failed == 0
    await finish_and_compare(runner, calm)


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "drop_after"},
        pytest.param({"kind": "drop_before"}, marks=pytest.mark.slow),
        {"kind": "late", "delay": 1.0, "item_interval": 0.02},
        pytest.param(
            {"kind": "status", "status": 502, "body": "<html>Bad gateway</html>"}, marks=pytest.mark.slow
        ),
    ],
    ids=lambda fault: fault["kind"],
)
async def test_creation_without_an_answer_is_read_back_and_never_doubled(
    runner: FlowRunner, calm: dict[str, Any], fault: dict[str, Any]
) -> None:
    runner.sandbox.faults([rule("POST", BULK, fault, nth=[1])])
    report = await runner.report(mappings=MAPPINGS)
    assert report.counts.failed == 0
    assert report.duplicates == []
    await finish_and_compare(runner, calm)


async def test_lost_answer_of_a_written_batch_is_read_again_and_counts_as_modified(
    runner: FlowRunner, calm: dict[str, Any]
) -> None:
    runner.sandbox.faults([rule("PUT", BULK, {"kind": "drop_after"}, nth=[1])])
    report = await runner.report(mappings=MAPPINGS)
    assert [report.counts] == CALM_COUNTS
    assert runner.sandbox.requests()["connectwise"]["by"][f"PUT {BULK}"] == 1
    await finish_and_compare(runner, calm)


async def test_edit_of_an_unmapped_field_before_the_reread_is_kept(runner: FlowRunner) -> None:
    target = edited_configuration(runner)
    runner.sandbox.faults(
        [
            {
                "system": "connectwise",
                "method": "GET",
                "path": "/company/configurations",
                "nth": [2],
                "fault": {
                    "kind": "edit",
                    "when": "before",
                    "collection": "company/configurations",
                    "ids": [target],
                    "set": {"notes": "typed by a person", "vendorNotes": "and this"},
                },
            }
        ]
    )
    await runner.report(mappings=MAPPINGS)
    record = next(each for each in runner.configurations() if each["id"] == target)
    assert record["notes"] == "typed by a person"
    assert record["vendorNotes"] == "and this"
    assert custom_value(record, "ls_asset_id")


def edited_configuration(runner: FlowRunner) -> int:
    """A configuration that the run is going to modify: one that shares its serial number with one asset."""
    serials = [
        (each.get("assetCustom") or {}).get("serialNumber")
        for each in runner.sandbox.state("lansweeper/assets")
    ]
    return next(
        int(each["id"])
        for each in runner.configurations()
        if each.get("serialNumber") and serials.count(each["serialNumber"]) == 1
    )


async def test_edit_of_a_mapped_field_before_the_reread_is_decided_again(runner: FlowRunner) -> None:
    target = edited_configuration(runner)
    fault = {
        "kind": "edit",
        "when": "before",
        "collection": "company/configurations",
        "ids": [target],
        "set": {"ipAddress": "203.0.113.77", "tagNumber": "TAG-1"},
    }
    runner.sandbox.faults([rule("GET", "/company/configurations", fault, nth=[2])])
    await runner.report(mappings=MAPPINGS)
    record = next(each for each in runner.configurations() if each["id"] == target)
    asset = next(
        each
        for each in runner.sandbox.state("lansweeper/assets")
        if each["key"] == custom_value(record, "ls_asset_id")
    )
    wanted = asset["assetBasicInfo"].get("ipAddress")
    assert record.get("ipAddress") == (wanted or "203.0.113.77")
    assert record["tagNumber"] == "TAG-1"


async def test_canary_stops_bulk_and_puts_back_what_the_server_reset(runner: FlowRunner) -> None:
    notes = {each["id"]: each.get("notes") for each in runner.configurations()}
    assert any(notes.values())
    runner.sandbox.switch(bulk_put_resets=["notes"])
    report = await runner.report(mappings=MAPPINGS, batch_size=5)
    assert report.counts.failed == 0
    assert {each["id"]: each.get("notes") for each in runner.configurations() if each["id"] in notes} == notes
    by = runner.sandbox.requests()["connectwise"]["by"]
    assert by["PUT /company/configurations/bulk"] == 1
    assert by["PATCH /company/configurations/{id}"] > 5
    assert any("bulk" in note.lower() for note in report.notes)
