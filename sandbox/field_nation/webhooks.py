"""Webhooks v3: subscriptions, signed deliveries with retries, the delivery log, and the API's addresses.

Five headers as on the vendor's payload page (docs/vendors.md, Field Nation 6.3). Retries follow the
delivery page: after 10, 20, ... 640 s on 5xx, a time-out or a connection error, never on 4xx. Switches can
lose, double and delay deliveries, since the platform promises "at least once, order only roughly kept".
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import random
import re
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from sandbox.field_nation.store import API_USER, COMPANY, EVENTS, Event, WorkOrder, catalogue
from sandbox.field_nation.views import work_order
from sandbox.requests import Background, positive_number, read_address
from sandbox.switches import Switches

STATES = ("active", "inactive", "archived")
METHODS = ("post", "put")
LOOPBACK = ("127.0.0.1", "localhost", "::1")
ANSWER_WITHIN = 30.0
"""Seconds after which an answer counts as none."""
MOST_LOG_ENTRIES = 500
Query = Mapping[str, str]
_NAME = re.compile(r"[\w!#$%&'*+.^`|~-]+", re.ASCII)
_VALUE = re.compile(r"[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?|")
_UUID = r"([0-9a-f-]{36}(?::\d+)?)"


class WebhookError(Exception):
    """A refusal of the webhooks API: ``{metadata, errors: [{code, message}], result}``."""

    def __init__(self, status: int, *messages: str) -> None:
        super().__init__("; ".join(messages))
        self.status = status
        self.messages = messages

    def body(self, path: str) -> dict[str, Any]:
        errors = [{"code": self.status, "message": message} for message in self.messages]
        return {"metadata": {"timestamp": now_text(), "path": path}, "errors": errors, "result": {}}


@dataclass
class Webhook:
    """One subscription; ``headers`` are sent with every delivery."""

    number: int
    uuid: str
    secret: str
    settings: dict[str, Any]
    created: str
    updated: str
    headers: dict[str, str] = field(default_factory=dict)

    def wants(self, event: str) -> bool:
        """Whether this event is delivered to it now."""
        return self.settings["status"] == "active" and event in self.settings["events"]

    def as_json(self) -> dict[str, Any]:
        return {
            "id": self.number,
            "webhookId": self.uuid,
            "companyId": COMPANY["id"],
            "userId": API_USER["id"],
            **self.settings,
            "secret": self.secret,
            "modelProperties": [],
            "createdAt": self.created,
            "updatedAt": self.updated,
        }


class Webhooks:
    """Every subscription, by its uuid."""

    def __init__(self, seed: int) -> None:
        self.all: dict[str, Webhook] = {}
        self._draw = random.Random(f"field-nation-webhooks-{seed}")

    def create(self, body: Any) -> Webhook:
        """A new subscription, with a secret where none is given; WebhookError 400 with every fault."""
        given = body if isinstance(body, dict) else {}
        missing = [name for name in ("events", "url", "method", "status") if not given.get(name)]
        if missing:
            raise WebhookError(400, *(f"{name} is required" for name in missing))
        _check(given)
        settings = {"notificationEmail": "", "isIntegrationOnly": False} | _settings(given)
        number, key, secret, moment = len(self.all) + 1, new_uuid(self._draw), given.get("secret"), now_text()
        made = Webhook(number, key, secret or new_uuid(self._draw), settings, moment, moment)
        made.headers = _headers(given) or {}
        self.all[made.uuid] = made
        return made

    def get(self, webhook_id: str) -> Webhook:
        """The subscription; WebhookError 400 where there is none (the file knows only 200 and 400)."""
        if webhook_id not in self.all:
            raise WebhookError(400, f"Webhook {webhook_id} was not found")
        return self.all[webhook_id]

    def update(self, webhook_id: str, body: Any) -> Webhook:
        """Changes what was sent; WebhookError 400 with every fault."""
        webhook, given = self.get(webhook_id), body if isinstance(body, dict) else {}
        _check(given)
        webhook.settings.update(_settings(given))
        webhook.secret = given.get("secret") or webhook.secret
        webhook.headers.update(_headers(given) or {})
        webhook.updated = now_text()
        return webhook

    def delete(self, webhook_id: str) -> Webhook:
        """Removes it; WebhookError 400 where there is none."""
        return self.all.pop(self.get(webhook_id).uuid)


def new_uuid(draw: random.Random) -> str:
    return str(uuid.UUID(int=draw.getrandbits(128), version=4))


def now_text() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def _check(given: dict[str, Any]) -> None:
    faults = []
    events = given.get("events", EVENTS)
    unknown = (
        [name for name in events if name not in EVENTS] if isinstance(events, list | tuple) else [events]
    )
    if unknown or not events:
        faults.append(f"events holds unknown names: {', '.join(map(str, unknown)) or 'none'}")
    if "url" in given and not _is_address(given["url"]):
        faults.append("url must be an https address")
    for name, allowed in (("method", METHODS), ("status", STATES)):
        if name in given and given[name] not in allowed:
            faults.append(f"{name} must be one of {', '.join(allowed)}")
    if given.get("secret") and not _is_uuid(given["secret"]):
        faults.append("secret must be a uuid")
    kinds = {"notificationEmail": str, "isIntegrationOnly": bool}
    faults += [
        f"{name} is invalid" for name, kind in kinds.items() if not isinstance(given.get(name, kind()), kind)
    ]
    headers = _headers(given)
    if headers is None:
        faults.append("webhookAttribute is invalid")
    elif any(name.lower().startswith("x-fn-") for name in headers):
        faults.append("header names beginning with x-fn- are reserved")
    if faults:
        raise WebhookError(400, *faults)


def _is_address(url: Any) -> bool:
    """https; plain http only to this machine, where tests and demos listen."""
    parts = read_address(url) if isinstance(url, str) else None
    if parts is None:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK)


def _is_uuid(text: Any) -> bool:
    try:
        return bool(uuid.UUID(str(text)))
    except ValueError:
        return False


def _settings(given: dict[str, Any]) -> dict[str, Any]:
    names = ("events", "url", "method", "status", "notificationEmail", "isIntegrationOnly")
    return {name: given[name] for name in names if name in given}


def _headers(given: dict[str, Any]) -> dict[str, str] | None:
    """The headers of every delivery; None for what can't be headers."""
    attributes = given.get("webhookAttribute", {})
    found = attributes.get("header", {}) if isinstance(attributes, dict) else None
    if not isinstance(found, dict):
        return None
    headers = {str(name): str(value) for name, value in found.items()}
    usable = all(_NAME.fullmatch(name) and _VALUE.fullmatch(value) for name, value in headers.items())
    return headers if usable else None


@dataclass
class Delivery:
    """One event for one webhook; ``status`` is that of the last attempt, 0 for no answer or none yet."""

    uuid: str
    trace: str
    webhook: Webhook
    event: str
    order_id: int
    body: bytes
    created: str
    attempt: int = 0
    status: int = 0
    lost: bool = False

    @property
    def delivery_id(self) -> str:
        """``uuid:attempt``; the number grows with each attempt."""
        return f"{self.uuid}:{self.attempt}"

    def as_json(self) -> dict[str, Any]:
        return {
            "deliveryId": self.delivery_id,
            "webhookId": self.webhook.uuid,
            "eventName": self.event,
            "deliveryStatus": self.status,
            "deliveryAttempt": self.attempt,
            "createdAt": self.created,
        }


class Deliveries:
    """Tells the webhooks what happened. ``background`` keeps a task running until it ends or a reset."""

    def __init__(self, webhooks: Webhooks, switches: Switches, seed: int, background: Background) -> None:
        self._webhooks = webhooks
        self._switches = switches
        self._draw = random.Random(f"field-nation-deliveries-{seed}")
        self._background = background
        self.log: list[Delivery] = []

    def announce(self, order: WorkOrder, events: list[Event], user_id: int) -> None:
        """Send these events of a work order, as it is now, to every webhook that wants them."""
        for event in events:
            name, trace = f"workorder.{event.name}", new_uuid(self._draw)
            body = _payload(name, event.params, order, user_id)
            for webhook in self._webhooks.all.values():
                if webhook.wants(name):
                    self._start(
                        Delivery(new_uuid(self._draw), trace, webhook, name, order.id, body, now_text())
                    )

    def find(self, delivery_id: str) -> Delivery:
        """By its id, with or without the attempt; WebhookError 400 where there is none."""
        wanted = delivery_id.partition(":")[0]
        found = next((one for one in self.log if one.uuid == wanted), None)
        if found is None:
            raise WebhookError(400, f"Delivery {delivery_id} was not found")
        return found

    def retry(self, delivery: Delivery) -> str:
        """Send it once more by hand; returns the job's id."""
        self._background(self._send_until_heard(delivery, [], 0.0))
        return new_uuid(self._draw)

    def replay(self, delivery: Delivery) -> None:
        """Send its signed body once more under another id, as anybody who has it could. Not logged."""
        replayed = replace(delivery, uuid=str(uuid.uuid4()), trace=str(uuid.uuid4()), attempt=0)
        self._background(self._send_until_heard(replayed, [], 0.0))

    def _start(self, delivery: Delivery) -> None:
        self.log.append(delivery)
        switches = self._switches
        if self._draw.random() < switches.field_nation_webhooks_lost:
            delivery.lost = True
            return
        times = 2 if self._draw.random() < switches.field_nation_webhooks_doubled else 1
        for _ in range(times):
            pause = self._draw.uniform(*switches.field_nation_webhook_delay)
            self._background(self._send_until_heard(delivery, switches.field_nation_webhook_retries, pause))

    async def _send_until_heard(self, delivery: Delivery, retries: list[float], pause: float) -> None:
        for wait in [pause, *retries]:
            await asyncio.sleep(wait)
            delivery.attempt += 1
            delivery.status = await _send(delivery)
            if 0 < delivery.status < 500:
                return


def signature(secret: str, body: bytes) -> str:
    """``sha256=`` and the hex HMAC-SHA256 of the raw body; the time stamp is not part of it."""
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def _payload(name: str, params: dict[str, Any], order: WorkOrder, user_id: int) -> bytes:
    body = {
        "event": {"name": name, "params": params},
        "timestamp": now_text(),
        "triggered_by_user": {"id": user_id},
        "workorder": work_order(order),
    }
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()


async def _send(delivery: Delivery) -> int:
    # Here, since most sandboxes never send anything and start faster without it.
    import httpx

    webhook = delivery.webhook
    headers = {
        **webhook.headers,
        "Content-Type": "application/json",
        "X-FN-Signature": signature(webhook.secret, delivery.body),
        "X-FN-Webhook-Id": webhook.uuid,
        "X-FN-Delivery-Id": delivery.delivery_id,
        "X-FN-Event-Trace-Id": delivery.trace,
        "X-FN-Request-Timestamp": str(int(time.time() * 1000)),
    }
    settings = webhook.settings
    try:
        # Reading the certificates takes longer than the delivery: only where they are needed.
        secure = settings["url"].startswith("https:")
        async with httpx.AsyncClient(timeout=ANSWER_WITHIN, trust_env=False, verify=secure) as client:
            answer = await client.request(
                settings["method"].upper(), settings["url"], content=delivery.body, headers=headers
            )
    except (httpx.HTTPError, httpx.InvalidURL):
        return 0
    return answer.status_code


class WebhookCalls:
    """Answers calls under ``/api/v1/webhooks``."""

    def __init__(self, webhooks: Webhooks, deliveries: Deliveries) -> None:
        self._webhooks = webhooks
        self._deliveries = deliveries
        one = re.compile(f"/{_UUID}")
        self._calls: list[tuple[str, re.Pattern[str], Callable[..., dict[str, Any]]]] = [
            ("GET", re.compile("/events"), self._events),
            ("GET", re.compile("/delivery-logs"), self._log),
            ("GET", re.compile(f"/delivery-logs/{_UUID}"), self._log_entry),
            ("PATCH", re.compile(f"/delivery-logs/{_UUID}/retry"), self._retry),
            ("GET", re.compile(""), self._list),
            ("POST", re.compile(""), self._create),
            ("GET", one, self._get),
            ("PUT", one, self._update),
            ("DELETE", one, self._delete),
        ]

    def answer(self, method: str, path: str, query: Query, body: Any) -> dict[str, Any]:
        """The answer's body; WebhookError 400, or 404: no such address below ``/api/v1/webhooks``."""
        for verb, pattern, call in self._calls:
            found = pattern.fullmatch(path)
            if verb == method and found:
                return call(query, body, *found.groups())
        raise WebhookError(404, f"Cannot {method} /api/v1/webhooks{path}")

    def _events(self, query: Query, body: Any) -> dict[str, Any]:
        return _answer(catalogue(query.get("model", "")), query={"model": query.get("model", "WorkOrder")})

    def _list(self, query: Query, body: Any) -> dict[str, Any]:
        wanted = query.get("status")
        found = [
            one.as_json()
            for one in self._webhooks.all.values()
            if wanted in (None, one.settings["status"]) and query.get("webhookId") in (None, one.uuid)
        ]
        page, size = _whole(query, "page", 1), _whole(query, "perPage", 25)
        shown = found[(page - 1) * size : page * size]
        return _answer(shown, count=len(shown), total=len(found), query={"page": page, "perPage": size})

    def _log(self, query: Query, body: Any) -> dict[str, Any]:
        size = min(_whole(query, "perPage", 50), MOST_LOG_ENTRIES)
        page = _whole(query, "page", 1)
        found = [one.as_json() for one in self._deliveries.log if one.attempt and _matches(one, query)]
        return _answer(found[(page - 1) * size : page * size], query={"page": page, "perPage": size})

    def _log_entry(self, query: Query, body: Any, delivery_id: str) -> dict[str, Any]:
        return _answer({**self._deliveries.find(delivery_id).as_json(), "delivery_log": ""})

    def _create(self, query: Query, body: Any) -> dict[str, Any]:
        return _answer(self._webhooks.create(body).as_json())

    def _get(self, query: Query, body: Any, webhook_id: str) -> dict[str, Any]:
        return _answer(self._webhooks.get(webhook_id).as_json())

    def _update(self, query: Query, body: Any, webhook_id: str) -> dict[str, Any]:
        return _answer(self._webhooks.update(webhook_id, body).as_json())

    def _delete(self, query: Query, body: Any, webhook_id: str) -> dict[str, Any]:
        return _answer(self._webhooks.delete(webhook_id).as_json())

    def _retry(self, query: Query, body: Any, delivery_id: str) -> dict[str, Any]:
        return _answer({"job_id": self._deliveries.retry(self._deliveries.find(delivery_id))})


def _whole(query: Query, name: str, default: int) -> int:
    try:
        return positive_number(query.get(name, ""), default)
    except ValueError as error:
        raise WebhookError(400, f"{name} {error}") from None


def _matches(one: Delivery, query: Query) -> bool:
    shown = one.as_json() | {"workOrderId": one.order_id}
    names = ("webhookId", "eventName", "deliveryStatus", "workOrderId")
    same = all(str(shown[name]) == query[name] for name in names if name in query)
    return same and query.get("deliveryId", one.uuid).partition(":")[0] == one.uuid


def _answer(result: Any, **metadata: Any) -> dict[str, Any]:
    return {"metadata": {"timestamp": now_text(), **metadata}, "result": result}
