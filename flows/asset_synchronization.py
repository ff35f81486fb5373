"""Lansweeper assets become ConnectWise configurations: read both, match, plan, write, report."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any

from prefect import flow

from tasks.asset_sync.apply import apply_plan
from tasks.asset_sync.create import recover_open_batches
from tasks.asset_sync.decisions import publish_queue, read_decisions
from tasks.asset_sync.forecast import forecast_writes
from tasks.asset_sync.known import check_reading, keep_known, keep_planned, read_known, refusing
from tasks.asset_sync.merge import keep_bases, read_bases
from tasks.asset_sync.missing import note_missing
from tasks.asset_sync.quarantine import held_back, held_records, keep_refused, selected
from tasks.asset_sync.read import make_plan, match_inventories, read_all
from tasks.asset_sync.references import create_references, find_references
from tasks.asset_sync.report import final_report, plan_report, publish_plan, publish_report
from tasks.asset_sync.run import SyncRun, prepare_run
from tasks.asset_sync.settings import AssetSynchronizationSettings
from tasks.asset_sync.stored_plan import STORED_FEATURE, check_stored, keep_plan, only_stored
from tasks.rules.asset_sync.plan import Plan
from tasks.rules.asset_sync.report import SyncReport
from tasks.rules.modes import RunMode
from tasks.rules.stored_plans.approval import Approval
from tasks.shared.connections import (
    DEFAULT,
    connectwise_client,
    lansweeper_client,
    open_ledger,
    shared_connections,
)
from tasks.shared.events import announce_refusal
from tasks.shared.lease import LeaseHeldError, writing_lease
from tasks.shared.request_times import keep_seconds
from tasks.shared.results import cancelled_state, finished_state
from tasks.shared.review import run_with_review
from tasks.shared.run_forms import ConnectWiseName, LansweeperName, LedgerName, chosen_company, titled
from tasks.shared.run_names import flow_run_name
from tasks.shared.stored_plans import note_applied, note_begun, refuse_drifted, settings_of_plan


class ReadingRefusedError(RuntimeError):
    """What was read does not fit to what is known from before; nothing was written."""


class ThresholdExceededError(RuntimeError):
    """The plan changes an implausible share of the company's configurations; nothing was written."""


@flow(name="asset-synchronization", flow_run_name=flow_run_name, persist_result=False)
async def asset_synchronization(
    settings: Annotated[
        AssetSynchronizationSettings,
        titled("Settings", "Company, mappings, filters, ceilings, and the mode: plan, review or apply."),
    ],
    connectwise: ConnectWiseName = DEFAULT,
    lansweeper: LansweeperName = DEFAULT,
    ledger: LedgerName = DEFAULT,
) -> Any:
    """Make and update ConnectWise configurations from Lansweeper assets.

    In the mode plan, the default, it shows the plan and writes nothing; the plan's id is what to type under
    Plan to apply to write exactly that. In the mode review it waits for a person who resumes the run, and
    writes what that person approves. In the mode apply it writes at once: it prepares missing locations,
    manufacturers, statuses and types, creates and modifies configurations in batches, and reports.
    """
    open_with = partial(run_once, connectwise=connectwise, lansweeper=lansweeper, ledger=ledger)
    if settings.mode is RunMode.REVIEW:
        return await run_with_review(settings, open_with, ledger=ledger)
    return await open_with(settings, False, None)


async def run_once(
    settings: AssetSynchronizationSettings,
    for_review: bool,
    approval: Approval | None,
    *,
    connectwise: str,
    lansweeper: str,
    ledger: str,
) -> Any:
    """Plan or apply, with connections of its own: a run that waits for a person holds none."""
    async with (
        shared_connections(read_only=settings.dry_run, ledger=ledger),
        connectwise_client(connectwise) as client,
        lansweeper_client(lansweeper),
        open_ledger() as database,
    ):
        settings, stored = await settings_of_plan(settings, database, STORED_FEATURE)
        settings = settings.for_company(await chosen_company(settings.company, connectwise))
        run = await prepare_run(settings, connectwise, lansweeper, client, database)
        run.stored, run.for_review, run.approval = stored, for_review, approval
        if settings.dry_run:
            return await synchronize(run)
        try:
            wait = settings.waiting.lease_seconds
            async with writing_lease(run.tenant, run.company.id, wait, connection=connectwise):
                await recover_open_batches(run)
                return await synchronize(run)
        except LeaseHeldError as error:
            return cancelled_state(error)


async def synchronize(run: SyncRun) -> Any:
    """The steps of one run, dry or real."""
    await check_stored(run)
    known = await read_known(run)
    read = await read_all(run)
    references = await find_references(run, read, known.lists)
    await read_bases(run, references)
    decided = await read_decisions(run)
    matched = await match_inventories(run, read, decided)
    held = await check_reading(run, known, read, matched)
    run.missing_assets = await note_missing(run, matched)
    refusals = await held_records(run)
    matched = await selected(run, matched, refusals)
    held = {**await held_back(run, matched, refusals), **held, **decided.held()}
    plan = make_plan(run, matched, references, held, run.unread.held(matched, known.links))
    plan, drifted = await only_stored(run, plan, matched)
    run.notes += run.unread.notes()
    run.forecast = await forecast_writes(run, plan)
    existing = len(read.configurations)
    doubted = refusing(run.findings)
    any_linked = read.any_linked or bool(known.links or known.elsewhere)
    exceeded = plan.over_thresholds(existing, any_linked, run.settings.ceilings)
    refused = doubted + drifted + ([] if run.settings.ceilings.go_on else exceeded)
    await keep_plan(run, plan)
    await publish_plan(run, plan, refused)
    await publish_queue(run, plan)
    if run.settings.dry_run and not (run.for_review and refused):
        await keep_planned(run, known, read)
        return await finish(run, plan, plan_report(run, plan))
    if refused:
        announce_refusal(run.subject, refused)
    if doubted:
        raise ReadingRefusedError(" ".join(refused) + " Nothing was written.")
    refuse_drifted(drifted)
    if refused:
        raise ThresholdExceededError(
            " ".join(refused)
            + " Nothing was written. Read the plan, then set Go on over a ceiling for one run."
        )
    await note_begun(run)
    created = await create_references(run, plan, references)
    applied = await apply_plan(run, plan, references, existing)
    await keep_refused(run, matched, plan, applied, refusals)
    await keep_known(run, known, read, plan, applied, created)
    await keep_bases(run, applied)
    await keep_seconds(run.ledger, run.tenant, run.client.session, run.notes)
    report = final_report(run, plan, applied, created)
    await note_applied(run, failed=report.failed or not run.approves_all)
    return await finish(run, plan, report)


async def finish(run: SyncRun, plan: Plan, report: SyncReport) -> Any:
    """Publish the report; failures of single records end the run as failed, with everything else written."""
    await publish_report(run, plan, report)
    failures = [f"{report.state_name}; see the report."] if report.failed else []
    return finished_state(report.state_name, failures, report, report.counts.outcomes())
