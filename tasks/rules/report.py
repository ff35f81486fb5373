"""What a run reports: counts that add up, failures, written records, and the Markdown all features share.

Each feature subclasses ``Counts`` with its own outcomes and ``Report`` with its own figures. A report is
small enough to be the result of a flow.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Generic, Self, TypeVar

from tasks.rules.isolation import problem_words
from tasks.rules.text import (
    AddressOf,
    bullets,
    cell,
    counted,
    document,
    escape,
    lines_of,
    linked,
    table,
)
from tasks.rules.values import FieldChange


class CountsError(ValueError):
    """The counts do not add up: a record was lost or counted twice. The run fails."""


class Counts:
    """Everything read ends in exactly one outcome; a subclass is a dataclass of ``read`` and the outcomes.

    ``unit`` names what is read, ``planned_names`` the outcomes that have another name before the writes.
    """

    __slots__: tuple[str, ...] = ()
    unit: ClassVar[str]
    planned_names: ClassVar[Mapping[str, str]]
    read: int
    failed: int

    @property
    def accounted(self) -> int:
        return sum(self.outcomes().values())

    def as_dict(self) -> dict[str, int]:
        """In the order in which reports show them."""
        return {name: getattr(self, name) for name in self.__slots__}

    def outcomes(self) -> dict[str, int]:
        """Without ``read``, of which they are the parts."""
        return {name: count for name, count in self.as_dict().items() if name != "read"}

    def check(self) -> Self:
        """The counts themselves, if the outcomes sum up to the number read and none is negative.

        Raises:
            CountsError: they do not; the text gives every number.
        """
        values = self.as_dict()
        if self.accounted != self.read or min(values.values()) < 0:
            told = ", ".join(f"{name} {count}" for name, count in values.items())
            raise CountsError(f"{self.accounted} of {self.read} {self.unit} read are accounted for: {told}.")
        return self


@dataclass(frozen=True, slots=True)
class WriteFailure:
    """One record that could not be written, with the vendor's own words."""

    asset_key: str
    name: str
    operation: str
    message: str
    code: str = ""
    configuration_id: int | None = None


@dataclass(frozen=True, slots=True)
class WrittenRecord:
    """One record that the run created, modified or updated (``action``)."""

    asset_key: str
    name: str
    action: str
    configuration_id: int | None = None


C = TypeVar("C", bound=Counts)
T = TypeVar("T")


@dataclass(slots=True)
class Report(Generic[C]):
    """The result of a run. ``counts`` add up; a report can't be made of counts that don't.

    ``notes``: what a person should know (the canary stopped bulk, a field moved meanwhile, ...). ``run_id``
    is empty for a dry run, which can't be undone. ``seconds_predicted`` is what a real run was to take by its
    plan, ``seconds_used`` what this one took.
    """

    counts: C
    dry_run: bool = False
    failures: list[WriteFailure] = field(default_factory=list)
    written: Sequence[WrittenRecord] = ()
    notes: list[str] = field(default_factory=list)
    run_id: str = ""
    seconds_predicted: float = 0.0
    seconds_used: float = 0.0

    def __post_init__(self) -> None:
        self.counts.check()

    @property
    def failed(self) -> bool:
        """Whether the run ends as Failed; what was left alone does not make it so."""
        return self.counts.failed > 0

    @property
    def state_name(self) -> str:
        failed = self.counts.failed
        return failures_name(failed) if failed else "Completed"


def failures_name(count: int) -> str:
    """The usual name of a failed state: ``Finished with 2 failures``."""
    return f"Finished with {counted(count, 'failure')}"


def shown_or_counts(render: Callable[[], str], title: str, counts: Counts) -> str:
    """The document, or where a row of it can't be shown the counts and why: a report is never lost."""
    try:
        return render()
    except Exception as error:
        why = f"The rest can't be shown: {problem_words(error)}. The journal has every write of the run."
        return document(f"# {escape(title)}", counts_table(counts), escape(why))


def counts_table(counts: Counts, *, planned: bool = False) -> str:
    """The counts that add up, one column each; a plan has no failures yet."""
    values = counts.as_dict()
    if planned:
        values.pop("failed")
    names = counts.planned_names if planned else {}
    headers = [names.get(name, name).replace("_", " ").capitalize() for name in values]
    return table(headers, [[f"**{count:,}**" for count in values.values()]])


_BOLD_COUNT = re.compile(r"\*\*([\d,]+)\*\*")


def read_counts(markdown: str) -> dict[str, int]:
    """The counts that ``counts_table`` put into a plan or report, by its headers; empty if it did not."""
    lines = markdown.splitlines()
    for head, rule, row in zip(lines, lines[1:], lines[2:], strict=False):
        names, cells = ([each.strip() for each in line.strip("| ").split(" | ")] for line in (head, row))
        counts = [_BOLD_COUNT.fullmatch(each) for each in cells]
        if rule.startswith("| ---") and len(names) == len(cells) and all(counts):
            named = zip(names, counts, strict=True)
            return {
                name.lower().replace(" ", "_"): int(each[1].replace(",", "")) for name, each in named if each
            }
    return {}


REAL_RUN_REFUSED = "real run is refused"
"""In the words on top of a dry run's plan that no real run would write."""


def is_refused_plan(markdown: str) -> bool:
    """Whether the plan says so, in a section's heading or in bold, which no value is."""
    return any(REAL_RUN_REFUSED in line and line.startswith(("## ", "**")) for line in markdown.splitlines())


def failures_list(
    failures: Sequence[WriteFailure],
    configurations: AddressOf,
    assets: AddressOf,
    rows: int,
    *,
    operations: bool = True,
) -> str:
    """A line a failure; ``operations``: whether it says what was tried."""
    lines = lines_of(failures[:rows], lambda each: _failure_line(each, configurations, assets, operations))
    return bullets(lines, rows, len(failures))


def _failure_line(each: WriteFailure, configurations: AddressOf, assets: AddressOf, operations: bool) -> str:
    record = each.configuration_id
    shown = f", configuration {linked(record, configurations(record))}" if record is not None else ""
    tried = f", {escape(each.operation)}" if operations else ""
    said = f"{each.code}: {each.message}" if each.code else each.message
    name = linked(each.name or each.asset_key, assets(each.asset_key))
    return f"{name} (asset {cell(each.asset_key)}{shown}){tried}: {cell(said, 400)}"


def changes_list(
    records: Sequence[T], heading: Callable[[T], str], lines: Callable[[T], list[str]], rows: int, unit: str
) -> str:
    """A block a record, a line a field; whole records until ``rows`` lines are shown.

    Args:
        lines: a record's, see ``change_line``.
        unit: what a record is, for "… and 3 more assets".
    """

    def block(record: T) -> str:
        return "\n".join([f"- {heading(record)}", *(f"  - {line}" for line in lines(record))])

    blocks: list[str] = []
    shown = 0
    for each in records:
        if shown >= rows:
            break
        [text] = lines_of([each], block)
        blocks.append(text if text.startswith("- ") else f"- {text}")
        shown += max(1, text.count("\n"))
    left = len(records) - len(blocks)
    more = [f"- … and {counted(left, f'more {unit}')}"] if left else []
    return "\n".join([*blocks, *more])


def change_line(change: FieldChange, note: str = "") -> str:
    """One field that changes: its name, a note, the value it has and the one it gets."""
    return f"{cell(change.field)}{note}: {cell(change.current)} → {cell(change.wanted)}"
