"""Plan and report of asset-synchronization as Markdown.

The plan shows the counts first, then what kinds of change there are, then the records field by field. The
report shows the counts first, then failures in the vendor's words. Both end with what needs a person's eye.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain, islice
from math import inf
from typing import Any

from connectors.ledger.models import MissingAsset
from tasks.rules.asset_sync.matching.result import Ambiguous
from tasks.rules.asset_sync.plan import Creation, Modification, Plan
from tasks.rules.asset_sync.plan_entries import tally_of
from tasks.rules.asset_sync.references import REFERENCE_KINDS
from tasks.rules.asset_sync.report import PlanWarning, SyncReport
from tasks.rules.edits import conflicts_of, edits_list, kept_of
from tasks.rules.forecast import Forecast, forecast_lines, time_line
from tasks.rules.isolation import convert_or
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
    noun,
    section,
    unshown,
    wrapped,
)
from tasks.rules.values import ConfigurationRecord

_CREATION_COLUMNS = ("type.name", "status.name", "serialNumber", "macAddress")


def plan_markdown(
    plan: Plan,
    *,
    title: str = "Plan",
    dry_run: bool = False,
    for_review: bool = False,
    plan_id: str = "",
    refused: Sequence[str] = (),
    noted: Sequence[str] = (),
    forecast: Forecast | None = None,
    missing: Mapping[str, MissingAsset] | None = None,
    configuration_link: AddressOf = lambda _: None,
    asset_link: AddressOf = lambda _: None,
    rows: int = ROWS,
) -> str:
    """The plan for an artifact, each table with at most so many ``rows``; the title is escaped here.

    Args:
        for_review: whether the run waits for a person.
        plan_id: under which the ledger keeps the whole plan, if it does.
        refused: why a real run is refused, if it is: shown before everything else.
        noted: what does not fit to what is known from before, and refuses nothing.
        forecast: requests to Lansweeper and the time that the run takes, where they are known.
        missing: since when assets are missing, by key.
        configuration_link: id -> address of the configuration in ConnectWise, None for no link.
        asset_link: key -> address of the asset in Lansweeper, None for no link.
    """
    changes = changes_list(
        plan.modifications,
        lambda each: _change_heading(each, configuration_link),
        _change_lines,
        rows,
        "configuration",
    )
    return document(
        f"# {escape(title)}",
        _verdict(plan, dry_run, refused, for_review),
        section("Look at this first", escaped_list(noted)),
        counts_table(plan.counts, planned=True),
        _plan_figures(plan, plan_id, forecast),
        section("Conflicts", edits_list(conflicts_of(plan.edits), configuration_link, rows)),
        kinds_section(tally_of(plan), plan_id, rows),
        section("Reference records to create", references_list(plan.reference_creations, rows)),
        section("Changes", changes),
        section("Configurations to create", _creations(plan, asset_link, rows)),
        section(
            "Edits in ConnectWise that are kept",
            edits_list(kept_of(plan.edits), configuration_link, rows),
        ),
        findings(plan, configuration_link, asset_link, rows, missing),
    )


def findings(
    plan: Plan,
    configuration_link: AddressOf,
    asset_link: AddressOf,
    rows: int = ROWS,
    missing: Mapping[str, MissingAsset] | None = None,
) -> str:
    """What needs a person's eye: ambiguous, skipped, warnings, inactive and orphaned."""
    orphaned = sorted(plan.orphaned, key=lambda each: _since(each, missing))
    warnings = lines_of(
        plan.warnings[:rows], lambda each: f"{cell(each.text, 300)} ({_concerned(each, asset_link)})"
    )
    ambiguous = _ambiguous(plan.ambiguous, configuration_link, asset_link, rows)
    return "\n\n".join(
        part
        for part in (
            section("Ambiguous, left alone", ambiguous),
            section("Skipped", _skipped(plan, asset_link, rows)),
            section("Warnings", bullets(warnings, rows, len(plan.warnings))),
            section("Inactive in ConnectWise", _configurations(plan.inactive, configuration_link, rows)),
            section("Orphaned, left alone", _configurations(orphaned, configuration_link, rows, missing)),
        )
        if part
    )


def references_list(names: Mapping[str, Sequence[str]], rows: int = ROWS) -> str:
    """A line a kind: how many reference records, and the names of the first ``rows``."""
    lines = [
        f"**{len(found):,}** {_kind(path, len(found))}: {_listed(found, rows)}"
        for path, found in sorted(names.items())
        if found
    ]
    return bullets(lines, len(lines), len(lines))


def _kind(path: str, count: int) -> str:
    return noun(count, REFERENCE_KINDS[path].label) if path in REFERENCE_KINDS else escape(path)


def _listed(names: Sequence[str], rows: int) -> str:
    more = f" … and {len(names) - rows:,} more" if len(names) > rows else ""
    return ", ".join(cell(name) for name in names[:rows]) + more


def _verdict(plan: Plan, dry_run: bool, refused: Sequence[str], for_review: bool) -> str:
    if refused:
        verdict = (
            f"Dry run: nothing is written. A {REAL_RUN_REFUSED}:"
            if dry_run and not for_review
            else "Refused: nothing is written."
        )
        return f"**{verdict}**\n\n{escaped_list(refused)}"
    if plan.nothing_to_write:
        return "**Nothing to write: ConnectWise is up to date.**"
    if for_review:
        return "**For review: nothing is written until a person resumes this run and approves the plan.**"
    return "**Dry run: nothing is written.**" if dry_run else ""


def _plan_figures(plan: Plan, plan_id: str, forecast: Forecast | None) -> str:
    cost = plan.predicted
    figures = [
        *plan_id_words(plan_id),
        f"Requests to ConnectWise: {cost.total:,} predicted, {cost.writes:,} of them writes",
        *(forecast_lines(forecast, ["Lansweeper"]) if forecast else []),
        f"Orphaned configurations (their asset is gone): {len(plan.orphaned):,}",
        *_edit_figures(len(kept_of(plan.edits))),
        f"Checksum: `{plan.checksum}`",
    ]
    return "\n".join(f"- {each}" for each in figures)


def _edit_figures(kept: int) -> list[str]:
    return [f"Edits in ConnectWise that are kept: {counted(kept, 'field')}"] if kept else []


def _change_heading(modification: Modification, link: AddressOf) -> str:
    shown = linked(modification.name, link(modification.configuration.id))
    return f"{shown}, matched on {escape(modification.matched_on)}"


def _change_lines(modification: Modification) -> list[str]:
    return [
        change_line(each, " (own call)" if each is modification.type_change else "")
        for each in modification.all_changes
    ]


def _creations(plan: Plan, link: AddressOf, rows: int) -> str:
    columns = [path for path in _CREATION_COLUMNS if path in plan.paths]
    lines = lines_of(plan.creations[:rows], lambda each: _creation_line(each, columns, plan.paths, link))
    return bullets(lines, rows, len(plan.creations))


def _creation_line(creation: Creation, columns: Sequence[str], paths: Sequence[str], link: AddressOf) -> str:
    values: dict[str, Any] = dict(zip(paths, creation.asset.wanted, strict=True))
    told = ", ".join(f"{escape(path)} {cell(values[path])}" for path in columns if values[path] is not None)
    warnings = "; ".join(cell(text, 200) for text in creation.warnings)
    name = linked(creation.name, link(creation.asset.key))
    return f"{name}: {told}{f' ({warnings})' if warnings else ''}"


def _ambiguous(found: Sequence[Ambiguous], configurations: AddressOf, assets: AddressOf, rows: int) -> str:
    lines = lines_of(
        found[:rows],
        lambda each: (
            f"{linked(each.asset.name or each.asset.key, assets(each.asset.key))}: "
            f"{cell(each.reason, 300)}{_candidates(each, configurations)}"
        ),
    )
    return bullets(lines, rows, len(found))


def _candidates(each: Ambiguous, link: AddressOf) -> str:
    if not each.candidates:
        return ""
    named = ", ".join(linked(f"{c.name or ''} ({c.id})", link(c.id)) for c in each.candidates[:5])
    more = f" … and {len(each.candidates) - 5} more" if len(each.candidates) > 5 else ""
    return f" — candidates: {named}{more}"


def _skipped(plan: Plan, link: AddressOf, rows: int) -> str:
    lines = lines_of(
        plan.skipped[:rows],
        lambda each: f"{linked(each.name or each.asset_key, link(each.asset_key))}: {cell(each.reason, 300)}",
    )
    return bullets(lines, rows, len(plan.skipped))


def _concerned(warning: PlanWarning, link: AddressOf) -> str:
    named = ", ".join(linked(each.name or each.key, link(each.key), 40) for each in warning.examples)
    if warning.count == len(warning.examples):
        return named
    return f"{counted(warning.count, 'asset')}, such as {named}"


def _since(each: ConfigurationRecord, missing: Mapping[str, MissingAsset] | None) -> tuple[float, int]:
    """What is missing longest comes first; without a date last."""
    known = (missing or {}).get(each.asset_key or "")
    return (known.first.timestamp() if known else inf, each.id)


def _missing_words(each: ConfigurationRecord, missing: Mapping[str, MissingAsset] | None) -> str:
    known = (missing or {}).get(each.asset_key or "")
    if known is None:
        return ""
    return f", missing since {known.first:%Y-%m-%d} in {counted(known.readings, 'whole reading')}"


def _configurations(
    found: Sequence[ConfigurationRecord],
    link: AddressOf,
    rows: int,
    missing: Mapping[str, MissingAsset] | None = None,
) -> str:
    lines = lines_of(
        found[:rows],
        lambda each: (
            f"{linked(each.name or str(each.id), link(each.id))}: serial number {cell(each.serial)}, "
            f"asset key {cell(each.asset_key)}{_missing_words(each, missing)}"
        ),
    )
    return bullets(lines, rows, len(found))


def report_markdown(
    report: SyncReport,
    plan: Plan | None = None,
    *,
    title: str = "Report",
    missing: Mapping[str, MissingAsset] | None = None,
    configuration_link: AddressOf = lambda _: None,
    asset_link: AddressOf = lambda _: None,
    rows: int = ROWS,
) -> str:
    """The report for an artifact; with the plan also what was left alone, and why."""
    duplicates = lines_of(report.duplicates[:rows], lambda key: linked(key, asset_link(key)))
    return document(
        f"# {escape(title)}",
        f"**{'Dry run: nothing was written.' if report.dry_run else report.state_name}**",
        section("Look at this first", escaped_list(report.findings)),
        counts_table(report.counts, planned=report.dry_run),
        _report_figures(report),
        section("Conflicts", edits_list(report.conflicts, configuration_link, rows)),
        section("Failures", failures_list(report.failures, configuration_link, asset_link, rows)),
        section("Held by more than one configuration", bullets(duplicates, rows, len(report.duplicates))),
        section("Notes", escaped_list(report.notes)),
        findings(plan, configuration_link, asset_link, rows, missing) if plan else "",
        section("Reference records created", references_list(report.references_created, rows)),
        section("Written", _written(report.written, configuration_link, asset_link, rows)),
    )


def _report_figures(report: SyncReport) -> str:
    figures = [
        f"Requests to ConnectWise: {report.requests_used:,} used, {report.requests_predicted:,} predicted; "
        f"{counted(report.writes, 'write')}",
        f"Requests to Lansweeper: {report.lansweeper_used:,} used, {report.lansweeper_predicted:,} predicted",
        time_line(report.seconds_used, report.seconds_predicted),
        *_edit_figures(report.edits_kept),
        f"Plan id: `{escape(report.plan_id)}`" if report.plan_id else "",
        f"Checksum of the plan: `{escape(report.checksum)}`" if report.checksum else "",
        f"Run id, for undo-run: `{escape(report.run_id)}`" if report.run_id else "",
    ]
    return "\n".join(f"- {each}" for each in figures if each)


def _written(
    written: Sequence[WrittenRecord], configurations: AddressOf, assets: AddressOf, rows: int
) -> str:
    def row(each: WrittenRecord) -> list[str]:
        address = configurations(each.configuration_id) if each.configuration_id else None
        asset = linked(each.asset_key, assets(each.asset_key))
        return [linked(each.name, address, 40), escape(each.action), asset]

    headers = ["Configuration", "Outcome", "Asset"]
    lines = cells_of(written[:rows], row, len(headers))
    return capped_table(headers, lines, rows, len(written)) if lines else ""


_CANDIDATES = 5
"""Rows of one asset in the queue."""
_WIDTH = 40


def queue_rows(
    ambiguous: Sequence[Ambiguous], company: str, configurations: AddressOf, assets: AddressOf, most: int
) -> list[dict[str, str]]:
    """A row for each candidate of each ambiguous asset, with the parameters of a run that links the two.

    An asset that can't be shown has one row that says so.

    Args:
        company: identifier of the ConnectWise company.
        most: rows at most; the rest is for the next run.
    """

    def rows_of(each: Ambiguous) -> list[dict[str, str]]:
        return list(_of_asset(each, company, configurations, assets))

    shown = (convert_or(each, rows_of, _unshown_asset) for each in ambiguous)
    return list(islice(chain.from_iterable(shown), most))


def _unshown_asset(each: Ambiguous, error: Exception) -> list[dict[str, str]]:
    return [{"Asset": "", "Why": wrapped(unshown(each, error), _WIDTH)}]


def _of_asset(
    each: Ambiguous, company: str, configurations: AddressOf, assets: AddressOf
) -> Iterator[dict[str, str]]:
    asset = {
        "Asset": linked(each.asset.name or each.asset.key, assets(each.asset.key), _WIDTH),
        "Why": wrapped(each.reason, _WIDTH),
    }
    inputs: dict[str, Any] = {"company": company, "asset_key": each.asset.key}
    if not each.candidates:
        yield {**asset, "Candidate": "none", "Parameters of link-configuration": _inputs(inputs, "ignore")}
    for found in each.candidates[:_CANDIDATES]:
        chosen = {**inputs, "configuration_id": found.id}
        yield {
            **asset,
            "Candidate": linked(f"{found.name or ''} ({found.id})", configurations(found.id), _WIDTH),
            "Parameters of link-configuration": _inputs(chosen, "link"),
        }


def _inputs(inputs: dict[str, Any], decision: str) -> str:
    """As JSON, to be pasted into the form of a run that writes: the row shows what is decided."""
    return json.dumps({**inputs, "decision": decision, "dry_run": False}, ensure_ascii=True)
