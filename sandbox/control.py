"""The control addresses under ``/_sandbox``: what was asked, fresh data, faults, switches, a look inside.

No key is needed: the sandbox listens on loopback only. A request that can't be done gets 400 with
``{"error": "..."}``.
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


def _clear_requests(sandbox: SandboxApp, body: Any, request: Request) -> None:
    sandbox.world.requests.clear()


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


def _switches(sandbox: SandboxApp, body: Any, request: Request) -> None:
    sandbox.world.switches.change(body)


def _switches_now(sandbox: SandboxApp, body: Any, request: Request) -> Any:
    return asdict(sandbox.world.switches)


def _faults(sandbox: SandboxApp, body: Any, request: Request) -> None:
    sandbox.faults.set(body, sandbox.world.seed)


def _faults_seen(sandbox: SandboxApp, body: Any, request: Request) -> Any:
    return sandbox.faults.as_json()


def _state(sandbox: SandboxApp, body: Any, request: Request) -> Any:
    return wire_records(sandbox.world, request.path_params["collection"])


def _keep_history(sandbox: SandboxApp, body: Any, request: Request) -> None:
    """``{"collections"}``: from now on what happens to their records is kept; nothing before the first."""
    sandbox.world.history.keep(body["collections"])


def _history(sandbox: SandboxApp, body: Any, request: Request) -> Any:
    return history_of(sandbox.world, request.path_params["collection"])


def _count(sandbox: SandboxApp, body: Any, request: Request) -> Any:
    """``?company=6``: only the records of that company."""
    company = request.query_params.get("company")
    collection = request.path_params["collection"]
    return {"count": count_records(sandbox.world, collection, None if company is None else int(company))}


def _edit(sandbox: SandboxApp, body: Any, request: Request) -> None:
    """``{"collection", "id", "set"}``: a person's edit."""
    edit(sandbox.world, body["collection"], body["id"], body["set"])


def _add(sandbox: SandboxApp, body: Any, request: Request) -> Any:
    """``{"collection", "record"}``: a person adds a ConnectWise record; its id."""
    return {"id": add(sandbox.world, body["collection"], body["record"])}


def _delete(sandbox: SandboxApp, body: Any, request: Request) -> None:
    """``{"collection", "id"}``: a person deletes a record."""
    delete(sandbox.world, body["collection"], body["id"])


def _churn(sandbox: SandboxApp, body: Any, request: Request) -> Any:
    """``{"share", "kinds"}``: the keys changed, by kind."""
    kinds = tuple(body.get("kinds") or ASSET_KINDS)
    return churn(sandbox.world, float(body["share"]), kinds)


def _field_nation(sandbox: SandboxApp, body: Any, request: Request) -> Any:
    """The provider's hand, deliveries, tokens: `field_nation.app.answer_control`."""
    return answer_control(sandbox.field_nation, request.method, request.path_params["rest"], body)


def _callbacks(sandbox: SandboxApp, body: Any, request: Request) -> Any:
    """Callbacks on their way, their faults, forged ones: `connectwise.callbacks.answer_callbacks`."""
    path = request.path_params.get("rest", "")
    return answer_callbacks(sandbox.callbacks, sandbox.world.store, request.method, path, body)


def _ticket_churn(sandbox: SandboxApp, body: Any, request: Request) -> Any:
    """``{"share", "kinds"}``: the ids of the tickets changed, by kind."""
    kinds = tuple(body.get("kinds") or TICKET_KINDS)
    return ticket_churn(sandbox.world, float(body["share"]), kinds)


_ADDRESSES: tuple[tuple[str, str, Handler], ...] = (
    ("GET", "/requests", _requests),
    ("DELETE", "/requests", _clear_requests),
    ("POST", "/reset", _reset),
    ("GET", "/switches", _switches_now),
    ("PUT", "/switches", _switches),
    ("PUT", "/faults", _faults),
    ("GET", "/faults", _faults_seen),
    ("GET", "/state/{collection:path}", _state),
    ("GET", "/count/{collection:path}", _count),
    ("POST", "/history", _keep_history),
    ("GET", "/history/{collection:path}", _history),
    ("POST", "/edit", _edit),
    ("POST", "/add", _add),
    ("POST", "/delete", _delete),
    ("POST", "/churn", _churn),
    ("POST", "/ticket-churn", _ticket_churn),
    ("GET", "/callbacks", _callbacks),
    ("PUT", "/callbacks", _callbacks),
    ("POST", "/callbacks/{rest:path}", _callbacks),
    ("GET", "/field-nation/{rest:path}", _field_nation),
    ("POST", "/field-nation/{rest:path}", _field_nation),
)
