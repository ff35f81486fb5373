"""Builds a whole world from a seed, a number of assets and a scenario."""

from __future__ import annotations

from typing import Any

from sandbox.connectwise.store import Store
from sandbox.counting import RequestLedger
from sandbox.credentials import Credentials
from sandbox.data.assets import AssetMaker
from sandbox.data.configurations import ConfigurationMaker
from sandbox.data.provider import CONFIGURATIONS, set_up
from sandbox.lansweeper.store import LansweeperStore
from sandbox.switches import Switches
from sandbox.world import World

SCENARIOS = ("provider", "fresh")
SITE_FIELDS = (("Cost centre", "INPUT"), ("Lease end", "DATE"), ("Criticality", "SELECT"))


def build_world(
    seed: int,
    assets: int,
    credentials: Credentials,
    *,
    scenario: str = "provider",
    switches: Switches | None = None,
    ledger: RequestLedger | None = None,
) -> World:
    """A new world.

    ``provider``: a third of the assets exist as hand-made configurations. ``fresh``: the run's company has
    no configurations, other companies have theirs.

    Raises:
        ValueError: an unknown scenario or a negative number of assets.
    """
    if scenario not in SCENARIOS:
        raise ValueError(f"no such scenario: {scenario}; there are {', '.join(SCENARIOS)}")
    if assets < 0:
        raise ValueError(f"the number of assets can't be negative: {assets}")
    lansweeper = LansweeperStore(credentials.site_id, credentials.site_name)
    lansweeper.add(AssetMaker(seed, credentials.site_id, credentials.site_name).make(assets))
    _add_custom_fields(lansweeper)
    store = Store()
    _add_configurations(store, seed, lansweeper, scenario)
    return World(
        store=store,
        lansweeper=lansweeper,
        switches=switches or Switches(),
        seed=seed,
        credentials=credentials,
        ledger=ledger or RequestLedger(),
        assets=assets,
        scenario=scenario,
    )


def _add_custom_fields(lansweeper: LansweeperStore) -> None:
    for number, (name, kind) in enumerate(SITE_FIELDS, start=1):
        key = f"field-{number}"
        props: dict[str, Any] | None = {"options": ["low", "high"]} if kind == "SELECT" else None
        lansweeper.custom_fields[key] = {"key": key, "name": name, "type": kind, "props": props}


def _add_configurations(store: Store, seed: int, lansweeper: LansweeperStore, scenario: str) -> None:
    maker = ConfigurationMaker(seed, set_up(store))
    assets = list(lansweeper.assets.values())
    for record in maker.of_other_companies(assets):
        store.insert(CONFIGURATIONS, record)
    if scenario == "provider":
        for record in maker.of_run_company(assets):
            store.insert(CONFIGURATIONS, record)
