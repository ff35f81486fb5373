"""What the provider has set up in ConnectWise before any sync: setup tables, customers, people, fields.

The numbers do not depend on the seed, so that a company's id stays true over resets. The run's company has
the id and the words of the connector page's sample (6, BlueLightCo, "Blue Light, Co.").
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sandbox.connectwise.schema.tables import PODS
from sandbox.connectwise.store import Store
from sandbox.data.small_tables import ADMIN, INTEGRATION, insert_small_tables

CONFIGURATIONS = "company/configurations"
RUN_COMPANY = 6

COMPANIES = (
    (1, "Provider", "Sandbox Provider Services"),
    (2, "DistributorOne", "Distributor One, Inc."),
    (3, "PrintLease", "Print & Lease Ltd."),
    (RUN_COMPANY, "BlueLightCo", "Blue Light, Co."),
    (8, "CopperKettle", "Copper Kettle Brewing"),
    (11, "NordlysMedTek", "Nordlys Medisinsk Teknikk AS"),
    (14, "MuellerSoehne", "Müller & Söhne GmbH"),
)
CUSTOMERS = (RUN_COMPANY, 8, 11, 14)
VENDORS = (2, 3)

SITES = {
    RUN_COMPANY: ("Main", "Warehouse 2", "Plant Łódź"),
    8: ("Main", "Taproom"),
    11: ("Main", "Oslo"),
    14: ("Main", "Werk 2"),
}
CONTACTS = {
    RUN_COMPANY: (("Anna", "Finch"), ("Benoît", "Moreau"), ("Dele", "Okafor"), ("Ewa", "Źródło")),
    8: (("Carla", "Dahl"), ("Greta", "Hops")),
    11: (("Hanne", "Sørli"),),
    14: (("Fritz", "Müller"), ("Ursula", "Groß")),
}
TYPES = (
    "Managed Workstation", "Managed Server", "Printer", "Network Switch", "Firewall",
    "Industrial Controller", "Virtual Machine", "ls_Printer",
)  # fmt: skip
QUESTIONS = (
    (1, "Text", "Who is the main user?"),
    (1, "Checkbox", "Is the disk encrypted?"),
    (2, "TextArea", "What is it used for?"),
    (2, "Text", "Where is the recovery key kept?"),
    (4, "Text", "Which rack?"),
)
STATUSES = (
    ("Active", False, True),
    ("In Stock", False, False),
    ("Retired", True, False),
    ("ls_Broken", False, False),
)
MANUFACTURERS = (
    ("Dell Inc.", False), ("hp", False), ("Lenovo", False), ("Cisco Systems", False), ("Fortinet", False),
    ("Brother", True), ("Xerox", False), ("ROCKWELL AUTOMATION", False), ("Compaq", True),
)  # fmt: skip
LOCATIONS = ("Main Office", "West Coast", "Warehouse 2")
DEPARTMENTS = (("PS", "Professional Services"), ("MS", "Managed Services"), ("Fin", "Finance"))
# Description, then what it is for.
COMMUNICATION_TYPES = (
    ("Direct", "phoneFlag", True),
    ("Mobile", "phoneFlag", False),
    ("Email", "emailFlag", True),
    ("Fax", "faxFlag", True),
)
PHONE, EMAIL = 1, 3
LEVELS = ("Corporate", "Region", "Location", "Team", "Person")

# caption, type; the first is somebody else's. The page's sample shows 5, 6 and 7 for the ls_ fields.
CUSTOM_FIELDS = (
    (4, "Rack position", "Text"),
    (5, "ls_asset_id", "Text"),
    (6, "ls_asset_url", "Text"),
    (7, "ls_software", "TextArea"),
    (8, "ls_asset_location", "Text"),
)
RACK_FIELD = 4
ASSET_ID_FIELD = 5
ASSET_URL_FIELD = 6


@dataclass(frozen=True)
class Setup:
    """The ids that generated configurations refer to."""

    types: dict[str, int]
    statuses: dict[str, int]
    manufacturers: dict[str, int]
    locations: dict[str, int]
    sites: dict[int, list[int]]
    contacts: dict[int, list[int]]


def set_up(store: Store) -> Setup:
    """Fill a fresh store with everything but configurations."""
    _insert_small_tables(store)
    for level, name in enumerate(LEVELS, start=1):
        store.insert("system/myCompany/corporateStructureLevels", {"id": level, "name": name})
    locations = {
        name: new_id(store, "system/locations", name=name, structureLevel={"id": 3}) for name in LOCATIONS
    }
    for identifier, name in DEPARTMENTS:
        store.insert("system/departments", {"identifier": identifier, "name": name})
    _insert_custom_fields(store)
    _insert_companies(store)
    return Setup(
        types=_insert_types(store),
        statuses=_insert_statuses(store),
        manufacturers={
            name: new_id(store, "procurement/manufacturers", name=name, inactiveFlag=inactive)
            for name, inactive in MANUFACTURERS
        },
        locations=locations,
        sites={company: [_site(store, company, name) for name in names] for company, names in SITES.items()},
        contacts=_insert_contacts(store),
    )


def companies() -> list[dict[str, Any]]:
    """Id, identifier and name of every company, the run's company first."""
    rows = [{"id": number, "identifier": word, "name": name} for number, word, name in COMPANIES]
    return sorted(rows, key=lambda row: row["id"] != RUN_COMPANY)


def new_id(store: Store, collection: str, **members: Any) -> int:
    """Insert a record of these members; its id."""
    return int(store.insert(collection, members)["id"])


def _insert_small_tables(store: Store) -> None:
    insert_small_tables(store)
    for words, use, default in COMMUNICATION_TYPES:
        store.insert("company/communicationTypes", {"description": words, use: True, "defaultFlag": default})
    for name in ("Client", "Vendor"):
        store.insert("company/companies/types", {"name": name, "vendorFlag": name == "Vendor"})
    for identifier, first, last in (("admin", "Ada", "Admin"), ("integr", "Ina", "Integration")):
        store.insert("system/members", _member(identifier, first, last))


def _member(identifier: str, first: str, last: str) -> dict[str, Any]:
    return {
        "identifier": identifier,
        "firstName": first,
        "lastName": last,
        "licenseClass": "F",
        "hireDate": "2019-01-07T00:00:00Z",
        "defaultEmail": "Office",
        "defaultPhone": "Office",
        "officeEmail": f"{identifier}@provider.example",
        "primaryEmail": f"{identifier}@provider.example",
        "officePhone": "5550100",
        "securityRole": {"id": ADMIN if identifier == "admin" else INTEGRATION},
        "type": {"id": 1},
        "defaultLocation": {"id": 1},
        "defaultDepartment": {"id": 1},
        "workRole": {"id": 1},
        "workType": {"id": 1},
    }


def _insert_custom_fields(store: Store) -> None:
    for sequence, (number, caption, kind) in enumerate(CUSTOM_FIELDS, start=1):
        field = {
            "id": number,
            "podId": PODS[CONFIGURATIONS][0],
            "caption": caption,
            "sequenceNumber": sequence,
            "fieldTypeIdentifier": kind,
            "entryTypeIdentifier": "EntryField",
        }
        store.insert("system/userDefinedFields", field)


def _insert_companies(store: Store) -> None:
    for number, identifier, name in COMPANIES:
        company = {
            "id": number,
            "identifier": identifier,
            "name": name,
            "status": {"id": 1},
            "addressLine1": f"{number} Harbour Street",
            "city": "Sandbox",
            "country": {"id": 1},
            "isVendorFlag": number in VENDORS,
            "types": [{"id": 2 if number in VENDORS else 1}],
        }
        store.insert("company/companies", company)


def _insert_types(store: Store) -> dict[str, int]:
    types = {name: new_id(store, "company/configurations/types", name=name) for name in TYPES}
    for sequence, (place, kind, words) in enumerate(QUESTIONS, start=1):
        question = {
            "typeId": types[TYPES[place - 1]],
            "fieldType": kind,
            "entryType": "Option" if kind == "Checkbox" else "EntryField",
            "sequenceNumber": sequence,
            "question": words,
        }
        store.insert("company/configurations/types/questions", question)
    return types


def _insert_statuses(store: Store) -> dict[str, int]:
    collection = "company/configurations/statuses"
    return {
        words: new_id(store, collection, description=words, closedFlag=closed, defaultFlag=default)
        for words, closed, default in STATUSES
    }


def _site(store: Store, company: int, name: str) -> int:
    address = {"addressLine1": f"{company} Harbour Street", "city": "Sandbox", "zip": f"{10_000 + company}"}
    main = {"primaryAddressFlag": name == "Main", "defaultShippingFlag": name == "Main"}
    members = {"companyId": company, "name": name, "country": {"id": 1}, **address, **main}
    return new_id(store, "company/sites", **members)


def reachable(email: str, telephone: str) -> list[dict[str, Any]]:
    """A contact's communication items: an address and a telephone, each the default of its kind."""
    given = ((EMAIL, email), (PHONE, telephone))
    return [{"type": {"id": kind}, "value": value, "defaultFlag": True} for kind, value in given]


def _insert_contacts(store: Store) -> dict[int, list[int]]:
    return {
        company: [
            new_id(
                store,
                "company/contacts",
                firstName=first,
                lastName=last,
                company={"id": company},
                communicationItems=reachable(
                    f"c{place}.{company}@customer.example", f"5550{company:02}0{place}"
                ),
            )
            for place, (first, last) in enumerate(people, start=1)
        ]
        for company, people in CONTACTS.items()
    }
