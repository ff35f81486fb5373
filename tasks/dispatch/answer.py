"""What an action answers of one record; a refusal becomes an error, so that its run fails.

What an action answers of one work order that was brought back.
"""

from __future__ import annotations

from typing import Any

from connectors.errors import RejectedError, RetryableError
from tasks.dispatch.run import Back, DispatchRun, Outcome, Result


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


def back_answer(run: DispatchRun, back: Back) -> dict[str, Any]:
    """Work order, record, result, what was done, and both addresses.

    Raises:
        RejectedError: the work order belongs to no record that is known.
        RetryableError: another process works on it, or a vendor is away.
    """
    kind, number = back.kind, back.record_id
    if kind is None or number is None:
        raise RejectedError(
            f"Work order {back.work_order_id} belongs to no record that is known",
            remedy=back.message or "Only work orders that dispatch has made come back.",
        )
    if back.again:
        raise RetryableError(str(back), retry_after=back.retry_after)
    if back.result is Result.OUTSIDE:
        raise RejectedError(str(back))
    return {
        "work_order_id": back.work_order_id,
        "reference": run.reference(kind, number),
        "result": str(back.result),
        "status": back.status,
        "did": list(back.did),
        "message": back.message,
        "warnings": list(back.warnings),
        "record_url": run.record_url(kind, number),
        "work_order_url": run.work_order_url(back.work_order_id),
    }
