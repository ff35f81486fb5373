"""A stored plan whole, record by record, as a table of text, CSV, JSON or one HTML page.

Each form is written piece by piece, so that a plan of a hundred thousand records is never one text. No value
of a record can become anything else: a formula in a spreadsheet, markup in a page, a sequence that steers a
terminal. The page loads nothing: it needs no network, and its policy forbids it.
"""

from __future__ import annotations

import csv
import html
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

import orjson

from connectors.ledger.models import StoredPlan
from tasks.rules.stored_plans.entries import PlanEntry
from tasks.rules.stored_plans.summary import KINDS_OF_CHANGE, KindNumbers, PlanTally
from tasks.rules.text import plain_line, unescaped

COLUMNS = ("kind", "configuration_id", "name", "asset_key", "field", "current", "wanted", "notes")
_WIDTHS = (11, 9, 30, 26, 26, 30, 30, 40)
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠", "|", "%")
"""How a text begins that a spreadsheet may take for a formula."""


class PlanFormat(Protocol):
    """One form of a whole plan: what stands before the records, each record, and what stands after."""

    def head(self, plan: StoredPlan, tally: PlanTally, now: datetime) -> str: ...

    def entry(self, entry: PlanEntry) -> str: ...

    def end(self) -> str: ...


def plan_state(plan: StoredPlan, now: datetime) -> str:
    """What became of it, in a word or two."""
    if plan.applied_at is not None:
        return "applied"
    if plan.expires_at <= now:
        return "expired"
    return "begun" if plan.begun_by else "open"


def plan_facts(plan: StoredPlan, now: datetime) -> dict[str, Any]:
    """What a person wants to know of the whole, by name."""
    head = plan.head
    return {
        "id": plan.id,
        "feature": head.feature,
        "company": head.company,
        "company_name": head.details.get("company", ""),
        "state": plan_state(plan, now),
        "made_at": plan.made_at.isoformat(timespec="seconds"),
        "expires_at": plan.expires_at.isoformat(timespec="seconds"),
        "run_id": head.run_id,
        "applied_by": plan.applied_by,
        "applied_at": plan.applied_at.isoformat(timespec="seconds") if plan.applied_at else "",
        "tenant": head.tenant,
        "checksum": head.checksum,
        "entries": plan.entries,
        "counts": head.counts,
        "reference_records": head.details.get("references", {}),
        "requests_predicted": head.details.get("requests", 0),
    }


class TextTable:
    """Columns of a fixed width, for a terminal; long values are cut."""

    def head(self, plan: StoredPlan, tally: PlanTally, now: datetime) -> str:
        facts = (f"{name}: {_plain(value)}" for name, value in plan_facts(plan, now).items() if value)
        titles = [name.replace("_", " ").capitalize() for name in COLUMNS]
        rule = ["-" * width for width in _WIDTHS]
        kinds = (f"{number}. {each}" for number, each in enumerate(_kinds_of_change(tally), 1))
        return "\n".join([*facts, "", *kinds, "", _line(titles), _line(rule), ""])

    def entry(self, entry: PlanEntry) -> str:
        return "".join(f"{_line(map(_plain, row))}\n" for row in entry_rows(entry))

    def end(self) -> str:
        return ""


class Csv:
    """One row a field that changes, for a spreadsheet; one row for a record of which nothing changes."""

    def head(self, plan: StoredPlan, tally: PlanTally, now: datetime) -> str:
        return _csv_line(COLUMNS)

    def entry(self, entry: PlanEntry) -> str:
        return "".join(_csv_line(map(spreadsheet_value, row)) for row in entry_rows(entry))

    def end(self) -> str:
        return ""


class JsonDocument:
    """One document: the facts and settings of the plan, and its entries."""

    def __init__(self) -> None:
        self._before = ""

    def head(self, plan: StoredPlan, tally: PlanTally, now: datetime) -> str:
        facts = plan_facts(plan, now) | {"settings": plan.head.settings}
        return f'{{"plan": {_json(facts)},\n"entries": [\n'

    def entry(self, entry: PlanEntry) -> str:
        before, self._before = self._before, ",\n"
        return before + _json(entry)

    def end(self) -> str:
        return "\n]}\n"


class HtmlPage:
    """One page that loads nothing. A click on a kind of change leaves its records alone in the table."""

    def __init__(self) -> None:
        self._kinds = KindNumbers(PlanTally())

    def head(self, plan: StoredPlan, tally: PlanTally, now: datetime) -> str:
        facts = [
            f"<tr><th>{_html(name.replace('_', ' '))}</th><td>{_html(_plain(value))}</td></tr>"
            for name, value in plan_facts(plan, now).items()
            if value
        ]
        self._kinds = KindNumbers(tally)
        told = list(enumerate(_kinds_of_change(tally), 1))
        kinds = [f'<li><a href="#k{number}">{_html(each)}</a></li>' for number, each in told]
        hidden = [f"#k{number}:target~table tbody tr:not(.k{number})" for number, _ in told]
        places = "".join(f"<i id=k{number}></i>" for number, _ in told)
        title = _html(f"Plan for {plan.head.details.get('company') or plan.head.company}")
        columns = "".join(f"<th>{name}</th>" for name in _PAGE_COLUMNS)
        return "\n".join(
            [
                _PAGE.replace("TITLE", title),
                f"<h1>{title}</h1>\n<table class=facts>",
                *facts,
                f"</table>\n<h2>{KINDS_OF_CHANGE}</h2>\n<ol>",
                *kinds,
                f"</ol>\n<style>{','.join(hidden)}{{ display: none }}</style>" if told else "</ol>",
                f'{places}<h2>Records</h2>\n<p><a href="#all">All records</a></p>',
                f"<table>\n<thead><tr>{columns}</tr></thead>\n<tbody>\n",
            ]
        )

    def entry(self, entry: PlanEntry) -> str:
        changes = "".join(
            f"<li><b>{_html(each.field)}</b>: {_value(each.current)} → {_value(each.wanted)}</li>"
            for each in entry.changes
        )
        notes = "".join(f"<li>{_html(each)}</li>" for each in entry.notes)
        number = "" if entry.configuration_id is None else entry.configuration_id
        cells = (entry.kind.value, number, entry.name, entry.asset_key, entry.matched_on)
        plain = "".join(f"<td>{_html(each)}</td>" for each in cells)
        kinds = " ".join(f"k{each}" for each in self._kinds.of(entry))
        return f'<tr class="{kinds}">{plain}<td><ul>{changes}</ul></td><td><ul>{notes}</ul></td></tr>\n'

    def end(self) -> str:
        return "</tbody>\n</table>\n</body>\n</html>\n"


FORMATS: Mapping[str, type[PlanFormat]] = {
    "table": TextTable,
    "csv": Csv,
    "json": JsonDocument,
    "html": HtmlPage,
}


def entry_rows(entry: PlanEntry) -> Iterator[list[Any]]:
    """The rows of one record, a value for each of ``COLUMNS``; the notes stand in the first."""
    own: list[Any] = [entry.kind.value, entry.configuration_id, entry.name, entry.asset_key]
    notes = "; ".join(entry.notes)
    if not entry.changes:
        yield [*own, None, None, None, notes]
    for number, each in enumerate(entry.changes):
        yield [*own, each.field, each.current, each.wanted, "" if number else notes]


def _kinds_of_change(tally: PlanTally) -> Iterator[str]:
    """The lines of the tally, which are Markdown, as text."""
    return (unescaped(each).replace("*empty*", "empty") for each in tally.lines())


def spreadsheet_value(value: Any) -> Any:
    """The value for a cell; a text that could be taken for a formula has an apostrophe before it."""
    if not isinstance(value, str):
        return value
    text = value.replace("\x00", "")
    return f"'{text}" if text.lstrip(" \xa0").startswith(_FORMULA) else text


def _csv_line(values: Iterable[Any]) -> str:
    line = io.StringIO()
    csv.writer(line, quoting=csv.QUOTE_NONNUMERIC).writerow(["" if each is None else each for each in values])
    return line.getvalue()


def _json(value: Any) -> str:
    return orjson.dumps(value, default=str).decode()


def _line(values: Iterable[str]) -> str:
    cells = (_cut(each, width) for each, width in zip(values, _WIDTHS, strict=True))
    return "  ".join(cells).rstrip()


def _cut(text: str, width: int) -> str:
    return (text if len(text) <= width else f"{text[: width - 1]}…").ljust(width)


def _plain(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_plain(each)}" for name, each in value.items())
    if isinstance(value, Sequence) and not isinstance(value, str):
        return ", ".join(map(_plain, value))
    return "" if value is None else plain_line(value)


def _html(value: Any) -> str:
    return html.escape(plain_line(value), quote=True)


def _value(value: Any) -> str:
    text = _plain(value)
    return f"<code>{html.escape(text, quote=True)}</code>" if text else "<i>empty</i>"


_PAGE_COLUMNS = ("Kind", "Configuration", "Name", "Asset", "Matched on", "Changes", "Notes")
_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>TITLE</title>
<style>
body { font: 14px/1.4 system-ui, sans-serif; margin: 2em; color: #222 }
table { border-collapse: collapse; width: 100% }
th, td { border-bottom: 1px solid #ddd; padding: 4px 8px; text-align: left; vertical-align: top }
thead th { position: sticky; top: 0; background: #f4f4f4 }
table.facts { width: auto }
td ul { margin: 0; padding-left: 1em; overflow-wrap: anywhere }
code { background: #f4f4f4 }
</style>
</head>
<body>"""
