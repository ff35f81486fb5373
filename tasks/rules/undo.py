"""The plan that undoes a run, and its Markdown; every feature that writes has an undo that makes one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from connectors.ledger.models import JournalledWrite
from tasks.rules.text import ROWS, Link, bullets, cell, counted, document, escape, linked, section


@dataclass(frozen=True, slots=True)
class UndoStep:
    """One write of the undo. ``values``: journal key -> value to set again (None clears); empty to delete."""

    action: Literal["modify", "change_type", "delete"]
    record_id: int
    name: str
    asset_key: str | None
    values: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class UndoRefusal:
    """What is not undone, and why. ``field`` is a journal key; None means the whole record."""

    record_id: int | None
    name: str
    field: str | None
    reason: str


@dataclass(slots=True)
class UndoPlan:
    """The reverse of a run. ``undone_already`` counts the fields and records that need nothing."""

    steps: list[UndoStep] = field(default_factory=list)
    refused: list[UndoRefusal] = field(default_factory=list)
    undone_already: int = 0

    def refuse(self, write: JournalledWrite, reason: str, key: str | None = None) -> None:
        """Note what is left as it is."""
        self.refused.append(UndoRefusal(write.record_id, write.record_name, key, reason))


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
        section("Steps", bullets(steps, rows, len(plan.steps))),
        section("Refused", bullets(refused, rows, len(plan.refused))),
    )


def _becomes(step: UndoStep) -> str:
    return ", ".join(f"{cell(key)} → {cell(_named(value))}" for key, value in step.values.items())


def _named(value: object) -> object:
    return value.get("name", value.get("id")) if isinstance(value, dict) else value
