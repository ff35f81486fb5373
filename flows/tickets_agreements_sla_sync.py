"""ConnectWise tickets, agreements and SLA become custom fields of Lansweeper assets."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from prefect import flow

from flows.lansweeper_custom_fields import lansweeper_custom_fields
from tasks.enrichment.edits import keep_edited_texts
from tasks.enrichment.forecast import forecast_edits
from tasks.enrichment.plan import (
    edit_texts,
    find_links,
    make_enrichment_plan,
    make_report,
    publish_plan,
    publish_report,
)
from tasks.enrichment.quarantine import (
    held_edits,
    hold_back_edits,
    keep_refused_edits,
    select_assets,
)
from tasks.enrichment.read import read_claims, read_contested, read_states
from tasks.enrichment.run import EnrichmentRun, prepare_enrichment, take_fields, take_made_fields
from tasks.enrichment.safety import (
    check_plan,
    keep_reading,
    reading_of,
    refuse_plan,
)
from tasks.enrichment.settings import EnrichmentSettings
from tasks.enrichment.stored_plan import (
    TEXTS_FEATURE,
    check_text_plan,
    keep_text_plan,
    only_stored_texts,
)
from tasks.rules.enrichment.plan import EnrichmentPlan, EnrichmentReport
from tasks.rules.guards import GuardFinding
from tasks.shared.connections import (
    DEFAULT,
    connectwise_client,
    lansweeper_client,
    open_ledger,
    shared_connections,
)
from tasks.shared.lease import LANSWEEPER, LeaseHeldError, writing_lease
from tasks.shared.request_times import keep_seconds
from tasks.shared.results import cancelled_state, finished_state
from tasks.shared.run_forms import ConnectWiseName, LansweeperName, LedgerName, chosen_company, titled
from tasks.shared.run_names import flow_run_name
from tasks.shared.stored_plans import note_applied, note_begun, settings_of_plan


@flow(name="tickets-agreements-sla-sync", flow_run_name=flow_run_name, persist_result=False)
async def tickets_agreements_sla_sync(
    settings: Annotated[
        EnrichmentSettings,
        titled("Settings", "Company, edits in one request, full readings, and whether it is a dry run."),
    ],
    connectwise: ConnectWiseName = DEFAULT,
    lansweeper: LansweeperName = DEFAULT,
    ledger: LedgerName = DEFAULT,
) -> Any:
    """Show in Lansweeper which agreements, tickets and SLA ConnectWise has for each asset's configuration.

    A dry run, the default, shows the plan and writes nothing; the plan's id is what to type under Plan to
    apply to write exactly that. A real run makes missing custom fields, edits the assets whose texts differ,
    several in one request, and reports. ConnectWise is only read.
    """
    async with (
        shared_connections(read_only=settings.dry_run, ledger=ledger),
        connectwise_client(connectwise) as client,
        lansweeper_client(lansweeper) as assets,
        open_ledger() as database,
    ):
        settings, stored = await settings_of_plan(settings, database, TEXTS_FEATURE)
        settings = settings.for_company(await chosen_company(settings.company, connectwise))
        run = await prepare_enrichment(
            settings, connectwise, lansweeper, client=client, assets=assets, ledger=database
        )
        run.stored = stored
        if settings.dry_run:
            return await enrich(run)
        wait = settings.waiting.lease_seconds
        try:
            async with writing_lease(
                run.site_tenant, run.company.id, wait, system=LANSWEEPER, connection=lansweeper
            ):
                return await enrich(run)
        except LeaseHeldError as error:
            return cancelled_state(error)


async def enrich(run: EnrichmentRun) -> Any:
    """The steps of one run, dry or real.

    Missing custom fields are made after the plan was checked: a wrong list of fields is a wrong reading too.
    """
    dry_run = run.settings.dry_run
    await check_text_plan(run)
    take_fields(run, await lansweeper_custom_fields(run.lansweeper, dry_run=True))
    configurations = await read_claims(run)
    assets = await read_states(run)
    links = await find_links(run, configurations)
    rivals = await read_contested(run, configurations, assets)
    held = await held_edits(run)
    await select_assets(run, held)
    plan = make_enrichment_plan(run, configurations, assets, links, rivals)
    plan = await keep_edited_texts(run, plan)
    hold_back_edits(run, plan, held)
    plan, drifted = await only_stored_texts(run, plan, configurations, assets)
    reading = reading_of(configurations, assets, links)
    findings = await check_plan(run, reading, plan, links.whole)
    run.forecast = await forecast_edits(run, plan.updates)
    await keep_text_plan(run, plan)
    await publish_plan(run, plan, links.searches, findings, drifted)
    if dry_run:
        return await finish(run, plan, make_report(run, plan, links.searches), findings)
    refuse_plan(run, findings, drifted)
    await note_begun(run)
    if run.fields_missing and (plan.updates or run.stored is None):
        take_made_fields(run, await lansweeper_custom_fields(run.lansweeper, dry_run=False))
    edited = await edit_texts(run, plan.updates)
    await keep_refused_edits(run, plan, edited, held)
    await keep_reading(run, reading, plan, edited)
    await keep_seconds(run.ledger, run.site_tenant, run.assets.session, run.notes)
    report = make_report(run, plan, links.searches, edited)
    await note_applied(run, failed=report.failed)
    return await finish(run, plan, report, findings)


async def finish(
    run: EnrichmentRun, plan: EnrichmentPlan, report: EnrichmentReport, findings: Sequence[GuardFinding]
) -> Any:
    """Publish the report; edits that failed end the run as failed, with everything else written."""
    await publish_report(run, plan, report, findings)
    failures = [f"{report.state_name}; see the report."] if report.failed else []
    return finished_state(report.state_name, failures, report, report.counts.outcomes())
