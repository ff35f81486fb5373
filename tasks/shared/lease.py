"""A lease with heartbeat: one writing run at a time for a tenant and company, freed after a kill.

Two blocks that lead to one tenant share its leases (ADR 0012).

The lease is a slot of a Prefect concurrency limit. Prefect counts a slot first and notes the lease that
frees it afterwards: a server that is killed between the two, or that keeps its leases in memory and is
restarted, leaves a slot taken for good, and every later run would be refused. So a holder writes a
heartbeat, a Prefect variable of the lease's name, every few seconds. A slot without a heartbeat for longer
than a lease lives is stale, and is freed.
"""

from __future__ import annotations

import asyncio
import contextvars
import hashlib
import re
import threading
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import anyio
import httpx
from prefect import get_client
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.actions import VariableCreate, VariableUpdate
from prefect.client.schemas.objects import FlowRun
from prefect.concurrency.asyncio import AcquireConcurrencySlotTimeoutError, concurrency
from prefect.exceptions import ObjectAlreadyExists, ObjectNotFound
from prefect.runtime import flow_run
from prefect.states import Crashed

from tasks.shared.progress import run_logger

HEARTBEAT_SECONDS = 15.0
QUIET_SECONDS = 70.0
"""Without a heartbeat for so long, a holder's lease of a minute has run out too."""
FIRST_HEARTBEAT_SECONDS = 2.0
"""Until when a run that has just got the slot has written its first heartbeat."""
END_SECONDS = 5.0


@dataclass(frozen=True)
class LeaseState:
    """A lease as it was read: the limit's id, its slots that are taken, and the last heartbeat."""

    limit_id: UUID
    taken: int
    heartbeat: Any


async def read_lease(name: str) -> LeaseState:
    """Read the lease of that name now."""
    async with get_client() as client:
        limit = await client.read_global_concurrency_limit_by_name(name)
        variable = await client.read_variable_by_name(name)
    return LeaseState(limit.id, limit.active_slots, variable and variable.value)


async def last_holder(name: str) -> FlowRun | None:
    """The flow run of the last heartbeat; None where it has deleted that, which it does at its end."""
    async with get_client() as client:
        beat = await client.read_variable_by_name(name)
        value = beat.value if beat and isinstance(beat.value, dict) else {}
        with suppress(ObjectNotFound, ValueError):
            return await client.read_flow_run(UUID(str(value.get("flow_run"))))
    return None


async def free_stale_slot(name: str, before: LeaseState) -> bool:
    """Free the slot if the lease is as it was ``before``, which the caller knows to be long enough ago.

    The limit is deleted by its id and made anew. Of several runs that wait, one does that; a slot that
    another one has taken meanwhile is one of the new limit and stays.
    """
    await anyio.sleep(FIRST_HEARTBEAT_SECONDS)
    if not before.taken or await read_lease(name) != before:
        return False
    async with get_client() as client:
        with suppress(ObjectNotFound):
            await client.delete_global_concurrency_limit_by_name(str(before.limit_id))
    await _make_limit(name)
    return True


async def _make_limit(name: str) -> None:
    """Make the limit unless it is there; another run may make it between Prefect's look and its creation."""
    async with get_client() as client:
        with suppress(ObjectAlreadyExists):
            await client.upsert_global_concurrency_limit_by_name(name, 1)


async def _end_lost_holder(name: str) -> None:
    """Mark the run as crashed whose heartbeat was left behind, if Prefect still calls it Running.

    Bootstrap's automation does that 90 s after a run's last heartbeat. A Prefect server that is killed before
    it has stored the event of that heartbeat forgets it, and the run would stay Running for ever.
    """
    run = await last_holder(name)
    if run is None or str(run.id) == str(flow_run.id) or run.state is None or not run.state.is_running():
        return
    message = (
        "No sign of life from the run's process, whose lease another run has taken; start the flow again."
    )
    async with get_client() as client:
        await client.set_flow_run_state(run.id, Crashed(message=message))
    run_logger().warning("Flow run %s (%s) gave no sign of life: it is marked as crashed", run.name, run.id)


@asynccontextmanager
async def heartbeat(name: str) -> AsyncIterator[None]:
    """Write heartbeats while this block runs, from a thread: a long computation must not look like an end."""
    beats = _Heartbeat(name)
    await beats.start()
    try:
        yield
    finally:
        with anyio.CancelScope(shield=True):
            await beats.stop()


class _Heartbeat:
    """The heartbeats of one holder; each differs from the one before."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._holder = str(flow_run.id or uuid.uuid4())
        self._written = 0
        self._ended = threading.Event()
        context = contextvars.copy_context()
        self._thread = threading.Thread(target=context.run, args=(self._keep,), name=name, daemon=True)

    async def start(self) -> None:
        value = self._next()
        async with get_client() as client:
            try:
                await client.create_variable(VariableCreate(name=self._name, value=value))
            except ObjectAlreadyExists:
                await _end_lost_holder(self._name)
                await client.update_variable(VariableUpdate(name=self._name, value=value))
        self._thread.start()

    async def stop(self) -> None:
        """End the heartbeat and delete the variable, unless the server is away or somebody was quicker."""
        self._ended.set()
        await anyio.to_thread.run_sync(self._thread.join, END_SECONDS)
        with suppress(Exception), anyio.move_on_after(END_SECONDS):
            async with get_client() as client:
                await client.delete_variable_by_name(self._name)

    def _next(self) -> dict[str, Any]:
        self._written += 1
        return {"flow_run": self._holder, "signs": self._written}

    def _keep(self) -> None:
        # A client costs time of its own, which a short run need not spend.
        if self._ended.wait(HEARTBEAT_SECONDS):
            return
        with get_client(sync_client=True) as client:
            self._write(client)
            while not self._ended.wait(HEARTBEAT_SECONDS):
                self._write(client)

    def _write(self, client: SyncPrefectClient) -> None:
        """One heartbeat; if the server is away the next one will do, and the lease may end the run."""
        value = self._next()
        with suppress(Exception):
            try:
                client.update_variable(VariableUpdate(name=self._name, value=value))
            except httpx.HTTPStatusError:  # Somebody has taken it away.
                client.create_variable(VariableCreate(name=self._name, value=value))


CONNECTWISE = "connectwise"
LANSWEEPER = "lansweeper"
LEASE_SECONDS = 60.0
"""How long a lease outlives the run that held it; Prefect takes no less than a minute."""
HOLDER_SECONDS = 1.0
"""So long a run waits before it looks who holds the lease: most get it at once."""
LONGEST_SLUG = 120
"""Characters of a tenant's key in the name of a lease; Prefect takes 255 for all of a name."""
FREED_SECONDS = 10.0
"""How long a slot that was just freed is waited for: another run may have been quicker."""


class LeaseHeldError(RuntimeError):
    """Another run writes to this company; the text names it."""


@asynccontextmanager
async def writing_lease(
    tenant: str,
    company_id: int,
    wait_seconds: float = 75,
    *,
    system: str = CONNECTWISE,
    connection: str = "",
) -> AsyncIterator[None]:
    """Hold the lease of a tenant of ``system`` and a company while this block runs.

    Args:
        connection: the name of the block that is written through. Versions before the tenant's key named the
            lease by it, so that lease is held too where Prefect has one.

    Raises:
        LeaseHeldError: another run still holds it after ``wait_seconds``.
    """
    names = [lease_name(tenant, company_id, system)]
    if connection:
        names.append(f"{system}-writes-{connection}-company-{company_id}")
    through = f" through the connection {connection!r}" if connection else ""
    words = f"Another run writes to company {company_id} in the tenant of this run{through}: "
    async with _leases(names, wait_seconds, words):
        yield


@asynccontextmanager
async def fields_lease(tenant: str, wait_seconds: float = 75, *, connection: str = "") -> AsyncIterator[None]:
    """Hold the lease on making custom fields of a Lansweeper site, shared by its companies.

    See ``writing_lease`` for ``connection`` and what it raises.
    """
    names = [fields_lease_name(tenant)]
    if connection:
        names.append(f"{LANSWEEPER}-fields-{connection}")
    async with _leases(names, wait_seconds, "Another run makes custom fields of this Lansweeper site: "):
        yield


@asynccontextmanager
async def _leases(names: Sequence[str], wait_seconds: float, words: str) -> AsyncIterator[None]:
    """Hold the first lease, and those of the others that Prefect knows: older versions' names for it."""
    first, *earlier = names
    async with AsyncExitStack() as held:
        for name in (first, *[each for each in earlier if await _exists(each)]):
            try:
                await held.enter_async_context(_lease(name, wait_seconds))
            except AcquireConcurrencySlotTimeoutError as error:
                raise LeaseHeldError(
                    f"{words}{await _holder(name)}. Wait for it to end, or cancel it, and start again."
                ) from error
        yield


async def _exists(name: str) -> bool:
    async with get_client() as client:
        try:
            await client.read_global_concurrency_limit_by_name(name)
        except ObjectNotFound:
            return False
    return True


@asynccontextmanager
async def _lease(name: str, wait_seconds: float) -> AsyncIterator[None]:
    await _make_limit(name)
    run_logger().info(
        "Waiting for the lease %s (a killed run's lease frees itself within %.0f s)", name, LEASE_SECONDS
    )
    async with AsyncExitStack() as held:
        await _take_slot(held, name, wait_seconds)
        await held.enter_async_context(heartbeat(name))
        yield


async def _take_slot(held: AsyncExitStack, name: str, wait_seconds: float) -> None:
    """Take the slot; one that nobody has held for longer than a lease lives is freed first.

    The server is asked once, for as long as the wait is: one that answers too late has taken a slot for
    nobody, which stays taken for a minute.
    """
    looking = asyncio.create_task(_read_lease_later(name))
    try:
        await held.enter_async_context(_slot(name, wait_seconds))
    except AcquireConcurrencySlotTimeoutError:
        seen = looking.result() if looking.done() else None
        too_short = wait_seconds - HOLDER_SECONDS < QUIET_SECONDS
        if seen is None or too_short or await _is_running(name) or not await free_stale_slot(name, seen):
            raise
        run_logger().warning("Nobody holds the lease %s any more: its slot was forgotten, and is freed", name)
        await held.enter_async_context(_slot(name, FREED_SECONDS))
    finally:
        looking.cancel()


async def _read_lease_later(name: str) -> LeaseState | None:
    """How the lease stood when the wait for it began; none if the server did not say."""
    await asyncio.sleep(HOLDER_SECONDS)
    with suppress(Exception):
        return await read_lease(name)
    return None


def _slot(name: str, wait_seconds: float) -> AbstractAsyncContextManager[None]:
    return concurrency(name, lease_duration=LEASE_SECONDS, timeout_seconds=wait_seconds, strict=True)


def lease_name(tenant: str, company_id: int, system: str = CONNECTWISE) -> str:
    """The name of the concurrency limit, as the Prefect UI lists it."""
    return f"{system}-writes-{_slug(tenant)}-company-{company_id}"


def fields_lease_name(tenant: str) -> str:
    """The name of the concurrency limit for the custom fields of a Lansweeper site."""
    return f"{LANSWEEPER}-fields-{_slug(tenant)}"


def _slug(tenant: str) -> str:
    """A tenant's key in letters that Prefect takes; what that loses is told by the hash at the end."""
    readable = re.sub("[^a-z0-9]+", "-", tenant.partition(":")[2].lower()).strip("-")[:LONGEST_SLUG]
    return f"{readable}-{hashlib.sha256(tenant.encode()).hexdigest()[:8]}"


async def _holder(name: str) -> str:
    """The run of the last heartbeat, in words.

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
