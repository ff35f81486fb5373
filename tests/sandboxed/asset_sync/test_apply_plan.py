"""A stored plan is applied by its id: exactly what it shows and is still decided so, and nothing else."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import update

from connectors.ledger.database import writing
from connectors.ledger.models import StoredPlan
from connectors.ledger.schema import plans
from tasks.rules.stored_plans.entries import EntryKind, PlanEntry, entry_of
from tests.sandboxed.asset_sync.test_killed_runs import (
    ROOT,
    WAITING_FOR_THE_LEASE,
    free_lease,
    kill,
    start,
    until,
)
from tests.support.faults import BULK, LEAN, opened, rule
from tests.support.run_flow import FlowRunner, custom_value

pytestmark = [pytest.mark.anyio, pytest.mark.prefect]

FEW = 30
KINDS = ("company/configurations/types", "company/configurations/statuses", "procurement/manufacturers")


@dataclass(frozen=True)
class Planned:
    """A plan that a dry run stored, and its entries that write, by kind."""

    plan: StoredPlan
    entries: list[PlanEntry]

    def of(self, kind: EntryKind) -> list[PlanEntry]:
        return [each for each in self.entries if each.kind is kind]


async def planned(runner: FlowRunner, **changes: Any) -> Planned:
    await runner.report(dry_run=True, mappings=LEAN, **changes)
    async with opened() as (_, ledger):
        [plan] = await ledger.plans.newest(1)
        entries = [entry_of(each) async for each in ledger.plans.entries(plan)]
    return Planned(plan, [each for each in entries if each.kind.writes])


def references(runner: FlowRunner) -> dict[str, list[str]]:
    return {
        kind: sorted(str(each.get("name") or each.get("description")) for each in runner.sandbox.state(kind))
        for kind in KINDS
    }


def by_id(runner: FlowRunner) -> dict[int, dict[str, Any]]:
    return {each["id"]: each for each in runner.configurations()}


async def test_a_record_that_a_person_edited_is_named_and_all_others_are_written(runner: FlowRunner) -> None:
    runner.sandbox.reset(assets=FEW)
    shown = await planned(runner)
    modified, created = shown.of(EntryKind.MODIFY), shown.of(EntryKind.CREATE)
    assert modified
    assert created
    plan_id, before = shown.plan.id, references(runner)
    edited = next(
        each for each in modified if any(one.field == "customFields.ls_asset_id" for one in each.changes)
    )
    runner.sandbox.edit("company/configurations", edited.configuration_id or 0, {"name": "Typed by hand"})
    runner.sandbox.churn(0.05, kinds=["add"])
    seen = by_id(runner)
    runner.sandbox.clear_requests()

    preview = await runner.report(dry_run=True, plan=plan_id)
    assert "A real run is refused" in await runner.artifact("asset-synchronization-plan")
    assert preview.plan_id == plan_id
    refused = await runner.state(plan=plan_id.removeprefix("plan-")[:6])
    assert refused.is_failed()
    assert f"1 of the {len(shown.entries)} records of {plan_id} changed since it was made" in str(
        refused.message
    )
    assert edited.name in str(refused.message)
    assert "Typed by hand" in str(refused.message)
    assert runner.sandbox.requests()["writes"] == 0
    assert (references(runner), by_id(runner)) == (before, seen)

    # What shapes the plan is the plan's, whatever the form says.
    report = await runner.report(plan=plan_id, drift="rest", prefix="other_")
    assert (report.counts.created, report.counts.modified) == (len(created), len(modified) - 1)
    assert report.failed is False
    assert any(edited.name in note and "Typed by hand" in note for note in report.notes)
    assert by_id(runner)[edited.configuration_id or 0] == seen[edited.configuration_id or 0]
    assert set(runner.asset_keys()) >= {each.asset_key for each in shown.entries if each != edited}
    assert (
        not runner.asset_keys().keys()
        - {each.asset_key for each in shown.entries}
        - {custom_value(each, "ls_asset_id") for each in seen.values()}
    )
    # The new assets were read, and are another plan's.
    assert any(
        " that the plan does not have are left for another run" in note and "; 0 that" not in note
        for note in report.notes
    )
    again = await runner.state(plan=plan_id, drift="rest")
    assert again.is_failed()
    assert "was applied already, by run" in str(again.message)


async def test_only_names_that_written_records_need_are_created(runner: FlowRunner) -> None:
    """The rest of the plan drifted as a whole: every type that only it needs stays uncreated."""
    runner.sandbox.reset(assets=FEW, scenario="fresh")
    shown = await planned(runner)
    types = {
        each.asset_key: next(one.wanted for one in each.changes if one.field == "type.name")
        for each in shown.entries
    }
    gone = next(iter(types.values()))
    for key, name in types.items():
        if name == gone:
            runner.sandbox.edit("lansweeper/assets", key, {"assetCustom.serialNumber": f"OTHER-{key}"})
    await runner.report(plan=shown.plan.id, drift="rest")
    there = references(runner)["company/configurations/types"]
    assert gone not in there
    assert {name for name in types.values() if name != gone} <= set(there)


async def test_a_killed_run_is_repeated_and_writes_the_rest(runner: FlowRunner) -> None:
    shown = await planned(runner, batch_size=5)
    plan_id = shown.plan.id
    runner.sandbox.faults([rule(None, BULK, {"kind": "delay", "seconds": 0.5}, every=1)])
    runner.sandbox.clear_requests()
    process = start(runner, plan=plan_id)
    await until(process, runner.sandbox, f"POST {BULK}", 3)
    kill(process)
    runner.sandbox.faults([])
    await free_lease(runner)
    report = await runner.report(plan=plan_id, waiting=WAITING_FOR_THE_LEASE)
    assert report.counts.failed == 0
    assert any("0 decided otherwise" in note for note in report.notes)
    written = len(shown.entries)
    assert 0 < report.counts.created + report.counts.modified < written
    keys = runner.asset_keys()
    assert {each.asset_key for each in shown.entries} <= keys.keys()
    assert set(keys.values()) == {1}
    async with opened() as (_, ledger):
        [plan] = await ledger.plans.find(plan_id)
    assert plan.applied_by == report.run_id


async def test_a_plan_that_can_not_be_applied_says_why(runner: FlowRunner) -> None:
    runner.sandbox.reset(assets=FEW)
    shown = await planned(runner)
    plan_id = shown.plan.id
    cases = {
        "is of another tenant": {"tenant": "connectwise:another:tenant"},
        "is of the company": {"company_id": runner.sandbox.company_id + 1},
        "expired at": {"expires_at": 1.0},
        "was made by another version": {"settings": {"no_such_setting": 1}},
    }
    runner.sandbox.clear_requests()
    for words, values in cases.items():
        await change(plan_id, **values)
        state = await runner.state(plan=plan_id)
        assert state.is_failed()
        assert words in str(state.message)
        await change(plan_id, **original(shown.plan))
    state = await runner.state(plan="plan-ffffffffffff")
    assert "keeps no plan" in str(state.message)
    assert runner.sandbox.requests()["writes"] == 0
    the_command_shows_it(runner, plan_id, shown)


def the_command_shows_it(runner: FlowRunner, plan_id: str, shown: Planned) -> None:
    """In processes of their own, as a person starts them."""

    def told(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "deployments.console", "plans", *arguments]
        return subprocess.run(
            command, cwd=ROOT, env=runner.server.environment, capture_output=True, text=True
        )

    page = told("show", plan_id, "--format", "html")
    assert page.returncode == 0, page.stderr
    assert all(each.asset_key in page.stdout for each in shown.entries)
    missing = told("show", "plan-0")
    assert (missing.returncode, "keeps no plan" in missing.stderr) == (1, True)


def original(plan: StoredPlan) -> dict[str, Any]:
    head = plan.head
    return {
        "tenant": head.tenant,
        "company_id": head.company_id,
        "settings": head.settings,
        "expires_at": plan.expires_at.timestamp(),
    }


async def change(plan_id: str, **values: Any) -> None:
    async with opened() as (_, ledger), writing(ledger._engine, "change a plan") as connection:
        await connection.execute(update(plans).where(plans.c.id == plan_id).values(**values))
