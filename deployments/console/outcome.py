"""How a run ended, for a script: from the state that Prefect keeps and from what the run published.

Imports nothing of Prefect. A flow's return value is not stored, so the state's type, name and message and
the artifacts are all there is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Any

from deployments.console.output import ExitCode
from tasks.rules.report import is_refused_plan, read_counts
from tasks.rules.stored_plans.summary import KINDS_OF_CHANGE
from tasks.rules.text import unescaped

REFUSALS = ("ReadingRefusedError", "ThresholdExceededError", "ImplausiblePlanError", "PlanRefusedError")
"""Errors of the flows by which a run refuses to write; a failed state's message names the error."""
LEASE_HELD = "Another run writes to"
"""How the message of a run begins that was cancelled because another one holds the lease."""
_PREFECTS_OWN = ("Failed", "TimedOut")
"""Names of failed states that Prefect gives; all others are the flows' own, with findings."""
_LEFT_OUT_OF_UNDO = ("## Refused", "## Failed")


class Outcome(StrEnum):
    """What became of a run."""

    DONE = "done"
    FAILED = "failed"
    FINDINGS = "findings"
    REFUSED = "refused"
    RUNNING = "running"

    @property
    def code(self) -> ExitCode:
        return _CODES[self]


_CODES = {
    Outcome.DONE: ExitCode.DONE,
    Outcome.FAILED: ExitCode.FAILED,
    Outcome.FINDINGS: ExitCode.FINDINGS,
    Outcome.REFUSED: ExitCode.FINDINGS,
    Outcome.RUNNING: ExitCode.RUNNING,
}


def outcome_of(state_type: str, name: str, message: str, documents: Iterable[str] = ()) -> Outcome:
    """The outcome of a run in that state; ``documents`` are the Markdown artifacts that it published."""
    if state_type == "COMPLETED":
        return _of_documents(list(documents))
    if state_type == "CANCELLED" and message.startswith(LEASE_HELD):
        return Outcome.REFUSED
    if state_type in ("CANCELLED", "CRASHED"):
        return Outcome.FAILED
    if state_type != "FAILED":
        return Outcome.RUNNING
    if any(f"{error}:" in message for error in REFUSALS):
        return Outcome.REFUSED
    return Outcome.FAILED if name in _PREFECTS_OWN else Outcome.FINDINGS


def _of_documents(documents: Sequence[str]) -> Outcome:
    if any(is_refused_plan(each) for each in documents):
        return Outcome.REFUSED
    lines = (line for each in documents if each.startswith("# Undo of run") for line in each.splitlines())
    return Outcome.FINDINGS if any(line in _LEFT_OUT_OF_UNDO for line in lines) else Outcome.DONE


def summary_of(markdown: str) -> str:
    """The top of a plan or report: title, verdict, counts and kinds of change, without the sections below."""
    if not read_counts(markdown):
        return markdown
    start = markdown.index("\n| ---")
    end = markdown.find("\n## ", start)
    if markdown.startswith(f"\n## {KINDS_OF_CHANGE}\n", end):
        end = markdown.find("\n## ", end + 1)
    return markdown if end < 0 else markdown[:end].rstrip()


def findings_of(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, str]]:
    """The rows of the table of check-connections as plain text, without the line breaks made for the UI."""
    return [{name.lower(): unescaped(_one_line(str(text))) for name, text in row.items()} for row in rows]


def _one_line(text: str) -> str:
    """Lines end at blanks, which are gone, and behind hyphens."""
    return re.sub(r"(?<=\w-)<br>", "", text).replace("<br>", " ")
