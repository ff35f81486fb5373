"""One writing run at a time for a connection and company: a named lease that frees itself after a kill."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, suppress

from prefect import get_client
from prefect.concurrency.asyncio import AcquireConcurrencySlotTimeoutError, concurrency

from tasks.progress import run_logger
from tasks.synchronization import lease_signs
from tasks.synchronization.lease_signs import Look, free_forgotten, last_holder, look, signs_of_life

CONNECTWISE = "connectwise"
LANSWEEPER = "lansweeper"
LEASE_SECONDS = 60.0
"""How long a lease outlives the run that held it; Prefect takes no less than a minute."""
LOOK_SECONDS = 1.0
"""So long a run waits before it looks who holds the lease: most get it at once."""
FREED_SECONDS = 10.0
"""How long a slot that was just freed is waited for: another run may have been quicker."""


class LeaseHeldError(RuntimeError):
    """Another run writes to this company; the text names it."""


@asynccontextmanager
async def writing_lease(
    connection: str, company_id: int, wait_seconds: float = 75, *, system: str = CONNECTWISE
) -> AsyncIterator[None]:
    """Hold the lease of a connection and company while this block runs.

    ``system`` is what is written to, and ``connection`` the name of the block of that system.

    Raises:
        LeaseHeldError: another run still holds it after ``wait_seconds``.
    """
    name = lease_name(connection, company_id, system)
    try:
        async with _lease(name, wait_seconds):
            yield
    except AcquireConcurrencySlotTimeoutError as error:
        holder = await _holder(name)
        raise LeaseHeldError(
            f"Another run writes to company {company_id} through the connection {connection!r}: {holder}. "
            "Wait for it to end, or cancel it, and start again."
        ) from error


@asynccontextmanager
async def fields_lease(connection: str, wait_seconds: float = 75) -> AsyncIterator[None]:
    """Hold the lease on making Lansweeper custom fields, which all companies of a site share.

    Raises:
        LeaseHeldError: another run still holds it after ``wait_seconds``.
    """
    try:
        async with _lease(f"{LANSWEEPER}-fields-{connection}", wait_seconds):
            yield
    except AcquireConcurrencySlotTimeoutError as error:
        raise LeaseHeldError(
            f"Another run makes Lansweeper custom fields through the connection {connection!r}. "
            "Wait for it to end, and start again."
        ) from error


@asynccontextmanager
async def _lease(name: str, wait_seconds: float) -> AsyncIterator[None]:
    async with get_client() as client:
        await client.upsert_global_concurrency_limit_by_name(name, 1)
    run_logger().info(
        "Waiting for the lease %s (a killed run's lease frees itself within %.0f s)", name, LEASE_SECONDS
    )
    async with AsyncExitStack() as held:
        await _take_slot(held, name, wait_seconds)
        await held.enter_async_context(signs_of_life(name))
        yield


async def _take_slot(held: AsyncExitStack, name: str, wait_seconds: float) -> None:
    """Take the slot; one that nobody has held for longer than a lease lives is freed first.

    The server is asked once, for as long as the wait is: one that answers too late has taken a slot for
    nobody, which stays taken for a minute.
    """
    looking = asyncio.create_task(_look_later(name))
    try:
        await held.enter_async_context(_slot(name, wait_seconds))
    except AcquireConcurrencySlotTimeoutError:
        seen = looking.result() if looking.done() else None
        too_short = wait_seconds - LOOK_SECONDS < lease_signs.QUIET_SECONDS
        if seen is None or too_short or await _is_running(name) or not await free_forgotten(name, seen):
            raise
        run_logger().warning("Nobody holds the lease %s any more: its slot was forgotten, and is freed", name)
        await held.enter_async_context(_slot(name, FREED_SECONDS))
    finally:
        looking.cancel()


async def _look_later(name: str) -> Look | None:
    """How the lease stood when the wait for it began; none if the server did not say."""
    await asyncio.sleep(LOOK_SECONDS)
    with suppress(Exception):
        return await look(name)
    return None


def _slot(name: str, wait_seconds: float) -> AbstractAsyncContextManager[None]:
    return concurrency(name, lease_duration=LEASE_SECONDS, timeout_seconds=wait_seconds, strict=True)


def lease_name(connection: str, company_id: int, system: str = CONNECTWISE) -> str:
    """The name of the concurrency limit, as the Prefect UI lists it."""
    return f"{system}-writes-{connection}-company-{company_id}"


async def _holder(name: str) -> str:
    """The run that gave the last sign, in words.

    A killed run stays Running until somebody marks it. A living one may be called Crashed: while the Prefect
    server was away its heartbeats did not arrive.
    """
    run = await last_holder(name)
    if run and run.state and run.state.is_crashed():
        return (
            f"perhaps flow run {run.name} ({run.id}), which Prefect calls crashed; "
            "if its process is still at work, it holds the lease"
        )
    if run and run.state and not run.state.is_final():
        return f"flow run {run.name} ({run.id})"
    return "a run that has just ended"


async def _is_running(name: str) -> bool:
    run = await last_holder(name)
    return run is not None and run.state is not None and run.state.is_running()
