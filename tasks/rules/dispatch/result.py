"""What one look of dispatch ended with, and the report of many as Markdown.

One type for both ways. Inbound, a ticket or opportunity became a work order; outbound, what happened to a
work order was done to its record.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from tasks.rules.dispatch.reference import RecordKind
from tasks.rules.text import (
    bullets,
    capped_table,
    cell,
    cells_of,
    document,
    escape,
    lines_of,
    linked,
    section,
    table,
)


class DispatchStatus(StrEnum):
    """How one look at a record or work order ended; each ends in exactly one of these."""

    CREATED = "created"
    ADOPTED = "adopted"
    """A work order was found that an earlier, unanswered creation had made."""
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    OUTSIDE = "outside"
    """Not in a trigger and without a work order, or a work order of nobody's: not for dispatch."""
    CANCELLED = "cancelled"
    REPORTED = "reported"
    """A person should look."""
    REFUSED = "refused"
    UNCLEAR = "unclear"
    """A request was not answered and what it made is not found yet; it is looked for again."""
    UNRESOLVED = "unresolved"
    """The same after all the looking: a person should look, or the long pause passes."""
    BUSY = "busy"
    """Another process works on this record."""
    FAILED = "failed"


RETRYABLE = frozenset({DispatchStatus.UNCLEAR, DispatchStatus.BUSY, DispatchStatus.FAILED})
"""After these the same look is taken again soon."""
FAILURES = frozenset({DispatchStatus.REFUSED, DispatchStatus.UNRESOLVED, DispatchStatus.FAILED})
"""Of a record: these end a run as failed, with everything else done."""
OUTBOUND_FAILURES = frozenset({DispatchStatus.FAILED, DispatchStatus.REPORTED})
"""The same of a work order's events and notes."""
QUIET = frozenset({DispatchStatus.OUTSIDE, DispatchStatus.UNCHANGED})
"""Nothing happened."""
NOTEWORTHY = frozenset({DispatchStatus.REPORTED, *FAILURES, DispatchStatus.UNCLEAR})
"""What a person should see first in a report."""


@dataclass(frozen=True, slots=True)
class RecordRef:
    """A ticket or opportunity: its kind, its number, and the reference that its work order carries."""

    kind: RecordKind
    id: int
    reference: str

    def result(
        self,
        status: DispatchStatus,
        work_order_id: int | None = None,
        *,
        message: str = "",
        warnings: tuple[str, ...] = (),
        retry_after: float | None = None,
    ) -> DispatchResult:
        return DispatchResult(
            status, self, work_order_id, message=message, warnings=warnings, retry_after=retry_after
        )

    def outbound(self, work_order_id: int) -> DispatchResult:
        """The outbound result of this record's work order as long as nothing was done."""
        return DispatchResult(DispatchStatus.UNCHANGED, self, work_order_id, outbound=True)


@dataclass(frozen=True, slots=True)
class DispatchResult:
    """How one look at a record, or at a work order, ended.

    Attributes:
        record: None only for a work order that belongs to no record.
        outbound: it is about what the work order's events or notes did to the record.
        work_order_status: Field Nation's word, "" where it was not read.
        retry_after: seconds, where it is to be tried again and the time is known.
        messages: how many messages the work order has, answers not counted; None: not read.
    """

    status: DispatchStatus
    record: RecordRef | None
    work_order_id: int | None = None
    outbound: bool = False
    work_order_status: str = ""
    did: tuple[str, ...] = ()
    message: str = ""
    warnings: tuple[str, ...] = ()
    retry_after: float | None = None
    messages: int | None = None

    @property
    def retryable(self) -> bool:
        """Whether the same look is to be taken again soon."""
        return self.status in RETRYABLE

    @property
    def failed(self) -> bool:
        """Whether it ends a run as failed."""
        return self.status in (OUTBOUND_FAILURES if self.outbound else FAILURES)

    @property
    def quiet(self) -> bool:
        return self.status in QUIET and not self.did

    def but(
        self, status: DispatchStatus, message: str = "", retry_after: float | None = None
    ) -> DispatchResult:
        return replace(self, status=status, message=message, retry_after=retry_after)

    def including(self, did: tuple[str, ...]) -> DispatchResult:
        """The same with what earlier tries did; then it counts as updated, not as unchanged."""
        updated = bool(did) and self.status is DispatchStatus.UNCHANGED
        return replace(self, did=did, status=DispatchStatus.UPDATED if updated else self.status)

    @property
    def subject(self) -> str:
        """``Work order 5`` of an outbound result, else the record's reference."""
        if self.outbound or self.record is None:
            return f"Work order {self.work_order_id}"
        return self.record.reference

    def __str__(self) -> str:
        if self.outbound or self.record is None:
            words = (str(self.status), *self.did, self.message, *self.warnings)
            return f"{self.subject}: {'; '.join(each for each in words if each)}"
        order = f" (work order {self.work_order_id})" if self.work_order_id else ""
        return f"{self.subject} {': '.join(each for each in (str(self.status), self.message) if each)}{order}"


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
    rows = [[cell(name), f"{count:,}"] for name, count in counts.items()]
    return document(
        f"# {escape(title)}",
        "**Dry run: nothing was written.**" if looked_at else "",
        table(["What", "Records"], rows) if rows else "",
        section("To look at", _bullets(notes)),
        section("Records", _records(lines)),
    )


def preview_markdown(
    line: ReportLine,
    body: Mapping[str, Any] | None,
    changes: Mapping[str, Any] | None,
    *,
    refusal: str,
    warnings: Sequence[str],
    rule_problems: Sequence[str] = (),
) -> str:
    """One record and the work order that it would become."""
    heading = "What an update would send" if changes else "The work order"
    shown = changes or body
    return document(
        f"# {escape(line.reference)}",
        "**Preview: nothing was written.**",
        _records([line]),
        section("The rules name what does not exist", _bullets(rule_problems)),
        section("It would be refused", escape(refusal)),
        section("Left out", _bullets(warnings)),
        section(heading, "\n".join(lines_of([shown], _json)) if shown else ""),
    )


def _records(lines: Sequence[ReportLine]) -> str:
    if not lines:
        return ""
    headers = ["Record", "Result", "Work order", "Why"]
    rows = cells_of(lines[:MOST_ROWS], _cells, len(headers))
    return capped_table(headers, rows, MOST_ROWS, len(lines))


def _cells(each: ReportLine) -> list[str]:
    return [
        linked(each.reference, each.record_url),
        cell(each.result),
        linked(each.work_order_id, each.work_order_url) if each.work_order_id else "",
        cell(each.message, 300) if each.message else "",
    ]


def _json(value: Mapping[str, Any]) -> str:
    """Indented code, which no value can leave: every line of it begins with blanks."""
    text = json.dumps(value, indent=2, ensure_ascii=False, sort_keys=True).encode("utf-8", "replace").decode()
    return "\n".join(f"    {line}" for line in text.splitlines())


def _bullets(texts: Sequence[str]) -> str:
    return bullets(lines_of(texts[:MOST_ROWS], escape), MOST_ROWS, len(texts)) if texts else ""
