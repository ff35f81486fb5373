"""The report of a run as Markdown: the counts first, then failures in the vendor's words."""

from __future__ import annotations

from collections.abc import Sequence

from tasks.rules.markdown import Link, bullets, capped_table, cell, document, escape, linked, section
from tasks.rules.plan import Plan
from tasks.rules.plan_text import ROWS, counts_table, findings, references_list
from tasks.rules.report import Failure, RunReport, Written
from tasks.rules.undo import UndoPlan, UndoStep
from tasks.rules.wording import counted


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
        counts_table(report.counts, planned=report.dry_run),
        _figures(report),
        section("Failures", _failures(report.failures, configuration_link, asset_link, rows)),
        section("Held by more than one configuration", _duplicates(report.duplicates, asset_link, rows)),
        section("Notes", "\n".join(f"- {escape(note)}" for note in report.notes)),
        findings(plan, configuration_link, asset_link, rows) if plan else "",
        section("Reference records created", references_list(report.references_created, rows)),
        section("Written", _written(report.written, configuration_link, asset_link, rows)),
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
        f"{linked(step.name, link(step.record_id))}: {escape(step.action)} {_becomes(step)}"
        for step in plan.steps[:rows]
    ]
    refused = [
        f"{linked(each.name, link(each.record_id))}{f', {cell(each.field)}' if each.field else ''}: "
        f"{cell(each.reason, 300)}"
        for each in plan.refused[:rows]
    ]
    return document(
        f"# {escape(title)}",
        "**Dry run: nothing is written.**" if dry_run else "",
        f"{counted(len(plan.steps), 'record')} to put back or delete, "
        f"{counted(len(plan.refused), 'refusal')}, "
        f"{counted(plan.undone_already, 'record')} already as before.",
        section("Steps", bullets(steps, rows, len(plan.steps)) if steps else ""),
        section("Refused", bullets(refused, rows, len(plan.refused)) if refused else ""),
    )


def _becomes(step: UndoStep) -> str:
    return ", ".join(f"{cell(key)} → {cell(_named(value))}" for key, value in step.values.items())


def _figures(report: RunReport) -> str:
    figures = [
        f"Requests to ConnectWise: {report.requests_used:,} used, {report.requests_predicted:,} predicted; "
        f"{counted(report.writes, 'write')}",
        f"Checksum of the plan: `{escape(report.checksum)}`" if report.checksum else "",
        f"Run id, for undo-run: `{escape(report.run_id)}`" if report.run_id else "",
    ]
    return "\n".join(f"- {each}" for each in figures if each)


def _failures(failures: Sequence[Failure], configurations: Link, assets: Link, rows: int) -> str:
    lines = [_failure(each, configurations, assets) for each in failures[:rows]]
    return bullets(lines, rows, len(failures)) if lines else ""


def _failure(each: Failure, configurations: Link, assets: Link) -> str:
    record = each.configuration_id
    shown = f", configuration {linked(record, configurations(record))}" if record is not None else ""
    said = f"{each.code}: {each.message}" if each.code else each.message
    name = linked(each.name or each.asset_key, assets(each.asset_key))
    return f"{name} (asset {cell(each.asset_key)}{shown}), {escape(each.operation)}: {cell(said, 400)}"


def _written(written: Sequence[Written], configurations: Link, assets: Link, rows: int) -> str:
    lines = [
        [
            linked(each.name, configurations(each.configuration_id) if each.configuration_id else None, 40),
            escape(each.action),
            linked(each.asset_key, assets(each.asset_key)),
        ]
        for each in written[:rows]
    ]
    return capped_table(["Configuration", "Outcome", "Asset"], lines, rows, len(written)) if lines else ""


def _duplicates(keys: Sequence[str], link: Link, rows: int) -> str:
    lines = [linked(key, link(key)) for key in keys[:rows]]
    return bullets(lines, rows, len(keys)) if lines else ""


def _named(value: object) -> object:
    return value.get("name", value.get("id")) if isinstance(value, dict) else value
