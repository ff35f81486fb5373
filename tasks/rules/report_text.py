"""The report of a run as Markdown: the counts first, then failures in the vendor's words."""

from __future__ import annotations

from collections.abc import Sequence

from tasks.rules.markdown import Link, capped_table, cell, document, escape, linked, section
from tasks.rules.plan import Plan
from tasks.rules.plan_text import ROWS, counts_table, findings, references_table
from tasks.rules.report import Failure, RunReport, Written
from tasks.rules.undo import UndoPlan


def report_markdown(
    report: RunReport,
    plan: Plan | None = None,
    *,
    title: str = "Report",
    configuration_link: Link = lambda _: None,
    asset_link: Link = lambda _: None,
    rows: int = ROWS,
) -> str:
    """The report for an artifact; with the plan also what was left alone, and why."""
    return document(
        f"# {escape(title)}",
        f"**{'Dry run: nothing was written.' if report.dry_run else report.state_name}**",
        counts_table(report.counts),
        _figures(report),
        section("Failures", _failures(report.failures, configuration_link, asset_link, rows)),
        section("Held by more than one configuration", _duplicates(report.duplicates, asset_link, rows)),
        section("Notes", "\n".join(f"- {escape(note)}" for note in report.notes)),
        section("Reference records created", references_table(report.references_created, rows)),
        section("Written", _written(report.written, configuration_link, asset_link, rows)),
        findings(plan, configuration_link, asset_link, rows) if plan else "",
    )


def undo_markdown(
    plan: UndoPlan,
    *,
    title: str = "Undo",
    dry_run: bool = True,
    link: Link = lambda _: None,
    rows: int = ROWS,
) -> str:
    """The undo of a run for an artifact: what is put back, what is deleted and what is refused."""
    steps = [
        [linked(step.name, link(step.record_id)), escape(step.action), cell(key), cell(_named(value))]
        for step in plan.steps[:rows]
        for key, value in (step.values or {"": ""}).items()
    ]
    refused = [
        [linked(each.name, link(each.record_id)), cell(each.field), cell(each.reason, 200)]
        for each in plan.refused[:rows]
    ]
    total = sum(len(step.values) or 1 for step in plan.steps)
    return document(
        f"# {escape(title)}",
        "**Dry run: nothing is written.**" if dry_run else "",
        f"{len(plan.steps):,} records to put back or delete, {len(plan.refused):,} refusals, "
        f"{plan.undone_already:,} need nothing.",
        section("Steps", capped_table(["Configuration", "Action", "Field", "Becomes"], steps, rows, total))
        if steps
        else "",
        section("Refused", capped_table(["Record", "Field", "Reason"], refused, rows, len(plan.refused)))
        if refused
        else "",
    )


def _figures(report: RunReport) -> str:
    figures = [
        f"Requests to ConnectWise: {report.requests_used:,} used, {report.requests_predicted:,} predicted; "
        f"{report.writes:,} writes",
        f"Checksum of the plan: `{escape(report.checksum)}`" if report.checksum else "",
    ]
    return "\n".join(f"- {each}" for each in figures if each)


def _failures(failures: Sequence[Failure], configurations: Link, assets: Link, rows: int) -> str:
    lines = [
        [
            linked(each.name or each.asset_key, assets(each.asset_key)),
            cell(each.asset_key),
            linked(each.configuration_id, configurations(each.configuration_id))
            if each.configuration_id is not None
            else "",
            escape(each.operation),
            cell(f"{each.code}: {each.message}" if each.code else each.message, 300),
        ]
        for each in failures[:rows]
    ]
    headers = ["Asset", "Key", "Configuration", "Operation", "ConnectWise says"]
    return capped_table(headers, lines, rows, len(failures)) if lines else ""


def _written(written: Sequence[Written], configurations: Link, assets: Link, rows: int) -> str:
    lines = [
        [
            linked(each.name, configurations(each.configuration_id) if each.configuration_id else None),
            escape(each.action),
            linked(each.asset_key, assets(each.asset_key)),
        ]
        for each in written[:rows]
    ]
    return capped_table(["Configuration", "Outcome", "Asset"], lines, rows, len(written)) if lines else ""


def _duplicates(keys: Sequence[str], link: Link, rows: int) -> str:
    lines = [[linked(key, link(key))] for key in keys[:rows]]
    return capped_table(["Asset key"], lines, rows, len(keys)) if lines else ""


def _named(value: object) -> object:
    return value.get("name", value.get("id")) if isinstance(value, dict) else value
