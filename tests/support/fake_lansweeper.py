"""A Lansweeper in memory behind httpx's transport: pages, cursors, and answers that a test queues."""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx

from connectors.lansweeper.client import LansweeperClient
from connectors.lansweeper.models import Asset
from connectors.lansweeper.settings import LansweeperSettings

SITE = "00000000-0000-4000-8000-000000000001"
Answer = httpx.Response | Exception


def sealed(prefix: str, content: dict[str, Any]) -> str:
    """A token of the vendor's shape."""
    encoded = base64.b64encode(json.dumps(content).encode()).decode()
    signed = int.from_bytes(zlib.crc32(encoded.encode()).to_bytes(4, "big"), "big", signed=True)
    return f"{prefix}{encoded}{format(signed, 'x').rjust(11, '0')}"


TOKEN = sealed("lsp_", {"pat": "0123456789abcdef", "site_region": {SITE: "eu"}})


@dataclass
class FakeLansweeper:
    """Serves ``assets`` with the requested paths; ``queued`` answers come first, one a request."""

    assets: list[Asset] = field(default_factory=list)
    sites: list[dict[str, str]] = field(default_factory=lambda: [{"id": SITE, "name": "acme"}])
    queued: list[Answer] = field(default_factory=list)
    requests: list[dict[str, Any]] = field(default_factory=list)
    headers: list[httpx.Headers] = field(default_factory=list)
    before_page: Callable[[int], None] = lambda _: None
    most_bytes: int = 4_000_000

    def client(self, **options: Any) -> LansweeperClient:
        settings = LansweeperSettings(TOKEN, options.pop("site_id", ""))
        return LansweeperClient(settings, transport=httpx.MockTransport(self._answer), **options)

    def variables(self) -> list[dict[str, Any]]:
        return [request["variables"] for request in self.requests]

    def _answer(self, request: httpx.Request) -> httpx.Response:
        body = json.loads(request.content)
        self.requests.append(body)
        self.headers.append(request.headers)
        if self.queued:
            queued = self.queued.pop(0)
            if isinstance(queued, Exception):
                raise queued
            return queued
        if body["operationName"] == "authorizedSites":
            return answered({"authorizedSites": {"sites": self.sites}})
        return self._page(**body["variables"])

    def _page(self, fields: list[str], page: dict[str, Any], filters: Any = None, **_: Any) -> httpx.Response:
        self.before_page(len(self.requests))
        conditions = (filters or {}).get("conditions") or []
        keys = {condition["value"] for condition in conditions}
        chosen = [asset for asset in self.assets if not keys or asset["key"] in keys]
        start = int(page.get("cursor") or 0)
        end = start + page["limit"]
        resources = {
            "total": len(chosen),
            "pagination": {"next": str(end) if end < len(chosen) else None},
            "items": [projected(asset, fields) for asset in chosen[start:end]],
        }
        answer = answered({"site": {"assetResources": resources}})
        too_large = len(answer.content) > self.most_bytes
        return refused(413, "The response exceeds the maximum size of 4 MB") if too_large else answer


def asset(number: int, **basic: Any) -> Asset:
    return {
        "key": f"key-{number}",
        "assetBasicInfo": {"name": f"WKS-{number}", "type": "Windows", **basic},
        "assetCustom": {"serialNumber": f"S{number}"},
        "softwares": [{"name": "a", "version": "1"}, {"name": "b", "version": "2"}],
    }


def projected(whole: Any, paths: list[str]) -> Any:
    """Only the wanted paths, as the vendor answers; what is absent is left out."""
    if isinstance(whole, list):
        return [projected(entry, paths) for entry in whole]
    result: dict[str, Any] = {}
    for name in dict.fromkeys(path.partition(".")[0] for path in paths):
        inner = [path.partition(".")[2] for path in paths if path.partition(".")[0] == name]
        if name in whole:
            result[name] = projected(whole[name], inner) if all(inner) else whole[name]
    return result


def answered(data: Any) -> httpx.Response:
    return httpx.Response(200, json={"data": data})


def refused(status: int, message: str, headers: dict[str, str] | None = None) -> httpx.Response:
    return httpx.Response(status, json={"errors": [{"message": message}], "data": None}, headers=headers)
