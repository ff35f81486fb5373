"""Every block type of the project: the module of the entry point ``prefect.collections``.

A Prefect server that has this package imports it when it starts, so that its catalogue lists the types
without a register step. For a server without the package, from any machine that has it:
``prefect block register -m deployments.block_types``, or ``deployments.bootstrap``, which does so too.
"""

from __future__ import annotations

from prefect.blocks.core import Block

from connectors.connectwise.block import ConnectWiseConnection
from connectors.field_nation.block import FieldNationConnection
from connectors.lansweeper.block import LansweeperConnection
from connectors.ledger.block import LedgerDatabase
from deployments.notifications import MailNotification
from tasks.dispatch.settings import DispatchRules

BLOCK_TYPES: tuple[type[Block], ...] = (
    ConnectWiseConnection,
    FieldNationConnection,
    LansweeperConnection,
    LedgerDatabase,
    DispatchRules,
    MailNotification,
)
