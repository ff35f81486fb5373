"""The last state of a flow run: what it returns when nothing failed, else ``Failed`` with the same data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from prefect.states import Cancelled, Failed

from tasks.shared.run_metrics import note_outcome, note_records

NAMED = 5
"""Failures that a state's message names; the report has them all."""


class RunFailedError(RuntimeError):
    """What a failed state holds and a caller of the flow gets: the failures in words, and the run's ``data``.

    Prefect can raise nothing but an exception: with another kind of data a caller would get a TypeError about
    it instead of the reason.
    """

    def __init__(self, message: str, data: Any = None) -> None:
        super().__init__(message)
        self.data = data


def finished_state(
    name: str, failures: Sequence[str], data: Any, outcomes: Mapping[str, int] | None = None
) -> Any:
    """``data`` when there are no failures, else the state ``Failed`` of that name with RunFailedError.

    ``outcomes``: records by what became of them, for the run's metrics.
    """
    note_records(outcomes or {})
    if not failures:
        return data
    note_outcome("failed")
    message = "; ".join(failures)
    return Failed(name=name, message=message, data=RunFailedError(message, data))


def cancelled_state(reason: object) -> Any:
    """The state ``Cancelled`` of a run that did nothing, for this reason."""
    note_outcome("cancelled")
    return Cancelled(message=str(reason))
