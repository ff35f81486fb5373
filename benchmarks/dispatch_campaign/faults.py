"""Fault rules for both vendors, their networks and their messengers, and forged or replayed messages.

Forged messages go to the receiver while it works; it must refuse each and count it.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import random
import time
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from deployments.local.sandbox import Sandbox
from tasks.rules.dispatch.messages import FIELD_NATION_PATH

LATE = 1.5
"""Seconds after which work is done whose connection was dropped."""
SEARCH_LAG = 1.5
"""Seconds until Field Nation's lists know a new work order. Both together are well under the settle time."""
_COMMON = {"429": 0.02, "500": 0.01, "502": 0.01, "drop_before": 0.01, "late": 0.01, "delay": 0.02}
SHARES = {"connectwise": {**_COMMON, "drop_after": 0.02}, "field_nation": {**_COMMON, "drop_after": 0.03}}
"""Of all requests of a vendor."""
CREATIONS = {"500": 0.05, "drop_before": 0.03, "drop_after": 0.08, "late": 0.06, "429": 0.04}
"""On top of the shares above, for POST /workorders."""
NOTES = {"drop_after": 0.06, "late": 0.04, "500": 0.03}
"""For POSTs of notes, messages and time entries."""
WRONG_READS = {"empty": 0.08, "half": 0.08, "cut": 0.05}
"""For each list of records: answers with status 200 in which all or some are missing."""
LISTS = ("/service/tickets", "/project/tickets", "/sales/opportunities")
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
        {"system": system, "method": "POST", "path": path, "share": share, "fault": _fault(name)}
        for shares, places in ((CREATIONS, (("field_nation", "/workorders"),)), (NOTES, WRITTEN_TO))
        for system, path in places
        for name, share in shares.items()
    ]
    found += [
        {"system": "connectwise", "method": "GET", "path": path, "share": share, "fault": _wrong_read(how)}
        for path in LISTS
        for how, share in WRONG_READS.items()
    ]
    return found


def begin_storm(sandbox: Sandbox, seed: int) -> None:
    sandbox.faults(storm_rules())
    drawn = random.Random(f"{seed}-messengers").randrange(10**6)
    sandbox.callbacks("PUT", body={**MESSENGERS, "seed": drawn})
    sandbox.switch(field_nation_search_lag=SEARCH_LAG, **WEBHOOKS)


def end_storm(sandbox: Sandbox) -> dict[str, int]:
    """No more faults; how often each kind of fault was applied, by system."""
    fired: dict[str, int] = {}
    for rule, number in zip(storm_rules(), sandbox.faults_fired(), strict=True):
        fault = rule["fault"]
        name = f"{rule['system']} {fault.get('status') or fault.get('how') or fault['kind']}"
        fired[name] = fired.get(name, 0) + number
    sandbox.faults([])
    sandbox.callbacks("PUT", body={})
    sandbox.switch(**CALM_SWITCHES)
    return dict(sorted(fired.items()))


def _wrong_read(how: str) -> dict[str, Any]:
    return {"kind": "wrong_read", "how": how}


def _fault(name: str) -> dict[str, Any]:
    if name.isdecimal():
        headers = {"Retry-After": "1"} if name == "429" else {}
        body = {"code": "TooManyRequests", "message": "slow down"} if name == "429" else {}
        return {"kind": "status", "status": int(name), "headers": headers, "body": body}
    further = {"late": {"delay": LATE}, "delay": {"seconds": 0.8}}.get(name, {})
    return {"kind": name, **further}


FORGED_CALLBACKS = ("signature", "unsigned", "body", "key_url")
FORGED_WEBHOOKS = ("signature", "unsigned", "old", "old body")
REPLAYS = {"replay": "resend", "replay under another id": "replay"}
OLD_SECONDS = 3_600
OLD_BODY = timedelta(days=20)


def delivered_callbacks(sandbox: Sandbox) -> list[dict[str, Any]]:
    """ConnectWise's own callbacks that were acknowledged."""
    return [one for one in sandbox.callbacks() if (one["kind"], one["outcome"]) == ("genuine", "delivered")]


def delivered_webhooks(sandbox: Sandbox) -> list[dict[str, Any]]:
    """Field Nation's deliveries that were acknowledged."""
    log = sandbox.field_nation("GET", "deliveries")
    return [one for one in log if one["deliveryStatus"] == 200 and not one["lost"]]


class ForgedMessages:
    """Sends one message at a time, callbacks by the sandbox; ``sent`` counts them by vendor and way."""

    def __init__(self, sandbox: Sandbox, receiver: str, secret: str, seed: int) -> None:
        self._sandbox = sandbox
        self._receiver = receiver
        self._secret = secret
        self._draw = random.Random(f"{seed}-strangers")
        self._answers: list[tuple[str, int]] = []
        self.sent: dict[str, int] = {}

    def send(self, ticket: int, work_order: int) -> None:
        """One message that tells of a ticket or a work order; a replay needs one that was delivered."""
        way = self._draw.choice(("callback", "webhook", "replayed callback", "replayed webhook"))
        if way == "callback":
            self._forge(self._draw.choice(FORGED_CALLBACKS), recordId=ticket)
        elif way == "webhook":
            self._webhook(self._draw.choice(FORGED_WEBHOOKS), work_order)
        elif way == "replayed callback":
            self._replay_callback()
        else:
            self._replay_webhook()

    def refusals_wanted(self) -> dict[str, int]:
        found = {"connectwise": 0, "field_nation": 0}
        for name, number in self.sent.items():
            kind, _, way = name.partition(": ")
            if way not in REPLAYS:
                found["connectwise" if kind == "callback" else "field_nation"] += number
        return found

    def taken_twice(self, counted: dict[str, int]) -> list[str]:
        """More webhooks that the receiver kept than were sent, and replays of which it counted none."""
        sent = sum(not one["lost"] for one in self._sandbox.field_nation("GET", "deliveries"))
        kept = counted.get("handed_over field_nation", 0)
        found = [f"{kept} webhooks were kept, {sent} were sent"] if kept > sent else []
        replays = sum(self.sent.get(f"webhook: {way}", 0) for way in REPLAYS)
        if replays and not counted.get("duplicates field_nation", 0):
            found.append(f"none of {replays} replayed webhooks was counted as a duplicate")
        return found

    def believed(self) -> list[str]:
        """Every forged message that was not answered with a refusal."""
        odd = [f"{name} answered {status}" for name, status in self._answers if status not in (401, 403)]
        return odd + [
            f"callback: {one['kind']} answered {one['statuses']}"
            for one in self._sandbox.callbacks()
            if one["kind"] in FORGED_CALLBACKS and not (one["statuses"] and one["statuses"][-1] in (401, 403))
        ]

    def _forge(self, how: str, **given: Any) -> None:
        self._sandbox.callbacks("POST", "forge", {"how": how, **given})
        self._count(f"callback: {how}")

    def _replay_callback(self) -> None:
        if log := delivered_callbacks(self._sandbox):
            message = self._draw.choice(log)["MessageId"]
            self._sandbox.callbacks("POST", "forge", {"how": "replay", "message": message})
            self._count("callback: replay")

    def _replay_webhook(self) -> None:
        if log := delivered_webhooks(self._sandbox):
            delivery = self._draw.choice(log)["deliveryId"].partition(":")[0]
            way = self._draw.choice(list(REPLAYS))
            self._sandbox.field_nation("POST", f"deliveries/{delivery}/{REPLAYS[way]}")
            self._count(f"webhook: {way}")

    def _webhook(self, how: str, work_order: int) -> None:
        told = datetime.now(UTC) - (OLD_BODY if how == "old body" else timedelta(0))
        event = {"name": "workorder.status.approved"}
        body = {"event": event, "timestamp": told.isoformat(), "workorder": {"id": work_order}}
        raw = json.dumps(body).encode()
        secret = "a stranger's" if how == "signature" else self._secret
        moment = time.time() - (OLD_SECONDS if how == "old" else 0)
        headers = {
            "X-FN-Signature": "sha256=" + hmac.new(secret.encode(), raw, hashlib.sha256).hexdigest(),
            "X-FN-Delivery-Id": f"{uuid.UUID(int=self._draw.getrandbits(128), version=4)}:1",
            "X-FN-Request-Timestamp": str(int(moment * 1000)),
        }
        if how == "unsigned":
            del headers["X-FN-Signature"]
        answer = httpx.post(f"{self._receiver}{FIELD_NATION_PATH}", content=raw, headers=headers, timeout=10)
        self._answers.append((f"webhook: {how}", answer.status_code))
        self._count(f"webhook: {how}")

    def _count(self, name: str) -> None:
        self.sent[name] = self.sent.get(name, 0) + 1
