"""undo-run for real: what a run wrote goes back, unless somebody changed it since."""

from __future__ import annotations

import re
from typing import Any

import pytest
from prefect import State

from connectors.ledger.models import JournalledWrite, WriteEntry
from connectors.ledger.store import Ledger
from deployments.console import plans
from flows.undo_run import undo_run
from tasks.asset_sync import undo as asset_sync_undo
from tasks.rules.mapping.model import default_mappings
from tasks.rules.stored_plans.entries import EntryKind, entry_of
from tasks.rules.undo import UndoStep
from tasks.shared.lease import writing_lease
from tests.support.faults import LEAN, last_writes
from tests.support.run_flow import QUICK, FlowRunner, custom_value

pytestmark = [pytest.mark.anyio, pytest.mark.prefect]

CONFIGURATIONS = "company/configurations"
READS = {"system": "connectwise", "method": "GET", "path": "/company/configurations"}
IMPATIENT = QUICK.model_copy(update={"lease_seconds": 1})


@pytest.fixture(autouse=True)
def few_assets(runner: FlowRunner) -> None:
    """Enough for every kind of write, and quicker than the usual 60."""
    runner.sandbox.reset(assets=25)


async def run(runner: FlowRunner, **changes: Any) -> str:
    """Run the synchronization; returns the run's id."""
    state = await runner.state(**({"mappings": LEAN} | changes))
    assert state.is_completed(), state.message
    runner.sandbox.clear_requests()
    return str(state.state_details.flow_run_id)


async def undo(run_id: str, **inputs: Any) -> State[Any]:
    state: State[Any] = await undo_run(run_id, return_state=True, **({"waiting": QUICK} | inputs))
    return state


async def undone(run_id: str, **inputs: Any) -> dict[str, int]:
    """The counts of an undo that completed."""
    state = await undo(run_id, dry_run=False, **inputs)
    assert state.is_completed(), state.message
    counts: dict[str, int] = await state.aresult()
    return counts


async def journal(runner: FlowRunner, run_id: str) -> list[JournalledWrite]:
    async with Ledger.open(f"sqlite+aiosqlite:///{runner.ledger}") as ledger:
        return await ledger.journal.of_run(run_id)


def by_id(records: list[dict[str, Any]]) -> dict[int, dict[str, Any]]:
    """Records without what the server alone writes; nothing, null and empty are alike."""
    return {each["id"]: plain(each) for each in records}


def plain(record: dict[str, Any]) -> dict[str, Any]:
    fields = {each["id"]: each["value"] for each in record["customFields"] if each.get("value")}
    kept = {
        name: value.get("id") if isinstance(value, dict) else value
        for name, value in record.items()
        if name not in ("_info", "customFields") and value not in (None, "")
    }
    return {**kept, "customFields": fields}


def with_types() -> list[Any]:
    """The default mappings, with the types written too."""
    lansweeper = {"authority": "lansweeper"}
    return [
        each.model_dump() | (lansweeper if each.target == "type.name" else {}) for each in default_mappings()
    ]


async def test_dry_run_by_default_and_without_the_lease_nothing_is_written(runner: FlowRunner) -> None:
    run_id = await run(runner)
    after_run = runner.sandbox.state(CONFIGURATIONS)
    async with writing_lease(runner.tenant, runner.sandbox.company_id):
        refused = await undo(run_id, dry_run=False, waiting=IMPATIENT)
        state = await undo(f" {run_id} ")
    assert refused.is_cancelled()
    assert "Another run writes to company" in str(refused.message)
    counts = await state.aresult()
    assert counts["steps"] > 10
    assert runner.sandbox.requests()["writes"] == 0
    assert runner.sandbox.state(CONFIGURATIONS) == after_run
    text = await runner.artifact("undo-run-plan")
    assert f"Undo of run {run_id}" in text.replace("\\", "")
    assert "Dry run: nothing is written." in text
    assert f"{counts['steps']:,} records to put back or delete" in text
    (predicted,) = re.findall(r"Requests to ConnectWise PSA: (\d+) predicted", text)
    runner.sandbox.clear_requests()
    assert (await undo(run_id, dry_run=False)).is_completed()
    used = runner.sandbox.requests()["connectwise"]["requests"]
    assert f"{used} used, {predicted} predicted" in await runner.artifact("undo-run-plan")
    assert used == int(predicted)


async def test_every_field_is_restored_and_what_was_created_is_deleted(runner: FlowRunner) -> None:
    before = by_id(runner.sandbox.state(CONFIGURATIONS))
    run_id = await run(runner, mappings=with_types())
    after_run = by_id(runner.sandbox.state(CONFIGURATIONS))
    kinds = runner.sandbox.state("company/configurations/types")
    operations = {each.operation for each in await journal(runner, run_id)}
    assert operations == {"create", "modify", "change_type", "create_reference"}
    changed = {each for each in before if before[each] != after_run[each]}

    state = await undo(run_id, dry_run=False)
    counts = await state.aresult()
    now = by_id(runner.sandbox.state(CONFIGURATIONS))
    retyped = {each.record_id for each in await journal(runner, run_id) if each.operation == "change_type"}
    for record_id in retyped:
        # The vendor drops the answers when the type changes; they do not come back.
        now.get(record_id, {}).pop("questions", None)
        before.get(record_id, {}).pop("questions", None)
    assert now == before
    assert runner.sandbox.state("company/configurations/types") == kinds
    references = [each for each in await journal(runner, run_id) if each.operation == "create_reference"]
    assert counts["refused"] == len(references)
    writes = await journal(runner, str(state.state_details.flow_run_id))
    assert {each.outcome for each in writes} == {"done"}
    assert len(writes) == counts["steps"] == runner.sandbox.requests()["writes"]
    assert {each.record_id for each in writes} == changed | (after_run.keys() - before.keys())

    runner.sandbox.clear_requests()
    again = await undone(run_id)
    assert (again["steps"], again["refused"]) == (0, len(references))
    assert runner.sandbox.requests()["writes"] == 0


async def test_what_somebody_changed_since_or_meanwhile_is_refused_and_left(runner: FlowRunner) -> None:
    before = by_id(runner.sandbox.state(CONFIGURATIONS))
    run_id = await run(runner)
    linked = [each for each in runner.configurations() if custom_value(each, "ls_asset_id")]
    modified = next(each for each in linked if each["id"] in before)
    created, renamed = [each for each in linked if each["id"] not in before][:2]
    fields = [
        each | ({"value": "https://example.com/moved"} if each["caption"] == "ls_asset_url" else {})
        for each in modified["customFields"]
    ]
    runner.sandbox.edit(CONFIGURATIONS, modified["id"], {"customFields": fields})
    runner.sandbox.edit(CONFIGURATIONS, renamed["id"], {"name": "renamed by hand"})
    edit = {
        "kind": "edit",
        "when": "before",
        "collection": CONFIGURATIONS,
        "ids": [created["id"]],
        "set": {"notes": "call the client first"},
    }
    # The first read is for the plan, the second under the lease, the third right before the writes.
    runner.sandbox.faults([READS | {"nth": [3], "fault": edit}])
    counts = await undone(run_id)
    now = {each["id"]: each for each in runner.configurations()}
    assert custom_value(now[modified["id"]], "ls_asset_url") == "https://example.com/moved"
    assert not custom_value(now[modified["id"]], "ls_asset_id")
    assert now[created["id"]]["notes"] == "call the client first"
    assert now[renamed["id"]]["name"] == "renamed by hand"
    assert now.keys() - before.keys() == {created["id"], renamed["id"]}
    assert counts["steps"] == runner.sandbox.requests()["writes"]
    text = (await runner.artifact("undo-run-plan")).replace("\\", "")
    assert "Changed since: it is now 'https://example.com/moved'." in text
    assert "Changed since it was created: notes." in text
    assert "Changed since it was created: name." in text


async def test_a_stored_plan_is_applied_step_by_step(runner: FlowRunner) -> None:
    run_id = await run(runner)
    shown = await (await undo(run_id)).aresult()
    async with Ledger.open(f"sqlite+aiosqlite:///{runner.ledger}") as ledger:
        [plan] = await ledger.plans.newest(1)
        entries = [entry_of(each) async for each in ledger.plans.entries(plan)]
    planned = [each for each in entries if each.kind.writes]
    assert len(planned) == shown["steps"] == plan.head.counts["steps"]
    assert plan.head.company == runner.sandbox.company
    assert await plans._flow_of("default", plan.id) == ("undo-run", {"connectwise": "default"})
    page = await runner.artifact("undo-run-plan")
    assert page.index(f"`{plan.id}`") < page.index("## Kinds of change") < page.index("## Steps")
    edited = next(each for each in planned if each.kind is EntryKind.DELETE)
    runner.sandbox.edit(CONFIGURATIONS, edited.configuration_id or 0, {"name": "renamed by hand"})
    before = by_id(runner.sandbox.state(CONFIGURATIONS))

    refused = await undo("", plan=plan.id, dry_run=False)
    assert refused.is_failed()
    assert f"1 of the {len(planned)} records of {plan.id} changed since it was made" in str(refused.message)
    assert "Changed since it was created: name" in str(refused.message)
    assert by_id(runner.sandbox.state(CONFIGURATIONS)) == before
    assert "undoes run" in str((await undo("another", plan=plan.id)).message)

    done = await undone("", plan=plan.id[:12], drift="rest")
    assert done["steps"] == shown["steps"] - 1
    now = by_id(runner.sandbox.state(CONFIGURATIONS))
    assert now[edited.configuration_id or 0]["name"] == "renamed by hand"
    gone = {each.configuration_id for each in planned if each.kind is EntryKind.DELETE}
    assert before.keys() - now.keys() == gone - {edited.configuration_id}
    again = await undo("", plan=plan.id, dry_run=False)
    assert "was applied already, by run" in str(again.message)


async def test_unknown_run_is_one_clear_message(runner: FlowRunner) -> None:
    for dry_run in (True, False):
        state = await undo("no-such-run", dry_run=dry_run)
        assert state.is_failed()
        assert "holds no writes of run 'no-such-run'" in str(state.message)
        assert "Give the id of a flow run that wrote" in str(state.message)
    assert runner.sandbox.requests()["connectwise"]["writes"] == 0


async def test_killed_run_is_undone_as_far_as_it_came(runner: FlowRunner) -> None:
    """Its creations have no known id, its modification no known outcome: the records tell."""
    before = by_id(runner.sandbox.state(CONFIGURATIONS))
    await run(runner)
    runs = runner.configurations()
    made = next(each for each in runs if each["id"] not in before)
    changed = next(each for each in runs if each["id"] in before and custom_value(each, "ls_asset_id"))
    key = str(custom_value(made, "ls_asset_id"))
    payload = next(
        each.after
        for each in await journal(runner, await last_run(runner))
        if each.record_id == made["id"] and each.operation == "create"
    )
    entries = [
        WriteEntry("create", "configuration", None, key, made["name"], None, payload),
        WriteEntry("create", "configuration", None, "never-made", "PC 2", None, {"name": "PC 2"}),
        modification(changed["id"], "name", before[changed["id"]]["name"], changed["name"]),
        modification(changed["id"], "notes", changed.get("notes"), "never written"),
    ]
    async with Ledger.open(f"sqlite+aiosqlite:///{runner.ledger}") as ledger:
        keys = [key, "never-made"]
        company = runner.sandbox.company_id
        await ledger.batches.open("killed", "default", company, keys, made["id"] - 1)
        await ledger.journal.begin("killed", "default", company, entries)
    counts = await undone("killed")
    now = by_id(runner.sandbox.state(CONFIGURATIONS))
    assert made["id"] not in now
    assert now[changed["id"]]["name"] == before[changed["id"]]["name"]
    assert now[changed["id"]].get("notes") == before[changed["id"]].get("notes")
    assert counts["refused"] == 1
    text = (await runner.artifact("undo-run-plan")).replace("\\", "")
    assert "look for ls_asset_id never-made in ConnectWise" in text


def modification(record_id: int, field: str, before: Any, after: Any) -> WriteEntry:
    return WriteEntry("modify", "configuration", record_id, None, "PC", {field: before}, {field: after})


async def last_run(runner: FlowRunner) -> str:
    async with Ledger.open(f"sqlite+aiosqlite:///{runner.ledger}") as ledger:
        return (await last_writes(ledger))[0].run_id


@pytest.mark.slow
async def test_lost_answers_are_no_failures_and_a_refusal_leaves_the_others(runner: FlowRunner) -> None:
    before = by_id(runner.sandbox.state(CONFIGURATIONS))
    run_id = await run(runner)
    one = {"system": "connectwise", "path": "/company/configurations/*"}
    refusal = {"kind": "status", "status": 400, "body": {"code": "InvalidObject", "message": "not today"}}
    runner.sandbox.faults(
        [
            one | {"method": "DELETE", "nth": [1], "fault": {"kind": "drop_after"}},
            one | {"method": "PATCH", "nth": [2], "fault": refusal},
        ]
    )
    state = await undo(run_id, dry_run=False)
    assert state.is_failed()
    assert state.name == "Finished with 1 failure"
    assert "not today" in str(state.message)
    now = by_id(runner.sandbox.state(CONFIGURATIONS))
    assert now.keys() == before.keys()
    assert len([each for each in now if now[each] != before[each]]) == 1
    writes = await journal(runner, str(state.state_details.flow_run_id))
    assert [each.outcome for each in writes].count("failed") == 1
    assert "not today" in await runner.artifact("undo-run-plan")
    runner.sandbox.faults([])
    assert (await undone(run_id))["steps"] == 1
    assert by_id(runner.sandbox.state(CONFIGURATIONS)) == before


async def test_a_key_that_is_refused_stops_the_undo_at_once(runner: FlowRunner) -> None:
    run_id = await run(runner)
    refusal = {"kind": "status", "status": 401, "body": {"code": "Unauthorized", "message": "no"}}
    rule = {"system": "connectwise", "method": "DELETE", "path": "/company/configurations/*", "every": 1}
    runner.sandbox.faults([rule | {"fault": refusal}])
    state = await undo(run_id, dry_run=False)
    assert state.is_failed()
    assert "What followed was not tried." in str(state.message)
    by = runner.sandbox.requests()["connectwise"]["by"]
    assert by["DELETE /company/configurations/{id}"] == 1
    writes = await journal(runner, str(state.state_details.flow_run_id))
    assert {each.outcome for each in writes} == {"done", "failed", "not_sent"}


async def test_what_the_canary_put_back_is_not_taken_away_again(runner: FlowRunner) -> None:
    before = by_id(runner.sandbox.state(CONFIGURATIONS))
    assert any(each.get("notes") for each in before.values())
    runner.sandbox.switch(bulk_put_resets=["notes"])
    run_id = await run(runner, batch_size=5)
    runner.sandbox.switch(bulk_put_resets=[])
    await undone(run_id)
    assert by_id(runner.sandbox.state(CONFIGURATIONS)) == before


async def test_a_record_that_can_not_be_put_back_leaves_the_others(
    runner: FlowRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One fails when its journal entry is made, one while it is sent: whatever the exception."""
    run_id = await run(runner)
    entry, send = asset_sync_undo._entry, asset_sync_undo._send
    touched: list[int] = []

    def failing_entry(step: UndoStep, record: dict[str, Any]) -> WriteEntry:
        touched.append(step.record_id)
        if step.record_id == touched[0]:
            raise RecursionError("maximum recursion depth exceeded")
        return entry(step, record)

    async def failing_send(undo: Any, step: UndoStep) -> None:
        if step.record_id == next(each for each in touched if each != touched[0]):
            raise ZeroDivisionError("division by zero")
        await send(undo, step)

    monkeypatch.setattr(asset_sync_undo, "_entry", failing_entry)
    monkeypatch.setattr(asset_sync_undo, "_send", failing_send)
    state = await undo(run_id, dry_run=False)
    assert state.name == "Finished with 2 failures"
    artifact = (await runner.artifact("undo-run-plan")).replace("\\", "")
    assert "it can't be put back: it is nested too deeply" in artifact
    assert "it can't be reckoned with (ZeroDivisionError: division by zero)" in artifact
    left = {each.record_id for each in await journal(runner, str(state.state_details.flow_run_id))}
    assert len(left) == len(set(touched)) - 1
    monkeypatch.undo()
    # What was sent and has no known outcome is looked at again, and all goes back.
    assert (await undone(run_id))["steps"] == 2
