"""Webhook subscriptions and their delivery log (webhooks API v3). Secrets are shown on creation only.

What the company has set up: types of work, templates, custom fields, people.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from connectors.errors import RejectedError
from connectors.field_nation.api import FieldNationApi
from connectors.field_nation.models import Record
from connectors.field_nation.settings import SYSTEM
from connectors.retry import Kind

WEBHOOKS = "/webhooks"
LOGS = "/webhooks/delivery-logs"
PER_PAGE = 100


class WebhookOperations(FieldNationApi):
    """Subscriptions of the company."""

    async def list_webhook_events(self) -> list[Record]:
        """``{name, label, description, model}`` of every event: ``GET /webhooks/events``."""
        path = f"{WEBHOOKS}/events"
        found = await self._webhook(Kind.READ, "GET", path, params={"model": "WorkOrder"})
        return self._results(found, "GET", path)

    async def list_webhooks(self) -> list[Record]:
        """Every subscription, without its secret: ``GET /webhooks``."""
        found: list[Record] = []
        page = 1
        while True:
            params = {"page": page, "perPage": PER_PAGE}
            body = await self._webhook(Kind.READ, "GET", WEBHOOKS, params=params)
            results = self._results(body, "GET", WEBHOOKS)
            found += [_without_secret(each) for each in results]
            if len(results) < PER_PAGE:
                return found
            page += 1

    async def get_webhook(self, webhook_id: str) -> Record:
        """One subscription, without its secret: ``GET /webhooks/{webhookId}``."""
        path = _path(webhook_id)
        body = await self._webhook(Kind.READ, "GET", path)
        return _without_secret(self._record(body, "GET", path))

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
        found = await self._webhook(Kind.CREATE, "POST", WEBHOOKS, json=body)
        return self._record(found, "POST", WEBHOOKS)

    async def update_webhook(self, webhook_id: str, changes: Mapping[str, Any]) -> Record:
        """Change the members sent (events, url, status, ...): ``PUT /webhooks/{webhookId}``."""
        path = _path(webhook_id)
        body = await self._webhook(Kind.MODIFY, "PUT", path, json=dict(changes))
        return _without_secret(self._record(body, "PUT", path))

    async def delete_webhook(self, webhook_id: str) -> None:
        """Unsubscribe: ``DELETE /webhooks/{webhookId}``."""
        await self._webhook(Kind.MODIFY, "DELETE", _path(webhook_id))

    async def list_deliveries(
        self, *, webhook_id: str = "", work_order_id: int | None = None, page: int = 1
    ) -> list[Record]:
        """One page of 100 deliveries, tried within the last two weeks: ``GET /webhooks/delivery-logs``."""
        params: dict[str, str | int] = {"page": page, "perPage": PER_PAGE}
        if webhook_id:
            params["webhookId"] = webhook_id
        if work_order_id is not None:
            params["workOrderId"] = work_order_id
        return self._results(await self._webhook(Kind.READ, "GET", LOGS, params=params), "GET", LOGS)

    async def retry_delivery(self, delivery_id: str) -> None:
        """Have a delivery sent once more: ``PATCH /webhooks/delivery-logs/{deliveryId}/retry``."""
        path = f"{LOGS}/{_checked_id(delivery_id)}/retry"
        await self._webhook(Kind.MODIFY, "PATCH", path)


def _path(webhook_id: str) -> str:
    return f"{WEBHOOKS}/{_checked_id(webhook_id)}"


def _checked_id(given: str) -> str:
    """A UUID, perhaps with the attempt behind it; nothing else ever gets into a path."""
    name, colon, attempt = given.partition(":")
    try:
        return f"{uuid.UUID(name)}{colon}{attempt if attempt.isdecimal() else ''}"
    except ValueError:
        raise RejectedError(f"{given[:60]!r} is no id of a {SYSTEM} webhook or delivery") from None


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


class CompanyOperations(FieldNationApi):
    """Look-ups; all ids differ between the two environments."""

    async def list_types_of_work(self) -> list[Record]:
        """``{id, name, industry_id, industry}``: ``GET /types-of-work``."""
        return await self._all("/types-of-work")

    async def list_templates(self) -> list[Record]:
        """Work order templates: ``GET /templates``."""
        return await self._all("/templates")

    async def list_clients(self) -> list[Record]:
        """The company's clients: ``GET /clients``."""
        return await self._all("/clients")

    async def list_projects(self) -> list[Record]:
        """The company's projects: ``GET /projects``."""
        return await self._all("/projects")

    async def list_custom_field_definitions(self) -> list[Record]:
        """Every custom field of the company, without values: ``GET /custom-fields``."""
        return await self._all("/custom-fields")

    async def list_managers(self) -> list[Record]:
        """``{id, first_name, last_name}`` of those who may manage work orders: ``GET /company/managers``."""
        return await self._all("/company/managers")

    async def list_incomplete_reasons(self) -> list[Record]:
        """Reasons for sending work back: ``GET /company/incomplete-reasons``."""
        return await self._all("/company/incomplete-reasons")

    async def _all(self, path: str) -> list[Record]:
        return self._results(await self._rest(Kind.READ, "GET", path), "GET", path)
