"""The enrichment end to end: every configuration in one outcome, every text as ConnectWise has it."""

from __future__ import annotations

import re
from math import ceil
from typing import Any

import pytest

from connectors.errors import StopError
from connectors.lansweeper.block import LansweeperConnection
from connectors.ledger.models import WriteEntry
from connectors.ledger.store import Ledger
from flows.undo_run import undo_run
from tasks.shared.next_run import HELD
from tests.support.run_enrichment import FIELDS, Enricher, type_text
from tests.support.run_flow import QUICK, ended_with

pytestmark = [pytest.mark.anyio, pytest.mark.prefect]


def expected(enricher: Enricher) -> dict[str, int]:
    """The outcomes that do not depend on what the assets have."""
    truth, keys = enricher.truth(), {each["key"] for each in enricher.sandbox.state("lansweeper/assets")}
    claims = truth.claims()
    linked = sum(map(len, claims.values()))
    return {
        "read": len(truth.configurations),
        "asset_gone": sum(len(ids) for key, ids in claims.items() if key not in keys),
        "no_asset_id": len(truth.configurations) - linked,
        "contested": sum(len(ids) for key, ids in claims.items() if key in keys and len(ids) > 1),
    }


def odd_cases(enricher: Enricher) -> dict[str, int]:
    """How many of the cases that are easily counted wrongly the sandbox's data hold."""
    truth = enricher.truth()
    tickets = {each["id"]: each for held in truth.tickets.values() for each in held}.values()
    return {
        "tickets with several configurations": sum(len(held) > 1 for held in truth.ticket_links.values()),
        "project tickets": sum(kind == "project" for kind, _ in truth.ticket_links),
        "configurations with several agreements": sum(len(each) > 1 for each in truth.agreements.values()),
        "configurations with several tickets": sum(len(each) > 1 for each in truth.tickets.values()),
        "flags that disagree with the status": sum(
            each["closedFlag"] != ("closed" in each["status"]["name"].lower()) for each in tickets
        ),
        "SLA of an agreement alone": sum(
            not record.get("sla") and any(each.get("sla") for each in truth.agreements[number])
            for number, record in truth.configurations.items()
        ),
    }


async def test_a_dry_run_a_run_and_a_second_run(enricher: Enricher) -> None:
    outcomes = expected(enricher)
    assert all(outcomes.values()), "the sandbox's data have every outcome"
    assert all(odd_cases(enricher).values()), odd_cases(enricher)
    dry = await enricher.enrich(dry_run=True)
    assert enricher.sandbox.requests()["writes"] == 0
    assert len(dry.fields_created) == FIELDS
    enricher.sandbox.clear_requests()
    first = await enricher.enrich()
    counts = first.counts.as_dict()
    assert first.counts == dry.counts
    assert {name: counts[name] for name in outcomes} == outcomes
    assert counts["failed"] == counts["unchanged"] == 0
    assert enricher.mutations() == FIELDS + ceil(counts["updated"] / 25)
    assert first.lansweeper_used == first.lansweeper_predicted == dry.lansweeper_predicted
    assert first.seconds_predicted == pytest.approx(first.seconds_used, rel=0.2, abs=10)
    assert enricher.sandbox.requests()["connectwise"]["writes"] == 0
    enricher.check()
    enricher.sandbox.clear_requests()
    second = await enricher.enrich()
    assert enricher.mutations() == 0
    assert second.counts.unchanged == counts["updated"]
    assert second.connectwise_used == enricher.connectwise_requests()
    assert second.lansweeper_used == second.lansweeper_predicted
    plan = await enricher.artifact("tickets-agreements-sla-sync-plan")
    assert "Nothing to write: Lansweeper is up to date." in plan
    assert re.search(r"Time: .* predicted", plan)
    report = await enricher.artifact("tickets-agreements-sla-sync-report")
    contested = next(ids for ids in enricher.truth().claims().values() if len(ids) > 1)
    assert f"recid={contested[0]}" in report
    assert re.search(r"Time: .* used, .* predicted", report)
    assert "https://app.lansweeper.com/" in report


async def test_what_changes_in_connectwise_is_what_is_written(enricher: Enricher) -> None:
    await enricher.enrich()
    enricher.sandbox.ticket_churn(0.3)
    enricher.sandbox.clear_requests()
    report = await enricher.enrich()
    assert 0 < report.counts.updated < 60
    assert enricher.mutations() == ceil(report.counts.updated / 25)
    enricher.check()


async def test_an_undo_puts_the_earlier_texts_back_where_nobody_changed_them(enricher: Enricher) -> None:
    state = await enricher.enrich_state()
    run_id = str(state.state_details.flow_run_id)
    report = await state.aresult()
    touched = report.written[0].asset_key
    type_text(enricher.sandbox, touched, "cw_total_tickets", "99")
    enricher.sandbox.clear_requests()
    shown = await undo_run(run_id, waiting=QUICK)
    assert enricher.mutations() == 0
    lansweeper = await LansweeperConnection.aload("default")
    await LansweeperConnection(**dict(lansweeper)).save("the-same-site", overwrite=True)
    async with Ledger.open(enricher.ledger) as ledger:
        [plan] = await ledger.plans.newest(1)
    assert (plan.head.feature, plan.head.company) == ("undo-run", enricher.sandbox.company)
    counts = await undo_run(plan=plan.id, dry_run=False, waiting=QUICK, lansweeper="the-same-site")
    assert counts == shown
    assert counts["steps"] == report.counts.updated
    # The eleven fields stay, and the text that somebody changed.
    assert counts["refused"] == FIELDS + 1
    assert enricher.text(touched, "cw_total_tickets") == "99"
    assert enricher.text(touched, "cw_configuration_url") == ""
    assert enricher.text(report.written[1].asset_key, "cw_total_tickets") == ""


async def test_a_run_that_wrote_to_another_site_is_not_undone_here(enricher: Enricher) -> None:
    """The block that it wrote through leads elsewhere by now."""
    key = enricher.sandbox.state("lansweeper/assets")[0]["key"]
    entry = WriteEntry("modify", "asset", None, key, "PC", {"cw_sla": ""}, {"cw_sla": "Gold"})
    async with Ledger.open(enricher.ledger) as ledger:
        await ledger.journal.begin("elsewhere", "default", 6, [entry], tenant="lansweeper:x:site-other")
    state: Any = await undo_run("elsewhere", waiting=QUICK, return_state=True)
    assert state.is_failed()
    assert "The run wrote to another Lansweeper site" in state.message
    assert enricher.mutations() == 0


async def test_refused_edits_are_held_and_only_what_failed_is_run_again(enricher: Enricher) -> None:
    keys = [each["key"] for each in enricher.sandbox.state("lansweeper/assets")]
    claimed = [key for key, ids in enricher.truth().claims().items() if len(ids) == 1 and key in keys]
    refused = claimed[:2]
    locked = {"kind": "partial", "keys": refused, "message": "Locked by a person"}
    away = {"kind": "partial", "share": 1, "message": "You are not authorized to perform this action"}
    partial = {"system": "lansweeper", "path": "editAsset"}
    enricher.sandbox.faults([{**partial, "fault": locked}])
    first = await enricher.enrich_state()
    report = await ended_with(first)
    assert {each.asset_key for each in report.failures} == set(refused)
    # Held: nothing is sent, and the run is fine.
    enricher.sandbox.clear_requests()
    second = await enricher.enrich()
    assert (second.counts.failed, second.counts.skipped, enricher.mutations()) == (0, 2, 0)
    # A dry run about what failed in the first run alone, by its id and by what is held.
    run_id = str(first.state_details.flow_run_id)
    for typed in (run_id, f" {HELD} "):
        dry = await enricher.enrich(dry_run=True, only_failed=typed)
        assert (dry.counts.read, dry.counts.updated) == (2, 2)
        assert any("Only 2 assets were looked at" in note for note in dry.notes)
    # Still refused: tried once each, and held on; what the run did not look at stays as it is.
    enricher.sandbox.clear_requests()
    again = await enricher.enrich(only_failed=run_id)
    assert (again.counts.read, again.counts.failed) == (2, 2)
    enricher.sandbox.faults([])
    mended = await enricher.enrich(only_failed=HELD)
    assert (mended.counts.read, mended.counts.updated, mended.counts.failed) == (2, 2, 0)
    enricher.check()
    async with Ledger.open(f"sqlite+aiosqlite:///{enricher.ledger}") as ledger:
        assert await ledger.quarantine.every() == []
    # A run that was stopped by a missing right: what it never sent is run by its id as well.
    enricher.sandbox.ticket_churn(0.6)
    enricher.sandbox.faults([{**partial, "fault": {**away, "status": 403}}])
    stopped = await enricher.enrich_state(aliases=2)
    failed = {each.asset_key for each in (await ended_with(stopped)).failures}
    enricher.sandbox.faults([])
    rest = await enricher.enrich(only_failed=str(stopped.state_details.flow_run_id))
    assert len(failed) > 4
    assert {each.asset_key for each in rest.written} == failed
    enricher.check()
    with pytest.raises(StopError, match="knows no write of a run 'never-was'"):
        await enricher.enrich(only_failed="never-was")
