"""Modifications with a lost or partial answer, or an edit beside them: true counts, nothing overwritten."""

from __future__ import annotations

from typing import Any

import pytest

from connectors.errors import RetryableError, StopError
from tasks.rules.asset_sync.report import SyncReport
from tests.support.faults import BULK, CONFIGURATIONS, LEAN, edit, fail, opened, rule, status
from tests.support.run_flow import FlowRunner, custom_value

pytestmark = [pytest.mark.anyio, pytest.mark.prefect]


CALM: list[SyncReport] = []
"""What a run of the fresh sandbox reports when nothing happens; the same for every test."""


@pytest.fixture
async def calm(runner: FlowRunner) -> SyncReport:
    if not CALM:
        CALM.append(await runner.report(mappings=LEAN))
        runner.new_world()
    return CALM[0]


def a_modified_configuration(calm: SyncReport) -> int:
    return next(each.configuration_id or 0 for each in calm.written if each.action == "modified")


def notes(runner: FlowRunner) -> dict[int, Any]:
    return {each["id"]: each.get("notes") for each in runner.configurations() if each.get("notes")}


async def test_canary_sees_the_damage_of_a_batch_whose_answer_was_lost(runner: FlowRunner) -> None:
    before = notes(runner)
    runner.sandbox.switch(bulk_put_resets=["notes"])
    runner.sandbox.faults([rule("PUT", BULK, {"kind": "drop_after"}, nth=[1])])
    report = await runner.report(mappings=LEAN, batch_size=10)
    assert report.counts.failed == 0
    assert {key: value for key, value in notes(runner).items() if key in before} == before
    assert any("fields that are not mapped" in note for note in report.notes)


async def test_a_field_that_only_a_later_batch_has_is_looked_at_there(
    runner: FlowRunner, calm: SyncReport
) -> None:
    *others, last = (each.configuration_id or 0 for each in calm.written if each.action == "modified")
    assert len(others) > 10
    for number in others:
        runner.sandbox.edit("company/configurations", number, {"notes": None})
    runner.sandbox.edit("company/configurations", last, {"notes": "Läuft nur mit dem alten Treiber."})
    runner.sandbox.switch(bulk_put_resets=["notes"])
    report = await runner.report(mappings=LEAN, batch_size=10)
    assert report.counts == calm.counts
    assert notes(runner)[last] == "Läuft nur mit dem alten Treiber."
    assert any("fields that are not mapped (notes)" in note for note in report.notes)


async def test_answer_without_items_is_read_again_not_taken_for_failed(
    runner: FlowRunner, calm: SyncReport
) -> None:
    runner.sandbox.faults([rule(None, BULK, status(207, {"payload": []}), nth=[1, 3])])
    report = await runner.report(mappings=LEAN)
    assert report.counts == calm.counts
    assert set(runner.asset_keys().values()) == {1}


async def test_record_on_which_the_bulk_endpoint_breaks_does_not_hold_up_the_others(
    runner: FlowRunner, calm: SyncReport
) -> None:
    runner.sandbox.faults([rule("PUT", BULK, status(500, {"message": "broken"}), every=1)])
    report = await runner.report(mappings=LEAN)
    assert report.counts == calm.counts
    assert runner.sandbox.requests()["connectwise"]["by"]["PATCH /company/configurations/{id}"] > 1


async def test_canary_that_cannot_be_read_ends_bulk_and_keeps_the_counts(
    runner: FlowRunner, calm: SyncReport
) -> None:
    async with opened() as (client, _):
        # 1 reads the first batch, 2 is the canary.
        fail(client.configurations, "list", StopError("not now"), at=[2])
        report = await runner.report(mappings=LEAN, batch_size=10)
    assert report.counts == calm.counts
    assert any("could not be read again" in note for note in report.notes)
    assert runner.sandbox.requests()["connectwise"]["by"][f"PUT {BULK}"] == 1


async def test_edit_between_put_and_canary_is_neither_damage_nor_put_back(runner: FlowRunner) -> None:
    target, *_ = (each["id"] for each in runner.configurations() if each.get("serialNumber"))
    fault = edit(target, "after", set={"notes": "typed by a person"})
    runner.sandbox.faults([rule("PUT", BULK, fault, nth=[1])])
    report = await runner.report(mappings=LEAN)
    assert report.notes == []
    record = next(each for each in runner.configurations() if each["id"] == target)
    assert record["notes"] == "typed by a person"


async def test_edits_of_a_whole_batch_before_the_canary_are_kept(
    runner: FlowRunner, calm: SyncReport
) -> None:
    batch = [each.configuration_id for each in calm.written if each.action == "modified"]
    typed = {"notes": "typed by a person"}
    by_many = edit(0, "after", set=typed) | {"ids": batch}
    runner.sandbox.faults([rule("PUT", BULK, by_many, nth=[1])])
    report = await runner.report(mappings=LEAN)
    assert report.counts == calm.counts
    assert {each["id"] for each in runner.configurations() if each.get("notes") == typed["notes"]} == set(
        batch
    )
    assert not any("Bulk modification changed" in note for note in report.notes)


async def test_a_reset_that_a_persons_edit_hides_is_named_in_the_report(
    runner: FlowRunner, calm: SyncReport
) -> None:
    batch = [each.configuration_id for each in calm.written if each.action == "modified"]
    had_notes = sorted(set(notes(runner)) & set(batch))
    runner.sandbox.switch(bulk_put_resets=["notes"])
    by_many = edit(0, "after", set={"managementLink": "typed by a person"}) | {"ids": batch}
    runner.sandbox.faults([rule("PUT", BULK, by_many, nth=[1])])
    report = await runner.report(mappings=LEAN)
    (told,) = (note for note in report.notes if "Somebody else changed" in note)
    assert had_notes
    assert all(f" {number}," in told or f" {number} " in told for number in had_notes)
    assert "(managementLink, notes)" in told


async def test_canary_without_a_known_writer_puts_nothing_back_and_says_so(runner: FlowRunner) -> None:
    target, *_ = (each["id"] for each in runner.configurations() if each.get("serialNumber"))
    fault = edit(target, "after", set={"notes": "typed by a person"})
    refusal = status(400, {"code": "InvalidObject", "message": "not today"})
    runner.sandbox.faults(
        [rule("PUT", BULK, fault, nth=[1]), rule("PATCH", CONFIGURATIONS + "/*", refusal, nth=[1])]
    )
    report = await runner.report(mappings=LEAN, batch_size=10)
    assert any(f"configurations {target}. Whether" in note for note in report.notes)
    assert (
        next(each for each in runner.configurations() if each["id"] == target)["notes"]
        == fault["set"]["notes"]
    )
    assert runner.sandbox.requests()["connectwise"]["by"][f"PUT {BULK}"] == 1


async def test_configuration_deleted_between_reread_and_put_fails_alone(
    runner: FlowRunner, calm: SyncReport
) -> None:
    target = a_modified_configuration(calm)
    runner.sandbox.faults([rule("PUT", BULK, edit(target, "before", delete=True), nth=[1])])
    report = await runner.report(mappings=LEAN)
    assert report.counts.failed == 1
    assert report.counts.modified == calm.counts.modified - 1
    assert [each.configuration_id for each in report.failures] == [target]
    assert target not in {each["id"] for each in runner.configurations()}


async def test_configuration_deleted_between_plan_and_reread_fails_alone(
    runner: FlowRunner, calm: SyncReport
) -> None:
    target = a_modified_configuration(calm)
    runner.sandbox.faults([rule("GET", CONFIGURATIONS, edit(target, "before", delete=True), nth=[2])])
    report = await runner.report(mappings=LEAN)
    assert [each.message for each in report.failures] == ["The configuration no longer exists."]


async def test_exhausted_budget_is_waited_for_and_fails_no_record(
    runner: FlowRunner, calm: SyncReport
) -> None:
    async with opened() as (client, _):
        used_up = RetryableError("All 1000 requests per 300 s are used", retry_after=0.2)
        fail(client.configurations, "patch", used_up, at=[2, 7, 8])
        report = await runner.report(mappings=LEAN, write_mode="patch")
    assert report.counts == calm.counts


async def test_failed_journal_stops_the_writes_and_keeps_the_counts_true(runner: FlowRunner) -> None:
    await runner.report(mappings=LEAN)
    runner.sandbox.churn(0.5, kinds=["rename"])
    before = {each["id"]: each for each in runner.configurations()}
    async with opened() as (_, ledger):
        # The first batch is noted and settled, the second noted and sent; then the disk is full.
        fail(ledger.journal, "record_outcomes", StopError("The ledger: the disk is full"), at=range(2, 99))
        fail(ledger.journal, "begin", StopError("The ledger: the disk is full"), at=range(3, 99))
        report = await runner.report(mappings=LEAN, batch_size=5)
    changed = [each for each in runner.configurations() if each["name"] != before[each["id"]]["name"]]
    assert report.counts.modified == len(changed) == 10
    assert report.counts.failed > 0
    assert all("disk is full" in each.message for each in report.failures)


@pytest.mark.slow
async def test_type_change_leaves_records_alone_that_a_person_moved(runner: FlowRunner) -> None:
    await runner.report(mappings=LEAN)
    mappings = {"assetBasicInfo.name": "name", "assetBasicInfo.type": "type.name"}
    own_types = [
        {"source": source, "target": target, "authority": "lansweeper"} for source, target in mappings.items()
    ]
    linked = [each["id"] for each in runner.configurations() if custom_value(each, "ls_asset_id")]
    other = next(
        each["id"]
        for each in runner.sandbox.state("company/companies")
        if each["id"] != runner.sandbox.company_id
    )
    moved = [edit(record_id, "before", set={"company": {"id": other}}) for record_id in linked[:40]]
    runner.sandbox.faults([rule("GET", "/company/configurations/{id}", fault, nth=[1]) for fault in moved])
    types = {each["id"]: each["type"]["id"] for each in runner.sandbox.state("company/configurations")}
    report = await runner.report(mappings=own_types)
    assert report.counts.failed > 0
    assert all("was moved to the company" in each.message for each in report.failures)
    for each in runner.sandbox.state("company/configurations"):
        if each["company"]["id"] != runner.sandbox.company_id:
            assert each["type"]["id"] == types[each["id"]]


async def test_type_change_is_made_once(runner: FlowRunner) -> None:
    mappings = [
        {"source": "assetBasicInfo.name", "target": "name"},
        {"source": "assetBasicInfo.type", "target": "type.name", "authority": "lansweeper"},
    ]
    first = await runner.report(mappings=mappings)
    assert first.counts.failed == 0
    assert first.requests_used == first.requests_predicted
    runner.sandbox.clear_requests()
    await runner.report(mappings=mappings)
    assert runner.sandbox.requests()["writes"] == 0
