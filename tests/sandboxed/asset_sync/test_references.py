"""Reference records whose creation is late, lost or refused: none is made twice, and the report tells."""

from __future__ import annotations

from typing import Any

import pytest

from connectors.ledger.store import Ledger
from tasks.asset_sync.references import HELD_REFERENCES
from tasks.rules.asset_sync.report import SyncReport
from tests.support.faults import last_writes, rule, status
from tests.support.run_flow import QUICK, FlowRunner

pytestmark = [pytest.mark.anyio, pytest.mark.prefect]


async def test_late_reference_record_is_waited_for_and_not_made_twice(runner: FlowRunner) -> None:
    runner.sandbox.reset(assets=12)
    late = {"kind": "late", "delay": 1.2}
    runner.sandbox.faults([rule("POST", "/procurement/manufacturers", late, nth=[1])])
    report = await runner.report()
    assert report.counts.failed == 0
    names = [each["name"].casefold() for each in runner.sandbox.state("procurement/manufacturers")]
    assert len(names) == len(set(names))


@pytest.mark.slow
async def test_lost_request_for_a_reference_record_is_sent_again(runner: FlowRunner) -> None:
    runner.sandbox.faults([rule("POST", "/procurement/manufacturers", {"kind": "drop_before"}, nth=[1])])
    report = await runner.report(waiting=QUICK.model_copy(update={"settle_seconds": 0.5}))
    assert report.counts.failed == 0
    async with Ledger.open(runner.ledger) as ledger:
        outcomes = {write.outcome for write in await last_writes(ledger)}
    assert outcomes == {"done", "not_sent"}


async def test_refused_reference_record_is_told_in_the_report(runner: FlowRunner) -> None:
    runner.sandbox.reset(assets=12)
    refusal = status(400, {"code": "InvalidObject", "message": "no such name, please"})
    runner.sandbox.faults([rule("POST", "/procurement/manufacturers", refusal, nth=[1])])
    report = await runner.report()
    assert report.counts.failed == 0
    assert any("manufacturer" in note and "no such name, please" in note for note in report.notes)


async def test_a_refused_reference_record_is_held_until_a_person_acts(runner: FlowRunner) -> None:
    runner.sandbox.reset(assets=12)
    refusal = status(400, {"code": "InvalidObject", "message": "no such name, please"})
    path = "/procurement/manufacturers"
    runner.sandbox.faults([rule("POST", path, refusal)])

    async def posts(**changes: Any) -> tuple[int, SyncReport]:
        runner.sandbox.clear_requests()
        report = await runner.report(**changes)
        return runner.sandbox.requests()["connectwise"]["by"].get(f"POST {path}", 0), report

    tried, first = await posts()
    assert tried > 1
    again, second = await posts()
    # Nothing is sent, the assets are written without it, and the plan says since when and why.
    assert (again, second.counts.failed, second.counts.read) == (0, 0, first.counts.read)
    assert "no such name, please" in (await runner.artifact("asset-synchronization-report")).replace("\\", "")
    assert (await posts(retry_refused=True))[0] == tried
    # A missing right says nothing of a name; what a person creates is let go.
    async with Ledger.open(runner.ledger) as ledger:
        held = await ledger.quarantine.held(runner.tenant, HELD_REFERENCES)
        assert {each.attempts for each in held.values()} == {2}
        name = next(iter(held.values())).name
        runner.sandbox.faults([])
        runner.sandbox.add("procurement/manufacturers", {"name": name})
        assert (await posts())[0] == 0
        assert name not in {
            each.name for each in (await ledger.quarantine.held(runner.tenant, HELD_REFERENCES)).values()
        }
        assert (await posts(retry_refused=True))[0] == tried - 1
        assert await ledger.quarantine.held(runner.tenant, HELD_REFERENCES) == {}


async def test_reference_creation_that_is_throttled_waits_and_goes_on_where_it_was(
    runner: FlowRunner,
) -> None:
    runner.sandbox.reset(assets=12)
    throttled = {"kind": "status", "status": 429, "headers": {"Retry-After": "1"}}
    runner.sandbox.faults([rule("POST", "/procurement/manufacturers", throttled, nth=[2])])
    report = await runner.report()
    made = report.references_created["manufacturer.name"]
    assert report.counts.failed == 0
    assert len(made) > 2
    # The one before the pause is not sent again: each name once, and the throttled one a second time.
    assert runner.sandbox.requests()["connectwise"]["by"]["POST /procurement/manufacturers"] == len(made) + 1
    names = [each["name"].casefold() for each in runner.sandbox.state("procurement/manufacturers")]
    assert len(names) == len(set(names))
