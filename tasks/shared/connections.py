"""Clients by block name: opened once in a flow's run and shared by all tasks that it calls.

A flow opens each connection once (``shared_connections``); the tasks and subflows that it calls ask for
the same block by name and get the pooled client that is already open, with the flow's read-only mode.
A task that runs alone opens its own and closes it again.

A vendor's modules are imported when the first of its connections is opened, so that an action of one vendor
loads no other vendor's client.
"""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, TypeVar, cast
from uuid import UUID

from prefect import get_client
from prefect.blocks.core import Block
from prefect.exceptions import PrefectHTTPStatusError
from prefect.runtime import flow_run

from connectors.errors import ConnectorError, StopError
from connectors.ledger.block import LedgerDatabase
from connectors.ledger.rate_limit import LedgerLimiter, TenantLimiter, UseWarning
from connectors.ledger.store import Ledger
from connectors.ledger.window import WindowUse
from tasks.shared.progress import run_logger
from tasks.shared.run_metrics import measured_run

if TYPE_CHECKING:
    from connectors.connectwise.client import ConnectWiseClient
    from connectors.connectwise.settings import ConnectWiseSettings
    from connectors.field_nation.client import FieldNationClient
    from connectors.lansweeper.client import LansweeperClient
    from connectors.metrics import RequestMetrics

DEFAULT = "default"
B = TypeVar("B", bound=Block)


@dataclass
class _Open:
    """What an enclosing flow has open, by block name."""

    stack: AsyncExitStack
    read_only: bool
    ledger_name: str
    run_id: str
    metrics: RequestMetrics | None = None
    connectwise: dict[str, ConnectWiseClient] = field(default_factory=dict)
    lansweeper: dict[str, LansweeperClient] = field(default_factory=dict)
    field_nation: dict[str, FieldNationClient] = field(default_factory=dict)
    ledger: Ledger | None = None
    limiters: dict[tuple[str, str], LedgerLimiter] = field(default_factory=dict)
    began: float = field(default_factory=time.monotonic)


_open: ContextVar[_Open | None] = ContextVar("open_connections", default=None)


@asynccontextmanager
async def shared_connections(*, read_only: bool = False, ledger: str = DEFAULT) -> AsyncIterator[None]:
    """Within this block every connection is opened once and, with ``read_only``, refuses to write."""
    if _open.get() is not None:
        yield
        return
    run_id = _own_run_id()
    async with measured_run(run_id, read_only=read_only) as metrics, AsyncExitStack() as stack:
        token = _open.set(_Open(stack, read_only, ledger, run_id, metrics))
        try:
            yield
        finally:
            _open.reset(token)


@asynccontextmanager
async def connectwise_client(connection: str) -> AsyncIterator[ConnectWiseClient]:
    """The client of the ``ConnectWise PSA Connection`` block of that name."""
    async with _within() as shared:
        if connection not in shared.connectwise:
            from connectors.connectwise.block import ConnectWiseConnection

            block = await load_block(ConnectWiseConnection, connection)
            ledger = await _ledger(shared)
            settings = block.settings()
            limiter = ledger.rate_limits.limiter(
                settings.tenant_key,
                block.request_limit,
                block.request_window_seconds,
                earlier=[settings.credential_key],
                warning=_warning(connection, block.request_warning_percent),
            )
            client = block.get_client(
                read_only=shared.read_only, rate_limiter=limiter, metrics=shared.metrics
            )
            shared.connectwise[connection] = await shared.stack.enter_async_context(client)
            shared.limiters[client.session.system, connection] = limiter
        yield shared.connectwise[connection]


@asynccontextmanager
async def lansweeper_client(connection: str) -> AsyncIterator[LansweeperClient]:
    """The client of the ``Lansweeper Connection`` block of that name."""
    async with _within() as shared:
        if connection not in shared.lansweeper:
            from connectors.lansweeper.block import LansweeperConnection
            from connectors.lansweeper.settings import REQUEST_LIMITS

            block = await load_block(LansweeperConnection, connection)
            ledger = await _ledger(shared)
            credential = block.settings().credential_key
            warning = _warning(connection, block.request_warning_percent)
            limiter = TenantLimiter(ledger.rate_limits, credential, REQUEST_LIMITS, warning)
            client = block.get_client(
                read_only=shared.read_only, rate_limiter=limiter, metrics=shared.metrics
            )
            await _share_budget(shared, ledger, limiter, credential, client)
            shared.lansweeper[connection] = await shared.stack.enter_async_context(client)
            shared.limiters[client.session.system, connection] = limiter
        yield shared.lansweeper[connection]


@asynccontextmanager
async def field_nation_client(connection: str) -> AsyncIterator[FieldNationClient]:
    """The client of the ``Field Nation Connection`` block of that name."""
    async with _within() as shared:
        if connection not in shared.field_nation:
            from connectors.field_nation.block import FieldNationConnection
            from connectors.field_nation.settings import REQUEST_LIMITS

            block = await load_block(FieldNationConnection, connection)
            ledger = await _ledger(shared)
            credential = block.settings().credential_key
            warning = _warning(connection, block.request_warning_percent)
            limiter = TenantLimiter(ledger.rate_limits, credential, REQUEST_LIMITS, warning)
            client = block.get_client(
                read_only=shared.read_only, rate_limiter=limiter, metrics=shared.metrics
            )
            await _share_budget(shared, ledger, limiter, credential, client)
            shared.field_nation[connection] = await shared.stack.enter_async_context(client)
        yield shared.field_nation[connection]


def _warning(connection: str, percent: int) -> UseWarning:
    return UseWarning(percent / 100, lambda words: run_logger().warning("%s: %s", connection, words))


TENANT_ENTRY = "tenant"
"""The state entry of a credential: the tenant that it was last seen to belong to."""


async def _share_budget(
    shared: _Open,
    ledger: Ledger,
    limiter: TenantLimiter,
    credential: str,
    client: LansweeperClient | FieldNationClient,
) -> None:
    """Let the limiter count by tenant: as this client learns it, before that as an earlier run did."""
    if client.tenant_key is not None:
        limiter.tenant = lambda: client.tenant_key
        return
    kept = (await ledger.state.get(credential, TENANT_ENTRY) or {}).get("key")
    limiter.tenant = lambda: client.tenant_key or kept

    async def remember() -> None:
        if client.tenant_key not in (None, kept):
            await ledger.state.set(credential, TENANT_ENTRY, {"key": client.tenant_key})

    shared.stack.push_async_callback(remember)


@asynccontextmanager
async def open_ledger() -> AsyncIterator[Ledger]:
    """The ledger of the enclosing flow, or the default one."""
    async with _within() as shared:
        yield await _ledger(shared)


async def request_windows(system: str, connection: str) -> list[WindowUse]:
    """What is used of the request limits of a connection that the enclosing flow has open; else none."""
    shared = _open.get()
    limiter = shared.limiters.get((system, connection)) if shared is not None else None
    return await limiter.windows() if limiter is not None else []


def run_seconds() -> float:
    """Seconds since the enclosing flow began, waiting for the lease included; 0 where none is open."""
    shared = _open.get()
    return time.monotonic() - shared.began if shared is not None else 0.0


@asynccontextmanager
async def _within() -> AsyncIterator[_Open]:
    """What the enclosing flow has open, or a place of one's own that is closed at the end."""
    shared = _open.get()
    if shared is not None:
        yield shared
        return
    async with AsyncExitStack() as stack:
        yield _Open(stack, read_only=False, ledger_name=DEFAULT, run_id=_own_run_id())


async def _ledger(shared: _Open) -> Ledger:
    if shared.ledger is None:
        block = await load_ledger_block(shared.ledger_name)
        # Only the default file asks for the pool, so a ledger with a place of its own costs no request.
        pool_type = None if block.has_named_place() else await own_pool_type()
        shared.ledger = await block.open(pool_type)
        shared.ledger.note_run(shared.run_id)
        shared.stack.push_async_callback(shared.ledger.close)
    return shared.ledger


def current_run_id() -> str:
    """The id that writes are journalled under: that of the flow run that opened the connections."""
    shared = _open.get()
    return shared.run_id if shared is not None else _own_run_id()


def within_another_run() -> bool:
    """Whether another flow's run opened the connections that this one works with."""
    return current_run_id() != _own_run_id()


def _own_run_id() -> str:
    return str(flow_run.id or uuid.uuid4())


RUN_VARIABLE = "PREFECT__FLOW_RUN_ID"
"""What a worker gives to the process that it starts for a run."""


_pool_types: dict[str, str | None] = {}
"""By the run: the whole answers and the ledger of one run ask both."""


async def own_pool_type() -> str | None:
    """The type of the work pool that started this process for a run, None where no pool did.

    Costs two requests to Prefect, once a run.
    """
    run_id = os.environ.get(RUN_VARIABLE, "").strip()
    if not run_id:
        return None
    if run_id not in _pool_types:
        async with get_client() as client:
            pool = (await client.read_flow_run(UUID(run_id))).work_pool_name
            _pool_types[run_id] = (await client.read_work_pool(pool)).type if pool else None
    return _pool_types[run_id]


async def load_block(kind: type[B], name: str) -> B:
    """The saved block of that name, an invalid one too (its client says why); StopError if there is none."""
    try:
        return cast(B, await kind.aload(name))
    except ValueError as error:
        raise StopError(
            f"There is no {kind.get_block_type_slug()} block named {name!r}",
            remedy="Create it in the Prefect UI under Blocks, or give another name.",
        ) from error
    except RuntimeError:
        return cast(B, await kind.aload(name, validate=False))


async def connectwise_sites(names: Iterable[str]) -> dict[str, ConnectWiseSettings]:
    """The settings of these saved ConnectWise connections, by tenant, for links to its records.

    A block that can't be read is left out: check-connections has a finding of its own for it.
    """
    from connectors.connectwise.block import ConnectWiseConnection

    sites: dict[str, ConnectWiseSettings] = {}
    for name in names:
        with suppress(ConnectorError):
            settings = (await load_block(ConnectWiseConnection, name)).settings()
            sites[settings.tenant_key] = settings
    return sites


async def load_ledger_block(name: str) -> LedgerDatabase:
    """The saved ``Integration Ledger`` block; without one, what the environment names or the default file."""
    try:
        return cast(LedgerDatabase, await LedgerDatabase.aload(name))
    except ValueError:
        if name != DEFAULT:
            raise
        return LedgerDatabase()


async def saved_block_names(kind: type[Block]) -> list[str]:
    """The names of all saved blocks of that kind, in alphabetic order; none if the kind is not registered."""
    async with get_client() as client:
        try:
            documents = await client.read_block_documents_by_type(
                kind.get_block_type_slug(), include_secrets=False
            )
        except PrefectHTTPStatusError as error:
            if error.response.status_code != HTTPStatus.NOT_FOUND:
                raise
            return []
    return sorted(each.name for each in documents if each.name)
