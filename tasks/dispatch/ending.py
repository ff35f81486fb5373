"""How a run of dispatch over several records ends."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from prefect.states import Failed

from tasks.rules.wording import counted

NAMED = 5
"""Failures, and double work orders, that the state's message names; the report has them all."""


def ended(data: Any, failed: Sequence[object], doubles: Sequence[str] = ()) -> Any:
    """``data`` as it is, or the state Failed with it, named by how many failures and double work orders."""
    if not failed and not doubles:
        return data
    name = f"Finished with {counted(len(failed) + len(doubles), 'failure')}"
    words = [*map(str, failed[:NAMED]), *doubles[:NAMED]]
    return Failed(name=name, message="; ".join(words), data=data)
