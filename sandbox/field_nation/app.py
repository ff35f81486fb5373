"""Field Nation as an ASGI application: tokens, REST v2 and webhooks v3 of one world.

``answer`` says which REST call does what to which work order, and which events it fires.

Control addresses under ``/_sandbox/field-nation``:

POST /workorders/{id}/{step}        a step of ``provider.STEPS``, its details as a JSON object
GET  /deliveries                    every delivery so far, lost ones too
POST /deliveries/{uuid}/resend      send one again, as anybody with the old message could
POST /deliveries/{uuid}/replay      the same under a new delivery id, which is not signed
GET  /tokens                        how many tokens each grant gave
POST /tokens/revoke                 {"refresh": bool}: end all access tokens, and refresh tokens too
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from sandbox.field_nation import store, views, work_orders
from sandbox.field_nation.access import TOKEN_PATH, RateLimit, TokenRefusedError, Tokens
from sandbox.field_nation.errors import FieldNationError
from sandbox.field_nation.listing import list_counts, list_orders
from sandbox.field_nation.provider import STEPS, actor
from sandbox.field_nation.store import Event, FieldNationStore, WorkOrder, message_list, post
from sandbox.field_nation.views import work_order
from sandbox.field_nation.webhooks import Deliveries, WebhookCalls, WebhookError, Webhooks
from sandbox.field_nation.work_orders import StepRefusedError
from sandbox.requests import Background, decode, is_json
from sandbox.switches import Switches

if TYPE_CHECKING:
    from sandbox.world import World


OWN = {"id": store.API_USER["id"], "name": store.full_name(store.API_USER), "role": "buyer"}
_N = r"/workorders/([0-9]{1,15})"
REST = "/api/rest/v2"
WEBHOOKS = "/api/v1/webhooks"
_BEARER = "bearer "
_PROVIDER_STEP = re.compile(r"workorders/(\d+)/([a-z-]+)")
_RESEND = re.compile(r"deliveries/([0-9a-f-]{36})/(resend|replay)")


@dataclass(frozen=True, slots=True)
class ApiCall:
    store: FieldNationStore
    switches: Switches
    query: Mapping[str, str]
    body: Any

    def member(self, section: str) -> object:
        """The id in a body such as ``{"user": {"id": 5001}}``."""
        given = self.body.get(section) if isinstance(self.body, dict) else None
        return given.get("id") if isinstance(given, dict) else None


@dataclass(frozen=True, slots=True)
class ApiAnswer:
    """The answer's body, and what the webhooks are told; ``value`` None: an empty body."""

    value: Any
    order: WorkOrder | None = None
    events: tuple[Event, ...] = ()


def answer(method: str, path: str, call: ApiCall) -> ApiAnswer:
    """Do what the call asks, or FieldNationError; ``path`` is what follows ``/api/rest/v2``."""
    if method == "GET" and path in _LOOKUPS:
        return ApiAnswer(_LOOKUPS[path]())
    if path == "/workorders":
        return _collection(method, call)
    if (method, path) == ("GET", "/workorders/lists"):
        lag = call.switches.field_nation_search_lag
        return ApiAnswer(list_counts(call.store, lag=lag))
    for verb, pattern, handle in _CALLS:
        found = pattern.fullmatch(path)
        if verb == method and found:
            number, *rest = (int(one) for one in found.groups())
            return handle(call, _order(call, number), *rest)
    raise FieldNationError(404, f"Cannot {method} {path}.")


def _order(call: ApiCall, number: int) -> WorkOrder:
    try:
        return call.store.get(number)
    except FieldNationError as error:
        raise FieldNationError(call.switches.field_nation_unknown_order, error.detail) from None


def _collection(method: str, call: ApiCall) -> ApiAnswer:
    switches = call.switches
    if method == "POST":
        order, events = work_orders.create(call.store, call.body)
        return ApiAnswer(work_order(order), order, tuple(events))
    if method == "GET":
        found = list_orders(
            call.store,
            call.query,
            lag=switches.field_nation_search_lag,
            filter_names=switches.field_nation_filter_names,
            search_incident=switches.field_nation_search_incident,
        )
        return ApiAnswer(found)
    raise FieldNationError(404, f"Cannot {method} /workorders.")


def _changed(order: WorkOrder, events: list[Event]) -> ApiAnswer:
    return ApiAnswer(work_order(order), order, tuple(events))


def _cancel(call: ApiCall, order: WorkOrder) -> ApiAnswer:
    """The reason comes in the query (2026) or in a body (older pages)."""
    given = call.body if isinstance(call.body, dict) else {}
    if not (call.query.get("cancel_reason") or given.get("cancel_reason")):
        raise FieldNationError(400, "Validation failed.", {"#/cancel_reason": "is required"})
    return _changed(order, work_orders.cancel(order, call.switches.field_nation_draft_delete == "deleted"))


def _publish(call: ApiCall, order: WorkOrder) -> ApiAnswer:
    return _changed(order, work_orders.publish(order, call.switches.field_nation_publish_checks))


def _route(call: ApiCall, order: WorkOrder) -> ApiAnswer:
    checks = call.switches.field_nation_publish_checks
    events = work_orders.route(order, call.member("technician"), checks)
    return ApiAnswer({"id": call.store.number()}, order, tuple(events))


def _unroute(call: ApiCall, order: WorkOrder) -> ApiAnswer:
    return _changed(order, work_orders.unroute(order, call.member("technician")))


def _assign(call: ApiCall, order: WorkOrder) -> ApiAnswer:
    return ApiAnswer({}, order, tuple(work_orders.assign(order, call.member("user"))))


def _unassign(call: ApiCall, order: WorkOrder) -> ApiAnswer:
    return ApiAnswer(None, order, tuple(work_orders.unassign(order)))


def _reopen(call: ApiCall, order: WorkOrder) -> ApiAnswer:
    missing = [name for name in ("reason", "reason_id") if not call.query.get(name)]
    if missing:
        raise FieldNationError(400, "Validation failed.", {f"#/{name}": "is required" for name in missing})
    return _changed(order, work_orders.reopen(order))


def _post(call: ApiCall, order: WorkOrder, parent: int | None = None) -> ApiAnswer:
    event = post(call.store, order, OWN, call.body, parent)
    return ApiAnswer(message_list(order), order, (event,))


def _set_field(call: ApiCall, order: WorkOrder, field: int) -> ApiAnswer:
    return _changed(order, work_orders.set_custom_field(order, field, call.body))


def _step(step: Callable[[WorkOrder], list[Event]]) -> Callable[..., ApiAnswer]:
    return lambda call, order: _changed(order, step(order))


def _written(name: str, required: tuple[str, ...]) -> Callable[..., ApiAnswer]:
    """A section that is written by itself: its members stand at the top of the body."""

    def write(call: ApiCall, order: WorkOrder) -> ApiAnswer:
        given = call.body if isinstance(call.body, dict) else {}
        missing = [f"#/{one}" for one in required if not given.get(one)]
        if missing:
            raise FieldNationError(400, "Validation failed.", dict.fromkeys(missing, "is required"))
        events = work_orders.update(order, {name: given})
        return ApiAnswer(_WRITTEN[name](order), order, tuple(events))

    return write


_WRITTEN = {"schedule": views.schedule, "location": views.location, "pay": views.pay}


def _field(call: ApiCall, order: WorkOrder, field: int) -> ApiAnswer:
    found = views.custom_field(order, field)
    if found is None:
        raise FieldNationError(404, f"Custom field {field} was not found.")
    return ApiAnswer(found)


def _shown(section: Callable[[WorkOrder], Any]) -> Callable[..., ApiAnswer]:
    return lambda call, order: ApiAnswer(section(order))


_CALLS: tuple[tuple[str, re.Pattern[str], Callable[..., ApiAnswer]], ...] = tuple(
    (method, re.compile(_N + rest), handle)
    for method, rest, handle in (
        ("GET", "", lambda call, order: ApiAnswer(work_order(order, call.query.get("columns", "")))),
        ("PUT", "", lambda call, order: _changed(order, work_orders.update(order, call.body))),
        ("DELETE", "", _cancel),
        ("POST", "/publish", _publish),
        ("DELETE", "/publish", _step(work_orders.to_draft)),
        ("DELETE", "/draft", _step(work_orders.to_draft)),
        ("POST", "/route", _route),
        ("DELETE", "/route", _unroute),
        ("POST", "/assignee", _assign),
        ("DELETE", "/assignee", _unassign),
        ("POST", "/complete", _step(work_orders.complete)),
        ("DELETE", "/complete", _reopen),
        ("POST", "/approve", _step(work_orders.approve)),
        ("DELETE", "/approve", _step(work_orders.unapprove)),
        ("GET", "/status", _shown(views.status)),
        ("GET", "/schedule", _shown(views.schedule)),
        ("GET", "/location", _shown(views.location)),
        ("GET", "/pay", _shown(views.pay)),
        ("PUT", "/schedule", _written("schedule", ("service_window",))),
        ("PUT", "/location", _written("location", ("mode",))),
        ("PUT", "/pay", _written("pay", ("type", "base"))),
        ("GET", "/contacts", _shown(views.contacts)),
        ("GET", "/tags", _shown(views.tags)),
        ("GET", "/milestones", _shown(views.milestones)),
        ("GET", "/messages", _shown(message_list)),
        ("POST", "/messages", _post),
        ("POST", r"/messages/([0-9]{1,15})", _post),
        ("GET", "/custom_fields", _shown(views.custom_fields)),
        ("GET", r"/custom_fields/([0-9]{1,15})", _field),
        ("PUT", r"/custom_fields/([0-9]{1,15})", _set_field),
        ("GET", "/time_logs", _shown(views.time_logs)),
        ("GET", "/attachments", _shown(views.attachments)),
    )
)


def _list_of(results: list[Any]) -> dict[str, Any]:
    whole = views.envelope(results)
    extra = {"columns": "", "view": "list", "sort": "id", "order": "asc", "list": ""}
    return {
        "metadata": {**whole["metadata"], **extra},
        "results": results,
        "actions": [],
        "params": [],
        "lists": [],
        "search_text": "",
        "correlation_id": "",
    }


def _types_of_work() -> dict[str, Any]:
    found = _list_of(list(store.TYPES_OF_WORK))
    found["metadata"] = {name: value for name, value in found["metadata"].items() if name != "list"}
    return {name: found[name] for name in ("metadata", "results", "actions", "params")}


def _definitions() -> dict[str, Any]:
    shown = [
        {name: one[name] for name in ("id", "name", "type", "flags")} | {"actions": []}
        for one in store.CUSTOM_FIELDS
    ]
    found = _list_of(shown)
    del found["search_text"]
    return found


_LOOKUPS: dict[str, Callable[[], Any]] = {
    "/types-of-work": _types_of_work,
    "/custom-fields": _definitions,
    "/templates": lambda: _list_of([{"id": number, "actions": []} for number in store.TEMPLATES]),
    "/clients": lambda: _list_of([{"id": one["id"]} for one in store.CLIENTS]),
    "/projects": lambda: _list_of([{"id": one["id"]} for one in store.PROJECTS]),
    "/company/managers": lambda: [
        {name: one[name] for name in ("id", "first_name", "last_name")} for one in store.MANAGERS
    ],
    "/company/incomplete-reasons": lambda: list(store.INCOMPLETE_REASONS),
}


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
            body = _parsed(raw) if is_json(request.headers) else None
            call = ApiCall(self._store, switches, request.query_params, body)
            told = answer("GET" if request.method == "HEAD" else request.method, path, call)
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
            body = _parsed(raw) if is_json(request.headers) else None
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
        return decode(raw)
    except ValueError:
        raise FieldNationError(400, "The body is not valid JSON.") from None


def _json(
    status: int, value: Any, headers: dict[str, str] | None = None, kind: str = "application/json"
) -> Response:
    content = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
    return Response(content, status, headers, media_type=kind)


def answer_control(app: FieldNationApp, method: str, path: str, body: Any) -> Any:
    """What a control address answers; ValueError for one that does not exist or a step that can't be done."""
    try:
        return _answer_control(app, method, path.strip("/"), body or {})
    except (FieldNationError, WebhookError) as error:
        raise ValueError(str(error)) from None


def _answer_control(app: FieldNationApp, method: str, path: str, given: dict[str, Any]) -> Any:
    step, resend = _PROVIDER_STEP.fullmatch(path), _RESEND.fullmatch(path)
    if method == "POST" and step:
        return app.provider(int(step[1]), step[2], given)
    if method == "POST" and resend and resend[2] == "replay":
        app.deliveries.replay(app.deliveries.find(resend[1]))
        return {}
    if method == "POST" and resend:
        return {"job_id": app.deliveries.retry(app.deliveries.find(resend[1]))}
    if (method, path) == ("GET", "deliveries"):
        log = app.deliveries.log
        return [{**one.as_json(), "workOrderId": one.order_id, "lost": one.lost} for one in log]
    if (method, path) == ("GET", "tokens"):
        return app.tokens.granted
    if (method, path) == ("POST", "tokens/revoke"):
        return app.tokens.revoke(bool(given.get("refresh")))
    raise ValueError(f"no such control address: {method} field-nation/{path}")
