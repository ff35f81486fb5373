"""Tells of single records in the log."""

from __future__ import annotations

from tasks.dispatch.run import Outcome, Result
from tasks.progress import run_logger

LOUD = (Result.REPORTED, Result.REFUSED, Result.UNRESOLVED, Result.FAILED, Result.UNCLEAR)
"""Results that a person should see."""
FAILURES = (Result.REFUSED, Result.UNRESOLVED, Result.FAILED)
"""Results that end a run as failed, with everything else done."""


def say(outcome: Outcome) -> None:
    """One line: a warning where a person should look, none where nothing happened."""
    if (outcome.result in LOUD and outcome.result is not Result.UNCLEAR) or outcome.warnings:
        run_logger().warning("%s%s", outcome, "".join(f"; {each}" for each in outcome.warnings))
    elif outcome.result not in (Result.OUTSIDE, Result.UNCHANGED):
        run_logger().info("%s", outcome)
