"""Field Nation's servers as an ASGI application: tokens, REST v2 and webhooks v3 of one world."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from sandbox.field_nation.calls import OWN, Ask, answer
from sandbox.field_nation.deliveries import Background, Deliveries
from sandbox.field_nation.errors import FieldNationError
from sandbox.field_nation.lifecycle import StepRefusedError
from sandbox.field_nation.limits import RateLimit
from sandbox.field_nation.provider_steps import STEPS, actor
from sandbox.field_nation.tokens import TOKEN_PATH, TokenRefusedError, Tokens
from sandbox.field_nation.webhook_calls import WebhookCalls
from sandbox.field_nation.webhooks import WebhookError, Webhooks

if TYPE_CHECKING:
    from sandbox.world import World

REST = "/api/rest/v2"
WEBHOOKS = "/api/v1/webhooks"
_BEARER = "bearer "


class FieldNationApp:
    """Answers every call of one world, and lets the provider act through control."""

    def __init__(self, world: World, background: Background) -> None:
        self._world = world
        self._store = world.field_nation
        self._limit = RateLimit()
        self.tokens = Tokens(world.credentials.field_nation, world.seed)
        self._webhooks = Webhooks(world.seed)
        self.deliveries = Deliveries(self._webhooks, world.switches, world.seed, background)
        self._webhook_calls = WebhookCalls(self._webhooks, self.deliveries)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        raw = await request.body()
        path = request.url.path.rstrip("/")
        if path == TOKEN_PATH:
            response = self._token(request, raw)
        elif path.startswith(WEBHOOKS):
            response = self._webhook(request, path.removeprefix(WEBHOOKS), raw)
        else:
            response = self._rest(request, path.removeprefix(REST), raw)
        await response(scope, receive, send)

    def provider(self, number: int, step: str, given: dict[str, Any]) -> dict[str, Any]:
        """A step of the provider's; KeyError for an unknown one, FieldNationError where it can't be done."""
        order = self._store.get(number)
        events = STEPS[step](self._store, order, given)
        self.deliveries.announce(order, events, actor(step, order, given))
        return {"status": order.status.label, "code": order.code, "events": [one.name for one in events]}

    def _token(self, request: Request, raw: bytes) -> Response:
        switches = self._world.switches
        kind = request.headers.get("content-type", "")
        try:
            if request.method != "POST":
                raise TokenRefusedError(404, f"Cannot {request.method} {TOKEN_PATH}")
            seconds, refresh = switches.field_nation_token_seconds, switches.field_nation_refresh
            return _json(200, self.tokens.grant(kind, raw, seconds, refresh))
        except TokenRefusedError as error:
            return _json(error.status, error.body)

    def _rest(self, request: Request, path: str, raw: bytes) -> Response:
        switches, headers = self._world.switches, {}
        try:
            if not self.tokens.accepts(request.query_params.get("access_token", "")):
                raise FieldNationError(401, "The access token is missing, expired or invalid.")
            headers = self._limit.take(switches.field_nation_rate_limit)
            ask = Ask(self._store, switches, request.query_params, _parsed(raw))
            told = answer(request.method, path, ask)
        except FieldNationError as error:
            return self._refusal(error, headers, raw)
        if told.order is not None and switches.field_nation_own_events:
            self.deliveries.announce(told.order, list(told.events), int(str(OWN["id"])))
        return Response(b"", 200, headers) if told.value is None else _json(200, told.value, headers)

    def _webhook(self, request: Request, path: str, raw: bytes) -> Response:
        try:
            authorization = request.headers.get("authorization", "")
            token = authorization[len(_BEARER) :] if authorization.lower().startswith(_BEARER) else ""
            if not self.tokens.accepts(token):
                raise WebhookError(401, "Unauthorized")
            body = _parsed(raw)
            return _json(200, self._webhook_calls.answer(request.method, path, request.query_params, body))
        except FieldNationError as error:
            return _json(400, WebhookError(400, error.detail).body(WEBHOOKS + path))
        except WebhookError as error:
            return _json(error.status, error.body(WEBHOOKS + path))

    def _refusal(self, error: FieldNationError, headers: dict[str, str], raw: bytes) -> Response:
        switches = self._world.switches
        if isinstance(error, StepRefusedError):
            error.status = switches.field_nation_refused_step
        headers = {**headers, **error.headers}
        if switches.field_nation_errors == "message":
            return _json(error.status, error.message(), headers)
        correlation = hashlib.sha1(raw, usedforsecurity=False).hexdigest()
        return _json(error.status, error.problem(correlation), headers, "application/problem+json")


def _parsed(raw: bytes) -> Any:
    if not raw:
        return None
    try:
        return json.loads(raw)
    except ValueError:
        raise FieldNationError(400, "The body is not valid JSON.") from None


def _json(
    status: int, value: Any, headers: dict[str, str] | None = None, kind: str = "application/json"
) -> Response:
    content = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
    return Response(content, status, headers, media_type=kind)
