"""What an action answers of one record; a refusal becomes an error, so that its run fails."""

from __future__ import annotations

from typing import Any

from connectors.errors import RejectedError, RetryableError
from tasks.dispatch.run import DispatchRun, Outcome, Result


def answer_of(run: DispatchRun, outcome: Outcome) -> dict[str, Any]:
    """Reference, result, work order and both addresses.

    Raises:
        RejectedError: it was refused, its creation is unresolved, or there is no such record.
        RetryableError: another process works on it, or a vendor is away.
    """
    text = f"{outcome.reference}: {outcome.message or outcome.result}"
    if outcome.result in (Result.REFUSED, Result.UNRESOLVED, Result.OUTSIDE):
        raise RejectedError(text)
    if outcome.result in (Result.BUSY, Result.FAILED, Result.UNCLEAR):
        raise RetryableError(text, retry_after=outcome.retry_after)
    number = outcome.work_order_id
    return {
        "reference": outcome.reference,
        "result": str(outcome.result),
        "work_order_id": number,
        "message": outcome.message,
        "warnings": list(outcome.warnings),
        "record_url": run.record_url(outcome.kind, outcome.record_id),
        "work_order_url": run.work_order_url(number) if number else None,
    }
