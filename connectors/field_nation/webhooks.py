"""Webhook subscriptions of the company (webhooks API v3). A secret is shown on creation only."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from connectors.errors import RejectedError
from connectors.field_nation.api import FieldNationApi
from connectors.field_nation.models import Record
from connectors.field_nation.settings import SYSTEM
from connectors.retry import RequestKind

WEBHOOKS = "/webhooks"
PER_PAGE = 100


class WebhookOperations(FieldNationApi):
    """Subscriptions of the company."""

    async def list_webhook_events(self) -> list[Record]:
        """``{name, label, description, model}`` of every event: ``GET /webhooks/events``."""
        path = f"{WEBHOOKS}/events"
        found = await self.send_webhooks(RequestKind.READ, "GET", path, params={"model": "WorkOrder"})
        return self._results(found, "GET", path)

    async def list_webhooks(self) -> list[Record]:
        """Every subscription, without its secret: ``GET /webhooks``."""
        found: list[Record] = []
        page = 1
        while True:
            params = {"page": page, "perPage": PER_PAGE}
            body = await self.send_webhooks(RequestKind.READ, "GET", WEBHOOKS, params=params)
            results = self._results(body, "GET", WEBHOOKS)
            found += [_without_secret(each) for each in results]
            if len(results) < PER_PAGE:
                return found
            page += 1

    async def create_webhook(self, url: str, events: Sequence[str], *, secret: str = "") -> Record:
        """Subscribe; the answer holds the secret: ``POST /webhooks``. Never repeated blindly.

        Args:
            secret: a UUID to sign deliveries with; empty: the block's webhook secret, else the vendor's own.

        Raises:
            RejectedError: the secret is no UUID, or the vendor refuses the address or an event.
            UnclearOutcomeError: no answer came: list the webhooks before subscribing again.
        """
        chosen = secret or self.settings.webhook_secret
        body: dict[str, Any] = {"events": list(events), "url": url, "method": "post", "status": "active"}
        if chosen:
            body["secret"] = _checked_secret(chosen)
        found = await self.send_webhooks(RequestKind.CREATE, "POST", WEBHOOKS, json=body)
        return self._record(found, "POST", WEBHOOKS)

    async def update_webhook(self, webhook_id: str, changes: Mapping[str, Any]) -> Record:
        """Change the members sent (events, url, status, ...): ``PUT /webhooks/{webhookId}``."""
        path = _path(webhook_id)
        body = await self.send_webhooks(RequestKind.MODIFY, "PUT", path, json=dict(changes))
        return _without_secret(self._record(body, "PUT", path))

    async def delete_webhook(self, webhook_id: str) -> None:
        """Unsubscribe: ``DELETE /webhooks/{webhookId}``."""
        await self.send_webhooks(RequestKind.MODIFY, "DELETE", _path(webhook_id))


def _path(webhook_id: str) -> str:
    return f"{WEBHOOKS}/{_checked_id(webhook_id)}"


def _checked_id(given: str) -> str:
    """A UUID; nothing else ever gets into a path."""
    try:
        return str(uuid.UUID(given))
    except ValueError:
        raise RejectedError(f"{given[:60]!r} is no id of a {SYSTEM} webhook") from None


def _checked_secret(secret: str) -> str:
    try:
        return str(uuid.UUID(secret))
    except ValueError:
        raise RejectedError(
            f"The webhook secret of {SYSTEM} must be a UUID",
            remedy="Make one with python -c 'import uuid; print(uuid.uuid4())' and save it in the block.",
        ) from None


def _without_secret(webhook: Record) -> Record:
    return {name: value for name, value in webhook.items() if name != "secret"}
