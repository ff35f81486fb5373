"""Builds a whole world from a seed, a number of assets and a scenario.

The scenario ``dispatch`` is work in the field: tickets of a service and a project board, and opportunities.
Nothing is in a status that makes a work order of it: a test or a demonstration sets that. The streets are
invented; cities, states and zip codes belong together.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any

from sandbox.connectwise.schema.tables import PODS
from sandbox.connectwise.store import Store
from sandbox.credentials import Credentials
from sandbox.data.assets import AssetMaker
from sandbox.data.configurations import ConfigurationMaker, linked_configurations
from sandbox.data.provider import CONFIGURATIONS, CUSTOMERS, RUN_COMPANY, Setup, new_id, reachable, set_up
from sandbox.data.small_tables import INTEGRATION
from sandbox.data.tickets import Desk, add_agreements, add_tickets, add_types_and_teams, set_up_desk
from sandbox.lansweeper.store import LansweeperStore
from sandbox.switches import Switches
from sandbox.world import World

SCENARIOS = ("provider", "fresh", "enrichment", "dispatch")
# (agreements, tickets) of the run's company where nobody says how many; in `enrichment` there are more.
FEW = 5, 15
ASSETS_AN_AGREEMENT, ASSETS_A_TICKET = 75, 3
SITE_FIELDS = (("Cost centre", "INPUT"), ("Lease end", "DATE"), ("Criticality", "SELECT"))


def build_world(
    seed: int,
    assets: int,
    credentials: Credentials,
    *,
    scenario: str = "provider",
    agreements: int | None = None,
    tickets: int | None = None,
    switches: Switches | None = None,
) -> World:
    """A new world; ValueError: an unknown scenario or a negative number.

    ``provider``: a third of the assets exist as hand-made configurations. ``fresh``: the run's company has
    no configurations, other companies have theirs. ``enrichment``: every asset is a configuration of the
    run's company that names it, but for a few odd ones. ``dispatch``: as ``fresh``, and a board Field
    Services with ``tickets`` tickets (usual: 20).

    ``agreements`` and ``tickets`` are those of the run's company; the others have half as many together. Left
    out, and the tickets beside the board Field Services: a few, in ``enrichment`` about one agreement for 75
    assets and one ticket for three.
    """
    if scenario not in SCENARIOS:
        raise ValueError(f"no such scenario: {scenario}; there are {', '.join(SCENARIOS)}")
    for name, number in (("assets", assets), ("agreements", agreements), ("tickets", tickets)):
        if number is not None and number < 0:
            raise ValueError(f"the number of {name} can't be negative: {number}")
    lansweeper = LansweeperStore(credentials.site_id, credentials.site_name)
    lansweeper.add(AssetMaker(seed, credentials.site_id, credentials.site_name).make(assets))
    _add_custom_fields(lansweeper)
    store = Store()
    setup, desk = set_up(store), set_up_desk(store)
    _add_configurations(store, seed, lansweeper, scenario, setup, desk)
    if scenario == "dispatch":
        _add_service(store, seed, setup, desk, _sizes(scenario, assets, agreements, None))
        add_dispatch(store, seed, tickets)
    else:
        _add_service(store, seed, setup, desk, _sizes(scenario, assets, agreements, tickets))
    return World(
        store=store,
        lansweeper=lansweeper,
        switches=switches or Switches(),
        seed=seed,
        credentials=credentials,
        assets=assets,
        scenario=scenario,
    )


def _add_custom_fields(lansweeper: LansweeperStore) -> None:
    for number, (name, kind) in enumerate(SITE_FIELDS, start=1):
        key = f"field-{number}"
        props: dict[str, Any] | None = {"options": ["low", "high"]} if kind == "SELECT" else None
        lansweeper.custom_fields[key] = {"key": key, "name": name, "type": kind, "props": props}


def _sizes(scenario: str, assets: int, agreements: int | None, tickets: int | None) -> tuple[int, int]:
    usual = FEW
    if scenario == "enrichment":
        usual = max(FEW[0], round(assets / ASSETS_AN_AGREEMENT)), max(FEW[1], round(assets / ASSETS_A_TICKET))
    return (usual[0] if agreements is None else agreements, usual[1] if tickets is None else tickets)


def _add_service(store: Store, seed: int, setup: Setup, desk: Desk, sizes: tuple[int, int]) -> None:
    """Agreements and tickets of every customer, tied to the customer's own configurations."""
    owned: dict[int, list[int]] = {company: [] for company in CUSTOMERS}
    for one in store.collection(CONFIGURATIONS).values():
        owned[one["company"]["id"]].append(one["id"])
    others = len(CUSTOMERS) - 1
    for company, ids in owned.items():
        share = 1 if company == RUN_COMPANY else 2 * others
        agreements, tickets = (-(-size // share) for size in sizes)
        add_agreements(store, seed, setup, desk, company, agreements, ids)
        add_tickets(store, seed, setup, desk, company, tickets, ids)


def _add_configurations(
    store: Store, seed: int, lansweeper: LansweeperStore, scenario: str, setup: Setup, desk: Desk
) -> None:
    maker = ConfigurationMaker(seed, setup)
    assets = list(lansweeper.assets.values())
    for record in maker.of_other_companies(assets):
        store.insert(CONFIGURATIONS, record)
    if scenario == "provider":
        for record in maker.of_run_company(assets):
            store.insert(CONFIGURATIONS, record)
    elif scenario == "enrichment":
        for record in linked_configurations(seed, setup, desk.slas, assets):
            store.insert(CONFIGURATIONS, record)


API_MEMBER = "apimember"
SERVICE_BOARD, PROJECT_BOARD = "Field Services", "Field Projects"
USUAL_TICKETS = 20
FURTHER = 10  # One project ticket and one opportunity for so many service tickets, at least two.

# Status, does it close the ticket.
STATUSES = (
    ("New", False), ("Dispatch", False), ("Assigned", False), ("Scheduled", False), ("In Progress", False),
    ("Completed", True), ("Closed", True),
)  # fmt: skip
TYPES = ("On-site", "Installation", "Survey")
CUSTOM_FIELDS = (("Send to FN", "Checkbox"), ("FN check-in", "Text"))
STATES = (("TX", "Texas"), ("OH", "Ohio"), ("CO", "Colorado"), ("FL", "Florida"), ("WA", "Washington"))
# Company, name, street, further line, city, state, zip, telephone.
SITES = (
    (RUN_COMPANY, "Austin Plant", "4120 Ironwood Parkway", "Dock 3", "Austin", "TX", "78735", "5125550142"),
    (RUN_COMPANY, "Houston Depot", "811 Pelican Street", "", "Houston", "TX", "77002", "7135550118"),
    (RUN_COMPANY, "Columbus Office", "59 Lantern Ave", "Suite 400", "Columbus", "OH", "43215", "6145550133"),
    (8, "Denver Brewhouse", "2300 Copper Row", "", "Denver", "CO", "80205", "3035550171"),
    (8, "Tampa Taproom", "17 Palmetto Square", "Unit B", "Tampa", "FL", "33602", "8135550109"),
    (11, "Seattle Clinic", "640 Harborview Terrace", "Floor 6", "Seattle", "WA", "98104", "2065550125"),
)  # fmt: skip
PEOPLE = (
    ("Maya", "Trent"), ("Luis", "Ortega"), ("Nora", "Quist"), ("Owen", "Pratt"), ("Ida", "Beck"),
    ("Ravi", "Menon"),
)  # fmt: skip
SUMMARIES = (
    "Replace the access point at the loading dock", "Swap the point of sale terminal",
    "No link on the uplink of cabinet B", "Mount and configure a new firewall",
    "Printer in the warehouse jams", "Re-terminate six data drops",
)  # fmt: skip
DESCRIPTIONS = (
    "Please bring a ladder. The device is three metres up; parts are on site.",
    "Ask for the shift lead at the gate. Photos before and after, please.",
    "The room is locked — the key is with reception. Call 30 minutes ahead.",
)


@dataclass(frozen=True)
class Place:
    company: int
    site: int
    contact: int
    name: str
    telephone: str


@dataclass(frozen=True)
class Board:
    id: int
    types: list[int]


def add_dispatch(store: Store, seed: int, tickets: int | None) -> None:
    number = USUAL_TICKETS if tickets is None else tickets
    draw = random.Random(f"{seed}-dispatch")
    new_id(store, "system/members", **_api_member())
    _add_dispatch_fields(store)
    places, boards = _add_places(store), [_board(store, SERVICE_BOARD), _board(store, PROJECT_BOARD)]
    for place in range(number):
        store.insert("service/tickets", _ticket(draw, places, boards[0], place))
    further = 0 if number == 0 else max(2, number // FURTHER)
    _add_project_tickets(store, draw, places, boards[1], further)
    _add_opportunities(store, draw, places, further)


def _api_member() -> dict[str, Any]:
    return {
        "identifier": API_MEMBER,
        "firstName": "API",
        "lastName": "Member",
        "licenseClass": "X",
        "hireDate": "2024-01-08T00:00:00Z",
        "defaultEmail": "Office",
        "defaultPhone": "Office",
        "securityRole": {"id": INTEGRATION},
    }


def _add_dispatch_fields(store: Store) -> None:
    for collection in ("service/tickets", "project/tickets", "sales/opportunities"):
        for sequence, (caption, kind) in enumerate(CUSTOM_FIELDS, start=1):
            new_id(
                store,
                "system/userDefinedFields",
                podId=PODS[collection][0],
                caption=caption,
                sequenceNumber=sequence,
                fieldTypeIdentifier=kind,
                entryTypeIdentifier="Option" if kind == "Checkbox" else "EntryField",
            )


def _board(store: Store, name: str) -> Board:
    home = {"location": {"id": 1}, "department": {"id": 1}}
    board = new_id(store, "service/boards", name=name, projectFlag=name == PROJECT_BOARD, **home)
    for order, (words, closes) in enumerate(STATUSES):
        flags = {"closedStatus": closes, "defaultFlag": order == 0, "sortOrder": order}
        new_id(store, "service/boards/statuses", name=words, board={"id": board}, **flags)
    return Board(board, add_types_and_teams(store, board, TYPES))


def _state(store: Store, code: str, name: str) -> int:
    return new_id(store, "company/states", identifier=code, name=name, country={"id": 1})


def _add_places(store: Store) -> list[Place]:
    states = {code: _state(store, code, name) for code, name in STATES}
    places = []
    for row, person in zip(SITES, PEOPLE, strict=True):
        company, name, street, line, city, state, code, telephone = row
        site = {
            "companyId": company,
            "name": name,
            "addressLine1": street,
            "addressLine2": line or None,
            "city": city,
            "stateReference": {"id": states[state]},
            "zip": code,
            "country": {"id": 1},
            "phoneNumber": telephone,
        }
        site_id = new_id(store, "company/sites", **site)
        contact = _contact(store, company, site_id, person, telephone)
        places.append(Place(company, site_id, contact, name, telephone))
    return places


def _contact(store: Store, company: int, site: int, person: tuple[str, str], telephone: str) -> int:
    first, last = person
    return new_id(
        store,
        "company/contacts",
        firstName=first,
        lastName=last,
        company={"id": company},
        site={"id": site},
        title="Site manager",
        defaultPhoneNbr=telephone,
        defaultPhoneType="Direct",
        communicationItems=reachable(f"{first}.{last}@customer.example".lower(), telephone),
    )


def _ticket(draw: random.Random, places: list[Place], board: Board, number: int) -> dict[str, Any]:
    """What both kinds of tickets have; the address of the site comes by itself."""
    place = places[number % len(places)]
    first, last = PEOPLE[places.index(place)]
    return {
        "summary": f"{draw.choice(SUMMARIES)} ({number + 1})",
        "board": {"id": board.id},
        "type": {"id": draw.choice(board.types)},
        "company": {"id": place.company},
        "site": {"id": place.site},
        "contact": {"id": place.contact},
        "contactName": f"{first} {last}",
        "contactPhoneNumber": place.telephone,
        "contactEmailAddress": f"{first}.{last}@customer.example".lower(),
        "requiredDate": f"2026-12-{1 + number % 28:02}T17:00:00Z",
        "budgetHours": float(draw.randrange(1, 9)),
        "initialDescription": draw.choice(DESCRIPTIONS),
    }


def _add_project_tickets(
    store: Store, draw: random.Random, places: list[Place], board: Board, number: int
) -> None:
    project = new_id(store, "project/projects", name="Store refresh", company={"id": RUN_COMPANY})
    phase = new_id(store, "project/phases", description="Roll-out", projectId=project)
    own = [one for one in places if one.company == RUN_COMPANY]
    for place in range(number):
        store.insert("project/tickets", {**_ticket(draw, own, board, place), "phase": {"id": phase}})


def _add_opportunities(store: Store, draw: random.Random, places: list[Place], number: int) -> None:
    for order in range(number):
        place = draw.choice(places)
        new_id(
            store,
            "sales/opportunities",
            name=f"Site survey at {place.name} ({order + 1})",
            type={"id": 1},
            primarySalesRep={"id": 1},
            company={"id": place.company},
            contact={"id": place.contact},
            site={"id": place.site},
            expectedCloseDate=f"2026-12-{1 + order % 28:02}T00:00:00Z",
            notes=draw.choice(DESCRIPTIONS),
        )
