"""Fault rules in few words, and clients and ledgers that fail at a chosen call, for tests of whole runs."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy import delete, select

from connectors.connectwise.client import ConnectWiseClient
from connectors.ledger.database import reading, writing
from connectors.ledger.models import JournalledWrite
from connectors.ledger.schema import known_amounts, known_links, writes
from connectors.ledger.store import Ledger
from tasks.shared.connections import connectwise_client, open_ledger, shared_connections

BULK = "/company/configurations/bulk"
CONFIGURATIONS = "/company/configurations"
LEAN = {
    "assetBasicInfo.name": "name",
    "assetBasicInfo.type": "type.name",
    "assetCustom.serialNumber": "serialNumber",
    "assetBasicInfo.mac": "macAddress",
}
"""A mapping with one kind of reference data, for tests about something else."""


def rule(method: str | None, path: str, fault: dict[str, Any], **when: Any) -> dict[str, Any]:
    """A fault of ConnectWise for these requests; ``when`` is nth, every, share or limit."""
    return {"system": "connectwise", "method": method, "path": path, "fault": fault, **when}


def status(code: int, body: Any = None) -> dict[str, Any]:
    return {"kind": "status", "status": code, "body": body}


def edit(record_id: int, when: str, **change: Any) -> dict[str, Any]:
    """A person's edit of a configuration, before or after a request is served."""
    return {
        "kind": "edit",
        "when": when,
        "collection": CONFIGURATIONS.strip("/"),
        "ids": [record_id],
        **change,
    }


@asynccontextmanager
async def opened() -> AsyncIterator[tuple[ConnectWiseClient, Ledger]]:
    """The client and the ledger that runs within this block use."""
    async with shared_connections(), connectwise_client("default") as client, open_ledger() as ledger:
        yield client, ledger


async def lose_ledger() -> None:
    """Leave what a new installation knows of every company: nothing."""
    async with opened() as (_, ledger), writing(ledger._engine, "lose the ledger") as connection:
        for table in (known_amounts, known_links, writes):
            await connection.execute(delete(table))


async def last_writes(ledger: Ledger) -> list[JournalledWrite]:
    """What the run that wrote last has in the journal."""
    async with reading(ledger._engine, "read the run that wrote last") as transaction:
        newest = select(writes.c.run_id).order_by(writes.c.id.desc()).limit(1)
        run_id = (await transaction.execute(newest)).scalar_one()
    return await ledger.journal.of_run(run_id)


def fail(owner: object, method: str, error: Exception, at: Collection[int]) -> None:
    """Let the method raise ``error``, without doing anything, at these calls (from 1)."""
    real: Callable[..., Awaitable[Any]] = getattr(owner, method)
    calls = 0

    async def failing(*arguments: Any, **options: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls in at:
            raise error
        return await real(*arguments, **options)

    setattr(owner, method, failing)
