"""The REST addresses: which call does what to which work order, and the events that it fires."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sandbox.field_nation import company, lifecycle, sections, writing
from sandbox.field_nation.errors import FieldNationError
from sandbox.field_nation.listing import list_orders
from sandbox.field_nation.messages import message_list, post
from sandbox.field_nation.orders import Event, FieldNationStore, WorkOrder
from sandbox.field_nation.rendering import work_order
from sandbox.switches import Switches

OWN = {
    "id": company.API_USER["id"],
    "name": company.full_name(company.API_USER),
    "role": "buyer",
}


@dataclass(frozen=True, slots=True)
class Ask:
    """One call with what it is answered from."""

    store: FieldNationStore
    switches: Switches
    query: Mapping[str, str]
    body: Any

    def member(self, section: str) -> object:
        """The id in a body such as ``{"user": {"id": 5001}}``."""
        given = self.body.get(section) if isinstance(self.body, dict) else None
        return given.get("id") if isinstance(given, dict) else None


@dataclass(frozen=True, slots=True)
class Told:
    """The answer's body, and what the webhooks are told; ``value`` None: an empty body."""

    value: Any
    order: WorkOrder | None = None
    events: tuple[Event, ...] = ()


def answer(method: str, path: str, ask: Ask) -> Told:
    """Do what the call asks; ``path`` is what follows ``/api/rest/v2``.

    Raises:
        FieldNationError: the call is refused.
    """
    if method == "GET" and path in _LOOKUPS:
        return Told(_LOOKUPS[path]())
    if path == "/workorders":
        return _collection(method, ask)
    for verb, pattern, call in _CALLS:
        found = pattern.fullmatch(path)
        if verb == method and found:
            number, *rest = (int(one) for one in found.groups())
            return call(ask, _order(ask, number), *rest)
    raise FieldNationError(404, f"Cannot {method} {path}.")


def _order(ask: Ask, number: int) -> WorkOrder:
    try:
        return ask.store.get(number)
    except FieldNationError as error:
        raise FieldNationError(ask.switches.field_nation_unknown_order, error.detail) from None


def _collection(method: str, ask: Ask) -> Told:
    switches = ask.switches
    if method == "POST":
        order, events = writing.create(ask.store, ask.body)
        return Told(work_order(order), order, tuple(events))
    if method == "GET":
        found = list_orders(
            ask.store,
            ask.query,
            lag=switches.field_nation_search_lag,
            filter_names=switches.field_nation_filter_names,
            search_incident=switches.field_nation_search_incident,
        )
        return Told(found)
    raise FieldNationError(404, f"Cannot {method} /workorders.")


def _changed(order: WorkOrder, events: list[Event]) -> Told:
    return Told(work_order(order), order, tuple(events))


def _read(ask: Ask, order: WorkOrder) -> Told:
    return Told(work_order(order, ask.query.get("columns", "")))


def _update(ask: Ask, order: WorkOrder) -> Told:
    return _changed(order, writing.update(order, ask.body))


def _cancel(ask: Ask, order: WorkOrder) -> Told:
    """The reason comes in the query (2026) or in a body (older pages)."""
    given = ask.body if isinstance(ask.body, dict) else {}
    if not (ask.query.get("cancel_reason") or given.get("cancel_reason")):
        raise FieldNationError(400, "Validation failed.", {"#/cancel_reason": "is required"})
    return _changed(order, lifecycle.cancel(order, ask.switches.field_nation_draft_delete == "deleted"))


def _publish(ask: Ask, order: WorkOrder) -> Told:
    return _changed(order, lifecycle.publish(order, ask.switches.field_nation_publish_checks))


def _route(ask: Ask, order: WorkOrder) -> Told:
    checks = ask.switches.field_nation_publish_checks
    events = lifecycle.route(order, ask.member("technician"), checks)
    return Told({"id": ask.store.number()}, order, tuple(events))


def _unroute(ask: Ask, order: WorkOrder) -> Told:
    return _changed(order, lifecycle.unroute(order, ask.member("technician")))


def _assign(ask: Ask, order: WorkOrder) -> Told:
    return Told({}, order, tuple(lifecycle.assign(order, ask.member("user"))))


def _unassign(ask: Ask, order: WorkOrder) -> Told:
    return Told(None, order, tuple(lifecycle.unassign(order)))


def _reopen(ask: Ask, order: WorkOrder) -> Told:
    missing = [name for name in ("reason", "reason_id") if not ask.query.get(name)]
    if missing:
        raise FieldNationError(400, "Validation failed.", {f"#/{name}": "is required" for name in missing})
    return _changed(order, lifecycle.reopen(order))


def _post(ask: Ask, order: WorkOrder, parent: int | None = None) -> Told:
    event = post(ask.store, order, OWN, ask.body, parent)
    return Told(message_list(order), order, (event,))


def _set_field(ask: Ask, order: WorkOrder, field: int) -> Told:
    return _changed(order, writing.set_custom_field(order, field, ask.body))


def _step(step: Callable[[WorkOrder], list[Event]]) -> Callable[..., Told]:
    return lambda ask, order: _changed(order, step(order))


def _shown(section: Callable[[WorkOrder], Any]) -> Callable[..., Told]:
    return lambda ask, order: Told(section(order))


_N = r"/workorders/(\d+)"
_CALLS: tuple[tuple[str, re.Pattern[str], Callable[..., Told]], ...] = tuple(
    (method, re.compile(_N + rest), call)
    for method, rest, call in (
        ("GET", "", _read),
        ("PUT", "", _update),
        ("DELETE", "", _cancel),
        ("POST", "/publish", _publish),
        ("DELETE", "/publish", _step(lifecycle.to_draft)),
        ("DELETE", "/draft", _step(lifecycle.to_draft)),
        ("POST", "/route", _route),
        ("DELETE", "/route", _unroute),
        ("POST", "/assignee", _assign),
        ("DELETE", "/assignee", _unassign),
        ("POST", "/complete", _step(lifecycle.complete)),
        ("DELETE", "/complete", _reopen),
        ("POST", "/approve", _step(lifecycle.approve)),
        ("DELETE", "/approve", _step(lifecycle.unapprove)),
        ("GET", "/status", _shown(sections.status)),
        ("GET", "/schedule", _shown(sections.schedule)),
        ("GET", "/location", _shown(sections.location)),
        ("GET", "/pay", _shown(sections.pay)),
        ("GET", "/messages", _shown(message_list)),
        ("POST", "/messages", _post),
        ("POST", r"/messages/(\d+)", _post),
        ("GET", "/custom_fields", _shown(sections.custom_fields)),
        ("PUT", r"/custom_fields/(\d+)", _set_field),
        ("GET", "/time_logs", _shown(sections.time_logs)),
        ("GET", "/attachments", _shown(sections.attachments)),
    )
)


def _list_of(results: list[Any]) -> dict[str, Any]:
    whole = sections.envelope(results)
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
    found = _list_of(list(company.TYPES_OF_WORK))
    found["metadata"] = {name: value for name, value in found["metadata"].items() if name != "list"}
    return {name: found[name] for name in ("metadata", "results", "actions", "params")}


def _definitions() -> dict[str, Any]:
    shown = [
        {name: one[name] for name in ("id", "name", "type", "flags")} | {"actions": []}
        for one in company.CUSTOM_FIELDS
    ]
    found = _list_of(shown)
    del found["search_text"]
    return found


_LOOKUPS: dict[str, Callable[[], Any]] = {
    "/types-of-work": _types_of_work,
    "/custom-fields": _definitions,
    "/templates": lambda: _list_of([{"id": number, "actions": []} for number in company.TEMPLATES]),
    "/clients": lambda: _list_of([{"id": one["id"]} for one in company.CLIENTS]),
    "/projects": lambda: _list_of([{"id": one["id"]} for one in company.PROJECTS]),
    "/company/managers": lambda: [
        {name: one[name] for name in ("id", "first_name", "last_name")} for one in company.MANAGERS
    ],
    "/company/incomplete-reasons": lambda: list(company.INCOMPLETE_REASONS),
}
