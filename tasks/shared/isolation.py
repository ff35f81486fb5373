"""One record's exception is that record's result, also on the way to a vendor (a *bulkhead*)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

from connectors.errors import ConnectorError, StopError
from connectors.redaction import Redactor
from tasks.rules.isolation import bounded, problem_words

R = TypeVar("R")

LONGEST_REFUSAL = 2000
"""Characters of a vendor's refusal, as long as the ledger keeps one."""

_redacted = Redactor()


def concerns_all(error: Exception) -> bool:
    """Whether the next record would fail alike: a person must act, or the process has no memory left."""
    return isinstance(error, StopError | MemoryError)


def record_problem(error: Exception) -> str:
    """What went wrong with one record, bounded and without a secret."""
    if isinstance(error, ConnectorError):
        return bounded(_redacted(str(error)), LONGEST_REFUSAL)
    return _redacted(problem_words(error))


async def isolated(call: Callable[[], Awaitable[R]], failed: Callable[[Exception], R]) -> R:
    """What the call answers, or what ``failed`` makes of its exception; what concerns all is raised.

    A cancellation is no ``Exception`` and passes through.
    """
    try:
        return await call()
    except Exception as error:
        if concerns_all(error):
            raise
        return failed(error)
