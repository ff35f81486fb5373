"""The flow end to end: a plan that writes nothing, a run, a second run with nothing to do.

What a run costs Prefect: task runs by page and batch, never by record.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from connectors.metrics import Series, values_of
from tasks.rules.asset_sync.report import SyncReport
from tasks.rules.asset_sync.safety import SafetyThresholds
from tasks.shared.concurrency import groups
from tasks.shared.run_metrics import FILE_NAME, TEXTFILE_FOLDER
from tests.support.faults import LEAN
from tests.support.run_flow import FlowRunner, custom_value

pytestmark = [pytest.mark.anyio, pytest.mark.prefect]


FEW = 30
"""Assets of the story: enough for every kind of write; without bulk each is written by its own request."""


@dataclass(frozen=True)
class Seen:
    """One run: its report, what it left in the sandbox, its artifact, and its requests."""

    report: SyncReport
    records: dict[int, dict[str, Any]]
    asset_keys: Counter[str]
    comparable: list[str]
    artifact: str
    writes: int
    requests: int


async def look(runner: FlowRunner, artifact: str = "asset-synchronization-report", **changes: Any) -> Seen:
    runner.sandbox.clear_requests()
    report = await runner.report(**changes)
    requests = runner.sandbox.requests()
    return Seen(
        report,
        every_record(runner),
        runner.asset_keys(),
        comparable(runner),
        await runner.artifact(artifact),
        requests["writes"],
        requests["connectwise"]["requests"],
    )


def every_record(runner: FlowRunner) -> dict[int, dict[str, Any]]:
    return {each["id"]: each for each in runner.sandbox.state("company/configurations")}


@dataclass(frozen=True)
class Story:
    """Three runs of the usual kind: a dry one, the first and a second, and the metrics of all."""

    before: dict[int, dict[str, Any]]
    dry: Seen
    first: Seen
    second: Seen
    metrics: dict[Series, float]


TOLD: list[Story] = []


@pytest.fixture
async def story(runner: FlowRunner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Story:
    """Run once for all tests that look at it."""
    if not TOLD:
        monkeypatch.setenv(TEXTFILE_FOLDER, str(tmp_path))
        runner.sandbox.reset(assets=FEW)
        before = every_record(runner)
        dry = await look(runner, "asset-synchronization-plan", dry_run=True)
        first, second = await look(runner), await look(runner)
        metrics = values_of(text_string_to_metric_families((tmp_path / FILE_NAME).read_text()))
        TOLD.append(Story(before, dry, first, second, metrics))
    return TOLD[0]


async def test_dry_run_shows_the_plan_and_writes_nothing(story: Story) -> None:
    report, text = story.dry.report, story.dry.artifact
    assert report.dry_run
    assert report.counts.read == FEW
    assert report.counts.created > 0
    assert story.dry.writes == 0
    assert story.dry.records == story.before
    assert "Dry run: nothing is written" in text
    assert f"{report.counts.created:,}" in text


async def test_run_writes_what_it_planned_and_a_second_run_writes_nothing(story: Story) -> None:
    dry, first, second = story.dry.report, story.first.report, story.second.report
    assert first.counts == dry.counts
    assert first.counts.failed == 0
    assert first.checksum == dry.checksum
    keys = story.first.asset_keys
    assert len(keys) == first.counts.created + first.counts.modified
    assert set(keys.values()) == {1}
    assert story.second.writes == 0
    assert second.counts.created == second.counts.modified == 0
    assert second.counts.unchanged == first.counts.created + first.counts.modified + first.counts.unchanged


async def test_predicted_requests_are_the_requests_used(story: Story) -> None:
    for seen in (story.first, story.second):
        report = seen.report
        assert report.requests_used == report.requests_predicted == seen.requests
        assert report.lansweeper_used == report.lansweeper_predicted > 0
    assert story.dry.report.requests_predicted == story.first.report.requests_predicted
    assert story.dry.report.lansweeper_predicted == story.first.report.lansweeper_predicted


async def test_predicted_time_is_about_the_time_used(story: Story) -> None:
    for report in (story.first.report, story.second.report):
        assert 0 < report.seconds_predicted == pytest.approx(report.seconds_used, rel=0.2, abs=10)
    assert "no run has written here yet" in story.dry.artifact
    assert re.search(r"Time: .* used, .* predicted", story.first.artifact)


async def test_metrics_tell_of_the_requests_the_records_and_the_runs(story: Story) -> None:
    def told(name: str, label: str, **wanted: str) -> dict[str, float]:
        found: Counter[str] = Counter()
        for (sample, labels), value in story.metrics.items():
            if sample == f"connectwise_flows_{name}" and wanted.items() <= dict(labels).items():
                found[dict(labels)[label]] += int(value)
        return dict(found)

    requests = sum(each.requests for each in (story.dry, story.first, story.second))
    assert told("request_seconds_count", "vendor")["ConnectWise PSA"] == requests
    assert told("request_seconds_count", "kind").keys() >= {"read", "create", "replace"}
    assert told("rate_limit_wait_seconds_count", "vendor")["ConnectWise PSA"] == requests
    first, second = (each.report.counts.outcomes() for each in (story.first, story.second))
    assert told("records_total", "outcome", read_only="false") == {
        outcome: count + second[outcome] for outcome, count in first.items()
    }
    assert told("run_seconds_count", "outcome", flow="asset-synchronization") == {"completed": 3}


async def test_report_links_the_records_and_names_the_run(story: Story) -> None:
    record_id = next(each.configuration_id for each in story.first.report.written)
    assert f"recid={record_id}" in story.first.artifact
    assert "https://app.lansweeper.com/" in story.first.artifact


async def test_unmapped_fields_and_other_companies_are_left_alone(runner: FlowRunner, story: Story) -> None:
    for record_id, old in story.before.items():
        new = story.first.records[record_id]
        assert new.get("notes") == old.get("notes")
        assert new.get("questions") == old.get("questions")
        assert new["type"]["id"] == old["type"]["id"]
        if old["company"]["id"] != runner.sandbox.company_id:
            assert new == old


async def test_changed_assets_are_modified_and_nothing_else(runner: FlowRunner) -> None:
    await runner.report(mappings=LEAN)
    runner.sandbox.churn(0.2, kinds=["rename"])
    runner.sandbox.clear_requests()
    report = await runner.report(mappings=LEAN)
    assert 0 < report.counts.modified <= 12
    assert report.counts.created == 0
    names = {custom_value(each, "ls_asset_id"): each["name"] for each in runner.configurations()}
    assets = {
        each["key"]: each["assetBasicInfo"].get("name") for each in runner.sandbox.state("lansweeper/assets")
    }
    written = [each.asset_key for each in report.written]
    assert {key: names[key] for key in written} == {key: assets[key].strip() for key in written}


async def test_ceiling_refuses_an_implausible_plan_with_the_numbers(runner: FlowRunner) -> None:
    state = await runner.state(ceilings=SafetyThresholds(modified=0.01, minimum=1))
    assert state.is_failed()
    assert "the ceiling is 1 %" in str(state.message)
    assert runner.sandbox.requests()["writes"] == 0


async def test_filtered_run_touches_only_what_the_filter_lets_through(runner: FlowRunner) -> None:
    condition = {"path": "assetBasicInfo.type", "operator": "EQUAL", "value": "Printer"}
    report = await runner.report(mappings=LEAN, asset_filter=[condition])
    assert 0 < report.counts.read < 60
    kinds = {
        each["key"]: each["assetBasicInfo"]["type"] for each in runner.sandbox.state("lansweeper/assets")
    }
    assert {kinds[key] for key in runner.asset_keys()} == {"Printer"}


@pytest.mark.parametrize("shape", ["array", pytest.param("record", marks=pytest.mark.slow)])
async def test_other_shapes_of_the_bulk_answer_are_understood(runner: FlowRunner, shape: str) -> None:
    runner.sandbox.switch(bulk_answer=shape)
    report = await runner.report(mappings=LEAN)
    assert report.counts.failed == 0
    assert set(runner.asset_keys().values()) == {1}


async def test_patch_mode_and_a_server_without_bulk_give_the_same_records(
    runner: FlowRunner, story: Story
) -> None:
    runner.new_world(assets=FEW)
    await runner.report(write_mode="patch")
    assert comparable(runner) == story.first.comparable
    runner.new_world(assets=FEW, switches={"bulk_enabled": False})
    await runner.report()
    assert comparable(runner) == story.first.comparable


def comparable(runner: FlowRunner) -> list[str]:
    """The company's records without what the server alone decides."""
    hidden = {"id", "_info"}
    return sorted(
        str(sorted((name, str(value)) for name, value in record.items() if name not in hidden))
        for record in runner.configurations()
    )


def task_runs(caplog: pytest.LogCaptureFixture) -> Counter[str]:
    """The task runs that have ended, by name: Prefect says so of each of them once."""
    return Counter(
        str(record.__dict__["task_name"])
        for record in caplog.records
        if record.name == "prefect.task_runs" and record.getMessage().startswith("Finished in state")
    )


@pytest.mark.parametrize("assets", [30, 130])
async def test_task_runs_grow_with_the_batches_and_not_with_the_records(
    runner: FlowRunner, caplog: pytest.LogCaptureFixture, assets: int
) -> None:
    runner.sandbox.reset(assets=assets, scenario="fresh")
    report = await runner.report(mappings=LEAN)
    assert report.counts.created > assets * 0.9
    runs = task_runs(caplog)
    batches = ceil(report.counts.created / 50)
    assert runs.pop("Bulk Configuration Creation") == len(list(groups(range(batches))))
    assert len(report.references_created["type.name"]) > 1
    assert runs == {
        "Create Configuration Type": 1,
        "List Assets": 1,
        "List of Configurations": 1,
        "List Configuration Types": 1,
        "Match Configurations": 1,
    }
