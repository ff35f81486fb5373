"""What a campaign makes shorter, in the forked run alone: waiting times, pages; and what is told about it."""

from __future__ import annotations

import ssl
import sys
from dataclasses import replace
from functools import partial
from typing import Any

import httpx
from prefect import Task

from connectors import http, retry
from connectors.connectwise import api
from connectors.http import TimeLimits
from connectors.lansweeper import refusals
from connectors.lansweeper.client import AssetOperations
from connectors.ledger import rate_limit
from tasks.asset_sync.settings import Waiting
from tasks.enrichment import custom_fields
from tasks.shared import connections

AUTHORITIES = ssl.create_default_context()
"""Read once, before all forks: the sandbox speaks no TLS, and reading them takes a tenth of a run's CPU."""
READ_SECONDS = 1.5
"""How long a disturbed run waits for an answer; ``weather.TIME_OUT`` is longer."""
SETTLE_SECONDS = 6.5
"""Longer than any time-out and late work together."""
PAUSE_SECONDS = 0.3
LEASE_SECONDS = 15.0
RETRY_DELAYS = [0.2, 0.4, 0.8]
REQUESTS = ((100_000, 60.0),)
FIRST_PAUSE, FIRST_PAUSE_RATE_LIMITED, COOL_DOWN = 0.1, 0.2, 0.5
LONGEST_PAUSE = 20.0
"""Of a pause that a vendor asked for; a later one in the ledger was noted by a clock that was wrong."""
ASSET_WAITING = {
    "settle_seconds": SETTLE_SECONDS,
    "pause_seconds": PAUSE_SECONDS,
    "lease_seconds": LEASE_SECONDS,
    "patience_seconds": 30.0,
}
ENRICHMENT_WAITING = {name: ASSET_WAITING[name] for name in ASSET_WAITING if name != "settle_seconds"}
DIFFERS = {
    "seconds until a creation without answer counts as settled": f"{SETTLE_SECONDS:g} instead of 60",
    "seconds between reads that must agree": f"{PAUSE_SECONDS:g} instead of 5",
    "seconds that a run waits for another one": f"{LEASE_SECONDS:g} instead of 75",
    "patience of a step in seconds": "30 instead of 900 (enrichment: 4,000)",
    "pauses before an action is tried again": f"{RETRY_DELAYS} instead of [15, 75, 210] seconds",
    "first pause of a client in seconds": f"{FIRST_PAUSE:g} (after 429: {FIRST_PAUSE_RATE_LIMITED:g}) "
    "instead of 1 (5)",
    "Lansweeper's cool-down in seconds": f"{COOL_DOWN:g} instead of 61, and the sandbox counts no requests",
    "longest pause of a vendor in seconds": f"{LONGEST_PAUSE:g} instead of 3,600",
    "Lansweeper requests a minute": "100,000 instead of 150; ConnectWise's 100,000 instead of 1,000 in 300 s",
    "seconds for an answer": f"{READ_SECONDS:g} instead of 60 in a disturbed run",
    "records a page": "7, 25 or 1,000 (Lansweeper 500) by the schedule",
    "lease of a killed run": "deleted at once, where Prefect frees it after about a minute",
    "clock": "skewed for the modules of connectors, tasks and flows only, not for Prefect's own",
    "full disk": "a limit on the size of the files that the run may write; nothing but the ledger is one",
    "Prefect's events": "neither sent nor kept, and no logs are sent to its server",
    "ceilings": "passed over (go_on)",
}


def shorten() -> None:
    """Shorten what is no setting of the flow."""
    retry.FIRST_PAUSE, retry.FIRST_PAUSE_RATE_LIMITED = FIRST_PAUSE, FIRST_PAUSE_RATE_LIMITED
    refusals.COOL_DOWN = COOL_DOWN
    rate_limit.LONGEST_PAUSE = LONGEST_PAUSE
    vars(custom_fields)["Waiting"] = partial(Waiting, **ASSET_WAITING)
    connections.REQUEST_LIMITS = REQUESTS  # type: ignore[attr-defined]
    for name, module in list(sys.modules.items()):
        if name.startswith("tasks."):
            for value in vars(module).values():
                if isinstance(value, Task) and value.retries:
                    value.retry_delay_seconds = RETRY_DELAYS


def turn_small_pages(size: int) -> None:
    """Read so many records a page, so that a small company has several pages."""
    api.LARGEST_PAGE = size
    *first, _, send = AssetOperations.asset_pages.__defaults__ or ()
    AssetOperations.asset_pages.__defaults__ = (*first, size, send)


def use_network(wrap: Any, *, impatient: bool) -> None:
    """Lay ``wrap`` around the network of both vendors' clients, and let them wait less for answers."""
    real = http._open_client

    def opened(
        base_url: httpx.URL,
        headers: Any,
        transport: httpx.AsyncBaseTransport | None,
        concurrency: int,
        limits: TimeLimits,
        verify: Any,
    ) -> httpx.AsyncClient:
        if impatient:
            limits = replace(limits, read=READ_SECONDS)
        inner = httpx.AsyncHTTPTransport(
            verify=AUTHORITIES, limits=httpx.Limits(max_connections=concurrency, keepalive_expiry=4.0)
        )
        return real(base_url, headers, wrap(transport or inner), concurrency, limits, verify)

    http._open_client = opened
