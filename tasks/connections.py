"""Opens the clients that tasks work with, by block name, and shares those an enclosing flow has opened.

A flow opens each connection once (``shared_connections``); the tasks and subflows that it calls ask for
the same block by name and get the pooled client that is already open, with the flow's read-only mode.
A task that runs alone opens its own and closes it again.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import cast

from connectors.lansweeper.block import LansweeperConnection
from connectors.lansweeper.client import LansweeperClient

from connectors.connectwise.block import ConnectWiseConnection
from connectors.connectwise.client import ConnectWiseClient
from connectors.ledger.block import LedgerDatabase
from connectors.ledger.store import Ledger

DEFAULT = "default"
LANSWEEPER_LIMITS = ((150, 60.0), (2000, 3600.0))
"""Requests and seconds: 150 a minute and 2,000 an hour (the vendor's API restrictions)."""


@dataclass
class _Open:
    """What an enclosing flow has open, by block name."""

    stack: AsyncExitStack
    read_only: bool
    ledger_name: str
    connectwise: dict[str, ConnectWiseClient] = field(default_factory=dict)
    lansweeper: dict[str, LansweeperClient] = field(default_factory=dict)
    ledger: Ledger | None = None


_open: ContextVar[_Open | None] = ContextVar("open_connections", default=None)


@asynccontextmanager
async def shared_connections(*, read_only: bool = False, ledger: str = DEFAULT) -> AsyncIterator[None]:
    """Within this block every connection is opened once and, with ``read_only``, refuses to write."""
    if _open.get() is not None:
        yield
        return
    async with AsyncExitStack() as stack:
        token = _open.set(_Open(stack, read_only, ledger))
        try:
            yield
        finally:
            _open.reset(token)


@asynccontextmanager
async def connectwise_client(connection: str) -> AsyncIterator[ConnectWiseClient]:
    """The client of the ``ConnectWise PSA Connection`` block of that name."""
    async with _within() as shared:
        if connection not in shared.connectwise:
            block = cast(ConnectWiseConnection, await ConnectWiseConnection.aload(connection))
            ledger = await _ledger(shared)
            budget = ledger.budget(
                block.settings().budget_key, block.request_limit, block.request_window_seconds
            )
            client = block.get_client(read_only=shared.read_only, budget=budget)
            shared.connectwise[connection] = await shared.stack.enter_async_context(client)
        yield shared.connectwise[connection]


@asynccontextmanager
async def lansweeper_client(connection: str) -> AsyncIterator[LansweeperClient]:
    """The client of the ``Lansweeper Connection`` block of that name."""
    async with _within() as shared:
        if connection not in shared.lansweeper:
            block = cast(LansweeperConnection, await LansweeperConnection.aload(connection))
            ledger = await _ledger(shared)
            budget = ledger.budgets(f"lansweeper:{connection}", LANSWEEPER_LIMITS)
            client = block.get_client(read_only=shared.read_only, budget=budget)
            shared.lansweeper[connection] = await shared.stack.enter_async_context(client)
        yield shared.lansweeper[connection]


@asynccontextmanager
async def open_ledger() -> AsyncIterator[Ledger]:
    """The ledger of the enclosing flow, or the default one."""
    async with _within() as shared:
        yield await _ledger(shared)


@asynccontextmanager
async def _within() -> AsyncIterator[_Open]:
    """What the enclosing flow has open, or a place of one's own that is closed at the end."""
    shared = _open.get()
    if shared is not None:
        yield shared
        return
    async with AsyncExitStack() as stack:
        yield _Open(stack, read_only=False, ledger_name=DEFAULT)


async def _ledger(shared: _Open) -> Ledger:
    if shared.ledger is None:
        block = await load_ledger_block(shared.ledger_name)
        shared.ledger = await block.open()
        shared.stack.push_async_callback(shared.ledger.close)
    return shared.ledger


async def load_ledger_block(name: str) -> LedgerDatabase:
    """The saved ``Integration Ledger`` block; without one, the SQLite file of the default settings."""
    try:
        return cast(LedgerDatabase, await LedgerDatabase.aload(name))
    except ValueError:
        if name != DEFAULT:
            raise
        return LedgerDatabase()
