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
from sandbox.editing import add, delete, edit, merge, move
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
    """``?company=6``: only the records of that company."""
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


def _clear_requests(sandbox: SandboxApp, body: Any, request: Request) -> Any:
    return sandbox.world.requests.clear()


def _switches(sandbox: SandboxApp, body: Any, request: Request) -> Any:
    return asdict(sandbox.world.switches)


def _set_switches(sandbox: SandboxApp, body: Any, request: Request) -> Any:
    return sandbox.world.switches.change(body)


def _faults(sandbox: SandboxApp, body: Any, request: Request) -> Any:
    return sandbox.faults.as_json()


def _set_faults(sandbox: SandboxApp, body: Any, request: Request) -> Any:
    return sandbox.faults.set(body, sandbox.world.seed)


def _state(sandbox: SandboxApp, body: Any, request: Request) -> Any:
    return wire_records(sandbox.world, _collection(request))


def _history(sandbox: SandboxApp, body: Any, request: Request) -> Any:
    return history_of(sandbox.world, _collection(request))


def _keep_history(sandbox: SandboxApp, body: Any, request: Request) -> Any:
    """``{"collections"}``: from now on what happens to their records is kept; nothing before the first."""
    return sandbox.world.history.keep(body["collections"])


def _edit(sandbox: SandboxApp, body: Any, request: Request) -> Any:
    """``{"collection", "id", "set"}``: what a person changes."""
    return edit(sandbox.world, body["collection"], body["id"], body["set"])


def _add(sandbox: SandboxApp, body: Any, request: Request) -> Any:
    """``{"collection", "record"}``: what a person adds."""
    return {"id": add(sandbox.world, body["collection"], body["record"])}


def _delete(sandbox: SandboxApp, body: Any, request: Request) -> Any:
    """``{"collection", "id"}``: what a person deletes; the notes of a ticket go with it."""
    return delete(sandbox.world, body["collection"], body["id"])


def _merge(sandbox: SandboxApp, body: Any, request: Request) -> Any:
    """``{"collection", "id", "ids", "status"}``: tickets or companies ``ids`` that become part of ``id``."""
    return merge(sandbox.world, body["collection"], int(body["id"]), body["ids"], body.get("status"))


def _move(sandbox: SandboxApp, body: Any, request: Request) -> Any:
    """``{"to", "ids"}`` or ``{"to", "from", "share"}``: configurations for another company; their ids."""
    return {"ids": move(sandbox.world, int(body["to"]), body)}


def _churn(sandbox: SandboxApp, body: Any, request: Request) -> Any:
    """``{"share", "kinds"}``; answers the keys of the changed assets by kind."""
    return churn(sandbox.world, *_share(body, ASSET_KINDS))


def _ticket_churn(sandbox: SandboxApp, body: Any, request: Request) -> Any:
    """``{"share", "kinds"}``; answers the ids of the changed tickets by kind."""
    return ticket_churn(sandbox.world, *_share(body, TICKET_KINDS))


_ADDRESSES: tuple[tuple[str, str, Handler], ...] = (
    ("GET", "/requests", _requests),
    ("DELETE", "/requests", _clear_requests),
    ("POST", "/reset", _reset),
    ("GET", "/switches", _switches),
    ("PUT", "/switches", _set_switches),
    ("GET", "/faults", _faults),
    ("PUT", "/faults", _set_faults),
    ("GET", "/state/{collection:path}", _state),
    ("GET", "/count/{collection:path}", _count),
    ("GET", "/history/{collection:path}", _history),
    ("POST", "/history", _keep_history),
    ("POST", "/edit", _edit),
    ("POST", "/add", _add),
    ("POST", "/delete", _delete),
    ("POST", "/merge", _merge),
    ("POST", "/move", _move),
    ("POST", "/churn", _churn),
    ("POST", "/ticket-churn", _ticket_churn),
    ("GET", "/callbacks", _callbacks),
    ("PUT", "/callbacks", _callbacks),
    ("POST", "/callbacks/{rest:path}", _callbacks),
    ("GET", "/field-nation/{rest:path}", _field_nation),
    ("POST", "/field-nation/{rest:path}", _field_nation),
)
