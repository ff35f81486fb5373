"""What one process of the campaign has open: both clients and the shared ledger, without Prefect's server."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx

from benchmarks.campaign.rules import REQUESTS_A_MINUTE, campaign_rules
from connectors.connectwise.client import ConnectWiseClient
from connectors.connectwise.settings import ConnectWiseSettings
from connectors.field_nation.client import FieldNationClient
from connectors.field_nation.settings import FieldNationSettings
from connectors.ledger.database import Clock
from connectors.ledger.store import Ledger
from tasks.dispatch.run import DispatchRun
from tasks.dispatch.settings import DispatchSettings

CONNECTWISE_KEYS = ("site", "company_id", "public_key", "private_key", "client_id")
FIELD_NATION_KEYS = ("client_id", "client_secret", "username", "password", "base_address")
Wrap = Callable[[httpx.AsyncBaseTransport], httpx.AsyncBaseTransport]


def connectwise_settings(info: dict[str, Any]) -> ConnectWiseSettings:
    """From the sandbox's first line."""
    return ConnectWiseSettings(**{name: info["connectwise"][name] for name in CONNECTWISE_KEYS})


def field_nation_settings(info: dict[str, Any], secret: str = "") -> FieldNationSettings:
    """From the sandbox's first line; ``secret`` is what webhooks are signed with."""
    keys = {name: info["field_nation"][name] for name in FIELD_NATION_KEYS}
    return FieldNationSettings(**keys, webhook_secret=secret)


@asynccontextmanager
async def open_run(
    info: dict[str, Any],
    ledger: Path,
    *,
    wrap: Wrap | None = None,
    later: float = 0.0,
    settings: DispatchSettings | None = None,
) -> AsyncIterator[DispatchRun]:
    """A run of dispatch, with a request budget that the processes share.

    Args:
        wrap: lays something around both clients' network.
        later: so many seconds have passed, by this process's clocks.
    """
    ours, theirs = connectwise_settings(info), field_nation_settings(info)
    clock = Clock(now=lambda: time.time() + later)
    async with AsyncExitStack() as stack:
        opened = await stack.enter_async_context(Ledger.open(ledger, clock=clock))
        budgets = [opened.budget(each.budget_key, REQUESTS_A_MINUTE, 60.0) for each in (ours, theirs)]
        options: list[dict[str, Any]] = [
            {"budget": budget, **({"transport": wrap(httpx.AsyncHTTPTransport())} if wrap else {})}
            for budget in budgets
        ]
        client = ConnectWiseClient(ours, **options[0])
        other = FieldNationClient(theirs, **options[1])
        yield DispatchRun(
            settings or campaign_rules(),
            client=await stack.enter_async_context(client),
            field_nation=await stack.enter_async_context(other),
            ledger=opened,
            now=lambda: datetime.now(UTC) + timedelta(seconds=later),
        )
