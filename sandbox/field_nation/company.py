"""What the buyer's company has set up: people, types of work, templates, custom fields. Ids are fixed."""

from __future__ import annotations

from typing import Any

COMPANY = {"id": 7001, "name": "Sandbox Provider Services"}
API_USER = {"id": 9001, "first_name": "Ina", "last_name": "Integration", "username": "integration"}
MANAGERS = (
    API_USER,
    {"id": 9002, "first_name": "Mara", "last_name": "Manager", "username": "mara"},
    {"id": 9003, "first_name": "Noah", "last_name": "Nightshift", "username": "noah"},
)
PROVIDERS = (
    {"id": 5001, "first_name": "Priya", "last_name": "Rao", "phone": "555-0101"},
    {"id": 5002, "first_name": "Tomás", "last_name": "Vega", "phone": "555-0102"},
    {"id": 5003, "first_name": "Wei", "last_name": "Lin", "phone": "555-0103"},
)
TYPES_OF_WORK = (
    {"id": 101, "name": "Desktop or Laptop Computer", "industry_id": 1, "industry": "IT"},
    {"id": 102, "name": "Server", "industry_id": 1, "industry": "IT"},
    {"id": 103, "name": "Networking", "industry_id": 2, "industry": "Networking"},
    {"id": 104, "name": "Printer", "industry_id": 1, "industry": "IT"},
)
SERVICE_TYPES = ({"id": 1, "name": "Break-fix"}, {"id": 2, "name": "Install"}, {"id": 3, "name": "Survey"})
LOCATION_TYPES = {1: "Commercial", 2: "Governmental", 3: "Residential", 4: "Educational", 5: "Other"}
CLIENTS = ({"id": 301, "name": "Blue Light, Co."}, {"id": 302, "name": "Copper Kettle Brewing"})
PROJECTS = ({"id": 401, "name": "Field services"},)
TEMPLATES: dict[int, dict[str, Any]] = {
    601: {
        "name": "On-site visit",
        "fields": {
            "types_of_work": [{"id": 103, "isPrimary": True}],
            "pay": {"type": "fixed", "base": {"amount": 150, "units": 1}},
            "description": {"html": "<p>On-site visit</p>"},
        },
    },
}
INCOMPLETE_REASONS = (
    {"id": 1, "label": "Work is not complete"},
    {"id": 2, "label": "Paperwork is missing"},
)


def _field(number: int, name: str, role: str, kind: str = "text", **more: Any) -> dict[str, Any]:
    return {"id": number, "name": name, "role": role, "type": kind, "options": [], "flags": [], **more}


CUSTOM_FIELDS = (
    _field(801, "Ticket Number", "buyer", flags=["internal_id"]),
    _field(802, "Site Access Code", "buyer"),
    _field(803, "Warranty", "buyer", "predefined", options=["yes", "no"]),
    _field(811, "Arrival Notes", "assigned_provider", flags=["required_during_checkin"]),
    _field(812, "Serial Number", "assigned_provider"),
)
INTERNAL_FIELD = 801
GROUPS = ((1, "Buyer", "buyer"), (2, "Provider", "assigned_provider"))


def named(records: tuple[dict[str, Any], ...], number: object) -> dict[str, Any] | None:
    """The record of that id, None where there is none."""
    return next((one for one in records if one["id"] == number), None)


def full_name(person: dict[str, Any]) -> str:
    """First and last name."""
    return f"{person['first_name']} {person['last_name']}"
