"""Turns what was planned and done into a report, and both into artifacts with links to the records."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from prefect.artifacts import acreate_markdown_artifact

from tasks.enrichment.run import EnrichmentRun
from tasks.progress import run_logger
from tasks.rules.enrichment_plan import EnrichmentPlan, edit_requests
from tasks.rules.enrichment_report import EnrichmentReport, SearchCost
from tasks.rules.enrichment_text import (
    enrichment_plan_markdown,
    enrichment_report_markdown,
    search_words,
)
from tasks.rules.report import Failure, Written
from tasks.rules.rows import Rows
from tasks.synchronization.run import WriteResult

PLAN_KEY = "tickets-agreements-sla-sync-plan"
REPORT_KEY = "tickets-agreements-sla-sync-report"


def predicted_edits(run: EnrichmentRun, plan: EnrichmentPlan) -> int:
    """Mutations that the plan will cost."""
    return edit_requests(len(plan.updates), run.settings.aliases)


async def publish_plan(run: EnrichmentRun, plan: EnrichmentPlan, searches: Sequence[SearchCost]) -> None:
    """Show the plan as an artifact of the run and its numbers in the log."""
    edits = predicted_edits(run, plan)
    counts = ", ".join(f"{name} {count}" for name, count in plan.counts.as_dict().items())
    run_logger().info("Plan: %s; %d mutations predicted", counts, edits)
    text = enrichment_plan_markdown(
        plan,
        title=f"Plan for {_company(run)}",
        dry_run=run.settings.dry_run,
        figures=[
            f"Requests to ConnectWise so far: {run.client.session.requests:,}",
            f"Requests to Lansweeper: {run.reads:,} so far, {edits:,} more to edit the assets",
            *(search_words(each) for each in searches),
        ],
        fields_to_create=run.fields_created if run.settings.dry_run else [],
        notes=run.notes,
        link=run.client.settings.configuration_url,
    )
    description = f"What the run does for {run.company.identifier}"
    await acreate_markdown_artifact(text, key=PLAN_KEY, description=description)


async def publish_report(run: EnrichmentRun, plan: EnrichmentPlan, report: EnrichmentReport) -> None:
    """Show the report as an artifact of the run."""
    text = enrichment_report_markdown(
        report,
        plan,
        title=f"Tickets, agreements and SLA of {_company(run)}",
        link=run.client.settings.configuration_url,
    )
    description = f"What the run did for {run.company.identifier}"
    await acreate_markdown_artifact(text, key=REPORT_KEY, description=description)


def make_report(
    run: EnrichmentRun,
    plan: EnrichmentPlan,
    searches: Sequence[SearchCost],
    edited: Mapping[str, WriteResult] | None = None,
) -> EnrichmentReport:
    """The report of a run; ``edited`` is None for a run that stopped at its plan.

    Raises:
        CountsError: a configuration was lost or counted twice.
    """
    results = edited or {}
    failures = [] if edited is None else _failures(plan, results)
    predicted = predicted_edits(run, plan)
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
        lansweeper_predicted=run.reads + predicted,
        lansweeper_used=lansweeper.requests,
        mutations=lansweeper.writes,
        run_id="" if edited is None else run.run_id,
    )


def _failures(plan: EnrichmentPlan, results: Mapping[str, WriteResult]) -> list[Failure]:
    """What was not written; an update without a result counts as failed too."""
    missing = WriteResult("", False, message="Nothing is known of this edit.", written=False)
    return [
        Failure(
            each.asset.key,
            each.name,
            "edit",
            results.get(each.asset.key, missing).message,
            configuration_id=each.configuration.id,
        )
        for each in plan.updates
        if not results.get(each.asset.key, missing).ok
    ]


def _written(plan: EnrichmentPlan, results: Mapping[str, WriteResult]) -> list[Written]:
    return [
        Written(each.asset.key, each.name, "updated", each.configuration.id)
        for each in plan.updates
        if each.asset.key in results and results[each.asset.key].ok
    ]


def _company(run: EnrichmentRun) -> str:
    return run.company.name or run.company.identifier
