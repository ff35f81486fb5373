"""A ConnectWise in memory for the mock transport; it refuses every request that it does not know."""

from __future__ import annotations

from typing import Any

import httpx
import orjson

from connectors.connectwise.client import ConnectWiseClient
from connectors.connectwise.settings import ConnectWiseSettings

ROOT = "/v2026_3/apis/3.0"
INFO = {
    "CompanyName": "Blue Light, Co.",
    "Codebase": "v2026_3/",
    "VersionCode": "v2026.3",
    "VersionNumber": "v4.6.100",
    "CompanyID": "bluelight",
    "IsCloud": "True",
}
SETTINGS = ConnectWiseSettings(
    site="na.myconnectwise.net",
    company_id="bluelight",
    public_key="PublicKey0123456",
    private_key="PrivateKey654321",
    client_id="2f6b6d5c-0000-4000-8000-000000000001",
)
Answer = httpx.Response | Exception


def refusal(status: int, code: str, message: str, errors: Any = None, **headers: str) -> httpx.Response:
    body = {"code": code, "message": message, "errors": errors}
    return httpx.Response(status, json=body, headers=headers)


class FakeConnectWise:
    """Serves lists of records forward-only and by page; prepared answers go before them, in turn.

    ``say("GET", path, answer, ...)`` prepares answers for a path under the API root.
    """

    def __init__(self, collections: dict[str, list[dict[str, Any]]] | None = None) -> None:
        self.collections = collections or {}
        self.info: Any = INFO
        self.root = ROOT
        self.prepared: dict[tuple[str, str], list[Answer]] = {}
        self.seen: list[httpx.Request] = []
        self.slept: list[float] = []

    def say(self, method: str, path: str, *answers: Answer) -> None:
        self.prepared.setdefault((method, path), []).extend(answers)

    def client(self, **options: Any) -> ConnectWiseClient:
        transport = httpx.MockTransport(self.handle)
        return ConnectWiseClient(SETTINGS, transport=transport, sleep=self.sleep, **options)

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)

    def asked(self, method: str, path: str) -> list[httpx.Request]:
        """The requests seen of that method and path under the API root."""
        wanted = (method, path)
        return [one for one in self.seen if (one.method, one.url.path.partition("/3.0")[2]) == wanted]

    def handle(self, request: httpx.Request) -> httpx.Response:
        self.seen.append(request)
        if request.url.path == "/login/companyinfo/bluelight":
            return httpx.Response(200, json=self.info)
        if not request.url.path.startswith(self.root):
            return httpx.Response(400, text="Cannot route. Codebase/company is invalid")
        path = request.url.path.removeprefix(self.root)
        prepared = self.prepared.get((request.method, path))
        if prepared:
            answer = prepared.pop(0)
            if isinstance(answer, Exception):
                raise answer
            return answer
        return self._records(request, path)

    def _records(self, request: httpx.Request, path: str) -> httpx.Response:
        assert request.method == "GET", f"unexpected {request.method} {path}"
        if path.endswith("/count"):
            return httpx.Response(200, json={"count": len(self.collections[path.removesuffix("/count")])})
        records = self.collections[path]
        if request.headers.get("pagination-type") == "forward-only":
            return _by_id(request, records)
        size = int(request.url.params.get("pageSize", 25))
        start = (int(request.url.params.get("page", 1)) - 1) * size
        return httpx.Response(
            200, json=records[start : start + size], headers=_next(request, records, start + size)
        )


def _by_id(request: httpx.Request, records: list[dict[str, Any]]) -> httpx.Response:
    after = int(request.url.params.get("pageId", 0))
    size = int(request.url.params["pageSize"])
    left = [record for record in records if record["id"] > after]
    page = left[:size]
    following = request.url.copy_set_param("pageId", page[-1]["id"]) if len(left) > size else None
    return httpx.Response(200, json=page, headers={"Link": f'<{following}>; rel="next"' if following else ""})


def _next(request: httpx.Request, records: list[dict[str, Any]], end: int) -> dict[str, str]:
    if end >= len(records):
        return {}
    page = int(request.url.params.get("page", 1)) + 1
    return {"Link": f'<{request.url.copy_set_param("page", page)}>; rel="next"'}


def body_of(request: httpx.Request) -> Any:
    return orjson.loads(request.content)
