"""Deliveries of events: signed requests to the subscribers, repeated on 5xx and on no answer.

Five headers as on the payload page (reference, section 6.3). Retries follow the delivery page: after 10,
20, ... 640 s on 5xx, a time-out or a connection error, never on 4xx. Switches can lose, double and delay
deliveries, since the platform promises "at least once, order only roughly kept".
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import random
import time
import uuid
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, replace
from typing import Any

from sandbox.field_nation.orders import Event, WorkOrder
from sandbox.field_nation.rendering import work_order
from sandbox.field_nation.webhooks import Webhook, WebhookError, Webhooks, now_text
from sandbox.switches import Switches

ANSWER_WITHIN = 30.0
"""Seconds after which an answer counts as none."""
Background = Callable[[Coroutine[Any, Any, None]], None]


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
        """The entry of the delivery log."""
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
            name, trace = f"workorder.{event.name}", self._uuid()
            body = _payload(name, event.params, order, user_id)
            for webhook in self._webhooks.all.values():
                if webhook.wants(name):
                    self._start(Delivery(self._uuid(), trace, webhook, name, order.id, body, now_text()))

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
        return self._uuid()

    def replay(self, delivery: Delivery) -> None:
        """Send its signed body once more under another id, as a stranger who has it could. Not logged."""
        stranger = replace(delivery, uuid=str(uuid.uuid4()), trace=str(uuid.uuid4()), attempt=0)
        self._background(self._send_until_heard(stranger, [], 0.0))

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

    def _uuid(self) -> str:
        return str(uuid.UUID(int=self._draw.getrandbits(128), version=4))


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
    except httpx.HTTPError:
        return 0
    return answer.status_code
