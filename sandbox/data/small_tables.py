"""Small tables that a new ConnectWise has set up: countries, security roles, work types, stages.

Where a table marks a default, the first row is it. The functions of the security roles are a part of the
vendor's, by the names that its screen shows; the numbers do not depend on the seed.
"""

from __future__ import annotations

from typing import Any

from sandbox.connectwise.store import Store

ADMIN, INTEGRATION, READER = 1, 2, 3
"""The security roles: everything; what docs/setup.md asks for; inquiring alone."""

# Module, its words, and the functions in it.
FUNCTIONS = (
    (
        "Companies",
        "Companies",
        ("Company Maintenance", "Contacts", "Configurations", "Notes", "Team Members"),
    ),
    ("Finance", "Finance", ("Agreements", "Agreement Invoicing", "Billing View Time")),
    ("Procurement", "Procurement", ("Product Catalog", "Inventory")),
    ("Project", "Projects", ("Project Headers", "Project Phase", "Project Tickets", "Close Project Tickets")),
    ("Sales", "Sales", ("Opportunities", "Activities")),
    (
        "Service",
        "Service Desk",
        ("Service Tickets", "Close Service Tickets", "SLA Dashboard", "Merge Tickets"),
    ),
    ("System", "System", ("Table Setup", "Member Maintenance", "Security Roles", "API Reports")),
    ("Time", "Time & Expense", ("Time Entry", "Expense Entry", "Time Approvals")),
)
# What the role of an integration may do beside inquiring: docs/setup.md.
GRANTED = {
    "Configurations": ("add", "edit", "delete"),
    "Table Setup": ("add", "edit", "delete"),
    "Service Tickets": ("add", "edit"),
    "Close Service Tickets": ("add", "edit"),
    "Project Tickets": ("add", "edit"),
    "Opportunities": ("edit",),
    "Time Entry": ("add", "edit"),
}
# A name each, the first one the default.
MARKED = {
    "company/companies/statuses": ("Active", "Inactive"),
    "service/sources": ("Phone", "Email Connector", "Portal", "Monitoring"),
    "schedule/statuses": ("Firm", "Tentative", "Reserved"),
}
NAMED = {
    "system/members/types": ("Employee", "Subcontractor"),
    "system/timeZoneSetups": ("(UTC-05:00) Eastern Time", "(UTC) Coordinated Universal Time"),
    "time/workRoles": ("Engineer", "Technician", "Consultant"),
    "sales/priorities": ("2. Medium", "1. High", "3. Low"),
}
ORDERED = {
    "sales/stages": ("sequenceNumber", ("1. Prospect", "2. Quote", "3. Negotiation", "4. Won")),
    "sales/opportunities/ratings": ("sortOrder", ("2. Warm", "1. Hot", "3. Cold")),
}
WORK_TYPES = (("Regular", "Billable"), ("On-Site", "Billable"), ("Travel", "NoCharge"))
SERVICE_LOCATIONS = (("On-Site", "OnSite"), ("Remote", "Remote"), ("In-House", "InHouse"))
COUNTRIES = (("United States", "US", "1"), ("Canada", "CA", "1"), ("Denmark", "DK", "45"))
LEVELS = ("Medium", "High", "Low")
CYCLES = (("M", "Monthly", "Monthly"), ("Q", "Quarterly", "Quarterly"), ("Y", "Yearly", "Yearly"))
SCHEDULE_TYPES = (("S", "Service Ticket"), ("P", "Project Ticket"), ("C", "Activity"), ("H", "Holiday"))
PRODUCTS = (("MSP-WS", "Managed workstation", 45.0), ("MSP-SRV", "Managed server", 180.0))


def insert_small_tables(store: Store) -> None:
    """Fill a fresh store."""
    store.insert("finance/currencies", {
        "name": "US Dollar", "symbol": "$", "currencyCode": "USD", "currencyIdentifier": "USD",
        "decimalSeparator": ".", "thousandsSeparator": ",", "defaultFlag": True,
    })  # fmt: skip
    for place, (name, code, prefix) in enumerate(COUNTRIES):
        country: dict[str, Any] = {"name": name, "countryCode": code, "coreEntityCountryCode": code}
        country |= {"dialingPrefix": prefix, "currency": {"id": 1}, "defaultFlag": place == 0}
        store.insert("company/countries", country)
    for collection, names in MARKED.items():
        for place, name in enumerate(names):
            store.insert(collection, {"name": name, "defaultFlag": place == 0})
    for collection, names in NAMED.items():
        for name in names:
            store.insert(collection, {"name": name})
    for collection, (member, names) in ORDERED.items():
        for place, name in enumerate(names, start=1):
            store.insert(collection, {"name": name, member: place})
    _insert_desk(store)
    _insert_roles(store)


def _insert_desk(store: Store) -> None:
    for place, (name, bill) in enumerate(WORK_TYPES):
        rate: dict[str, Any] = {"billTime": bill, "rateType": "Multiplier", "rate": 1.0}
        store.insert("time/workTypes", {"name": name, **rate, "overallDefaultFlag": place == 0})
    for place, (name, where) in enumerate(SERVICE_LOCATIONS):
        store.insert("service/locations", {"name": name, "where": where, "defaultFlag": place == 0})
    for collection in ("service/severities", "service/impacts"):
        for place, name in enumerate(LEVELS):
            level = {"name": name, "description": name, "defaultFlag": place == 0}
            store.insert(collection, level)
    for identifier, name, options in CYCLES:
        cycle = {"identifier": identifier, "name": name, "billingOptions": options}
        store.insert("finance/billingCycles", {**cycle, "defaultFlag": identifier == "M"})
    for identifier, name in SCHEDULE_TYPES:
        store.insert("schedule/types", {"identifier": identifier, "name": name, "systemFlag": True})
    for name in ("Primary", "Billing", "Technical"):
        store.insert("company/contacts/types", {"description": name, "defaultFlag": name == "Primary"})
    for identifier, words, price in PRODUCTS:
        store.insert("procurement/catalog", {"identifier": identifier, "description": words, "price": price})


def _insert_roles(store: Store) -> None:
    for name in ("Admin", "Integration", "Reader"):
        store.insert("system/securityRoles", {"name": name, "adminFlag": name == "Admin"})
    for role in (ADMIN, INTEGRATION, READER):
        functions = [(module, words, one) for module, words, found in FUNCTIONS for one in found]
        for place, (module, words, function) in enumerate(functions, start=1):
            rights = GRANTED.get(function, ()) if role == INTEGRATION else ()
            levels = {
                f"{right}Level": "All" if role == ADMIN or right == "inquire" or right in rights else "None"
                for right in ("add", "edit", "delete", "inquire")
            }
            setting = {
                "securityRoleId": role,
                "moduleName": module,
                "moduleIdentifier": module,
                "moduleDescription": words,
                "moduleFunctionName": function.replace(" ", ""),
                "moduleFunctionIdentifier": function.replace(" ", ""),
                "moduleFunctionDescription": function,
                "myAllFlag": True,
                "sortOrder": place,
            }
            store.insert("system/securityRoles/settings", {**setting, **levels})
