"""A Field Nation in memory for the mock transport; it refuses every request that it does not know."""

from __future__ import annotations

import json
from typing import Any

import httpx

from connectors.field_nation.client import FieldNationClient
from connectors.field_nation.settings import FieldNationSettings

TOKEN_PATH = "/authentication/api/oauth/token"
REST = "/api/rest/v2"
SETTINGS = FieldNationSettings(
    client_id="client-id-0001",
    client_secret="client-secret-0001",
    username="buyer",
    password="pass-word-0001",
    webhook_secret="2f6b6d5c-0000-4000-8000-000000000009",
)
Answer = httpx.Response | Exception


def problem(status: int, code: str, detail: str, **more: Any) -> httpx.Response:
    body = {
        "type": "https://x.test/e",
        "title": "No",
        "status": status,
        "code": code,
        "detail": detail,
        **more,
    }
    return httpx.Response(status, json=body, headers={"Content-Type": "application/problem+json"})


def order(number: int = 7, status: str = "Draft", **more: Any) -> dict[str, Any]:
    return {"id": number, "title": "x", "status": {"id": 0, "name": status, "code": ""}, **more}


class FakeFieldNation:
    """Gives tokens, takes only the newest ones; prepared answers go out in turn.

    ``say("GET", "/workorders/7", answer, ...)`` prepares answers for a path under the REST root.
    """

    def __init__(self, expires_in: float = 3600) -> None:
        self.expires_in = expires_in
        self.prepared: dict[tuple[str, str], list[Answer]] = {}
        self.grants: list[dict[str, Any]] = []
        self.login_answers: list[Answer] = []
        self.good: set[str] = set()
        self.seen: list[httpx.Request] = []
        self.slept: list[float] = []

    def say(self, method: str, path: str, *answers: Answer) -> None:
        self.prepared.setdefault((method, path), []).extend(answers)

    def client(self, **options: Any) -> FieldNationClient:
        transport = httpx.MockTransport(self.handle)
        return FieldNationClient(SETTINGS, transport=transport, sleep=self.sleep, **options)

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)

    def paths(self) -> list[str]:
        return [f"{one.method} {one.url.path.removeprefix(REST)}" for one in self.seen]

    def handle(self, request: httpx.Request) -> httpx.Response:
        if request.url.path == TOKEN_PATH:
            return self._log_in(request)
        self.seen.append(request)
        if request.url.params.get("access_token") not in self.good:
            return problem(401, "AUTHENTICATION_REQUIRED", "The access token expired.")
        prepared = self.prepared.get((request.method, request.url.path.removeprefix(REST)))
        assert prepared, f"unexpected {request.method} {request.url.path}"
        answer = prepared.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def _log_in(self, request: httpx.Request) -> httpx.Response:
        self.grants.append(json.loads(request.content))
        if self.login_answers:
            answer = self.login_answers.pop(0)
            if isinstance(answer, Exception):
                raise answer
            return answer
        token = f"access-token-{len(self.grants)}"
        self.good = {token}
        refresh = f"refresh-token-{len(self.grants)}"
        return httpx.Response(
            200, json={"access_token": token, "expires_in": self.expires_in, "refresh_token": refresh}
        )
