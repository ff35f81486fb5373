"""The last state of a flow run: what it returns when nothing failed, else ``Failed`` with the same data."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from prefect.states import Failed

NAMED = 5
"""Failures that a state's message names; the report has them all."""


def finished_state(name: str, failures: Sequence[str], data: Any) -> Any:
    """``data`` when there are no failures, else the state ``Failed`` of that name with ``data`` in it."""
    return Failed(name=name, message="; ".join(failures), data=data) if failures else data
