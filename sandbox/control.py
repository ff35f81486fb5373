"""The control addresses under ``/_sandbox``: what was asked, fresh data, faults, switches, a look inside.

No key is needed on loopback. A request that can't be done gets 400 with ``{"error": "..."}``.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from sandbox.app import SandboxApp
from sandbox.connectwise.callbacks import answer_callbacks
from sandbox.data.churn import ASSET_KINDS, TICKET_KINDS, churn, ticket_churn
from sandbox.editing import add, delete, edit
from sandbox.field_nation.app import answer_control
from sandbox.requests import address_of
from sandbox.world import count_records, history_of, wire_records

CONTROL_ROOT = "/_sandbox"

Handler = Callable[[SandboxApp, Any, Request], Any]


def with_control(sandbox: SandboxApp) -> ASGIApp:
    """The vendors and the control addresses on one port. Control has no latency, counts and faults."""
    routes = [
        Route(CONTROL_ROOT + path, _endpoint(sandbox, handler), methods=[method])
        for method, path, handler in _ADDRESSES
    ]
    control = Starlette(routes=routes)

    async def served(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"].startswith(CONTROL_ROOT):
            sandbox.callbacks.root = address_of(scope)
            await control(scope, receive, send)
        else:
            await sandbox(scope, receive, send)

    return served


def _endpoint(sandbox: SandboxApp, handler: Handler) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        try:
            raw = await request.body()
            answer = handler(sandbox, json.loads(raw) if raw else None, request)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            return JSONResponse({"error": f"{type(error).__name__}: {error}"}, 400)
        return Response(status_code=204) if answer is None else JSONResponse(answer)

    return endpoint


def _requests(sandbox: SandboxApp, body: Any, request: Request) -> Any:
    """``before``: requests before these, since the history is kept."""
    counts, history = sandbox.world.requests.as_json(), sandbox.world.history
    return counts | ({"before": history.requests - counts["total"]} if history.kept else {})


def _reset(sandbox: SandboxApp, body: Any, request: Request) -> Any:
    """``{"seed", "assets", "agreements", "tickets", "scenario", "switches"}``.

    Seed and assets are as they were where left out, everything else as usual.
    """
    given, world = body or {}, sandbox.world
    sandbox.reset(
        int(given.get("seed", world.seed)),
        int(given.get("assets", world.assets)),
        given.get("scenario", "provider"),
        given.get("switches") or {},
        given.get("agreements"),
        given.get("tickets"),
    )
    return {"assets": len(sandbox.world.lansweeper.assets)}


def _collection(request: Request) -> str:
    return str(request.path_params["collection"])


def _count(sandbox: SandboxApp, body: Any, request: Request) -> Any:
    company = request.query_params.get("company")
    return {
        "count": count_records(sandbox.world, _collection(request), None if company is None else int(company))
    }


def _share(body: Any, kinds: tuple[str, ...]) -> tuple[float, tuple[str, ...]]:
    return float(body["share"]), tuple(body.get("kinds") or kinds)


def _field_nation(sandbox: SandboxApp, body: Any, request: Request) -> Any:
    return answer_control(sandbox.field_nation, request.method, request.path_params["rest"], body)


def _callbacks(sandbox: SandboxApp, body: Any, request: Request) -> Any:
    path = request.path_params.get("rest", "")
    return answer_callbacks(sandbox.callbacks, sandbox.world.store, request.method, path, body)


_ADDRESSES: tuple[tuple[str, str, Handler], ...] = (
    ("GET", "/requests", _requests),
    ("DELETE", "/requests", lambda at, body, request: at.world.requests.clear()),
    ("POST", "/reset", _reset),
    ("GET", "/switches", lambda at, body, request: asdict(at.world.switches)),
    ("PUT", "/switches", lambda at, body, request: at.world.switches.change(body)),
    ("PUT", "/faults", lambda at, body, request: at.faults.set(body, at.world.seed)),
    ("GET", "/faults", lambda at, body, request: at.faults.as_json()),
    (
        "GET",
        "/state/{collection:path}",
        lambda at, body, request: wire_records(at.world, _collection(request)),
    ),
    # ?company=6: only the records of that company.
    ("GET", "/count/{collection:path}", _count),
    # {"collections"}: from now on what happens to their records is kept; nothing before the first.
    ("POST", "/history", lambda at, body, request: at.world.history.keep(body["collections"])),
    (
        "GET",
        "/history/{collection:path}",
        lambda at, body, request: history_of(at.world, _collection(request)),
    ),
    # {"collection", "id", "set"}, {"collection", "record"}, {"collection", "id"}: what a person does.
    ("POST", "/edit", lambda at, body, request: edit(at.world, body["collection"], body["id"], body["set"])),
    ("POST", "/add", lambda at, body, request: {"id": add(at.world, body["collection"], body["record"])}),
    ("POST", "/delete", lambda at, body, request: delete(at.world, body["collection"], body["id"])),
    # {"share", "kinds"}: what was changed, by kind: keys of assets, ids of tickets.
    ("POST", "/churn", lambda at, body, request: churn(at.world, *_share(body, ASSET_KINDS))),
    ("POST", "/ticket-churn", lambda at, body, request: ticket_churn(at.world, *_share(body, TICKET_KINDS))),
    ("GET", "/callbacks", _callbacks),
    ("PUT", "/callbacks", _callbacks),
    ("POST", "/callbacks/{rest:path}", _callbacks),
    ("GET", "/field-nation/{rest:path}", _field_nation),
    ("POST", "/field-nation/{rest:path}", _field_nation),
)
