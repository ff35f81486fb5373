"""Find agreements and tickets of the configurations that claim an asset, plan, edit, and report.

The decisions are in ``tasks.rules.enrichment``. Plan and report are published as artifacts with links to the
records.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC
from typing import Any

from prefect.artifacts import acreate_markdown_artifact

from connectors.lansweeper.models import AssetEdit
from connectors.ledger.models import WriteEntry
from tasks.connectwise.link_search.tickets import TicketLinks
from tasks.connectwise.list_agreements_for_configurations import list_agreements
from tasks.connectwise.list_tickets_for_configurations import list_tickets
from tasks.enrichment.read import asset_key_of
from tasks.enrichment.run import EnrichmentRun, Record
from tasks.lansweeper.edit_asset import JournalledEdit, edit_assets
from tasks.rules.edits import kept_of
from tasks.rules.enrichment.answers import sla_of
from tasks.rules.enrichment.plan import (
    AssetUpdate,
    ConfigurationName,
    EnrichmentPlan,
    EnrichmentReport,
    SearchCost,
    SkippedConfiguration,
    build_enrichment_plan,
    edit_requests,
)
from tasks.rules.enrichment.render import enrichment_plan_markdown, enrichment_report_markdown, search_words
from tasks.rules.enrichment.safety import refusals
from tasks.rules.enrichment.texts import AssetState, ConfigurationFacts
from tasks.rules.forecast import forecast_lines
from tasks.rules.guards import GuardFinding
from tasks.rules.isolation import convert_all, problem_words
from tasks.rules.report import WriteFailure, WrittenRecord, shown_or_counts
from tasks.rules.values import Rows, written_text
from tasks.shared.action import Inventory
from tasks.shared.connections import run_seconds
from tasks.shared.events import announce_plan
from tasks.shared.journalled import WriteResult
from tasks.shared.progress import run_logger


@dataclass(frozen=True, slots=True)
class ConfigurationLinks:
    """What belongs to the configurations, by their ids, and what it took to find it.

    ``agreements_read`` and ``tickets_read``: all of the company, whether a configuration has them or not.
    ``unread``: why what belongs to a configuration is not known whole. ``whole``: names of the ``Reading`` of
    which something else than ConnectWise's count tells that nothing is missing.
    """

    agreements: Mapping[int, Sequence[dict[str, Any]]]
    tickets: Mapping[int, Sequence[dict[str, Any]]]
    searches: list[SearchCost]
    agreements_read: int = 0
    tickets_read: int = 0
    unread: Mapping[int, str] = field(default_factory=dict)
    whole: frozenset[str] = frozenset()


async def find_links(run: EnrichmentRun, configurations: Inventory[Record]) -> ConfigurationLinks:
    """Ask ConnectWise from the other side: which configurations do its agreements and its tickets name?"""
    settings = run.settings
    claiming = Inventory([each for each in configurations if asset_key_of(each)])
    agreements = (await list_agreements(run.client, run.ledger, claiming, settings.waiting)).value
    run.notes += agreements.notes
    tickets = (
        await list_tickets(
            run.client,
            run.ledger,
            claiming,
            settings.waiting,
            reconcile_every=settings.reconcile_every,
            force_reconcile=settings.full_reconcile,
        )
    ).value
    run.notes += [note for note in tickets.notes if note not in run.notes]
    searches = [
        SearchCost(
            "Agreements", agreements.strategy, agreements.requests_predicted, agreements.requests_used
        ),
        _tickets_cost(tickets),
    ]
    return ConfigurationLinks(
        agreements.by_configuration,
        tickets.by_configuration,
        searches,
        agreements_read=agreements.read,
        tickets_read=tickets.asked + tickets.remembered,
        unread={**tickets.unread, **agreements.unread},
        whole=frozenset(["agreements_read"] if agreements.all_named else []),
    )


def _tickets_cost(links: TicketLinks) -> SearchCost:
    moment = links.last_reconcile
    return SearchCost(
        "Tickets",
        links.strategy or "nothing to ask",
        links.requests_predicted,
        links.requests_used,
        asked=links.asked,
        remembered=links.remembered,
        last_reconcile=f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC" if moment else "",
    )


def make_enrichment_plan(
    run: EnrichmentRun,
    configurations: Inventory[Record],
    assets: Inventory[AssetState],
    links: ConfigurationLinks,
    rivals: Mapping[str, ConfigurationName],
) -> EnrichmentPlan:
    """The plan of the run; from here on Lansweeper is only asked to write."""
    unread = run.unread_configurations

    def failed(record: Record, error: Exception) -> None:
        shown = written_text(record.get("name")) or ""
        name = ConfigurationName(int(record["id"]), shown, asset_key_of(record))
        unread[name.id] = SkippedConfiguration(name, problem_words(error))

    chosen = [each for each in configurations if run.is_about(asset_key_of(each))]
    facts = convert_all(chosen, lambda record: _facts(run, record, links), failed)
    run.reads = run.assets.session.requests
    skipped = [each for each in unread.values() if run.is_about(each.configuration.asset_key)]
    return build_enrichment_plan(
        facts,
        [each for each in assets if run.is_about(each.key)],
        run.settings.text,
        rivals,
        run.unread_assets,
        skipped,
    )


def _facts(run: EnrichmentRun, record: Record, links: ConfigurationLinks) -> ConfigurationFacts:
    """ValueError: something that belongs to it can't be read, and its texts would leave that out."""
    record_id = int(record["id"])
    if (why := links.unread.get(record_id)) is not None:
        raise ValueError(why)
    agreements = links.agreements.get(record_id, ())
    return ConfigurationFacts(
        record_id,
        str(record.get("name") or ""),
        asset_key_of(record),
        run.client.settings.configuration_url(record_id),
        sla_of(record, agreements),
        agreements,
        links.tickets.get(record_id, ()),
    )


PLAN_KEY = "tickets-agreements-sla-sync-plan"
REPORT_KEY = "tickets-agreements-sla-sync-report"


def predicted_edits(run: EnrichmentRun, plan: EnrichmentPlan) -> int:
    """Mutations that the plan will cost."""
    return edit_requests(len(plan.updates), run.settings.aliases)


async def publish_plan(
    run: EnrichmentRun,
    plan: EnrichmentPlan,
    searches: Sequence[SearchCost],
    findings: Sequence[GuardFinding] = (),
    drifted: Sequence[str] = (),
) -> None:
    """Show the plan as an artifact, what is not plausible on top; log its numbers and emit an event.

    ``drifted``: why the stored plan is not applied, if it is not.
    """
    edits = predicted_edits(run, plan)
    counts = ", ".join(f"{name} {count}" for name, count in plan.counts.as_dict().items())
    run_logger().info("Plan: %s; %d mutations predicted", counts, edits)
    title = f"Plan for {_company(run)}"
    text = shown_or_counts(
        lambda: enrichment_plan_markdown(
            plan,
            title=title,
            dry_run=run.settings.dry_run,
            plan_id=run.plan_id,
            refused=drifted,
            findings=findings,
            figures=[
                f"Requests to ConnectWise so far: {run.client.session.requests:,}",
                f"Requests to Lansweeper: {run.reads:,} so far, {edits:,} more to edit the assets",
                *forecast_lines(run.forecast, []),
                *(search_words(each) for each in searches),
            ],
            fields_to_create=run.fields_missing,
            notes=run.notes,
            link=run.client.settings.configuration_url,
        ),
        title,
        plan.counts,
    )
    description = f"What the run does for {run.company.identifier}"
    await acreate_markdown_artifact(text, key=PLAN_KEY, description=description)
    announce_plan(
        run.subject,
        dry_run=run.settings.dry_run,
        counts=plan.counts.as_dict(),
        refused=[*refusals(findings), *drifted],
    )


async def publish_report(
    run: EnrichmentRun, plan: EnrichmentPlan, report: EnrichmentReport, findings: Sequence[GuardFinding] = ()
) -> None:
    """Show the report as an artifact of the run, what is not plausible on top."""
    title = f"Tickets, agreements and SLA of {_company(run)}"
    link = run.client.settings.configuration_url
    text = shown_or_counts(
        lambda: enrichment_report_markdown(report, plan, title=title, findings=findings, link=link),
        title,
        report.counts,
    )
    description = f"What the run did for {run.company.identifier}"
    await acreate_markdown_artifact(text, key=REPORT_KEY, description=description)


def make_report(
    run: EnrichmentRun,
    plan: EnrichmentPlan,
    searches: Sequence[SearchCost],
    edited: Mapping[str, WriteResult] | None = None,
) -> EnrichmentReport:
    """The report; ``edited`` None: it stopped at its plan. CountsError: a configuration was lost."""
    results = edited or {}
    failures = [] if edited is None else _failures(plan, results)
    lansweeper, connectwise = run.assets.session, run.client.session
    return EnrichmentReport(
        plan.final_counts(len(failures)),
        dry_run=edited is None,
        failures=failures,
        written=Rows(_written(plan, results)),
        fields_created=run.fields_created,
        searches=list(searches),
        notes=run.notes,
        connectwise_predicted=connectwise.requests + sum(each.predicted - each.used for each in searches),
        connectwise_used=connectwise.requests,
        lansweeper_predicted=run.forecast.of(lansweeper.system),
        lansweeper_used=lansweeper.requests,
        mutations=lansweeper.writes,
        seconds_predicted=run.forecast.seconds,
        seconds_used=run_seconds(),
        plan_id=run.plan_id,
        edits_kept=len(kept_of(plan.edits)),
        run_id="" if edited is None else run.run_id,
    )


def _failures(plan: EnrichmentPlan, results: Mapping[str, WriteResult]) -> list[WriteFailure]:
    """What was not written; an update without a result counts as failed too."""
    missing = WriteResult("", False, message="Nothing is known of this edit.", written=False)
    return [
        WriteFailure(
            each.asset.key,
            each.name,
            "edit",
            results.get(each.asset.key, missing).message,
            configuration_id=each.configuration.id,
        )
        for each in plan.updates
        if not results.get(each.asset.key, missing).ok
    ]


def _written(plan: EnrichmentPlan, results: Mapping[str, WriteResult]) -> list[WrittenRecord]:
    return [
        WrittenRecord(each.asset.key, each.name, "updated", each.configuration.id)
        for each in plan.updates
        if each.asset.key in results and results[each.asset.key].ok
    ]


def _company(run: EnrichmentRun) -> str:
    return run.company.name or run.company.identifier


async def edit_texts(run: EnrichmentRun, updates: Sequence[AssetUpdate]) -> dict[str, WriteResult]:
    """Write the changed texts of each asset; the results are by asset key."""
    failed: dict[str, WriteResult] = {}

    def unmade(each: AssetUpdate, error: Exception) -> None:
        why = f"No edit can be made of it: {problem_words(error)}"
        failed[each.asset.key] = WriteResult(each.asset.key, False, message=why, written=False)

    edits = convert_all(mixed(updates, run.run_id), lambda each: edit_of(each, run.field_keys), unmade)
    results = await edit_assets(
        run.assets,
        run.site_id,
        Inventory(edits),
        run.journal,
        most=run.settings.aliases,
        policy=run.settings.waiting,
    )
    return {**results.value, **failed}


def mixed(updates: Sequence[AssetUpdate], run_id: str) -> list[AssetUpdate]:
    """In another order in every run: assets that are always refused never keep the others from their turn."""
    return random.Random(run_id).sample(updates, len(updates))


def edit_of(update: AssetUpdate, keys: dict[str, str]) -> JournalledEdit:
    """The edit that writes an asset's texts; ``keys`` are the custom fields' keys by name."""
    key, after = update.asset.key, update.after()
    return JournalledEdit(
        AssetEdit.of_custom_fields(key, {keys[name]: text for name, text in after.items() if name in keys}),
        WriteEntry("modify", "asset", None, key, update.name, update.before(), after),
        update.configuration.id,
    )
