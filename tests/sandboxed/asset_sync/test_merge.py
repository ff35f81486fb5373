"""A person's edit to a merged field: kept through runs, a killed one too, until Lansweeper's value moves."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import anyio
import pytest
from prefect import get_client

from flows.undo_run import undo_run
from tasks.rules.asset_sync.report import SyncReport
from tasks.shared.lease import lease_name
from tests.support.faults import BULK, CONFIGURATIONS, LEAN, edit, rule
from tests.support.run_flow import QUICK, FlowRunner, custom_value, report_of

pytestmark = [pytest.mark.anyio, pytest.mark.prefect]

ROOT = Path(__file__).resolve().parents[3]
COLLECTION = "company/configurations"
ASSETS = "lansweeper/assets"


def merged(**line: Any) -> list[Any]:
    name = {"source": "assetBasicInfo.name", "target": "name", "authority": "merge"} | line
    return [{source: target for source, target in LEAN.items() if target != "name"}, name]


class Pair:
    """One asset of the site and its configuration, and what people do to them."""

    def __init__(self, runner: FlowRunner) -> None:
        self.runner = runner
        asset = next(each for each in runner.sandbox.state(ASSETS) if each["assetBasicInfo"].get("name"))
        self.key = asset["key"]
        own = [each for each in runner.configurations() if custom_value(each, "ls_asset_id") == self.key]
        self.id = own[0]["id"]

    @property
    def name(self) -> str:
        return next(str(each["name"]) for each in self.runner.configurations() if each["id"] == self.id)

    def typed(self, name: str) -> None:
        self.runner.sandbox.edit(COLLECTION, self.id, {"name": name})

    def scanned(self, name: str) -> None:
        self.runner.sandbox.edit(ASSETS, self.key, {"assetBasicInfo.name": name})

    def conflicts(self, report: SyncReport) -> list[tuple[Any, ...]]:
        return [
            (each.base, each.wanted, each.current)
            for each in report.conflicts
            if (each.asset_key, each.configuration_id, each.field) == (self.key, self.id, "name")
        ]


async def linked(runner: FlowRunner) -> Pair:
    runner.sandbox.reset(assets=25)
    await runner.report(mappings=merged())
    return Pair(runner)


async def quiet(runner: FlowRunner, **changes: Any) -> SyncReport:
    """A run that writes nothing."""
    runner.sandbox.clear_requests()
    report = await runner.report(**({"mappings": merged()} | changes))
    assert (report.counts.modified, runner.sandbox.requests()["writes"]) == (0, 0)
    return report


async def test_an_edit_is_kept_and_counted_until_the_asset_is_renamed(runner: FlowRunner) -> None:
    pair = await linked(runner)
    agreed = pair.name
    pair.typed("Reception")
    for _ in range(2):
        report = await quiet(runner)
        assert (report.edits_kept, list(report.conflicts), pair.name) == (1, [], "Reception")
    assert "Edits in ConnectWise that are kept" in await runner.artifact("asset-synchronization-plan")
    pair.scanned("PC-RENAMED")
    waiting = await quiet(runner, mappings=merged(on_conflict="report"))
    assert (waiting.edits_kept, pair.conflicts(waiting)) == (0, [(agreed, "PC-RENAMED", "Reception")])
    assert any("see Conflicts" in each for each in waiting.findings)
    report = await runner.report(mappings=merged())
    assert (report.counts.modified, pair.name) == (1, "PC-RENAMED")
    assert pair.conflicts(report) == [(agreed, "PC-RENAMED", "Reception")]
    assert "Conflicts" in await runner.artifact("asset-synchronization-report")
    assert (await quiet(runner)).edits_kept == 0
    pair.typed("Reception")
    for each in runner.ledger.parent.glob(f"{runner.ledger.name}*"):
        each.unlink()
    # A lost ledger leaves the decision to Lansweeper.
    report = await runner.report(mappings=merged())
    assert (report.counts.modified, report.edits_kept, pair.name) == (1, 0, "PC-RENAMED")


async def test_an_edit_between_plan_and_writing_is_a_conflict_that_the_report_shows(
    runner: FlowRunner,
) -> None:
    pair = await linked(runner)
    agreed = pair.name
    pair.scanned("PC-RENAMED")
    typed = rule("GET", CONFIGURATIONS, edit(pair.id, "before", set={"name": "Reception"}), limit=1)
    runner.sandbox.faults([typed | {"query": "*id in (*"}])
    report = await runner.report(mappings=merged())
    assert pair.conflicts(report) == [(agreed, "PC-RENAMED", "Reception")]
    assert pair.name == "PC-RENAMED"


async def test_an_edit_after_a_killed_run_is_not_taken_for_a_conflict(runner: FlowRunner) -> None:
    pair = await linked(runner)
    pair.scanned("PC-RENAMED")
    runner.sandbox.faults([rule("PUT", BULK, {"kind": "delay", "seconds": 1}, every=1)])
    await killed_while_it_writes(runner)
    runner.sandbox.faults([])
    assert pair.name == "PC-RENAMED"
    pair.typed("Reception")
    report = await quiet(runner)
    assert (report.edits_kept, list(report.conflicts), pair.name) == (1, [], "Reception")
    assert (await quiet(runner)).edits_kept == 1


def started(runner: FlowRunner) -> subprocess.Popen[bytes]:
    settings = runner.settings(mappings=merged()).model_dump_json()
    return subprocess.Popen(
        [sys.executable, "-m", "tests.support.run_process", "asset-synchronization", settings],
        cwd=ROOT,
        env={**runner.server.environment, "PREFECT_LOGGING_LEVEL": "ERROR"},
    )


async def killed_while_it_writes(runner: FlowRunner) -> None:
    """The server does the work all the same."""
    runner.sandbox.clear_requests()
    process = started(runner)
    deadline = time.monotonic() + 180
    while not runner.sandbox.requests()["connectwise"]["by"].get(f"PUT {BULK}"):
        assert process.poll() is None
        assert time.monotonic() < deadline
        await anyio.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    await anyio.sleep(2)
    async with get_client() as client:
        await client.delete_global_concurrency_limit_by_name(
            lease_name(runner.tenant, runner.sandbox.company_id)
        )


async def test_what_was_undone_is_done_anew_and_is_nobodys_edit(runner: FlowRunner) -> None:
    pair = await linked(runner)
    agreed = pair.name
    pair.scanned("PC-RENAMED")
    state = await runner.state(mappings=merged())
    assert (await report_of(state)).counts.modified == 1
    undone = await undo_run(
        str(state.state_details.flow_run_id), dry_run=False, waiting=QUICK, return_state=True
    )
    assert undone.is_completed(), undone.message
    assert pair.name == agreed
    report = await runner.report(mappings=merged())
    assert (report.counts.modified, report.edits_kept, list(report.conflicts)) == (1, 0, [])
    assert pair.name == "PC-RENAMED"
