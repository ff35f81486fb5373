"""Lansweeper's GraphQL endpoint as an ASGI application: token, limits, execution, the answer's envelope.

Request limits: 150 a minute with a cool-down, and 2,000 an hour. Past 150 in a minute, calls are refused
until a full minute has gone by without any call: a call during that minute restarts the wait
(docs/vendors.md, Lansweeper 3). Seconds throughout.
"""

from __future__ import annotations

import math
import re
import time
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from graphql import ExecutionResult, GraphQLError, GraphQLResolveInfo, execute_sync
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from sandbox.faults import SCOPE_KEY, Fault
from sandbox.lansweeper.documents import (
    FOREIGN_SITE,
    MALFORMED_SITE,
    NO_QUERY,
    NOT_AUTHORIZED,
    NOT_LOGGED_IN,
    SCHEMA,
    TOO_LARGE,
    TOO_MANY_REQUESTS,
    RefusedError,
    checked_document,
    number_of_aliases,
    root_fields,
    status_of,
    too_many_aliases,
)
from sandbox.lansweeper.reads import SiteReader
from sandbox.lansweeper.writes import EditRefusals, SiteWriter
from sandbox.requests import decode, encode, is_json

if TYPE_CHECKING:
    from sandbox.world import World


PER_MINUTE = 150
PER_HOUR = 2000
MINUTE = 60.0
HOUR = 3600.0
MAX_ANSWER = 4 * 1024 * 1024  # bytes
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


class RateLimit:
    """Counts one token's calls. ``clock`` gives seconds since the epoch."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._window_start = -math.inf
        self._last_call = -math.inf
        self._used = 0
        self._cooling = False
        self._hour: deque[float] = deque()

    def take(self, number: int = 1) -> float:
        """Count a call as so many requests. 0 where it may pass, else the seconds to wait."""
        now, last = self._clock(), self._last_call
        self._last_call = now
        if self._cooling and now - last < MINUTE:
            return MINUTE
        if self._cooling or now - self._window_start >= MINUTE:
            self._window_start, self._used, self._cooling = now, 0, False
        self._used += number
        if self._used > PER_MINUTE:
            self._cooling = True
            return MINUTE
        return self._take_of_hour(now, number)

    def headers(self) -> dict[str, str]:
        """The rate headers of an answer; ``reset`` in seconds since the epoch."""
        start = self._last_call if self._cooling else self._window_start
        start = self._clock() if math.isinf(start) else start
        return {
            "x-ratelimit-limit": str(PER_MINUTE),
            "x-ratelimit-remaining": str(max(0, PER_MINUTE - self._used)),
            "x-ratelimit-reset": str(math.ceil(start + MINUTE)),
        }

    def _take_of_hour(self, now: float, number: int) -> float:
        while self._hour and self._hour[0] <= now - HOUR:
            self._hour.popleft()
        too_many = len(self._hour) + number - PER_HOUR
        if too_many > 0:
            return self._hour[min(too_many, len(self._hour)) - 1] + HOUR - now
        self._hour.extend([now] * number)
        return 0.0


class LansweeperApp:
    """Answers ``POST /api/v2/graphql`` of one world."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._limit = RateLimit()
        self._refusals = EditRefusals()
        self._reader = SiteReader(world.lansweeper, world.switches)
        self._writer = SiteWriter(world.lansweeper, world.seed)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        if request.method != "POST":
            response = _envelope({"errors": [{"message": "Method Not Allowed"}]}, 405, {"allow": "POST"})
        else:
            body = await request.body() if is_json(request.headers) else b""
            response = self.answer(request.headers.get("authorization", ""), body, scope.get(SCOPE_KEY))
        await response(scope, receive, send)

    def answer(self, authorization: str, body: bytes, fault: Fault | None = None) -> Response:
        """The answer to one POST body; ``fault`` refuses some of its edits."""
        if not self._world.credentials.accepts(authorization):
            return _failure(NOT_LOGGED_IN, 400, {})
        request = _request_of(body)
        wait = self._limit.take(self._cost(request)) if self._world.switches.lansweeper_limits else 0.0
        headers = self._limit.headers()
        if wait:
            return _failure(TOO_MANY_REQUESTS, 429, headers | {"retry-after": str(math.ceil(wait))})
        if request is None:
            return _failure(NO_QUERY, 400, headers)
        limit, aliases = self._world.switches.alias_limit, number_of_aliases(request["query"])
        if limit is not None and aliases > limit:
            return _failure(too_many_aliases(aliases, limit), 400, headers)
        return self._execute(request, headers, fault)

    def _cost(self, request: dict[str, Any] | None) -> int:
        """As how many requests a document counts."""
        each = request is not None and self._world.switches.alias_counting == "each"
        return len(root_fields(request)[0]) if each else 1

    def _execute(self, request: dict[str, Any], headers: dict[str, str], fault: Fault | None) -> Response:
        document, refused = checked_document(request["query"])
        if document is None:
            return _envelope({"errors": [{"message": message} for message in refused]}, 400, headers)
        result = execute_sync(
            SCHEMA,
            document,
            root_value=self._root(root_fields(request)[1], fault),
            variable_values=request.get("variables"),
            operation_name=request.get("operationName"),
        )
        return _response(result, headers, self._world.switches.graphql_error_paths)

    def _root(self, mutation: bool, fault: Fault | None) -> dict[str, Any]:
        served = self._guarded((self._writer if mutation else self._reader).fields())
        if mutation and fault:
            served["editAsset"] = self._refusals.before(served["editAsset"], fault)

        def site(info: GraphQLResolveInfo[Any], id: str) -> dict[str, Any]:
            if not _UUID.fullmatch(id):
                raise RefusedError(MALFORMED_SITE, 400)
            if id != self._world.credentials.site_id:
                raise RefusedError(FOREIGN_SITE, 403)
            return served

        profiles = [{"id": "profile-1", "site": served}]
        me = {"id": "user-1", "username": "integration", "name": "Integration", "profiles": profiles}
        return {"site": site, "authorizedSites": {"sites": [served]}, "me": me}

    def _guarded(self, fields: dict[str, Any]) -> dict[str, Any]:
        """Refuse the fields that the switch ``denied`` names, as in ``lansweeper/editAsset``."""
        denied = {name.removeprefix("lansweeper/") for name in self._world.switches.denied}
        return {name: _deny if name in denied else value for name, value in fields.items()}


def _deny(info: GraphQLResolveInfo[Any], **arguments: Any) -> None:
    raise RefusedError(NOT_AUTHORIZED, 403)


def _request_of(body: bytes) -> dict[str, Any] | None:
    try:
        request = decode(body)
    except ValueError:
        return None
    if not isinstance(request, dict) or not isinstance(request.get("query"), str):
        return None
    # Some clients send null, and what is no object or text counts as left out.
    kinds = {"variables": dict, "operationName": str}
    return {name: one for name, one in request.items() if isinstance(one, kinds.get(name, object))}


def _response(result: ExecutionResult, headers: dict[str, str], paths: bool) -> Response:
    if not result.errors:
        return _envelope({"data": result.data}, 200, headers)
    content: dict[str, Any] = {"errors": [_error(error, paths) for error in result.errors]}
    if result.data is not None or any(error.path for error in result.errors):
        content["data"] = result.data
    return _envelope(content, status_of(result.errors[0]), headers)


def _error(error: GraphQLError, paths: bool) -> dict[str, Any]:
    path = {"path": error.path} if paths and error.path else {}
    return {"message": error.message, **path}


def _failure(message: str, status: int, headers: dict[str, str]) -> Response:
    return _envelope({"errors": [{"message": message}]}, status, headers)


def _envelope(content: dict[str, Any], status: int, headers: dict[str, str]) -> Response:
    text = encode(content)
    if len(text) > MAX_ANSWER:
        return _failure(TOO_LARGE, 413, headers)
    outcome = {"x-graphql-status": "success" if status == 200 else "fail"}
    fixed = {
        "x-powered-by": "Express",
        "cache-control": "no-store",
        "content-type": "application/json; charset=utf-8",
    }
    return Response(text, status, fixed | headers | outcome)
