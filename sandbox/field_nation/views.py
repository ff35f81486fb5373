"""A work order as the API shows it: whole, by columns, or one section of it."""

from __future__ import annotations

import html
import re
from datetime import datetime
from typing import Any

from sandbox.field_nation.store import (
    API_USER,
    CLIENTS,
    COMPANY,
    CUSTOM_FIELDS,
    GROUPS,
    INTERNAL_FIELD,
    LOCATION_TYPES,
    MANAGERS,
    PROJECTS,
    PROVIDERS,
    SERVICE_TYPES,
    TEMPLATES,
    TYPES_OF_WORK,
    TimeLog,
    WorkOrder,
    full_name,
    message_list,
    named,
    no_moment,
    read_moment,
    stamp,
    time_zone,
    zone_of,
)

Section = dict[str, Any]
_NOWHERE = {"latitude": None, "longitude": None, "exact": False}
_EMPTY_SUM = {"all": 0, "charged": 0, "uncharged": 0}
Wire = dict[str, Any]
APP = "https://app-sandbox.fndev.net/workorders"
_TAG = re.compile(r"<[^>]*>")
ALWAYS = ("id", "work_order_id", "title", "href")


def envelope(results: list[Any]) -> Section:
    """What every list section has: one page that holds all."""
    size = max(25, len(results))
    return {
        "metadata": {"total": len(results), "page": 1, "pages": 1, "per_page": size},
        "results": results,
        "actions": [],
    }


def section(order: WorkOrder, name: str, results: list[Any]) -> Section:
    """An envelope with the hash that marks a version of the section."""
    return {**envelope(results), "correlation_id": order.correlation(name)}


def status(order: WorkOrder) -> Section:
    """Where the work order is; ``code`` and ``display`` say where the provider is."""
    words = order.code.replace("_", " ").capitalize()
    return {
        "id": int(order.status),
        "name": order.status.label,
        "display": words or order.status.label,
        "code": order.code,
        "sub_status": order.code,
        "is_routed": bool(order.routes),
        "delay": order.delay if order.code == "delayed" else 0,
        "ncns": False,
        "confirmed": order.code == "confirmed",
        "correlation_id": order.correlation("status"),
    }


def custom_field(order: WorkOrder, number: int) -> Section | None:
    """One custom field with its value, empty text where it has none; None for an unknown one."""
    found = named(CUSTOM_FIELDS, number)
    if found is None:
        return None
    position = CUSTOM_FIELDS.index(found)
    return {**found, "value": order.values.get(number, ""), "used_in_finance": False, "order": position}


def custom_fields(order: WorkOrder) -> Section:
    """Two groups, one a role."""
    groups = []
    for number, name, role in GROUPS:
        fields = [custom_field(order, one["id"]) for one in CUSTOM_FIELDS if one["role"] == role]
        groups.append({"id": number, "name": name, "role": role, "order": number, **_page(fields)})
    internal = named(CUSTOM_FIELDS, INTERNAL_FIELD) or {}
    value = order.values.get(INTERNAL_FIELD, "")
    shown = {"id": INTERNAL_FIELD, "name": internal["name"], "value": value, "role": internal["role"]}
    return {**section(order, "custom_fields", groups), "internal": shown}


def _page(results: list[Any]) -> Section:
    whole = envelope(results)
    return {"metadata": whole["metadata"], "results": results}


def time_logs(order: WorkOrder) -> Section:
    """Every stay on site; the ``out`` of an open one has no moment."""
    results = [_time_log(order, log, first=position == 0) for position, log in enumerate(order.time_logs)]
    hours = round(sum(log.hours for log in order.time_logs), 2)
    return {**section(order, "time_logs", results), "hours": hours}


def _time_log(order: WorkOrder, log: TimeLog, first: bool) -> Section:
    zone = zone_of(order.state)
    who = named(PROVIDERS, order.assignee) or API_USER
    return {
        "id": log.id,
        "in": _punch(log.started, zone),
        "out": {**_punch(log.ended, zone), "distance_from_in": 0},
        "time_zone": time_zone(zone),
        "verified": False,
        "edited": False,
        "was_late": False,
        "status": "checked_out" if log.ended else "checked_in",
        "hours": log.hours,
        "logged_by": {name: who[name] for name in ("id", "first_name", "last_name")},
        "actions": [],
        "first_check_in": first,
    }


def _punch(moment: datetime | None, zone: str) -> Section:
    return {
        "created": _stamp(moment, zone),
        "coords": {"latitude": 0, "longitude": 0},
        "verified": False,
        "distance": 0,
        "actions": [],
        "requires_verification": False,
    }


def attachments(order: WorkOrder) -> Section:
    """One folder, Misc, with the provider's files."""
    zone = zone_of(order.state)
    files = [
        {
            "id": one["id"],
            "author": {"id": one["author"]["id"], "first_name": one["author"]["name"]},
            "file": {"name": one["name"], "mime": "application/octet-stream", "size_bytes": 0, "link": ""},
            "created": stamp(one["created"], zone),
            "notes": "",
            "status": "unreviewed",
            "folder_id": 1,
            "workorder_id": order.id,
        }
        for one in order.attachments
    ]
    folder = {"id": 1, "name": "Misc", "type": "slot", "actions": [], **_page(files)}
    return {**section(order, "attachments", [folder]), "sum": {"unreviewed": len(files)}}


def location(order: WorkOrder) -> Section:
    """The address, flat; empty where it was dropped."""
    given = order.fields.get("location", {})
    saved = given.get("saved_location", {})
    kind = given.get("type", {}).get("id", 1)
    known = bool(given.get("city"))
    return {
        "work_order_id": order.id,
        "mode": given.get("mode", ""),
        **{name: given.get(name, "") for name in ("address1", "address2", "city", "state", "zip", "country")},
        "display_name": given.get("display_name", ""),
        "coordinates": {"latitude": 40.0, "longitude": -80.0, "exact": False} if known else _NOWHERE,
        "notes": [],
        "type": {"id": kind, "name": LOCATION_TYPES.get(kind, "")},
        "saved_location": {
            "id": saved.get("id", 0),
            "name": saved.get("name", ""),
            "display_name": saved.get("display_name", ""),
            "contact": {"name": "", "phone": ""},
            "group": {"id": 0, "name": ""},
        },
        "status_id": int(order.status),
        "correlation_id": order.correlation("location"),
        "zoom": "0",
        "map": {"url": "", "href": ""},
        "actions": [],
    }


def _stamp(moment: datetime | None, zone: str) -> Section:
    return stamp(moment, zone) if moment is not None else no_moment()


def schedule(order: WorkOrder) -> Section:
    """The service window with both ends as UTC and local time; of a draft without one, both are empty."""
    zone = zone_of(order.state)
    window = order.fields.get("schedule", {}).get("service_window") or {"mode": "exact"}
    start = read_moment(window["start"], zone, "") if "start" in window else None
    end = read_moment(window["end"], zone, "") if window.get("end") else start
    return {
        "work_order_id": order.id,
        "service_window": {"mode": window["mode"], "start": _stamp(start, zone), "end": _stamp(end, zone)},
        "time_zone": time_zone(zone),
        "status_id": int(order.status),
        "company_id": COMPANY["id"],
        "today_tomorrow": "",
        "correlation_id": order.correlation("schedule"),
    }


def _invoice(order: WorkOrder) -> Section:
    """Sent with the approval and paid with the payment; until then it has no number (assumed)."""
    zone = zone_of(order.state)
    sent, paid = (order.milestones.get(name) for name in ("approved", "paid"))
    number = order.id if sent is not None else 0
    return {"id": number, "sent": _stamp(sent, zone), "paid": _stamp(paid, zone)}


def pay(order: WorkOrder) -> Section:
    """What it costs; a fixed pay's total is its base amount."""
    given = order.fields.get("pay", {})
    base, more = ({"amount": 0, "units": 0, **given.get(name, {})} for name in ("base", "additional"))
    total = base["amount"] * (base["units"] or 1) + more["amount"] * more["units"]
    hours = round(sum(log.hours for log in order.time_logs), 2)
    return {
        "work_order_id": order.id,
        "type": given.get("type", ""),
        "base": base,
        "additional": more,
        "fees": [],
        "hold": {"id": 0, "amount": 0, "charged": False},
        "hours": given.get("hours", 0),
        "reported_hours": hours,
        "number_of_devices": 0,
        "minimum_payment": 0,
        "range": {"min": total, "max": total},
        "labor_sum": total,
        "fees_cancellation_pending": False,
        "passive_cancellation_amount": 0,
        "fee_cancellation_queued": "",
        "fee_cancellation_charged": "",
        "funding": [],
        "invoice": _invoice(order),
        "bonuses": {**envelope([]), "sum": _EMPTY_SUM},
        "expenses": {
            **envelope([]),
            "sum": {**_EMPTY_SUM, "pending": 0, "approved": 0, "approved_amount": 0, "denied": 0},
        },
        "penalties": {**envelope([]), "sum": _EMPTY_SUM},
        "discounts": {**envelope([]), "sum": {"all": 0}},
        "increases": {**envelope([]), "sum": {"all": 0}, "minimum": 0},
        "max_pay": total,
        "total": total,
        "max_pay_limit": 0,
        "calculated_total": {"total": {"min": total, "max": total}},
    }


def work_order(order: WorkOrder, columns: str = "") -> Wire:
    """The wire record; ``columns``, a comma list, leaves other sections out."""
    whole = _plain(order) | _people(order) | _kinds(order) | _sections(order)
    wanted = [name.strip() for name in columns.split(",") if name.strip()]
    if not wanted:
        return whole
    return {name: value for name, value in whole.items() if name in ALWAYS or name in wanted}


def _plain(order: WorkOrder) -> Wire:
    fields = order.fields
    return {
        "id": order.id,
        "work_order_id": order.id,
        "title": fields["title"],
        "href": f"{APP}/{order.id}",
        "description": _words(fields.get("description")),
        "confidential": _words(fields.get("confidential")),
        "closing_notes": order.closing_notes,
        "incident_id": fields.get("incident_id", ""),
        "allow_counter_offers": fields.get("allow_counter_offers", False),
        "require_gps": fields.get("require_gps", False),
        "printable": fields.get("printable", False),
    }


def _words(given: Any) -> Wire:
    text = (given or {}).get("html", "")
    return {"html": text, "markdown": html.unescape(_TAG.sub("", text))}


def _people(order: WorkOrder) -> Wire:
    manager = named(MANAGERS, order.fields.get("manager", {}).get("id")) or API_USER
    provider = named(PROVIDERS, order.assignee)
    shown: Wire = {"status_id": int(order.status), "work_order_id": order.id}
    if provider:
        shown["user"] = {**provider, "country": "US", "cell": provider["phone"]}
    return {
        "company": COMPANY,
        "manager": {**manager, "name": full_name(manager), "email": "", "phone": ""},
        "assignee": shown,
    }


def _kinds(order: WorkOrder) -> Wire:
    fields = order.fields
    given = fields.get("types_of_work") or [{**fields.get("type_of_work", {}), "isPrimary": True}]
    found = [(one, named(TYPES_OF_WORK, one.get("id"))) for one in given]
    types = [
        {"id": kind["id"], "name": kind["name"], "isPrimary": one.get("isPrimary", False)}
        for one, kind in found
        if kind
    ]
    services = [named(SERVICE_TYPES, one.get("id")) for one in fields.get("service_types", [])]
    shown: Wire = {"types_of_work": types, "service_types": [one for one in services if one]}
    if types:
        first = next((one for one in types if one["isPrimary"]), types[0])
        shown["type_of_work"] = {"id": first["id"], "name": first["name"]}
    template = fields.get("template", {}).get("id")
    if template in TEMPLATES:
        shown["template"] = {"id": template, "name": TEMPLATES[template]["name"]}
    for name, records in (("client", CLIENTS), ("project", PROJECTS)):
        if record := named(records, fields.get(name, {}).get("id")):
            shown[name] = dict(record)
    return shown


def contacts(order: WorkOrder) -> Section:
    """Whom to ask for on site, numbered by their places."""
    given = order.fields.get("contacts", {}).get("results", [])
    numbered = [{"id": position, **one, "actions": []} for position, one in enumerate(given, start=1)]
    return section(order, "contacts", numbered)


def tags(order: WorkOrder) -> Section:
    """Always empty: nothing here sets a tag."""
    return section(order, "tags", [])


def milestones(order: WorkOrder) -> Section:
    """When each step was taken."""
    return {name: stamp(moment, zone_of(order.state)) for name, moment in order.milestones.items()}


def _sections(order: WorkOrder) -> Wire:
    messages = message_list(order)
    return {
        "status": status(order),
        "location": location(order),
        "schedule": schedule(order),
        "pay": pay(order),
        "custom_fields": custom_fields(order),
        "time_logs": time_logs(order),
        "attachments": attachments(order),
        "contacts": contacts(order),
        "tags": tags(order),
        "messages": {name: messages[name] for name in ("metadata", "actions", "correlation_id")}
        | {"results": []},
        "routes": {**envelope([str(one) for one in order.routes]), "sum": {"all": len(order.routes)}},
        "milestones": milestones(order),
        "integrations": {"result": []},
    }
