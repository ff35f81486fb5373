"""A whole work order as ``GET /workorders/{id}`` shows it, or the named sections of it."""

from __future__ import annotations

import html
import re
from typing import Any

from sandbox.field_nation import sections
from sandbox.field_nation.company import (
    API_USER,
    CLIENTS,
    COMPANY,
    MANAGERS,
    PROJECTS,
    PROVIDERS,
    SERVICE_TYPES,
    TEMPLATES,
    TYPES_OF_WORK,
    full_name,
    named,
)
from sandbox.field_nation.messages import message_list
from sandbox.field_nation.moments import stamp, zone_of
from sandbox.field_nation.orders import WorkOrder

Wire = dict[str, Any]
APP = "https://app-sandbox.fndev.net/workorders"
_TAG = re.compile(r"<[^>]*>")
ALWAYS = ("id", "work_order_id", "title", "href")


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


def _sections(order: WorkOrder) -> Wire:
    zone = zone_of(order.state)
    contacts = order.fields.get("contacts", {}).get("results", [])
    numbered = [{"id": position, **one, "actions": []} for position, one in enumerate(contacts, start=1)]
    messages = message_list(order)
    return {
        "status": sections.status(order),
        "location": sections.location(order),
        "schedule": sections.schedule(order),
        "pay": sections.pay(order),
        "custom_fields": sections.custom_fields(order),
        "time_logs": sections.time_logs(order),
        "attachments": sections.attachments(order),
        "contacts": sections.section(order, "contacts", numbered),
        "tags": sections.section(order, "tags", []),
        "messages": {name: messages[name] for name in ("metadata", "actions", "correlation_id")}
        | {"results": []},
        "routes": {
            **sections.envelope([str(one) for one in order.routes]),
            "sum": {"all": len(order.routes)},
        },
        "milestones": {name: stamp(moment, zone) for name, moment in order.milestones.items()},
        "integrations": {"result": []},
    }
