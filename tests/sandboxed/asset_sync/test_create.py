"""Creations with a wrong key, a full disk, a late or a broken server: nothing doubled, nothing untold.

The last test takes the waiting times as they are shipped.
"""

from __future__ import annotations

import time

import pytest

from connectors.errors import RetryableError, StopError
from connectors.ledger.database import Clock
from connectors.ledger.store import Ledger
from tasks.asset_sync.create import recover_open_batches
from tasks.asset_sync.run import prepare_run
from tasks.rules.mapping.compile import CustomFieldError
from tasks.shared.retry import Waiting
from tests.support.faults import BULK, CONFIGURATIONS, LEAN, fail, opened, rule, status
from tests.support.run_flow import FlowRunner, report_of

pytestmark = [pytest.mark.anyio, pytest.mark.prefect]


async def finish(runner: FlowRunner) -> None:
    """Without faults the next run does the rest, and nothing is there twice."""
    runner.sandbox.faults([])
    report = await runner.report(mappings=LEAN)
    assert report.counts.failed == 0
    assert set(runner.asset_keys().values()) == {1}
    async with Ledger.open(runner.ledger) as ledger:
        assert await ledger.batches.in_flight(runner.tenant, runner.sandbox.company_id, "") == []


async def test_wrong_key_in_the_middle_stops_the_writes_and_reports_the_rest(runner: FlowRunner) -> None:
    runner.sandbox.faults([rule("POST", BULK, status(401), nth=[3])])
    report = await runner.report(mappings=LEAN, batch_size=5)
    assert len(runner.asset_keys()) == report.counts.created + report.counts.modified
    assert report.counts.failed >= 5
    assert sum("Not sent" in each.message for each in report.failures) == report.counts.failed - 5
    await finish(runner)


async def test_exhausted_budget_is_waited_for_and_loses_no_batch(runner: FlowRunner) -> None:
    async with opened() as (client, _):
        used_up = RetryableError("All 1000 requests per 300 s are used", retry_after=0.2)
        fail(client, "create_configurations", used_up, at=[1, 2, 6])
        report = await runner.report(mappings=LEAN, batch_size=5)
    assert report.counts.failed == 0
    assert set(runner.asset_keys().values()) == {1}


@pytest.mark.slow
async def test_pause_that_is_too_long_ends_as_not_sent(runner: FlowRunner) -> None:
    async with opened() as (client, _):
        fail(client, "create_configurations", RetryableError("Come back later", retry_after=7200), at=[3])
        state = await runner.state(mappings=LEAN, batch_size=5)
    report = await report_of(state)
    assert state.is_failed()
    assert report.counts.failed > 0
    assert all("Come back later" in each.message for each in report.failures)
    await finish(runner)


@pytest.mark.slow
async def test_reading_back_that_fails_keeps_the_report_and_the_note_of_the_batch(runner: FlowRunner) -> None:
    runner.sandbox.faults(
        [
            rule("POST", BULK, {"kind": "drop_after"}, nth=[1]),
            rule("GET", CONFIGURATIONS, status(401), nth=list(range(2, 60))),
        ]
    )
    report = await runner.report(mappings=LEAN, batch_size=5)
    assert sum("reading back failed" in each.message for each in report.failures) == 5
    async with Ledger.open(runner.ledger) as ledger:
        (batch,) = await ledger.batches.in_flight(runner.tenant, runner.sandbox.company_id, "")
    assert len(batch.asset_keys) == 5
    await finish(runner)


@pytest.mark.slow
async def test_server_that_breaks_on_bulk_creation_gets_the_records_one_by_one(runner: FlowRunner) -> None:
    runner.sandbox.faults([rule("POST", BULK, status(500, {"message": "broken"}), every=1)])
    report = await runner.report(
        mappings=LEAN, waiting=Waiting(settle_seconds=0.5, pause_seconds=0.1, lease_seconds=8)
    )
    assert report.counts.failed == 0
    await finish(runner)


async def test_full_disk_sends_nothing_unjournalled_and_ends_in_one_sentence(runner: FlowRunner) -> None:
    full = StopError("The ledger could not note the writes of a request: the disk is full")
    async with opened() as (_, ledger):
        fail(ledger.batches, "open", full, at=range(3, 999))
        report = await runner.report(mappings=LEAN, batch_size=5)
    assert report.counts.created == 10
    assert len(runner.asset_keys()) == report.counts.created + report.counts.modified
    assert all("disk is full" in each.message for each in report.failures)
    await finish(runner)


@pytest.mark.slow
async def test_full_disk_after_a_batch_was_sent_keeps_its_outcome(runner: FlowRunner) -> None:
    full = StopError("The ledger could not note the outcome of writes: the disk is full")
    async with opened() as (_, ledger):
        fail(ledger.batches, "close", full, at=range(3, 999))
        report = await runner.report(mappings=LEAN, batch_size=5)
    assert report.counts.created >= 15
    assert len(runner.asset_keys()) == report.counts.created + report.counts.modified
    await finish(runner)


@pytest.mark.slow
async def test_failure_around_a_request_is_taken_for_unclear_and_is_one_message(runner: FlowRunner) -> None:
    async with opened() as (client, _):
        fail(client, "create_configurations", ValueError("a bug"), at=[2])
        report = await runner.report(mappings=LEAN, batch_size=5)
    assert len(runner.asset_keys()) == report.counts.created + report.counts.modified
    assert all("ValueError" in each.message or "a bug" in each.message for each in report.failures)
    await finish(runner)


@pytest.mark.parametrize("age", [-300.0, 600.0])
async def test_killed_runs_batch_is_waited_for_whatever_its_age_and_clock(
    runner: FlowRunner, age: float
) -> None:
    async with Ledger.open(runner.ledger, clock=Clock(now=lambda: time.time() - age)) as elsewhere:
        keys, company = ["a key"], runner.sandbox.company_id
        await elsewhere.batches.open("killed", "other", company, keys, 0, tenant=runner.tenant)
    settings = runner.settings(waiting=Waiting(settle_seconds=0.5, pause_seconds=0.1))
    async with opened() as (client, ledger):
        run = await prepare_run(settings, "default", "default", client, ledger)
        began = time.monotonic()
        assert await recover_open_batches(run) == 1
    assert time.monotonic() - began >= 0.5


async def test_open_batches_are_not_closed_by_a_wrong_id_of_the_link_field(runner: FlowRunner) -> None:
    company = runner.sandbox.company_id
    fields = {each["caption"]: each["id"] for each in runner.sandbox.state("system/userDefinedFields")}
    settings = runner.settings(custom_field_ids=fields | {"ls_asset_id": fields["Rack position"]})
    async with opened() as (client, ledger):
        await ledger.batches.open("killed", "default", company, ["a key"], 0, tenant=runner.tenant)
        run = await prepare_run(settings, "default", "default", client, ledger)
        with pytest.raises(CustomFieldError, match="'Rack position'"):
            await recover_open_batches(run)
        assert len(await ledger.batches.in_flight(runner.tenant, company, "default")) == 1


@pytest.mark.slow
async def test_batch_that_commits_20_seconds_later_item_by_item_is_not_doubled(runner: FlowRunner) -> None:
    fault = {"kind": "late", "delay": 20, "item_interval": 0.2}
    rule = {"system": "connectwise", "method": "POST", "path": "/company/configurations/bulk", "nth": [1]}
    runner.sandbox.faults([rule | {"fault": fault}])
    report = await runner.report(waiting=Waiting())
    assert report.counts.failed == 0
    assert report.duplicates == []
    keys = runner.asset_keys()
    assert len(keys) == report.counts.created + report.counts.modified
    assert set(keys.values()) == {1}
    assert runner.sandbox.requests()["connectwise"]["by"]["POST /company/configurations/bulk"] == 1
