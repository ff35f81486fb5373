"""``GET /workorders``: base sets, filters that are echoed when they were understood, pages."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Mapping
from datetime import UTC
from typing import Any

from sandbox.field_nation.errors import FieldNationError
from sandbox.field_nation.store import TYPES_OF_WORK, FieldNationStore, Status, WorkOrder, named
from sandbox.field_nation.views import work_order
from sandbox.requests import positive_number

MOST_PER_PAGE = 100
DEFAULT_PER_PAGE = 25
_NEVER = (Status.DELETED,)
LISTS: dict[str, Callable[[WorkOrder], bool]] = {
    "workorders_all": lambda order: order.status not in _NEVER,
    "workorders_in_flight": lambda order: (
        order.status in (Status.PUBLISHED, Status.ROUTED, Status.ASSIGNED, Status.WORK_DONE)
    ),
    "workorders_draft": lambda order: order.status is Status.DRAFT,
    "workorders_published_routed": lambda order: order.status in (Status.PUBLISHED, Status.ROUTED),
    "workorders_assigned": lambda order: order.status is Status.ASSIGNED,
    "workorders_problem": lambda order: bool(order.problems),
    "workorders_work_done": lambda order: order.status is Status.WORK_DONE,
    "workorders_approved": lambda order: order.status is Status.APPROVED,
}
OLD_NAMES = {
    "f_template": "f_templates",
    "f_service_schedule": "f_schedule",
    "f_created_date": "f_created",
    "f_work_done_done": "f_completed",
    "f_assigned_provider": "f_assignment",
    "f_zip": "f_postal_code",
}
SORTS: dict[str, Callable[[WorkOrder], Any]] = {
    "id": lambda order: order.id,
    "title": lambda order: order.fields["title"].lower(),
    "status": lambda order: int(order.status),
    "created_date": lambda order: order.milestones["created"],
}
Wanted = Callable[[WorkOrder, str], bool]


def list_orders(
    store: FieldNationStore, query: Mapping[str, str], *, lag: float, filter_names: str, search_incident: bool
) -> dict[str, Any]:
    """The answer to one list request. Filters that are not understood are neither applied nor echoed.

    Raises:
        FieldNationError: 400, a list that does not exist or a page that is no number.
    """
    if query.get("list") and query["list"] not in LISTS:
        raise FieldNationError(400, "Validation failed.", {"#/list": f"there is no list {query['list']}"})
    size, page = _page_of(query)
    query = _with_sticky(store, query)
    name = query.get("list") or store.sticky.get("list") or "workorders_all"
    known = _filters(filter_names, search_incident)
    understood = {key: value for key, value in query.items() if key in known and value != ""}
    found = [
        order
        for order in store.seen(lag)
        if LISTS[name](order) and all(known[key](order, value) for key, value in understood.items())
    ]
    answer = _page(found, query, name, size, page)
    for key, value in understood.items():
        answer |= {key: value.split(","), f"fs_{key.removeprefix('f_')}": True}
    return answer


def list_counts(store: FieldNationStore, *, lag: float) -> list[dict[str, Any]]:
    """Each base set with how many work orders are in it; ``default`` is what a request without one asks."""
    seen = store.seen(lag)
    default = store.sticky.get("list", "workorders_all")
    return [
        {
            "id": name,
            "label": name.removeprefix("workorders_").replace("_", " ").title(),
            "count": sum(map(belongs, seen)),
            "actions": [],
            "default": name == default,
        }
        for name, belongs in LISTS.items()
    ]


def _with_sticky(store: FieldNationStore, query: Mapping[str, str]) -> dict[str, str]:
    """Without ``sticky=false`` the filters are kept for the user and leak into later calls."""
    given = {key: value for key, value in query.items() if key.startswith("f_") or key == "list"}
    if "f_" in query:
        store.sticky.clear()
    if query.get("sticky", "").lower() == "false":
        return dict(query)
    store.sticky.update({key: value for key, value in given.items() if key != "f_"})
    return {**store.sticky, **query}


def _page_of(query: Mapping[str, str]) -> tuple[int, int]:
    """Size and number of the page that is asked for; FieldNationError 400 for what is no positive number."""
    size = min(_number(query, "per_page", DEFAULT_PER_PAGE), MOST_PER_PAGE)
    return size, _number(query, "page", 1)


def _page(
    found: list[WorkOrder], query: Mapping[str, str], name: str, size: int, page: int
) -> dict[str, Any]:
    sort, order = query.get("sort", "id"), query.get("order", "asc")
    found.sort(key=SORTS.get(sort, SORTS["id"]), reverse=order == "desc")
    shown = found[(page - 1) * size : page * size]
    return {
        "metadata": {
            "total": len(found),
            "page": page,
            "pages": max(1, -(-len(found) // size)),
            "per_page": size,
            "sort": sort,
            "order": order,
            "list": name,
        },
        "results": [work_order(one, query.get("columns", "")) for one in shown],
        "params": [],
        "actions": [],
    }


def _number(query: Mapping[str, str], name: str, default: int) -> int:
    try:
        return positive_number(query.get(name, ""), default)
    except ValueError as error:
        raise FieldNationError(400, "Validation failed.", {f"#/{name}": str(error)}) from None


def _filters(names: str, search_incident: bool) -> dict[str, Wanted]:
    known = {**_FILTERS, "f_search": lambda order, text: _mentions(order, text, search_incident)}
    if names == "old":
        return {OLD_NAMES.get(name, name): wanted for name, wanted in known.items()}
    return known


def _mentions(order: WorkOrder, text: str, search_incident: bool) -> bool:
    """All words in title, description, place or type of work; the Incident ID only where a switch says so."""
    fields = order.fields
    place = fields.get("location", {})
    kinds = [named(TYPES_OF_WORK, one.get("id")) for one in fields.get("types_of_work", [])]
    parts = [fields["title"], re.sub("<[^>]*>", " ", fields.get("description", {}).get("html", ""))]
    parts += [str(place.get(name, "")) for name in ("address1", "city", "state", "zip", "display_name")]
    parts += [kind["name"] for kind in kinds if kind]
    if search_incident:
        parts.append(fields.get("incident_id", ""))
    words = html.unescape(" ".join(parts)).lower()
    return all(word in words for word in text.lower().split())


def _of_field(name: str) -> Wanted:
    return lambda order, text: str(order.fields.get(name, {}).get("id", "")) in text.split(",")


def _of_place(name: str) -> Wanted:
    return lambda order, text: (
        str(order.fields.get("location", {}).get(name, "")).lower()
        in [one.strip().lower() for one in text.split(",")]
    )


def _of_date(*milestones: str) -> Wanted:
    def within(order: WorkOrder, text: str) -> bool:
        first, _, last = text.partition(",")
        days = [
            order.milestones[name].astimezone(UTC).strftime("%Y-%m-%d")
            for name in milestones
            if name in order.milestones
        ]
        return any(first <= day <= (last or first) for day in days)

    return within


def _scheduled(order: WorkOrder, text: str) -> bool:
    start = order.fields.get("schedule", {}).get("service_window", {}).get("start", {})
    day = str(start.get("utc") or start.get("local", {}).get("date", ""))[:10]
    first, _, last = text.partition(",")
    return bool(day) and first <= day <= (last or first)


_FILTERS: dict[str, Wanted] = {
    "f_work_order_id": lambda order, text: str(order.id) in text.split(","),
    "f_client": _of_field("client"),
    "f_project": _of_field("project"),
    "f_manager": _of_field("manager"),
    "f_template": _of_field("template"),
    "f_type_of_work": lambda order, text: any(
        str(one.get("id")) in text.split(",") for one in order.fields.get("types_of_work", [])
    ),
    "f_state": _of_place("state"),
    "f_city": _of_place("city"),
    "f_zip": _of_place("zip"),
    "f_created_date": _of_date("created"),
    "f_approved_cancelled_date": _of_date("approved", "canceled"),
    "f_work_done_done": _of_date("workdone"),
    "f_service_schedule": _scheduled,
    "f_assigned_provider": lambda order, text: str(order.assignee) in text.split(","),
}
