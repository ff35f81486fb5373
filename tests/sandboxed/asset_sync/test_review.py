"""A run that waits for a person: what is approved is written, and nothing before or beside it."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any
from uuid import UUID

import anyio
import httpx
import pytest
from prefect import State, get_client

from flows.asset_synchronization import asset_synchronization
from tasks.rules.stored_plans.approval import ReviewAnswer
from tasks.rules.stored_plans.entries import EntryKind, PlanEntry
from tasks.shared import review
from tests.sandboxed.asset_sync.test_apply_plan import by_id, planned, references
from tests.sandboxed.asset_sync.test_killed_runs import kill, start
from tests.support.faults import LEAN
from tests.support.run_flow import FlowRunner, report_of

pytestmark = [pytest.mark.anyio, pytest.mark.prefect]

FEW = 30


@pytest.fixture(autouse=True)
def look_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(review, "LOOK_SECONDS", 1)


async def paused_run(runner: FlowRunner) -> UUID:
    """The id of the run that waits, once it does and its form is there."""
    body = {"flow_runs": {"state": {"type": {"any_": ["PAUSED"]}}}}
    async with httpx.AsyncClient(base_url=runner.server.api_url) as client:
        for _ in range(600):
            found = (await client.post("/flow_runs/filter", json=body)).raise_for_status().json()
            for each in found:
                schema = await client.get(f"/flow_runs/{each['id']}/input/paused-review-schema")
                if schema.is_success:
                    return UUID(each["id"])
            await anyio.sleep(0.1)
    raise TimeoutError("no run waits")


async def reviewed(
    runner: FlowRunner, answer: ReviewAnswer, leave_out: str = "", between: Any = None, **changes: Any
) -> State[Any]:
    """Run in the mode review, do what is to be done while it waits, answer, and take the end.

    ``leave_out``: how the words of the kinds begin that are left out, after the number.
    """
    settings = runner.settings(mode="review", mappings=LEAN, **changes)
    flow_run: Any = asset_synchronization(settings, return_state=True)
    running: asyncio.Task[State[Any]] = asyncio.create_task(flow_run)
    try:
        run_id = await paused_run(runner)
        assert runner.sandbox.requests()["writes"] == 0
        if between:
            await between()
        async with get_client() as client:
            kinds = [
                each for each in await offered(runner, run_id) if each.split(". ", 1)[1].startswith(leave_out)
            ]
            form = {"answer": answer.value, "leave_out": kinds if leave_out else []}
            wrong = await client.resume_flow_run(run_id, run_input={"answer": "yes"})
            assert "is not one of" in str(wrong.details)
            await client.resume_flow_run(run_id, run_input=form)
        state: State[Any] = await asyncio.wait_for(running, 120)
        return state
    finally:
        running.cancel()


async def offered(runner: FlowRunner, run_id: UUID) -> list[str]:
    async with httpx.AsyncClient(base_url=runner.server.api_url) as client:
        schema = (await client.get(f"/flow_runs/{run_id}/input/paused-review-schema")).json()
    kinds: list[str] = schema["properties"]["leave_out"]["items"]["enum"]
    return kinds


def changes(entry: PlanEntry, field: str) -> bool:
    return any(each.field == field for each in entry.changes)


async def test_all_but_one_kind_of_change_is_written(runner: FlowRunner) -> None:
    runner.sandbox.reset(assets=FEW)
    shown = await planned(runner)
    fields = Counter(c.field for each in shown.of(EntryKind.MODIFY) for c in each.changes)
    kind = min((name for name in fields if not name.startswith("customFields")), key=fields.__getitem__)
    with_it = {each.configuration_id for each in shown.of(EntryKind.MODIFY) if changes(each, kind)}
    assert len(with_it) > 0
    assert len(fields) > 1
    runner.sandbox.clear_requests()
    report = await report_of(await reviewed(runner, ReviewAnswer.ALL, kind))
    assert report.counts.created == len(shown.of(EntryKind.CREATE))
    assert any(note.startswith("Left out in the review") and kind in note for note in report.notes)
    # The rest is written: the next plan has that kind alone, and what was left out can still be applied.
    left = await planned(runner)
    assert {c.field for each in left.entries for c in each.changes} == {kind}
    assert {each.configuration_id for each in left.entries} == with_it
    rest = await runner.report(plan=report.plan_id)
    assert rest.counts.modified == len(with_it)


async def test_creations_alone_are_approved(runner: FlowRunner) -> None:
    runner.sandbox.reset(assets=FEW)
    before = by_id(runner)
    runner.sandbox.clear_requests()
    report = await report_of(await reviewed(runner, ReviewAnswer.CREATIONS))
    assert report.counts.modified == 0
    assert report.counts.created > 0
    assert {number: each for number, each in by_id(runner).items() if number in before} == before
    assert "approved creations only" in await runner.artifact("asset-synchronization-report")


async def test_cancelled_drifted_and_late_reviews_write_nothing(runner: FlowRunner) -> None:
    runner.sandbox.reset(assets=FEW)
    seen, there = by_id(runner), references(runner)
    runner.sandbox.clear_requests()
    cancelled = await reviewed(runner, ReviewAnswer.CANCEL)
    assert (cancelled.is_cancelled(), "turned down" in str(cancelled.message)) == (True, True)
    late = await runner.state(mode="review", mappings=LEAN, review_hours=0.5 / 3600)
    assert (late.is_cancelled(), "Nobody reviewed" in str(late.message)) == (True, True)
    assert (by_id(runner), references(runner)) == (seen, there)
    edited = next(iter(seen))

    async def edit() -> None:
        for number in seen:
            runner.sandbox.edit("company/configurations", number, {"name": f"Typed by hand {number}"})

    drifted = await reviewed(runner, ReviewAnswer.ALL, between=edit)
    assert drifted.is_failed()
    assert "changed since it was made" in str(drifted.message)
    assert by_id(runner)[edited]["name"] == f"Typed by hand {edited}"
    assert references(runner) == there
    assert runner.sandbox.requests()["writes"] == 0


async def test_a_run_killed_while_it_waits_has_written_nothing_and_its_plan_is_applied(
    runner: FlowRunner,
) -> None:
    runner.sandbox.reset(assets=FEW)
    runner.sandbox.clear_requests()
    process = start(runner, mode="review")
    run_id = await paused_run(runner)
    kill(process)
    assert runner.sandbox.requests()["writes"] == 0
    async with get_client() as client:
        name = next(
            each
            for each in (await client.read_flow_run_input(run_id, "paused-review-description")).split()
            if each.strip('"').startswith("plan-")
        )
        await client.resume_flow_run(run_id, run_input={"answer": ReviewAnswer.ALL.value, "leave_out": []})
    # Nobody holds the lease.
    report = await runner.report(plan=name.strip('"'))
    assert report.counts.failed == 0
    assert report.counts.created > 0
