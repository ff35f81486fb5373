"""What one sandbox holds: all vendors' records, the switches, the keys, and the ledger of requests."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sandbox.credentials import Credentials
from sandbox.field_nation.store import FieldNationStore
from sandbox.history import History
from sandbox.requests import RequestLedger
from sandbox.switches import Switches

if TYPE_CHECKING:
    from sandbox.connectwise.store import Store
    from sandbox.lansweeper.store import LansweeperStore

LANSWEEPER_ASSETS = "lansweeper/assets"
LANSWEEPER_FIELDS = "lansweeper/customFields"
LANSWEEPER_LOCKS = "lansweeper/locks"


@dataclass
class World:
    """The state behind all servers. A reset builds a new world and keeps only credentials and ledger.

    ``seed`` drives everything random: the same seed, size and calls give the same world and answers.
    ``churns`` and ``edits`` count the scans and the persons' edits so far, so that each draws anew.
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
    edits: int = 0
    field_nation: FieldNationStore = field(default_factory=FieldNationStore)

    def __post_init__(self) -> None:
        self.lansweeper.history = self.store.history

    @property
    def history(self) -> History:
        """What happened to both vendors' records."""
        return self.store.history

    def records(self, collection: str) -> dict[Any, dict[str, Any]]:
        """The stored records of a collection, by id (ConnectWise) or key (Lansweeper).

        ``lansweeper/locks`` are the members of each asset that an edit has locked against scans.

        Raises ``KeyError`` for a Lansweeper collection that does not exist.
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
