"""Bad weather for one run: what servers and networks do to its requests, drawn from the seed."""

from __future__ import annotations

import random
from typing import Any

Rule = dict[str, Any]

BEFORE_AFTER = ("before", "after")
BULK, CONFIGURATIONS = "/company/configurations/bulk", "/company/configurations"
LONGEST_LATE = 2.5
"""Seconds until work is done whose connection was dropped."""
ITEM_INTERVAL = 0.01
TIME_OUT = 2.0
"""Seconds of a ``delay`` that is longer than the client waits for an answer (``waits.READ_SECONDS``)."""
BAD_GATEWAY = "<html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>"

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


def draw_weather(draw: random.Random, number: int, *, enrichment: bool) -> tuple[Rule, ...]:
    """So many fault rules."""
    kinds = (_on_target, _on_target, _on_target, _storm) + (() if enrichment else (_partial,))
    return tuple(draw.choice(kinds)(draw, enrichment) for _ in range(number))


def _on_target(draw: random.Random, enrichment: bool) -> Rule:
    system, method, path, within = draw.choice(_TARGETS[enrichment])
    nth = sorted(draw.sample(range(1, within + 1), min(within, draw.choice((1, 1, 2)))))
    rule: Rule = {"system": system, "path": path, "nth": nth, "fault": _fault(draw)}
    return rule | ({"method": method} if method else {})


def _fault(draw: random.Random) -> dict[str, Any]:
    kind = draw.choice(
        (
            "429",
            "429 wait",
            "500",
            "502",
            "drop_before",
            "drop_after",
            "drop_after",
            "late",
            "late",
            "delay",
            "delay",
        )
    )
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
    """429, with Retry-After or without."""
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
