"""What one sandbox holds: all vendors' records, the switches, the keys, and the ledger of requests."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sandbox.counting import RequestLedger
from sandbox.credentials import Credentials
from sandbox.field_nation.orders import FieldNationStore
from sandbox.switches import Switches

if TYPE_CHECKING:
    from sandbox.connectwise.store import Store
    from sandbox.lansweeper.store import LansweeperStore

LANSWEEPER_ASSETS = "lansweeper/assets"
LANSWEEPER_FIELDS = "lansweeper/customFields"


@dataclass
class World:
    """The state behind all servers. A reset builds a new world and keeps only credentials and ledger.

    ``seed`` drives everything random: the same seed, size and calls give the same world and answers.
    """

    store: Store
    lansweeper: LansweeperStore
    switches: Switches
    seed: int
    credentials: Credentials
    ledger: RequestLedger = field(default_factory=RequestLedger)
    assets: int = 0
    scenario: str = "provider"
    churns: int = 0
    field_nation: FieldNationStore = field(default_factory=FieldNationStore)

    def records(self, collection: str) -> dict[Any, dict[str, Any]]:
        """The stored records of a collection, by id (ConnectWise) or key (Lansweeper).

        Raises ``KeyError`` for a Lansweeper collection that does not exist.
        """
        if not collection.startswith("lansweeper/"):
            return self.store.collection(collection)
        served: dict[str, Callable[[], dict[Any, dict[str, Any]]]] = {
            LANSWEEPER_ASSETS: lambda: self.lansweeper.assets,
            LANSWEEPER_FIELDS: lambda: self.lansweeper.custom_fields,
        }
        return served[collection]()
