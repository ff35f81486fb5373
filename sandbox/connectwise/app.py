"""The ConnectWise PSA side as an ASGI application: address, access and the answer's envelope."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from sandbox.connectwise.access import (
    API_VERSION,
    TooManyRequestsError,
    check_caller,
    check_right,
    company_info,
)
from sandbox.connectwise.answers import Answer, CollectionCall, answer_call, codebase_and_rest, route
from sandbox.connectwise.bulk_reads import signing_key, system_answer
from sandbox.connectwise.errors import WRONG_CODEBASE, VendorError, no_endpoint
from sandbox.connectwise.reads import Address
from sandbox.connectwise.store import Store
from sandbox.requests import RequestWindow

if TYPE_CHECKING:
    from sandbox.world import World

LONGEST_URL = 2000
VENDOR_TYPE = "application/vnd.connectwise.com+json"


class ConnectWiseServer:
    """Answers `/login/companyinfo/{id}` and everything under `/v4_6_release/apis/3.0/`."""

    def __init__(self, world: World) -> None:
        """The world is read anew with each request."""
        self._world = world
        self._window = RequestWindow()
        self._bulk_items = [0]
        self._counted: Store | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        await (await self._response(request))(scope, receive, send)

    async def _response(self, request: Request) -> Response:
        address = _address(request)
        query = request.scope["query_string"].decode("latin-1")
        if len(f"{address.url}?{query}" if query else address.url) > LONGEST_URL:
            return Response("<h2>Request URL Too Long</h2>", 414, media_type="text/html")
        company = _asked_company(request.url.path)
        if company is not None:
            world = self._world
            return _json(200, company_info(company, world.credentials, world.switches))
        found = codebase_and_rest(request.url.path)
        codebases = ("v4_6_release", self._world.switches.codebase.strip("/").lower())
        if found is None or found[0].lower() not in codebases:
            return Response(WRONG_CODEBASE, 400, media_type="text/plain")
        try:
            answer = await self._answer(request, address, found[1])
        except VendorError as error:
            return _json(error.status, error.body(), error.headers, request)
        if answer.status == 204:
            return Response(status_code=204)
        return _raw(answer.status, answer.content(), answer.headers, request)

    async def _answer(self, request: Request, address: Address, words: list[str]) -> Answer:
        world, headers = self._world, request.headers
        switches = world.switches
        key = signing_key(words, world.store)
        if key is None or switches.callback_key_needs_login:
            check_caller(
                headers.get("authorization", ""), headers.get("clientid", ""), world.credentials, switches
            )
        if key is not None:
            return Answer(200, {"signing_key": key})
        if wait := self._window.take(switches.rate_limit):
            raise TooManyRequestsError(wait)
        if not words:
            raise no_endpoint()
        base = address.url[: address.url.lower().index("/apis/3.0") + len("/apis/3.0")]
        system = await system_answer(request, words, address, base, world.store, switches)
        if system is not None:
            return system
        asked = route(request.method, words)
        check_right(asked.names, switches)
        if world.store is not self._counted:
            self._counted, self._bulk_items = world.store, [0]
        return await answer_call(
            CollectionCall(request, asked, world.store, switches, address, base, self._bulk_items)
        )


def connectwise_app(world: World) -> ASGIApp:
    return ConnectWiseServer(world)


def _address(request: Request) -> Address:
    """The address as typed; scheme from the connection, host from the Host header."""
    host = request.headers.get("host", "localhost")
    raw = request.scope.get("raw_path") or request.scope["path"].encode()
    path = raw.decode("latin-1").partition("?")[0]
    query = request.scope["query_string"].decode("latin-1")
    pairs = tuple(parse_qsl(query, keep_blank_values=True))
    return Address(f"{request.scope['scheme']}://{host}{path}", pairs)


def _asked_company(path: str) -> str | None:
    words = [word for word in path.split("/") if word]
    if len(words) == 3 and [word.lower() for word in words[:2]] == ["login", "companyinfo"]:
        return words[2]
    return None


def _json(
    status: int, value: Any, headers: dict[str, str] | None = None, request: Request | None = None
) -> Response:
    return _raw(status, json.dumps(value, ensure_ascii=False).encode(), headers or {}, request)


def _raw(status: int, content: bytes, headers: dict[str, str], request: Request | None) -> Response:
    accept = request.headers.get("accept", "") if request is not None else ""
    versioned = VENDOR_TYPE in accept.lower()
    media_type = f"{VENDOR_TYPE}; version={API_VERSION}" if versioned else "application/json; charset=utf-8"
    return Response(
        content, status, {"api-current-version": API_VERSION, **headers, "content-type": media_type}
    )
