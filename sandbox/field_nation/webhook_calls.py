"""The webhooks API's addresses: which call does what."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from sandbox.field_nation.deliveries import Deliveries, Delivery
from sandbox.field_nation.events import catalogue
from sandbox.field_nation.webhooks import WebhookError, Webhooks, now_text

MOST_LOG_ENTRIES = 500
Query = Mapping[str, str]
_UUID = r"([0-9a-f-]{36}(?::\d+)?)"


class WebhookCalls:
    """Answers calls under ``/api/v1/webhooks``."""

    def __init__(self, webhooks: Webhooks, deliveries: Deliveries) -> None:
        self._webhooks = webhooks
        self._deliveries = deliveries
        self._calls: list[tuple[str, re.Pattern[str], Callable[..., dict[str, Any]]]] = [
            ("GET", re.compile("/events"), self._events),
            ("GET", re.compile("/delivery-logs"), self._log),
            ("GET", re.compile(f"/delivery-logs/{_UUID}"), self._log_entry),
            ("PATCH", re.compile(f"/delivery-logs/{_UUID}/retry"), self._retry),
            ("GET", re.compile(""), self._list),
            ("POST", re.compile(""), self._create),
            ("GET", re.compile(f"/{_UUID}"), self._get),
            ("PUT", re.compile(f"/{_UUID}"), self._update),
            ("DELETE", re.compile(f"/{_UUID}"), self._delete),
        ]

    def answer(self, method: str, path: str, query: Query, body: Any) -> dict[str, Any]:
        """The answer's body; ``path`` is what follows ``/api/v1/webhooks``.

        Raises:
            WebhookError: 400, or 404 for an address that does not exist.
        """
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
        page, size = int(query.get("page", 1)), int(query.get("perPage", 25))
        shown = found[(page - 1) * size : page * size]
        return _answer(shown, count=len(shown), total=len(found), query={"page": page, "perPage": size})

    def _create(self, query: Query, body: Any) -> dict[str, Any]:
        return _answer(self._webhooks.create(body).as_json())

    def _get(self, query: Query, body: Any, webhook_id: str) -> dict[str, Any]:
        return _answer(self._webhooks.get(webhook_id).as_json())

    def _update(self, query: Query, body: Any, webhook_id: str) -> dict[str, Any]:
        return _answer(self._webhooks.update(webhook_id, body).as_json())

    def _delete(self, query: Query, body: Any, webhook_id: str) -> dict[str, Any]:
        return _answer(self._webhooks.delete(webhook_id).as_json())

    def _log(self, query: Query, body: Any) -> dict[str, Any]:
        size = min(int(query.get("perPage", 50)), MOST_LOG_ENTRIES)
        page = int(query.get("page", 1))
        found = [one.as_json() for one in self._deliveries.log if one.attempt and _matches(one, query)]
        return _answer(found[(page - 1) * size : page * size], query={"page": page, "perPage": size})

    def _log_entry(self, query: Query, body: Any, delivery_id: str) -> dict[str, Any]:
        found = self._deliveries.find(delivery_id)
        return _answer({**found.as_json(), "delivery_log": ""})

    def _retry(self, query: Query, body: Any, delivery_id: str) -> dict[str, Any]:
        return _answer({"job_id": self._deliveries.retry(self._deliveries.find(delivery_id))})


def _matches(one: Delivery, query: Query) -> bool:
    shown = one.as_json() | {"workOrderId": one.order_id}
    names = ("webhookId", "eventName", "deliveryStatus", "workOrderId")
    same = all(str(shown[name]) == query[name] for name in names if name in query)
    return same and query.get("deliveryId", one.uuid).partition(":")[0] == one.uuid


def _answer(result: Any, **metadata: Any) -> dict[str, Any]:
    return {"metadata": {"timestamp": now_text(), **metadata}, "result": result}
