"""Builds a whole world from a seed, a number of assets and a scenario."""

from __future__ import annotations

from typing import Any

from sandbox.connectwise.store import Store
from sandbox.credentials import Credentials
from sandbox.data.assets import AssetMaker
from sandbox.data.configurations import ConfigurationMaker, linked_configurations
from sandbox.data.dispatch import add_dispatch
from sandbox.data.provider import CONFIGURATIONS, CUSTOMERS, RUN_COMPANY, Setup, set_up
from sandbox.data.tickets import Desk, add_agreements, add_tickets, set_up_desk
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
    """A new world.

    ``provider``: a third of the assets exist as hand-made configurations. ``fresh``: the run's company has
    no configurations, other companies have theirs. ``enrichment``: every asset is a configuration of the
    run's company that names it, but for a few odd ones. ``dispatch``: as ``fresh``, and a board Field
    Services with ``tickets`` tickets (usual: 20), see sandbox/data/dispatch.py.

    ``agreements`` and ``tickets`` are those of the run's company; the others have half as many together. Left
    out, and the tickets beside the board Field Services: a few, in ``enrichment`` about one agreement for 75
    assets and one ticket for three.

    Raises:
        ValueError: an unknown scenario or a negative number.
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
    return (
        usual[0] if agreements is None else agreements,
        usual[1] if tickets is None else tickets,
    )


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
