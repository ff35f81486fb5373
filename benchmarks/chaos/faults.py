"""Faults of vendors and networks, drawn from the seed; and what a campaign shortens in a forked run.

``draw_vendor_faults`` draws for both flows, ``draw_enrichment_faults`` what the enrichment meets besides.
``DIFFERS`` says how a shortened run differs from production.
"""

from __future__ import annotations

import random
import ssl
import sys
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import httpx
from prefect import Task

from benchmarks.chaos.people import draw_ticket_fault
from benchmarks.performance.measured_run import exchange
from connectors import http, retry
from connectors.connection import TimeLimits, open_connections
from connectors.connectwise import collection
from connectors.lansweeper import refusals
from connectors.lansweeper import settings as lansweeper_settings
from connectors.lansweeper.client import LansweeperClient
from connectors.ledger import rate_limit
from tasks.enrichment import custom_fields
from tasks.shared.retry import Waiting

Rule = dict[str, Any]
BEFORE_AFTER = ("before", "after")
BULK, CONFIGURATIONS = "/company/configurations/bulk", "/company/configurations"
LONGEST_LATE = 2.5
"""Seconds until work is done whose connection was dropped."""
ITEM_INTERVAL = 0.01
TIME_OUT = 2.0
"""Seconds of a ``delay`` that is longer than the client waits for an answer (``READ_SECONDS``)."""
BAD_GATEWAY = "<html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>"
_KINDS = ("429", "429 wait", "500", "502", "drop_before", *2 * ["drop_after"], *2 * ["late"], *2 * ["delay"])
_TARGETS: dict[bool, tuple[tuple[str, str | None, str, int], ...]] = {
    False: (
        ("connectwise", "POST", BULK, 1),
        ("connectwise", "POST", BULK, 3),
        ("connectwise", "PUT", BULK, 1),
        ("connectwise", "PUT", BULK, 3),
        ("connectwise", "GET", CONFIGURATIONS, 5),
        ("connectwise", "PATCH", f"{CONFIGURATIONS}/*", 5),
        ("connectwise", "POST", CONFIGURATIONS, 5),
        ("connectwise", "POST", f"{CONFIGURATIONS}/types", 2),
        ("connectwise", "POST", f"{CONFIGURATIONS}/statuses", 2),
        ("connectwise", "POST", "/procurement/manufacturers", 2),
        ("connectwise", None, "*", 20),
        ("lansweeper", None, "*", 3),
    ),
    True: (
        ("connectwise", None, "*", 20),
        ("connectwise", None, "*tickets*", 8),
        ("connectwise", None, "/finance/agreements*", 4),
        ("lansweeper", None, "*", 12),
    ),
}
"""System, method, path and within how many such requests, for the enrichment (True) and the assets."""
LATE = 1.0
"""Seconds after which Lansweeper has done what it was asked before the connection dropped."""
NAMED_WAIT = {"Retry-After": "1"}
UNANSWERED: Sequence[Rule] = (
    {"kind": "drop_after"},
    {"kind": "late", "delay": LATE},
    {"kind": "drop_before"},
)
AUTHORITIES = ssl.create_default_context()
"""Read once, before all forks: the sandbox speaks no TLS, and reading them takes a tenth of a run's CPU."""
READ_SECONDS = 1.5
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
    "accept once": "typed for the clean and the quiet run, which also try refused records again",
}


def draw_vendor_faults(draw: random.Random, number: int, *, enrichment: bool) -> tuple[Rule, ...]:
    kinds = (_on_target, _on_target, _on_target, _storm) + (() if enrichment else (_partial,))
    return tuple(draw.choice(kinds)(draw, enrichment) for _ in range(number))


def _on_target(draw: random.Random, enrichment: bool) -> Rule:
    system, method, path, within = draw.choice(_TARGETS[enrichment])
    nth = sorted(draw.sample(range(1, within + 1), min(within, draw.choice((1, 1, 2)))))
    rule: Rule = {"system": system, "path": path, "nth": nth, "fault": _fault(draw)}
    return rule | ({"method": method} if method else {})


def _fault(draw: random.Random) -> dict[str, Any]:
    kind = draw.choice(_KINDS)
    if kind.startswith("429"):
        return too_many(draw, wait=kind.endswith("wait"))
    if kind == "500":
        return {"kind": "status", "status": 500, "body": {"code": "ServerError", "message": "out of order"}}
    if kind == "502":
        return {"kind": "status", "status": 502, "body": BAD_GATEWAY}
    if kind == "late":
        delay = round(draw.uniform(0.1, LONGEST_LATE), 2)
        return {"kind": "late", "delay": delay, "item_interval": draw.choice((0, ITEM_INTERVAL))}
    return {"kind": kind, **({"seconds": TIME_OUT} if kind == "delay" else {})}


def slow_work(draw: random.Random, request: str, nth: int) -> Rule:
    """The request that a run is killed at is done when the next run may have read already."""
    method, _, path = request.partition(" ")
    path = "*" if path.endswith("graphql") else f"*{path.rpartition('/3.0')[2]}*"
    late = {"kind": "late", "delay": round(draw.uniform(0.3, LONGEST_LATE), 2)}
    return {"method": method, "path": path, "nth": [nth], "fault": late}


def too_many(draw: random.Random, *, wait: bool) -> dict[str, Any]:
    headers = {"Retry-After": str(draw.choice((0, 1)))} if wait else {}
    body = {"code": "TooManyRequests", "message": "slow down"}
    return {"kind": "status", "status": 429, "headers": headers, "body": body}


def _storm(draw: random.Random, enrichment: bool) -> Rule:
    """Every nth request of both vendors, several times."""
    fault = draw.choice((too_many(draw, wait=True), too_many(draw, wait=False), _fault(draw)))
    return {"path": "*", "every": draw.randint(3, 7), "limit": draw.randint(2, 5), "fault": fault}


def _partial(draw: random.Random, enrichment: bool) -> Rule:
    """Some items of a bulk call are refused."""
    fault = {
        "kind": "partial",
        "share": draw.choice((0.1, 0.3, 0.6, 1.0)),
        "status": draw.choice((400, 409, 500)),
        "code": "InvalidObject",
        "message": "not today",
    }
    rule: Rule = {"system": "connectwise", "path": BULK, "limit": draw.choice((1, 2, 9)), "fault": fault}
    return rule | ({"method": draw.choice(("POST", "PUT"))} if draw.random() < 0.5 else {})


def draw_enrichment_faults(rng: random.Random, n: int) -> tuple[Rule, ...]:
    """``n`` fault rules for Lansweeper, and for persons who change tickets while they are being read."""
    kinds = (_refused_alias, _lansweeper_too_many, _out_of_order, _creation, _dropped_edit, draw_ticket_fault)
    return tuple(rng.choice(kinds)(rng) for _ in range(n))


def _refused_alias(rng: random.Random) -> Rule:
    """Some edits of a mutation are null, under a status that is an error, the others are done."""
    fault = {"kind": "partial", "share": rng.choice((0.1, 0.3, 1)), "status": rng.choice((400, 409, 500))}
    return _lansweeper("editAsset", fault, rng, within=4)


def _lansweeper_too_many(rng: random.Random) -> Rule:
    """429; without Retry-After it means a full minute without any call."""
    headers = NAMED_WAIT if rng.random() < 0.7 else {}
    fault = {"kind": "status", "status": 429, "headers": headers, "body": {"errors": [{"message": "slow"}]}}
    return _lansweeper("*", fault, rng, within=25)


def _out_of_order(rng: random.Random) -> Rule:
    faults: Sequence[Rule] = (
        {"kind": "status", "status": 500, "body": {"errors": [{"message": "Internal"}]}},
        {"kind": "status", "status": 502, "body": "<html><h1>Bad Gateway</h1></html>"},
        {"kind": "drop_before"},
        {"kind": "delay", "seconds": 0.5},
    )
    return _lansweeper("*", rng.choice(faults), rng, within=25)


def _creation(rng: random.Random) -> Rule:
    """A custom field that is made although its creation had no answer."""
    return _lansweeper("createCustomField", rng.choice(UNANSWERED), rng, within=11)


def _dropped_edit(rng: random.Random) -> Rule:
    return _lansweeper("editAsset", rng.choice(UNANSWERED), rng, within=4)


def _lansweeper(path: str, fault: Rule, rng: random.Random, within: int) -> Rule:
    nth = sorted(rng.sample(range(1, within + 1), rng.randint(1, 2)))
    return {"system": "lansweeper", "path": path, "nth": nth, "fault": fault}


def shorten() -> None:
    """Shorten what is no setting of the flow."""
    exchange(retry, FIRST_PAUSE=FIRST_PAUSE, FIRST_PAUSE_RATE_LIMITED=FIRST_PAUSE_RATE_LIMITED)
    exchange(refusals, COOL_DOWN=COOL_DOWN)
    exchange(rate_limit, LONGEST_PAUSE=LONGEST_PAUSE)
    exchange(custom_fields, Waiting=partial(Waiting, **ASSET_WAITING))
    exchange(lansweeper_settings, REQUEST_LIMITS=REQUESTS)
    for name, module in list(sys.modules.items()):
        if name.startswith("tasks."):
            for value in vars(module).values():
                if isinstance(value, Task) and value.retries:
                    value.retry_delay_seconds = RETRY_DELAYS


def turn_small_pages(size: int) -> None:
    """Read so many records a page, so that a small company has several pages."""
    exchange(collection, PAGE_SIZE=size)
    *first, _, send = LansweeperClient.asset_pages.__defaults__ or ()
    LansweeperClient.asset_pages.__defaults__ = (*first, size, send)


def use_network(wrap: Any, *, impatient: bool) -> None:
    """Lay ``wrap`` around the network of both vendors' clients, and let them wait less for answers."""
    real = open_connections

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

    exchange(http, open_connections=opened)
