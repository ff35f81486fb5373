"""Signs of life of the run that holds a lease: they tell a slot that nobody holds from one that is in use.

Prefect counts a slot first and notes the lease that frees it afterwards. A server that is killed between the
two, or that keeps its leases in memory and is restarted, leaves a slot taken for good, and every later run
would be refused. So a holder writes a Prefect variable of the lease's name every few seconds. Where nobody
wrote one for longer than a lease lives, no holder is left.
"""

from __future__ import annotations

import contextvars
import threading
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import anyio
import httpx
from prefect import get_client
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.actions import VariableCreate, VariableUpdate
from prefect.client.schemas.objects import FlowRun
from prefect.exceptions import ObjectAlreadyExists, ObjectNotFound
from prefect.runtime import flow_run

SIGN_SECONDS = 15.0
QUIET_SECONDS = 70.0
"""Without a sign for so long, a holder's lease of a minute has run out too."""
FIRST_SIGN_SECONDS = 2.0
"""Until when a run that has just got the slot has written its first sign."""
END_SECONDS = 5.0


@dataclass(frozen=True)
class Look:
    """A lease as it was seen: the limit's id, its slots that are taken, and the last sign of a holder."""

    limit_id: UUID
    taken: int
    sign: Any


async def look(name: str) -> Look:
    """How the lease of that name stands."""
    async with get_client() as client:
        limit = await client.read_global_concurrency_limit_by_name(name)
        variable = await client.read_variable_by_name(name)
    return Look(limit.id, limit.active_slots, variable and variable.value)


async def last_holder(name: str) -> FlowRun | None:
    """The flow run that gave the last sign; none where it has taken it away, which it does at its end."""
    async with get_client() as client:
        sign = await client.read_variable_by_name(name)
        value = sign.value if sign and isinstance(sign.value, dict) else {}
        with suppress(ObjectNotFound, ValueError):
            return await client.read_flow_run(UUID(str(value.get("flow_run"))))
    return None


async def free_forgotten(name: str, before: Look) -> bool:
    """Free the slot if nothing has moved since ``before``, which the caller knows to be long enough ago.

    The limit is deleted by its id and made anew. Of several runs that wait, one does that; a slot that
    another one has taken meanwhile is one of the new limit and stays.
    """
    await anyio.sleep(FIRST_SIGN_SECONDS)
    if not before.taken or await look(name) != before:
        return False
    async with get_client() as client:
        with suppress(ObjectNotFound):
            await client.delete_global_concurrency_limit_by_name(str(before.limit_id))
        await client.upsert_global_concurrency_limit_by_name(name, 1)
    return True


@asynccontextmanager
async def signs_of_life(name: str) -> AsyncIterator[None]:
    """Write signs while this block runs, from a thread: long computations must not look like an end.

    Raises:
        httpx.HTTPStatusError: the server refuses the first one; without signs nothing may be written.
    """
    signs = _Signs(name)
    await signs.start()
    try:
        yield
    finally:
        with anyio.CancelScope(shield=True):
            await signs.stop()


class _Signs:
    """The signs of one holder; each differs from the one before."""

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
                await client.update_variable(VariableUpdate(name=self._name, value=value))
        self._thread.start()

    async def stop(self) -> None:
        """The sign is taken away, unless the server is, or somebody was quicker."""
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
        if self._ended.wait(SIGN_SECONDS):
            return
        with get_client(sync_client=True) as client:
            self._write(client)
            while not self._ended.wait(SIGN_SECONDS):
                self._write(client)

    def _write(self, client: SyncPrefectClient) -> None:
        """One sign; if the server is away the next one will do, and the lease ends the run if need be."""
        value = self._next()
        with suppress(Exception):
            try:
                client.update_variable(VariableUpdate(name=self._name, value=value))
            except httpx.HTTPStatusError:  # Somebody has taken it away.
                client.create_variable(VariableCreate(name=self._name, value=value))
