"""The plan that undoes a run, and its Markdown.

The features' ``undo`` modules have a class each of the same interface: ``prepare`` plans the reverse,
``apply`` writes it and returns what failed, ``lease`` names what to hold meanwhile, ``address`` links to a
record.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from connectors.ledger.models import JournalledWrite
from tasks.rules.report import REAL_RUN_REFUSED
from tasks.rules.stored_plans.summary import plan_id_words
from tasks.rules.text import (
    ROWS,
    AddressOf,
    bullets,
    cell,
    counted,
    document,
    escape,
    escaped_list,
    lines_of,
    linked,
    section,
)


@dataclass(frozen=True, slots=True)
class UndoStep:
    """One write of the undo. ``values``: journal key -> value to set again (None clears); empty to delete.

    ``current``: what the record has in those keys now.
    """

    action: Literal["modify", "change_type", "delete"]
    record_id: int
    name: str
    asset_key: str | None
    values: Mapping[str, Any] = field(default_factory=dict)
    current: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class UndoRefusal:
    """What is not undone, and why. ``field`` is a journal key; None means the whole record."""

    record_id: int | None
    name: str
    field: str | None
    reason: str
    asset_key: str | None = None


@dataclass(slots=True)
class UndoPlan:
    """The reverse of a run. ``undone_already`` counts the fields and records that need nothing.

    ``by_asset``: its records are assets; a step's record id is its place among them.
    """

    steps: list[UndoStep] = field(default_factory=list)
    refused: list[UndoRefusal] = field(default_factory=list)
    undone_already: int = 0
    by_asset: bool = False

    def counts(self) -> dict[str, int]:
        """Steps, refusals, and what needs nothing."""
        return {"steps": len(self.steps), "refused": len(self.refused), "undone_already": self.undone_already}

    def refuse(self, write: JournalledWrite, reason: str, key: str | None = None) -> None:
        # The id of a type or a manufacturer may be that of a configuration as well.
        number = None if write.operation == "create_reference" else write.record_id
        self.refused.append(UndoRefusal(number, write.record_name, key, reason, write.asset_key))


def undo_markdown(
    plan: UndoPlan,
    *,
    title: str = "Undo",
    dry_run: bool = True,
    link: AddressOf = lambda _: None,
    failed: Sequence[str] = (),
    figures: Sequence[str] = (),
    plan_id: str = "",
    kinds: str = "",
    drifted: Sequence[str] = (),
    rows: int = ROWS,
) -> str:
    """The undo of a run for an artifact: what is put back or deleted, what is refused and what failed.

    Args:
        figures: requests and time in words, a line each.
        plan_id: under which the ledger keeps the whole plan, if it does.
        kinds: the section with the kinds of change.
        drifted: why the stored plan is not applied, if it is not.
    """
    steps = lines_of(
        plan.steps[:rows],
        lambda step: f"{linked(step.name, link(step.record_id))}: {escape(step.action)} {_becomes(step)}",
    )
    refused = lines_of(
        plan.refused[:rows],
        lambda each: (
            f"{linked(each.name, link(each.record_id))}{f', {cell(each.field)}' if each.field else ''}: "
            f"{cell(each.reason, 300)}"
        ),
    )
    return document(
        f"# {escape(title)}",
        "**Dry run: nothing is written.**" if dry_run else "",
        f"{counted(len(plan.steps), 'record')} to put back or delete, "
        f"{counted(len(plan.refused), 'refusal')}, "
        f"{counted(plan.undone_already, 'record')} already as before.",
        "\n".join(f"- {each}" for each in [*plan_id_words(plan_id), *map(escape, figures)]),
        section(f"The plan changed: a {REAL_RUN_REFUSED}", escaped_list(drifted)),
        kinds,
        section("Steps", bullets(steps, rows, len(plan.steps))),
        section("Refused", bullets(refused, rows, len(plan.refused))),
        section("Failed", escaped_list(failed)),
    )


def _becomes(step: UndoStep) -> str:
    return ", ".join(f"{cell(key)} → {cell(_named(value))}" for key, value in step.values.items())


def _named(value: object) -> object:
    return value.get("name", value.get("id")) if isinstance(value, dict) else value


def within(steps: Sequence[UndoStep], planned: Sequence[UndoStep]) -> list[UndoStep]:
    """Of the steps that were planned anew what the shown plan has: no other record, no other field."""
    shown = {(each.action, each.record_id): each.values for each in planned}
    cut = [
        replace(each, values={key: each.values[key] for key in each.values if key in values})
        for each in steps
        if (values := shown.get((each.action, each.record_id))) is not None
    ]
    return [each for each in cut if each.values or each.action == "delete"]
