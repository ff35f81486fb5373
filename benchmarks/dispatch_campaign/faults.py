"""Fault rules: what both vendors, their networks and their messengers do during the storm."""

from __future__ import annotations

import random
from typing import Any

from deployments.local.sandbox import Sandbox

LATE = 1.5
"""Seconds after which work is done whose connection was dropped."""
SEARCH_LAG = 1.5
"""Seconds until Field Nation's lists know a new work order. Both together are well under the settle time."""
_COMMON = {"429": 0.02, "500": 0.01, "502": 0.01, "drop_before": 0.01, "late": 0.01, "delay": 0.02}
SHARES = {
    "connectwise": {**_COMMON, "drop_after": 0.02},
    "field_nation": {**_COMMON, "drop_after": 0.03},
}
"""Of all requests of a vendor."""
CREATIONS = {"500": 0.05, "drop_before": 0.03, "drop_after": 0.08, "late": 0.06, "429": 0.04}
"""On top of the shares above, for POST /workorders."""
NOTES = {"drop_after": 0.06, "late": 0.04, "500": 0.03}
"""For POSTs of notes, messages and time entries."""
MESSENGERS = {"duplicate": 0.15, "lose": 0.15, "reorder": 0.25, "reorder_within": 3.0}
WEBHOOKS = {
    "field_nation_webhooks_lost": 0.15,
    "field_nation_webhooks_doubled": 0.15,
    "field_nation_webhook_delay": [0.0, 3.0],
}
CALM_SWITCHES: dict[str, Any] = {
    "field_nation_webhooks_lost": 0.0,
    "field_nation_webhooks_doubled": 0.0,
    "field_nation_webhook_delay": [0.0, 0.0],
    "field_nation_search_lag": 0.0,
}
WRITTEN_TO = (
    ("field_nation", "/workorders/*/messages"),
    ("connectwise", "/service/tickets/*/notes"),
    ("connectwise", "/project/tickets/*/notes"),
    ("connectwise", "/time/entries"),
)


def storm_rules() -> list[dict[str, Any]]:
    """The fault rules; the sandbox draws from its own seed which requests they hit."""
    found: list[dict[str, Any]] = [
        {"system": system, "path": path, "share": share, "fault": _fault(name)}
        for system, path in (("connectwise", "/*"), ("field_nation", "/workorders*"))
        for name, share in SHARES[system].items()
    ]
    found += [
        {
            "system": "field_nation",
            "method": "POST",
            "path": "/workorders",
            "share": share,
            "fault": _fault(name),
        }
        for name, share in CREATIONS.items()
    ]
    found += [
        {"system": system, "method": "POST", "path": path, "share": share, "fault": _fault(name)}
        for system, path in WRITTEN_TO
        for name, share in NOTES.items()
    ]
    return found


def begin_storm(sandbox: Sandbox, seed: int) -> None:
    """From now on requests, callbacks and webhooks are disturbed."""
    sandbox.faults(storm_rules())
    sandbox.callbacks(
        "PUT", body={**MESSENGERS, "seed": random.Random(f"{seed}-messengers").randrange(10**6)}
    )
    sandbox.switch(field_nation_search_lag=SEARCH_LAG, **WEBHOOKS)


def end_storm(sandbox: Sandbox) -> dict[str, int]:
    """No more faults; how often each kind of fault was applied, by system."""
    fired: dict[str, int] = {}
    for rule, number in zip(storm_rules(), sandbox.faults_fired(), strict=True):
        fault = rule["fault"]
        name = f"{rule['system']} {fault.get('status') or fault['kind']}"
        fired[name] = fired.get(name, 0) + number
    sandbox.faults([])
    sandbox.callbacks("PUT", body={})
    sandbox.switch(**CALM_SWITCHES)
    return dict(sorted(fired.items()))


def _fault(name: str) -> dict[str, Any]:
    if name.isdecimal():
        headers = {"Retry-After": "1"} if name == "429" else {}
        body = {"code": "TooManyRequests", "message": "slow down"} if name == "429" else {}
        return {"kind": "status", "status": int(name), "headers": headers, "body": body}
    further = {"late": {"delay": LATE}, "delay": {"seconds": 0.8}}.get(name, {})
    return {"kind": name, **further}
