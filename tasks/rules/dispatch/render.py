"""Renders reports of dispatch as Markdown: one row a record or work order, with links to both sides."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tasks.rules.text import bullets, capped_table, cell, document, escape, linked, section, table

MOST_ROWS = 200


@dataclass(frozen=True, slots=True)
class ReportLine:
    """One record in a report; the addresses are those of the two pages."""

    reference: str
    record_url: str
    result: str
    work_order_id: int | None = None
    work_order_url: str | None = None
    message: str = ""


def dispatch_markdown(
    title: str,
    counts: Mapping[str, int],
    lines: Sequence[ReportLine],
    *,
    notes: Sequence[str] = (),
    looked_at: bool = False,
) -> str:
    """Counts, what a person should know, and the records, those that need a person first.

    Args:
        looked_at: nothing was written: the results are steps that a real run would take.
    """
    warning = "**Dry run: nothing was written.**" if looked_at else ""
    rows = [[cell(name), f"{count:,}"] for name, count in counts.items()]
    return document(
        f"# {escape(title)}",
        warning,
        table(["What", "Records"], rows) if rows else "",
        section(
            "To look at", bullets([escape(each) for each in notes], MOST_ROWS, len(notes)) if notes else ""
        ),
        section("Records", _records(lines)),
    )


def preview_markdown(
    line: ReportLine,
    body: Mapping[str, Any] | None,
    changes: Mapping[str, Any] | None,
    *,
    refusal: str,
    warnings: Sequence[str],
) -> str:
    """One record and the work order that it would become."""
    shown = changes or body
    heading = "What an update would send" if changes else "The work order"
    return document(
        f"# {escape(line.reference)}",
        "**Preview: nothing was written.**",
        _records([line]),
        section("It would be refused", escape(refusal)),
        section("Left out", _bullets(warnings)),
        section(heading, _json(shown) if shown else ""),
    )


def _records(lines: Sequence[ReportLine]) -> str:
    if not lines:
        return ""
    rows = [
        [
            linked(each.reference, each.record_url),
            cell(each.result),
            linked(each.work_order_id, each.work_order_url) if each.work_order_id else "",
            cell(each.message, 300) if each.message else "",
        ]
        for each in lines
    ]
    return capped_table(["Record", "Result", "Work order", "Why"], rows, MOST_ROWS, len(lines))


def _json(value: Mapping[str, Any]) -> str:
    """Indented code, which no value can leave: every line of it begins with blanks."""
    text = json.dumps(value, indent=2, ensure_ascii=False, sort_keys=True)
    return "\n".join(f"    {line}" for line in text.splitlines())


def _bullets(texts: Sequence[str]) -> str:
    return bullets([escape(each) for each in texts], MOST_ROWS, len(texts)) if texts else ""
