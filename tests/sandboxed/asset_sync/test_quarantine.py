"""A refused record is held until it changes, shown with since when and why, and tried again on demand."""

from __future__ import annotations

from typing import Any

import pytest

from connectors.errors import RejectedError
from tasks.asset_sync.quarantine import HELD_FEATURE
from tasks.shared.next_run import HELD
from tests.support.faults import BULK, LEAN, opened, rule, status
from tests.support.run_flow import FlowRunner

pytestmark = [pytest.mark.anyio, pytest.mark.prefect]


async def test_a_refused_record_is_held_and_tried_again_on_demand(runner: FlowRunner) -> None:
    sent: list[str] = []
    async with opened() as (client, ledger):
        create = client.create_configurations
        refused: set[str] = set()

        async def refusing(records: list[dict[str, Any]]) -> Any:
            names = [each["name"] for each in records]
            sent.extend(names)
            if not refused:
                refused.update(names[3:5])
            if refused & set(names):
                raise RejectedError("The name is on a list", system="ConnectWise", status=400)
            return await create(records)

        client.create_configurations = refusing  # type: ignore[method-assign]
        first = await runner.report(mappings=LEAN)
        assert {each.name for each in first.failures} == refused
        assert any("2 refused records are held" in note for note in first.notes)
        sent.clear()
        second = await runner.report(mappings=LEAN)
        assert (sent, second.failed, second.counts.skipped) == ([], False, 2)
        report = await runner.artifact("asset-synchronization-report")
        assert report.count("held since 20") == 2
        assert "refused once: The name is on a list" in report.replace("\\", "")
        # A run that does not look at them lets none of them go.
        held = await ledger.quarantine.held(runner.tenant, HELD_FEATURE, runner.sandbox.company_id)
        condition = {"path": "assetBasicInfo.type", "operator": "EQUAL", "value": "Printer"}
        await runner.report(mappings=LEAN, asset_filter=[condition])
        assert held == await ledger.quarantine.held(runner.tenant, HELD_FEATURE, runner.sandbox.company_id)
        # Another mapping makes another record, so it is tried, and held with what it was then.
        await runner.report(mappings=LEAN, prefix="other_")
        assert refused <= set(sent)
        held = await ledger.quarantine.held(runner.tenant, HELD_FEATURE, runner.sandbox.company_id)
        assert [(each.name in refused, each.attempts) for each in held.values()] == [(True, 2)] * 2
        sent.clear()
        await runner.report(mappings=LEAN, prefix="other_", retry_refused=True)
        assert set(sent) == refused
        # The vendor's list is gone.
        refused.add("nobody")
        refused.intersection_update({"nobody"})
        again = await runner.report(mappings=LEAN, prefix="other_", only_failed=HELD)
        assert (again.counts.read, again.counts.created, again.counts.failed) == (2, 2, 0)
        assert await ledger.quarantine.held(runner.tenant, HELD_FEATURE, runner.sandbox.company_id) == {}
    assert set(runner.asset_keys().values()) == {1}


async def test_only_what_failed_or_was_not_sent_in_a_run(runner: FlowRunner) -> None:
    runner.sandbox.faults([rule("POST", BULK, status(401), nth=[3])])
    first = await runner.report(mappings=LEAN, batch_size=5)
    runner.sandbox.faults([])
    async with opened() as (_, ledger):
        # A missing right says nothing of the records, so none is held.
        assert await ledger.quarantine.held(runner.tenant, HELD_FEATURE, runner.sandbox.company_id) == {}
    rest = await runner.report(mappings=LEAN, only_failed=first.run_id)
    assert rest.counts.read == first.counts.failed
    assert rest.counts.failed == 0
    assert rest.counts.created + rest.counts.modified == first.counts.failed
    assert set(runner.asset_keys().values()) == {1}
