"""Killed, throttled, or with tickets whose changes ConnectWise hides: the texts are right in the end."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from typing import Any

import anyio
import pytest
from prefect import get_client

from connectors.lansweeper.client import LansweeperClient
from connectors.lansweeper.settings import LansweeperSettings
from tasks.enrichment.settings import EnrichmentWaiting
from tasks.shared.lease import LANSWEEPER, fields_lease_name, lease_name, writing_lease
from tests.sandboxed.asset_sync.test_killed_runs import ROOT
from tests.support.run_enrichment import QUICK, Enricher
from tests.support.run_flow import ended_with

pytestmark = [pytest.mark.anyio, pytest.mark.prefect, pytest.mark.slow]

ALL_WAYS: dict[str, Any] = {"bundle_limit": 20, "configuration_condition": "in"}
NO_WAYS: dict[str, Any] = {
    "agreement_report": False,
    "bundle_limit": 0,
    "configuration_condition": "off",
    "configuration_condition_on_project": False,
    "ticket_search": False,
}


@pytest.mark.parametrize(
    "switches",
    [
        ALL_WAYS,
        NO_WAYS,
        NO_WAYS | {"configuration_condition": "in"},
        NO_WAYS | {"configuration_condition": "single", "configuration_condition_on_project": True},
        NO_WAYS | {"bundle_limit": 7},
        NO_WAYS | {"bundle_limit": 7, "bundle_resource_types": []},
        {"unset_custom_field": "null", "alias_limit": 7, "alias_counting": "each"},
    ],
)
async def test_every_set_of_ways_gives_the_same_texts(enricher: Enricher, switches: dict[str, Any]) -> None:
    enricher.sandbox.switch(**switches)
    report = await enricher.enrich()
    assert report.counts.failed == 0
    enricher.check()
    enricher.sandbox.ticket_churn(0.2)
    await enricher.enrich()
    enricher.check()


def start(enricher: Enricher, settings: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "tests.support.run_process", "tickets-agreements-sla-sync", settings],
        cwd=ROOT,
        env={**enricher.server.environment, "PREFECT_LOGGING_LEVEL": "ERROR"},
    )


async def kill_at(process: subprocess.Popen[bytes], enricher: Enricher, mutations: int) -> None:
    """Kill the process as soon as the sandbox has begun on that many mutations."""
    deadline = time.monotonic() + 180
    while enricher.mutations() < mutations:
        assert process.poll() is None, "the run ended before it could be killed"
        assert time.monotonic() < deadline
        await anyio.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    # What Prefect does by itself about a minute after the holder was killed.
    writes = lease_name(enricher.site_tenant, enricher.sandbox.company_id, LANSWEEPER)
    names = (writes, fields_lease_name(enricher.site_tenant))
    async with get_client() as client:
        for name in names:
            await client.delete_global_concurrency_limit_by_name(name)


@pytest.mark.parametrize("mutations", [3, 14])
async def test_killed_while_it_makes_fields_or_edits_the_next_run_finishes(
    enricher: Enricher, mutations: int
) -> None:
    slow = {"kind": "delay", "seconds": 0.5}
    enricher.sandbox.faults(
        [{"system": "lansweeper", "method": None, "path": "*", "every": 1, "fault": slow}]
    )
    settings = enricher.enrichment(aliases=5).model_dump_json()
    process = start(enricher, settings)
    await kill_at(process, enricher, mutations)
    enricher.sandbox.faults([])
    report = await enricher.enrich()
    assert report.counts.failed == 0
    assert report.counts.updated > 0
    enricher.check()
    names = [each["name"] for each in enricher.sandbox.state("lansweeper/customFields")]
    assert len([each for each in names if each.startswith("cw_")]) == 11


async def test_detached_without_a_trace_is_found_by_the_reconcile(enricher: Enricher) -> None:
    enricher.sandbox.switch(detach_moves_last_updated=False)
    await enricher.enrich(reconcile_every=3)
    truth = enricher.truth()
    kind, ticket = next(key for key, held in truth.ticket_links.items() if len(held) > 1)
    enricher.sandbox.edit(f"{kind}/tickets/configurations", ticket, {"configurationIds": []})
    quiet = await enricher.enrich(reconcile_every=3)
    assert quiet.counts.updated == 0
    with pytest.raises(AssertionError):
        enricher.check()
    late = await enricher.enrich(reconcile_every=3)
    late = late if late.counts.updated else await enricher.enrich(reconcile_every=3)
    assert late.counts.updated > 0
    enricher.check()


async def test_a_full_reconcile_can_be_asked_for(enricher: Enricher) -> None:
    enricher.sandbox.switch(detach_moves_last_updated=False)
    await enricher.enrich()
    kind, ticket = next(key for key, held in enricher.truth().ticket_links.items() if held)
    enricher.sandbox.edit(f"{kind}/tickets/configurations", ticket, {"configurationIds": []})
    report = await enricher.enrich(full_reconcile=True)
    assert report.counts.updated > 0
    assert any(each.last_reconcile for each in report.searches)
    enricher.check()


async def test_a_lost_ledger_is_a_first_run(enricher: Enricher) -> None:
    await enricher.enrich()
    enricher.ledger.unlink()
    enricher.sandbox.ticket_churn(0.1)
    enricher.sandbox.clear_requests()
    report = await enricher.enrich()
    assert report.counts.failed == 0
    enricher.check()


PATIENT = EnrichmentWaiting(pause_seconds=0.3, lease_seconds=25, patience_seconds=400)


async def test_storms_on_both_sides_cost_time_and_no_data(enricher: Enricher) -> None:
    """ConnectWise answers 429 to every fourth request, and Lansweeper to three of the run's."""
    enricher.sandbox.switch(**NO_WAYS)
    storm = {"kind": "status", "status": 429, "headers": {"Retry-After": "1"}}
    enricher.sandbox.faults(
        [
            {"system": "connectwise", "method": "GET", "path": "*", "every": 4, "limit": 20, "fault": storm},
            {"system": "lansweeper", "method": None, "path": "*", "nth": [5, 16, 18], "fault": storm},
        ]
    )
    report = await enricher.enrich(waiting=PATIENT)
    connectwise, lansweeper = enricher.sandbox.faults_fired()
    assert connectwise > 10
    assert lansweeper == 3
    assert report.counts.failed == 0
    enricher.check()


async def test_a_minute_of_lansweeper_used_up_by_others_is_waited_out_once(enricher: Enricher) -> None:
    """One refused call starts the cool-down; nobody calls while it lasts, so there is no second refusal."""
    account = enricher.sandbox.info["lansweeper"]
    async with LansweeperClient(
        LansweeperSettings(account["access_token"], endpoint=account["endpoint"])
    ) as somebody:
        for _ in range(145):
            await somebody.authorized_sites()
    enricher.sandbox.clear_requests()
    began = time.monotonic()
    report = await enricher.enrich(waiting=PATIENT)
    assert time.monotonic() - began > 60
    assert report.counts.failed == 0
    enricher.check()
    enricher.sandbox.reset(assets=90, scenario="enrichment")
    # To the ledger the site that is as at first has lost every text.
    calm = await enricher.enrich(accept_once={"with_text": 0})
    assert report.lansweeper_used == calm.lansweeper_used + 1


async def test_a_refused_asset_fails_alone_and_is_written_when_it_is_tried_again(enricher: Enricher) -> None:
    key = next(key for key, ids in enricher.truth().claims().items() if len(ids) == 1)
    fault = {"kind": "partial", "keys": [key], "message": "Locked by a person"}
    enricher.sandbox.faults([{"system": "lansweeper", "method": None, "path": "editAsset", "fault": fault}])
    state = await enricher.enrich_state()
    report = await ended_with(state)
    assert state.is_failed()
    assert state.name == "Finished with 1 failure"
    assert [(each.asset_key, "Locked by a person" in each.message) for each in report.failures] == [
        (key, True)
    ]
    enricher.sandbox.faults([])
    held = await enricher.enrich()
    assert (held.counts.updated, held.counts.failed) == (0, 0)
    assert (await enricher.enrich(retry_refused=True)).counts.updated == 1
    enricher.check()


async def test_a_conflict_may_pass_later_and_is_not_held(enricher: Enricher) -> None:
    key = next(key for key, ids in enricher.truth().claims().items() if len(ids) == 1)
    fault = {"kind": "partial", "keys": [key], "message": "Changed by another session", "status": 409}
    enricher.sandbox.faults([{"system": "lansweeper", "method": None, "path": "editAsset", "fault": fault}])
    assert (await enricher.enrich_state()).name == "Finished with 1 failure"
    enricher.sandbox.faults([])
    assert (await enricher.enrich()).counts.updated == 1
    enricher.check()


async def test_a_second_writing_run_is_cancelled(enricher: Enricher) -> None:
    impatient = QUICK.model_copy(update={"lease_seconds": 1})
    async with writing_lease(enricher.site_tenant, enricher.sandbox.company_id, system=LANSWEEPER):
        state = await enricher.enrich_state(waiting=impatient)
    assert state.is_cancelled()
    assert "Another run writes to company" in str(state.message)
    assert enricher.mutations() == 0


async def test_agreements_that_may_not_be_read_clear_nothing(enricher: Enricher) -> None:
    await enricher.enrich()
    enricher.sandbox.switch(denied=["finance/agreements"])
    enricher.sandbox.clear_requests()
    state = await enricher.enrich_state()
    assert state.is_failed()
    assert "You do not have security permission" in str(state.message)
    assert enricher.mutations() == 0


async def test_without_the_link_field_the_run_says_so_before_it_writes(enricher: Enricher) -> None:
    state = await enricher.enrich_state(asset_id_field=9999, dry_run=True)
    assert state.is_failed()
    assert "has a custom field with the id 9999" in str(state.message)
    assert "Id of the ConnectWise custom field ls_asset_id" in str(state.message)


@pytest.mark.parametrize("dry_run", [True, False])
async def test_a_typed_link_field_of_another_caption_is_refused_unless_it_is_meant(
    enricher: Enricher, dry_run: bool
) -> None:
    state = await enricher.enrich_state(asset_id_field=4, dry_run=dry_run)
    assert state.is_failed()
    assert "Id of the ConnectWise custom field ls_asset_id gives 'ls_asset_id' the id 4" in str(state.message)
    assert "'Rack position'" in str(state.message)
    assert "Other caption of that field" in str(state.message)
    assert enricher.mutations() == 0
    report = await enricher.enrich(asset_id_field=4, asset_id_caption="rack position", dry_run=True)
    assert report.counts.updated == 0
    assert (await enricher.enrich(asset_id_field=5, dry_run=True)).counts.updated > 0


async def test_companies_that_claim_one_asset_do_not_overwrite_each_other(enricher: Enricher) -> None:
    """The second company's run reports it and leaves the asset alone, and so do all later ones."""
    sandbox = enricher.sandbox
    await enricher.enrich()
    truth = enricher.truth()
    written = {key: ids for key, ids in truth.claims().items() if key in truth.texts()}
    key, (own,) = next(iter(written.items()))
    link = next(
        each for each in truth.configurations[own]["customFields"] if each["caption"] == "ls_asset_id"
    )
    others = sandbox.state("company/configurations")
    rival = next(each for each in others if each["company"]["id"] != sandbox.company_id)
    sandbox.edit("company/configurations", rival["id"], {"customFields": [link]})
    sandbox.clear_requests()
    for _ in range(2):
        report = await enricher.enrich(company=rival["company"]["identifier"])
        assert report.counts.contested == 1
        assert (await enricher.enrich()).counts.updated == 0
    assert enricher.mutations() == 0
    assert f"recid={own}" in enricher.text(key, "cw_configuration_url")
    # The first company's configuration gives the asset up: the next run of the second writes it.
    sandbox.edit("company/configurations", own, {"customFields": [{**link, "value": None}]})
    assert (await enricher.enrich(company=rival["company"]["identifier"])).counts.updated == 1
    assert f"recid={rival['id']}" in enricher.text(key, "cw_configuration_url")
