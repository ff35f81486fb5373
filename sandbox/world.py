"""What one sandbox holds: all vendors' records, the switches, the keys, the counts of requests.

``wire_records``, ``count_records`` and ``history_of`` show it to tests, as the vendors would show it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from sandbox.connectwise.links import link_table
from sandbox.connectwise.rendering import Renderer
from sandbox.connectwise.schema.tables import table_of
from sandbox.connectwise.store import Store
from sandbox.credentials import Credentials
from sandbox.field_nation.store import FieldNationStore, message_list
from sandbox.field_nation.views import work_order
from sandbox.history import History
from sandbox.lansweeper.store import LansweeperStore
from sandbox.requests import RequestCounts
from sandbox.switches import Switches

FIELD_NATION_ORDERS = "field_nation/work_orders"
LANSWEEPER_ASSETS = "lansweeper/assets"
LANSWEEPER_FIELDS = "lansweeper/customFields"
LANSWEEPER_LOCKS = "lansweeper/locks"


@dataclass
class World:
    """The state behind all servers. A reset builds a new world and keeps only the credentials.

    ``seed`` drives everything random: the same seed, size and calls give the same world and answers.
    ``churns`` and ``edits`` count the scans and the persons' edits so far, so that each draws anew.
    """

    store: Store
    lansweeper: LansweeperStore
    switches: Switches
    seed: int
    credentials: Credentials
    requests: RequestCounts = field(default_factory=RequestCounts)
    assets: int = 0
    scenario: str = "provider"
    churns: int = 0
    edits: int = 0
    field_nation: FieldNationStore = field(default_factory=FieldNationStore)

    def __post_init__(self) -> None:
        self.lansweeper.history = self.store.history

    @property
    def history(self) -> History:
        """What happened to both vendors' records."""
        return self.store.history

    def records(self, collection: str) -> dict[Any, dict[str, Any]]:
        """The stored records of a collection, by id (ConnectWise) or key (Lansweeper), KeyError without one.

        ``lansweeper/locks`` are the members of each asset that an edit has locked against scans.
        """
        if not collection.startswith("lansweeper/"):
            return self.store.collection(collection)
        served: dict[str, Callable[[], dict[Any, dict[str, Any]]]] = {
            LANSWEEPER_ASSETS: lambda: self.lansweeper.assets,
            LANSWEEPER_FIELDS: lambda: self.lansweeper.custom_fields,
            LANSWEEPER_LOCKS: lambda: {
                key: {"key": key, "members": sorted(members)}
                for key, members in self.lansweeper.locks.items()
            },
        }
        return served[collection]()


def wire_records(world: World, collection: str) -> list[dict[str, Any]]:
    """Every record of a collection, ConnectWise's rendered, Lansweeper's as stored; KeyError without one.

    An unknown ConnectWise collection is an empty one. Links are shown as pairs:
    `{"ticketId" or "agreementId", "configurationId"}`.
    """
    if link_table(collection) is not None:
        owner = "agreementId" if collection.startswith("finance/") else "ticketId"
        pairs = world.store.links(collection).pairs()
        return [{owner: one, "configurationId": configuration} for one, configuration in pairs]
    if collection == FIELD_NATION_ORDERS:
        return [
            {**work_order(one), "messages": message_list(one)} for one in world.field_nation.orders.values()
        ]
    records = world.records(table_of(collection).of or collection)
    if collection.startswith("lansweeper/"):
        return list(records.values())
    show = _presenter(world, collection)
    return [show(record) for record in records.values()]


def history_of(world: World, collection: str) -> dict[str, Any]:
    """What happened to the records of a collection, each as the vendor would show it now."""
    show = None if collection.startswith("lansweeper/") else _presenter(world, collection)
    return world.history.as_json(collection, show)


def _presenter(world: World, collection: str) -> Callable[[dict[str, Any]], dict[str, Any]]:
    null_custom = world.switches.unset_custom_field == "null"
    return Renderer(table_of(collection), world.store, null_custom=null_custom).record


def count_records(world: World, collection: str, company: int | None = None) -> int:
    """How many records a collection holds, or how many of them belong to one company; none is rendered."""
    records = world.records(collection)
    if company is None:
        return len(records)
    return sum((record.get("company") or {}).get("id") == company for record in records.values())
