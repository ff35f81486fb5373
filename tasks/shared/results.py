"""The last state of a flow run: what it returns when nothing failed, else ``Failed`` with the same data."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from prefect.states import Failed

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


def finished_state(name: str, failures: Sequence[str], data: Any) -> Any:
    """``data`` when there are no failures, else the state ``Failed`` of that name with RunFailedError."""
    if not failures:
        return data
    message = "; ".join(failures)
    return Failed(name=name, message=message, data=RunFailedError(message, data))
