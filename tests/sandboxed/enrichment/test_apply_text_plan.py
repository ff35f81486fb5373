"""A stored plan of texts is applied by its id: what it shows and is still decided so, and nothing else."""

from __future__ import annotations

import io
import json

import pytest

from deployments.console import plans
from flows.asset_synchronization import asset_synchronization
from tasks.rules.stored_plans.entries import entry_of
from tests.support.faults import opened
from tests.support.run_enrichment import Enricher, type_text

pytestmark = [pytest.mark.anyio, pytest.mark.prefect]


async def test_texts_that_changed_are_named_and_all_others_are_written(enricher: Enricher) -> None:
    await enricher.enrich()
    enricher.sandbox.ticket_churn(0.4)
    planned = await enricher.enrich(dry_run=True)
    async with opened() as (_, ledger):
        [plan] = await ledger.plans.find(planned.plan_id)
        entries = [entry_of(each) async for each in ledger.plans.entries(plan)]
    written = [each for each in entries if each.kind.writes]
    assert len(written) == planned.counts.updated > 2
    page = await enricher.artifact("tickets-agreements-sla-sync-plan")
    assert page.index("## Kinds of change") < page.index("## Changes")
    assert f"`{plan.id}`" in page
    first = io.StringIO()
    await plans._write("default", plan.id, plans.PlanForm.JSON, 1, first)
    shown = json.loads(first.getvalue())["entries"]
    assert page[page.index("\n1. ") :].splitlines()[1].endswith(f", {len(shown)}")
    assert 0 < len(shown) < len(entries)
    typed = written[0]
    [field, *_] = typed.changes
    type_text(enricher.sandbox, typed.asset_key, field.field, "99")
    before = {each.asset_key: enricher.text(each.asset_key, field.field) for each in written}
    enricher.sandbox.clear_requests()

    preview = await enricher.enrich(dry_run=True, plan=plan.id)
    page = await enricher.artifact("tickets-agreements-sla-sync-plan")
    assert "a real run is refused" in page
    assert preview.plan_id == plan.id
    refused = await enricher.enrich_state(plan=plan.id.removeprefix("plan-")[:6])
    assert refused.is_failed()
    told = f"1 of the {len(written)} records of {plan.id} changed since it was made"
    assert told in str(refused.message)
    assert f"{field.field} was " in str(refused.message)
    assert enricher.mutations() == 0
    assert before == {key: enricher.text(key, field.field) for key in before}

    # What shapes the plan is the plan's, whatever the form says.
    report = await enricher.enrich(plan=plan.id, drift="rest", text={"agreements": 1})
    assert (report.counts.updated, report.counts.skipped) == (len(written) - 1, 1)
    assert {each.asset_key for each in report.written} == {each.asset_key for each in written[1:]}
    assert enricher.text(typed.asset_key, field.field) == "99"
    for each in written[1:]:
        for change in each.changes:
            assert enricher.text(each.asset_key, change.field) == (change.wanted or "")
    assert any("99" in note and typed.name in note for note in report.notes)
    again = await enricher.enrich_state(plan=plan.id, drift="rest")
    assert "was applied already, by run" in str(again.message)
    other = await asset_synchronization(enricher.settings(plan=plan.id), return_state=True)  # type: ignore[call-overload]
    assert "is a plan of tickets-agreements-sla-sync, not of asset-synchronization" in str(other.message)


async def test_a_text_that_a_person_changed_is_kept_until_connectwise_changes_too(enricher: Enricher) -> None:
    first = await enricher.enrich()
    key = first.written[0].asset_key
    type_text(enricher.sandbox, key, "cw_sla", "Ask Mrs. Doe first")
    enricher.sandbox.clear_requests()
    report = await enricher.enrich()
    assert (report.counts.updated, report.edits_kept, enricher.mutations()) == (0, 1, 0)
    assert enricher.text(key, "cw_sla") == "Ask Mrs. Doe first"
    page = (await enricher.artifact("tickets-agreements-sla-sync-report")).replace("\\", "")
    assert "Lansweeper has Ask Mrs. Doe first" in page
    records = {each["id"]: each for each in enricher.configurations()}
    edited = first.written[0].configuration_id
    sla = next(
        each["sla"] for each in records.values() if each.get("sla") not in (None, records[edited].get("sla"))
    )
    enricher.sandbox.edit("company/configurations", edited, {"sla": sla})
    report = await enricher.enrich(on_conflict="report")
    assert (report.counts.updated, enricher.text(key, "cw_sla")) == (0, "Ask Mrs. Doe first")
    report = await enricher.enrich()
    assert (report.counts.updated, report.edits_kept) == (1, 0)
    assert enricher.text(key, "cw_sla") == sla["name"]
    page = (await enricher.artifact("tickets-agreements-sla-sync-report")).replace("\\", "")
    assert f"Ask Mrs. Doe first, ConnectWise {sla['name']}: ConnectWise's value is written" in page
