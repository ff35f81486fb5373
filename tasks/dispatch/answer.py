"""The answer of a documented action about one record or work order; a refusal becomes an error."""

from __future__ import annotations

from typing import Any

from connectors.errors import RejectedError, RetryableError
from tasks.dispatch.run import DispatchRun
from tasks.rules.dispatch.result import DispatchResult, DispatchStatus

REFUSED = (DispatchStatus.REFUSED, DispatchStatus.UNRESOLVED, DispatchStatus.OUTSIDE)
NO_RECORD = "Only work orders that dispatch has made come back."


def answer_of(run: DispatchRun, result: DispatchResult) -> dict[str, Any]:
    """Reference, result, work order, what was done, message, warnings, and both addresses.

    Raises:
        RejectedError: it was refused, its creation is unresolved, or there is no such record.
        RetryableError: another process works on it, or a vendor is away.
    """
    record, number = result.record, result.work_order_id
    if record is None:
        text = f"Work order {number} belongs to no record that is known"
        raise RejectedError(text, remedy=result.message or NO_RECORD)
    text = str(result) if result.outbound else f"{record.reference}: {result.message or result.status}"
    if result.retryable:
        raise RetryableError(text, retry_after=result.retry_after)
    if result.status in REFUSED:
        raise RejectedError(text)
    reference = {"reference": record.reference, "result": str(result.status)}
    outbound = {"status": result.work_order_status, "did": list(result.did)}
    # In the order of the columns that a person sees.
    first = {"work_order_id": number, **reference, **outbound} if result.outbound else reference
    return {
        **first,
        "work_order_id": number,
        "message": result.message,
        "warnings": list(result.warnings),
        "record_url": run.record_url(record),
        "work_order_url": run.work_order_url(number) if number else None,
    }
