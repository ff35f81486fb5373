"""Every block of the project: the module that is registered with Prefect.

``prefect block register -m connectors.blocks``
"""

from __future__ import annotations

from connectors.connectwise.block import ConnectWiseConnection
from connectors.field_nation.block import FieldNationConnection
from connectors.lansweeper.block import LansweeperConnection
from connectors.ledger.block import LedgerDatabase

__all__ = ["ConnectWiseConnection", "FieldNationConnection", "LansweeperConnection", "LedgerDatabase"]
