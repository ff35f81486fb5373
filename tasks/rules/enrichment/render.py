"""The plan and the report of an enrichment as Markdown: the counts first, then what a person should see."""

from __future__ import annotations

from collections.abc import Sequence

from tasks.rules.edits import conflicts_of, edits_list, kept_of
from tasks.rules.enrichment.plan import (
    AssetUpdate,
    ConfigurationName,
    Contest,
    EnrichmentPlan,
    EnrichmentReport,
    SearchCost,
    SkippedConfiguration,
)
from tasks.rules.enrichment.plan_entries import tally_of_texts
from tasks.rules.forecast import time_line
from tasks.rules.guards import GuardFinding
from tasks.rules.mapping.model import OnConflict
from tasks.rules.report import (
    REAL_RUN_REFUSED,
    WrittenRecord,
    change_line,
    changes_list,
    counts_table,
    failures_list,
)
from tasks.rules.stored_plans.summary import kinds_section, plan_id_words
from tasks.rules.text import (
    ROWS,
    AddressOf,
    bullets,
    capped_table,
    cell,
    cells_of,
    counted,
    document,
    escape,
    escaped_list,
    lines_of,
    linked,
    section,
    table,
)


def enrichment_plan_markdown(
    plan: EnrichmentPlan,
    *,
    title: str = "Plan",
    dry_run: bool = False,
    plan_id: str = "",
    refused: Sequence[str] = (),
    findings: Sequence[GuardFinding] = (),
    figures: Sequence[str] = (),
    fields_to_create: Sequence[str] = (),
    notes: Sequence[str] = (),
    link: AddressOf = lambda _: None,
    rows: int = ROWS,
) -> str:
    """The plan for an artifact, each table with at most so many ``rows``; the title is escaped here.

    Args:
        plan_id: under which the ledger keeps the whole plan, if it does.
        refused: why the stored plan is not applied, if it is not: shown before everything else.
        findings: what does not fit to what is known; it comes first.
        figures: the predicted requests in words, a line each.
        fields_to_create: Lansweeper custom fields that are missing.
        link: id -> address of the configuration in ConnectWise, None for no link.
    """
    nothing = not plan.updates and not fields_to_create
    verdict = "Nothing to write: Lansweeper is up to date." if nothing else ""
    changes = changes_list(
        plan.updates,
        lambda each: _change_heading(each, link),
        lambda each: list(map(change_line, each.changes)),
        rows,
        "asset",
    )
    return document(
        f"# {escape(title)}",
        f"**{'Dry run: nothing is written.' if dry_run and not nothing else verdict}**"
        if dry_run or nothing
        else "",
        section(f"The plan changed: a {REAL_RUN_REFUSED}", escaped_list(refused)),
        _findings(findings),
        counts_table(plan.counts, planned=True),
        _plan_figures(plan_id, figures),
        kinds_section(tally_of_texts(plan), plan_id, rows),
        section("Conflicts", edits_list(conflicts_of(plan.edits), link, rows, into=OnConflict.LANSWEEPER)),
        section(
            "Custom fields to create",
            bullets(list(map(escape, fields_to_create)), rows, len(fields_to_create)),
        ),
        section("Changes by field", _tallies(plan)),
        section("Changes", changes),
        _kept_edits(plan, link, rows),
        section("Notes", escaped_list(notes)),
        _left_alone(plan, link, rows),
    )


def enrichment_report_markdown(
    report: EnrichmentReport,
    plan: EnrichmentPlan,
    *,
    title: str = "Report",
    findings: Sequence[GuardFinding] = (),
    link: AddressOf = lambda _: None,
    rows: int = ROWS,
) -> str:
    """The report for an artifact, with what was left alone and why; arguments as of the plan."""
    assets = {each.asset.key: each.asset.url for each in plan.updates}
    return document(
        f"# {escape(title)}",
        f"**{'Dry run: nothing was written.' if report.dry_run else report.state_name}**",
        _findings(findings),
        counts_table(report.counts, planned=report.dry_run),
        _figures(report),
        section("How agreements and tickets were found", escaped_list(map(search_words, report.searches))),
        section("Conflicts", edits_list(conflicts_of(plan.edits), link, rows, into=OnConflict.LANSWEEPER)),
        section("Failures", failures_list(report.failures, link, assets.get, rows, operations=False)),
        _kept_edits(plan, link, rows),
        section("Notes", escaped_list(report.notes)),
        section("Changes by field", _tallies(plan)),
        _left_alone(plan, link, rows),
        section("Custom fields created", ", ".join(map(cell, report.fields_created))),
        section("Written", _written(report, link, assets.get, rows)),
    )


def _kept_edits(plan: EnrichmentPlan, link: AddressOf, rows: int) -> str:
    kept = edits_list(kept_of(plan.edits), link, rows, into=OnConflict.LANSWEEPER)
    return section("Edits in Lansweeper that are kept", kept)


def _plan_figures(plan_id: str, figures: Sequence[str]) -> str:
    return "\n".join(f"- {each}" for each in [*plan_id_words(plan_id), *map(escape, figures)])


def _findings(findings: Sequence[GuardFinding]) -> str:
    """On top, since nobody looks further where the first lines say that all is well."""
    refused = any(each.refuses for each in findings)
    return section(
        f"Not plausible: a {REAL_RUN_REFUSED}" if refused else "Not plausible, and accepted",
        escaped_list(each.text for each in findings),
    )


def _figures(report: EnrichmentReport) -> str:
    figures = [
        f"Requests to ConnectWise: {report.connectwise_used:,} used, "
        f"{report.connectwise_predicted:,} predicted",
        f"Requests to Lansweeper: {report.lansweeper_used:,} used, "
        f"{report.lansweeper_predicted:,} predicted; {counted(report.mutations, 'mutation')} among them",
        time_line(report.seconds_used, report.seconds_predicted),
        f"Edits in Lansweeper that are kept: {counted(report.edits_kept, 'text')}"
        if report.edits_kept
        else "",
        f"Plan id: `{escape(report.plan_id)}`" if report.plan_id else "",
        f"Run id, for undo-run: `{escape(report.run_id)}`" if report.run_id else "",
    ]
    return "\n".join(f"- {each}" for each in figures if each)


def search_words(search: SearchCost) -> str:
    """In one line: the strategy, its requests, what was remembered and how old the last reconcile is."""
    parts = [
        f"{search.what}: {search.strategy}",
        f"{counted(search.used, 'request')}, {search.predicted:,} predicted",
        f"{counted(search.asked, 'ticket')} asked about" if search.asked is not None else "",
        f"{search.remembered:,} remembered" if search.remembered is not None else "",
        f"every ticket was last asked about at {search.last_reconcile}" if search.last_reconcile else "",
    ]
    return "; ".join(part for part in parts if part)


def _tallies(plan: EnrichmentPlan) -> str:
    lines = [
        [escape(name), f"{each.filled:,}", f"{each.changed:,}", f"{each.cleared:,}"]
        for name, each in plan.tallies().items()
    ]
    return table(["Custom field", "Filled", "Changed", "Cleared"], lines) if lines else ""


def _change_heading(update: AssetUpdate, link: AddressOf) -> str:
    configuration = update.configuration
    shown = linked(configuration.name or configuration.id, link(configuration.id))
    return f"{linked(update.name, update.asset.url)}, configuration {shown}"


def _left_alone(plan: EnrichmentPlan, link: AddressOf, rows: int) -> str:
    """What needs a person's eye: contested assets, gone ones, configurations without an asset."""
    contested = lines_of(plan.contested[:rows], lambda each: _contest(each, link))
    skipped = lines_of(plan.skipped[:rows], lambda each: _skipped(each, link))
    left_behind = lines_of(plan.left_behind[:rows], lambda each: linked(each.name or each.key, each.url))
    return document(
        section(
            "Claimed by several configurations, left alone", bullets(contested, rows, len(plan.contested))
        ),
        section("Skipped", bullets(skipped, rows, len(plan.skipped))),
        section("Asset gone from Lansweeper", _configurations(plan.asset_gone, link, rows)),
        section("Without ls_asset_id", _configurations(plan.no_asset_id, link, rows)),
        section(
            "Assets with ConnectWise values that no configuration of the company claims, left alone",
            bullets(left_behind, rows, len(plan.left_behind)),
        ),
    ).strip()


def _skipped(each: SkippedConfiguration, link: AddressOf) -> str:
    named = each.configuration
    return f"{linked(named.name or named.id, link(named.id))}: {cell(each.reason, 300)}"


def _contest(contest: Contest, link: AddressOf) -> str:
    shown = [*contest.configurations[:5], *filter(None, [contest.elsewhere])]
    named = ", ".join(linked(f"{each.name} ({each.id})", link(each.id)) for each in shown)
    more = len(contest.configurations) - 5
    asset = contest.asset
    return f"{linked(asset.name or asset.key, asset.url)}: {named}{f' … and {more} more' if more > 0 else ''}"


def _configurations(found: Sequence[ConfigurationName], link: AddressOf, rows: int) -> str:
    lines = lines_of(
        found[:rows],
        lambda each: (
            linked(each.name or each.id, link(each.id))
            + (f", asset key {cell(each.asset_key)}" if each.asset_key else "")
        ),
    )
    return bullets(lines, rows, len(found))


def _written(report: EnrichmentReport, configurations: AddressOf, assets: AddressOf, rows: int) -> str:
    def row(each: WrittenRecord) -> list[str]:
        configuration = linked(each.configuration_id, configurations(each.configuration_id))
        return [linked(each.name, assets(each.asset_key), 40), configuration]

    headers = ["Asset", "Configuration"]
    lines = cells_of(report.written[:rows], row, len(headers))
    return capped_table(headers, lines, rows, len(report.written)) if lines else ""
