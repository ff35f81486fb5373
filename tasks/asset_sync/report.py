"""The report of a run, and plan and report as artifacts with links to the records."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from prefect.artifacts import acreate_markdown_artifact

from connectors.connectwise.client import ConnectWiseClient
from connectors.lansweeper.settings import SYSTEM as LANSWEEPER
from tasks.asset_sync.apply import Applied
from tasks.asset_sync.known import noted
from tasks.asset_sync.run import SyncRun
from tasks.rules.asset_sync.plan import Modification, Plan
from tasks.rules.asset_sync.render import plan_markdown, report_markdown
from tasks.rules.asset_sync.report import SyncReport
from tasks.rules.report import WriteFailure, WrittenRecord, shown_or_counts
from tasks.rules.values import AssetRecord, Rows
from tasks.shared.connections import run_seconds
from tasks.shared.events import announce_plan
from tasks.shared.journalled import WriteResult

PLAN_KEY = "asset-synchronization-plan"
REPORT_KEY = "asset-synchronization-report"


class RecordAddresses:
    """Addresses of the records in the vendors' pages: configurations by id, assets by key."""

    def __init__(self, run: SyncRun, plan: Plan) -> None:
        self._client: ConnectWiseClient = run.client
        position = run.mapping.position("customFields.ls_asset_url")
        assets: list[AssetRecord] = [
            *(each.asset for each in plan.creations),
            *(each.asset for each in plan.modifications),
            *(each.asset for each in plan.ambiguous),
            *(each.asset for each in plan.skipped),
            *(asset for each in plan.warnings for asset in each.examples),
        ]
        self._assets = {} if position is None else {each.key: each.wanted[position] for each in assets}

    def configuration(self, record_id: int | str) -> str | None:
        return self._client.settings.configuration_url(int(record_id))

    def asset(self, key: int | str) -> str | None:
        return self._assets.get(str(key))


async def publish_plan(run: SyncRun, plan: Plan, refused: Sequence[str]) -> None:
    """Show the plan as an artifact of the run, and emit that it is there."""
    links = RecordAddresses(run, plan)
    title = f"Plan for {run.company.name or run.company.identifier}"
    text = shown_or_counts(
        lambda: plan_markdown(
            plan,
            title=title,
            dry_run=run.settings.dry_run,
            for_review=run.for_review,
            plan_id=run.plan_id,
            refused=refused,
            noted=noted(run.findings),
            forecast=run.forecast,
            missing=run.missing_assets,
            configuration_link=links.configuration,
            asset_link=links.asset,
        ),
        title,
        plan.counts,
    )
    await acreate_markdown_artifact(
        text, key=PLAN_KEY, description=f"What the run does for {run.company.identifier}"
    )
    announce_plan(run.subject, dry_run=run.settings.dry_run, counts=plan.counts.as_dict(), refused=refused)


async def publish_report(run: SyncRun, plan: Plan, report: SyncReport) -> None:
    """Show the report as an artifact of the run."""
    links = RecordAddresses(run, plan)
    title = f"Asset synchronization of {run.company.name or run.company.identifier}"
    text = shown_or_counts(
        lambda: report_markdown(
            report,
            plan,
            title=title,
            missing=run.missing_assets,
            configuration_link=links.configuration,
            asset_link=links.asset,
        ),
        title,
        report.counts,
    )
    await acreate_markdown_artifact(
        text, key=REPORT_KEY, description=f"What the run did for {run.company.identifier}"
    )


def plan_report(run: SyncRun, plan: Plan) -> SyncReport:
    """The report of a run that stops at its plan."""
    return SyncReport(
        plan.counts,
        dry_run=True,
        notes=run.notes,
        findings=[each.text for each in run.findings],
        edits_kept=sum(not each.is_conflict for each in plan.edits),
        conflicts=Rows(run.conflicts.values()),
        requests_predicted=plan.predicted.total,
        requests_used=run.client.session.requests,
        lansweeper_predicted=run.forecast.of(LANSWEEPER),
        lansweeper_used=run.site_requests,
        seconds_predicted=run.forecast.seconds,
        seconds_used=run_seconds(),
        writes=run.client.session.writes,
        checksum=plan.checksum,
        plan_id=run.plan_id,
        run_id="" if run.settings.dry_run else run.run_id,
    )


def final_report(run: SyncRun, plan: Plan, applied: Applied, references: dict[str, list[str]]) -> SyncReport:
    """The report of a run that wrote. Raises CountsError: an asset was lost or counted twice."""
    creations = {each.asset.key: each.asset for each in plan.creations}
    modifications = {each.asset.key: each for each in plan.modifications}
    failures = [
        *(
            _failure(creations[key].name, "create", result)
            for key, result in applied.created.items()
            if not result.ok
        ),
        *(_failure(modifications[key].name, "modify", r) for key, r in applied.modified.items() if not r.ok),
    ]
    counts = plan.counts.after_writes(
        failed_creations=_failed(applied.created) + len(creations.keys() - applied.created.keys()),
        failed_modifications=_failed(applied.modified) + len(modifications.keys() - applied.modified.keys()),
        kept=sum(result.ok and not result.written for result in applied.modified.values()),
    )
    return replace(
        plan_report(run, plan),
        counts=counts,
        dry_run=False,
        failures=failures,
        references_created=references,
        duplicates=applied.duplicates,
        written=Rows(_written(creations, modifications, applied)),
    )


def _failed(results: dict[str, WriteResult]) -> int:
    return sum(not result.ok for result in results.values())


def _failure(name: str | None, operation: str, result: WriteResult) -> WriteFailure:
    return WriteFailure(
        result.asset_key,
        name or result.asset_key,
        operation,
        result.message,
        configuration_id=result.record_id,
    )


def _written(
    creations: dict[str, AssetRecord], modifications: dict[str, Modification], applied: Applied
) -> list[WrittenRecord]:
    created = [
        WrittenRecord(key, creations[key].name or key, "created", result.record_id)
        for key, result in applied.created.items()
        if result.ok
    ]
    modified = [
        WrittenRecord(key, modifications[key].name, "modified", result.record_id)
        for key, result in applied.modified.items()
        if result.ok and result.written
    ]
    return created + modified
