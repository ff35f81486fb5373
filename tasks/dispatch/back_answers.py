"""What an action answers of one work order that was brought back."""

from __future__ import annotations

from typing import Any

from connectors.errors import RejectedError, RetryableError
from tasks.dispatch.back import Back
from tasks.dispatch.run import DispatchRun, Result


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
