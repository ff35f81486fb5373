"""Webhook subscriptions: made, listed, changed, deleted through the webhooks API v3."""

from __future__ import annotations

import random
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from sandbox.field_nation.company import API_USER, COMPANY
from sandbox.field_nation.events import EVENTS

STATES = ("active", "inactive", "archived")
METHODS = ("post", "put")
LOOPBACK = ("127.0.0.1", "localhost", "::1")


class WebhookError(Exception):
    """A refusal of the webhooks API: ``{metadata, errors: [{code, message}], result}``."""

    def __init__(self, status: int, *messages: str) -> None:
        super().__init__("; ".join(messages))
        self.status = status
        self.messages = messages

    def body(self, path: str) -> dict[str, Any]:
        """The answer's body."""
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
        """The object of the API."""
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
        """A new subscription; the secret is made up where none is given.

        Raises:
            WebhookError: 400 with every fault.
        """
        given = body if isinstance(body, dict) else {}
        missing = [name for name in ("events", "url", "method", "status") if not given.get(name)]
        if missing:
            raise WebhookError(400, *(f"{name} is required" for name in missing))
        _check(given)
        settings = {"notificationEmail": "", "isIntegrationOnly": False} | _settings(given)
        moment = now_text()
        made = Webhook(
            len(self.all) + 1, self._uuid(), given.get("secret") or self._uuid(), settings, moment, moment
        )
        made.headers = _headers(given)
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
        webhook.headers.update(_headers(given))
        webhook.updated = now_text()
        return webhook

    def delete(self, webhook_id: str) -> Webhook:
        """Removes it; WebhookError 400 where there is none."""
        return self.all.pop(self.get(webhook_id).uuid)

    def _uuid(self) -> str:
        return str(uuid.UUID(int=self._draw.getrandbits(128), version=4))


def now_text() -> str:
    """The moment as ISO 8601 with offset."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def _check(given: dict[str, Any]) -> None:
    faults = []
    unknown = [name for name in given.get("events", []) if name not in EVENTS]
    if unknown or ("events" in given and not given["events"]):
        faults.append(f"events holds unknown names: {', '.join(map(str, unknown)) or 'none'}")
    if "url" in given and not _is_address(given["url"]):
        faults.append("url must be an https address")
    for name, allowed in (("method", METHODS), ("status", STATES)):
        if name in given and given[name] not in allowed:
            faults.append(f"{name} must be one of {', '.join(allowed)}")
    if given.get("secret") and not _is_uuid(given["secret"]):
        faults.append("secret must be a uuid")
    if any(name.lower().startswith("x-fn-") for name in _headers(given)):
        faults.append("header names beginning with x-fn- are reserved")
    if faults:
        raise WebhookError(400, *faults)


def _is_address(url: Any) -> bool:
    """https; plain http only to this machine, where tests and demos listen."""
    parts = urlsplit(url if isinstance(url, str) else "")
    local = parts.scheme == "http" and parts.hostname in LOOPBACK
    return bool(parts.hostname) and (parts.scheme == "https" or local)


def _is_uuid(text: Any) -> bool:
    try:
        return bool(uuid.UUID(str(text)))
    except ValueError:
        return False


def _settings(given: dict[str, Any]) -> dict[str, Any]:
    names = ("events", "url", "method", "status", "notificationEmail", "isIntegrationOnly")
    return {name: given[name] for name in names if name in given}


def _headers(given: dict[str, Any]) -> dict[str, str]:
    found = (given.get("webhookAttribute") or {}).get("header") or {}
    return {str(name): str(value) for name, value in found.items()}
