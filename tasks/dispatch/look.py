"""One look at one record or work order, whose failure is its own result."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from connectors.errors import RejectedError, RetryableError
from tasks.rules.dispatch.result import DispatchResult, DispatchStatus
from tasks.shared.isolation import isolated, record_problem
from tasks.shared.progress import run_logger


async def look_at(
    failed: DispatchResult,
    look: Callable[[], Awaitable[DispatchResult]],
    unforeseen: list[Exception] | None = None,
) -> DispatchResult:
    """One look at one record; what fails in it is its result and does not end the sweep.

    Args:
        failed: what the result is made of then.
        unforeseen: gets the exception where it was neither a refusal nor a vendor that is away.
    """

    def problem(error: Exception) -> DispatchResult:
        if isinstance(error, RetryableError):
            return failed.but(DispatchStatus.FAILED, str(error), error.retry_after)
        if isinstance(error, RejectedError):
            run_logger().warning("%s: %s", failed.subject, error)
            return failed.but(DispatchStatus.FAILED, str(error))
        run_logger().warning("%s could not be handled", failed.subject, exc_info=error)
        if unforeseen is not None:
            unforeseen.append(error)
        return unhandled(failed, error)

    return await isolated(look, problem)


def unhandled(failed: DispatchResult, error: Exception) -> DispatchResult:
    """The result of a record whose own values nothing can be made of: the next look would end alike."""
    status = DispatchStatus.REPORTED if failed.outbound else DispatchStatus.REFUSED
    return failed.but(status, unhandled_words(error))


def unhandled_words(error: Exception) -> str:
    """Why a record could not be handled: what a preview says, and what the record is held with."""
    return f"it could not be handled: {record_problem(error)}"
