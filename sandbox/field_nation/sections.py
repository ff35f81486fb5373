"""The sections of a work order as the API shows them: custom fields, time logs, pay, location, schedule."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sandbox.field_nation.company import (
    API_USER,
    COMPANY,
    CUSTOM_FIELDS,
    GROUPS,
    INTERNAL_FIELD,
    LOCATION_TYPES,
    PROVIDERS,
    named,
)
from sandbox.field_nation.moments import read_moment, stamp, time_zone, zone_of
from sandbox.field_nation.orders import TimeLog, WorkOrder

Section = dict[str, Any]
_NOWHERE = {"latitude": None, "longitude": None, "exact": False}
_EMPTY_SUM = {"all": 0, "charged": 0, "uncharged": 0}


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


def custom_fields(order: WorkOrder) -> Section:
    """Two groups, one a role; an empty value is empty text."""
    groups = []
    for number, name, role in GROUPS:
        fields = [
            {**one, "value": order.values.get(one["id"], ""), "used_in_finance": False, "order": position}
            for position, one in enumerate(CUSTOM_FIELDS)
            if one["role"] == role
        ]
        groups.append({"id": number, "name": name, "role": role, "order": number, **_page(fields)})
    internal = named(CUSTOM_FIELDS, INTERNAL_FIELD) or {}
    value = order.values.get(INTERNAL_FIELD, "")
    shown = {"id": INTERNAL_FIELD, "name": internal["name"], "value": value, "role": internal["role"]}
    return {**section(order, "custom_fields", groups), "internal": shown}


def _page(results: list[Any]) -> Section:
    whole = envelope(results)
    return {"metadata": whole["metadata"], "results": results}


def time_logs(order: WorkOrder) -> Section:
    """Every stay on site; an open one has no ``out``."""
    results = [_time_log(order, log, first=position == 0) for position, log in enumerate(order.time_logs)]
    hours = round(sum(log.hours for log in order.time_logs), 2)
    return {**section(order, "time_logs", results), "hours": hours}


def _time_log(order: WorkOrder, log: TimeLog, first: bool) -> Section:
    zone = zone_of(order.state)
    who = named(PROVIDERS, order.assignee) or API_USER
    shown = {
        "id": log.id,
        "in": _punch(log.started, zone),
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
    return shown | ({"out": {**_punch(log.ended, zone), "distance_from_in": 0}} if log.ended else {})


def _punch(moment: datetime, zone: str) -> Section:
    return {
        "created": stamp(moment, zone),
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


def schedule(order: WorkOrder) -> Section:
    """The service window with both ends as UTC and local time; without one the window is left out."""
    zone = zone_of(order.state)
    shown: Section = {
        "work_order_id": order.id,
        "time_zone": time_zone(zone),
        "status_id": int(order.status),
        "company_id": COMPANY["id"],
        "today_tomorrow": "",
        "correlation_id": order.correlation("schedule"),
    }
    window = order.fields.get("schedule", {}).get("service_window")
    if window:
        start = read_moment(window["start"], zone, "")
        end = read_moment(window.get("end") or window["start"], zone, "")
        both = {"start": stamp(start, zone), "end": stamp(end, zone)}
        shown["service_window"] = {"mode": window["mode"], **both}
    return shown


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
