"""A plan as Markdown: the counts first, then what will be created and changed, field by field."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from tasks.rules.counts import Counts
from tasks.rules.markdown import Link, capped_table, cell, document, escape, linked, section, table
from tasks.rules.matching import Ambiguous
from tasks.rules.plan import Creation, Modification, Plan
from tasks.rules.references import KINDS

ROWS = 50
"""Rows of a table before "and n more"."""

_CREATION_COLUMNS = ("type.name", "status.name", "serialNumber", "macAddress")


def plan_markdown(
    plan: Plan,
    *,
    title: str = "Plan",
    dry_run: bool = False,
    refused: Sequence[str] = (),
    configuration_link: Link = lambda _: None,
    asset_link: Link = lambda _: None,
    rows: int = ROWS,
) -> str:
    """The plan for an artifact.

    Args:
        plan: what is shown.
        title: the heading, for instance with the company's name; escaped here.
        dry_run: whether nothing will be written.
        refused: the exceeded ceilings in words, if any: shown before everything else.
        configuration_link: id -> address of the configuration in ConnectWise, None for no link.
        asset_link: key -> address of the asset in Lansweeper, None for no link.
        rows: how many rows each table shows at most.
    """
    return document(
        f"# {escape(title)}",
        _verdict(plan, dry_run, refused),
        counts_table(plan.counts, planned=True),
        _figures(plan),
        section("Reference records to create", references_table(plan.reference_creations, rows)),
        section("Changes", _changes(plan, configuration_link, rows)),
        section("Configurations to create", _creations(plan, asset_link, rows)),
        findings(plan, configuration_link, asset_link, rows),
    )


def findings(plan: Plan, configuration_link: Link, asset_link: Link, rows: int = ROWS) -> str:
    """What needs a person's eye: ambiguous, skipped, warnings, inactive and orphaned."""
    return "\n\n".join(
        part
        for part in (
            section(
                "Ambiguous, left alone", _ambiguous(plan.ambiguous, configuration_link, asset_link, rows)
            ),
            section("Skipped", _skipped(plan, asset_link, rows)),
            section("Warnings", _warnings(plan, rows)),
            section("Inactive in ConnectWise", _configurations(plan.inactive, configuration_link, rows)),
            section("Orphaned, left alone", _configurations(plan.orphaned, configuration_link, rows)),
        )
        if part
    )


def counts_table(counts: Counts, *, planned: bool = False) -> str:
    """The counts that add up, one column each."""
    heads = {"created": "to create", "modified": "to modify"} if planned else {}
    values = counts.as_dict()
    if planned:
        values.pop("failed")
    headers = [heads.get(name, name).capitalize() for name in values]
    return table(headers, [[f"**{count:,}**" for count in values.values()]])


def references_table(names: Mapping[str, Sequence[str]], rows: int = ROWS) -> str:
    """Kind and name of each reference record."""
    lines = [
        [KINDS[path].label if path in KINDS else escape(path), cell(name)]
        for path, found in sorted(names.items())
        for name in found
    ]
    return capped_table(["Kind", "Name"], lines[:rows], rows, len(lines)) if lines else ""


def _verdict(plan: Plan, dry_run: bool, refused: Sequence[str]) -> str:
    if refused:
        told = "\n".join(f"- {escape(reason)}" for reason in refused)
        return f"**Refused: nothing was written.**\n\n{told}"
    if plan.nothing_to_write:
        return "**Nothing to write: ConnectWise is up to date.**"
    return "**Dry run: nothing is written.**" if dry_run else ""


def _figures(plan: Plan) -> str:
    cost = plan.predicted
    figures = [
        f"Requests to ConnectWise: {cost.total:,} predicted, {cost.writes:,} of them writes",
        f"Orphaned configurations (their asset is gone): {len(plan.orphaned):,}",
        f"Checksum: `{plan.checksum}`",
    ]
    return "\n".join(f"- {each}" for each in figures)


def _changes(plan: Plan, link: Link, rows: int) -> str:
    total = sum(len(each.all_changes) for each in plan.modifications)
    lines = [line for each in plan.modifications[:rows] for line in _change_rows(each, link)]
    headers = ["Configuration", "Matched on", "Field", "In ConnectWise", "Becomes"]
    return capped_table(headers, lines[:rows], rows, total) if total else ""


def _change_rows(modification: Modification, link: Link) -> Iterable[list[str]]:
    shown = linked(modification.name, link(modification.configuration.id))
    for change in modification.all_changes:
        own_call = " (own call)" if change is modification.type_change else ""
        values = [cell(change.current), cell(change.wanted)]
        yield [shown, escape(modification.matched_on), cell(change.field) + own_call, *values]


def _creations(plan: Plan, link: Link, rows: int) -> str:
    if not plan.creations:
        return ""
    columns = [path for path in _CREATION_COLUMNS if path in plan.paths]
    lines = [_creation_row(each, columns, plan.paths, link) for each in plan.creations[:rows]]
    return capped_table(["Asset", *columns, "Warnings"], lines, rows, len(plan.creations))


def _creation_row(creation: Creation, columns: Sequence[str], paths: Sequence[str], link: Link) -> list[str]:
    values: dict[str, Any] = dict(zip(paths, creation.asset.wanted, strict=True))
    warnings = escape("; ".join(creation.warnings))
    name = linked(creation.name, link(creation.asset.key))
    return [name, *(cell(values[path]) for path in columns), warnings]


def _ambiguous(found: Sequence[Ambiguous], configurations: Link, assets: Link, rows: int) -> str:
    lines = [
        [
            linked(each.asset.name or each.asset.key, assets(each.asset.key)),
            ", ".join(linked(f"{c.name or ''} ({c.id})", configurations(c.id)) for c in each.candidates[:5])
            + (f" … and {len(each.candidates) - 5} more" if len(each.candidates) > 5 else ""),
            cell(each.reason, 200),
        ]
        for each in found[:rows]
    ]
    return capped_table(["Asset", "Candidates", "Reason"], lines, rows, len(found)) if lines else ""


def _skipped(plan: Plan, link: Link, rows: int) -> str:
    lines = [
        [linked(each.name or each.asset_key, link(each.asset_key)), cell(each.reason, 200)]
        for each in plan.skipped[:rows]
    ]
    return capped_table(["Asset", "Reason"], lines, rows, len(plan.skipped)) if lines else ""


def _warnings(plan: Plan, rows: int) -> str:
    lines = [
        [cell(each.text, 200), f"{each.count:,}", ", ".join(cell(name, 40) for name in each.examples)]
        for each in plan.warnings[:rows]
    ]
    return (
        capped_table(["Warning", "Assets", "For example"], lines, rows, len(plan.warnings)) if lines else ""
    )


def _configurations(found: Sequence[Any], link: Link, rows: int) -> str:
    lines = [
        [linked(each.name or str(each.id), link(each.id)), cell(each.serial), cell(each.asset_key)]
        for each in found[:rows]
    ]
    return (
        capped_table(["Configuration", "Serial number", "Asset key"], lines, rows, len(found))
        if lines
        else ""
    )
