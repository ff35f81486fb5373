"""The Prefect block that names the ledger's place."""

from __future__ import annotations

import os

from prefect.blocks.core import Block
from pydantic import Field, SecretStr

from connectors.ledger.database import database_url, default_path, place_in_words
from connectors.ledger.store import Ledger, LedgerOpening


class LedgerDatabase(Block):
    """The integration's own small database: request budget, journal of writes, batches in flight.

    Without settings it is a SQLite file in the user's data folder. Several machines need PostgreSQL.
    """

    _block_type_name = "Integration Ledger"
    _block_type_slug = "integration-ledger"
    _description = "Where the integration keeps its request budget and the journal of everything it wrote."

    url: SecretStr | None = Field(
        default=None,
        title="Database address",
        description=(
            "Address of a PostgreSQL database, such as postgresql://user:password@host/database; "
            "needed when flows run on several machines. Leave it empty to use a SQLite file."
        ),
    )
    path: str | None = Field(
        default=None,
        title="SQLite file",
        description=(
            "File of the SQLite database, used when no database address is given. Left empty: the file that "
            "the environment variable CONNECTWISE_FLOWS_LEDGER names, else one in the user's data folder."
        ),
    )

    def open(self) -> LedgerOpening:
        """``async with block.open() as ledger``; the tables are made or updated when needed."""
        return Ledger.open(self._place())

    def place(self) -> str:
        """Where the ledger lies, in words, without user and password."""
        return place_in_words(database_url(self._place()))

    def _place(self) -> str:
        address = self.url.get_secret_value().strip() if self.url else ""
        return address or (self.path or "").strip() or str(default_path(os.environ))
