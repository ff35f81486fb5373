"""The Prefect block that names the ledger's place."""

from __future__ import annotations

import os

from prefect.blocks.core import Block
from pydantic import Field, HttpUrl, SecretStr

from connectors.ledger.database import (
    PATH_VARIABLE,
    URL_VARIABLE,
    database_url,
    default_path,
    place_in_words,
)
from connectors.ledger.store import Ledger, LedgerOpening
from connectors.logos import STORAGE


class LedgerDatabase(Block):
    """The integration's own small database: request budget, journal of writes, batches in flight.

    Without settings it is what CONNECTWISE_FLOWS_LEDGER_URL names, else a SQLite file in the user's data
    folder. Several machines or containers need PostgreSQL.

    Example:
        Load a saved ledger and print where it lies and what it holds back:
        ```python
        import asyncio

        from connectors.ledger.block import LedgerDatabase


        async def count_held(database: LedgerDatabase) -> int:
            async with database.open() as ledger:
                return len(await ledger.quarantine.every())


        database = LedgerDatabase.load("BLOCK_NAME")
        print(database.place(), asyncio.run(count_held(database)))
        ```
    """

    _block_type_name = "Integration Ledger"
    _block_type_slug = "integration-ledger"
    _description = "Where the integration keeps its request budget and the journal of everything it wrote."
    # What may stand in the database address; the project's own pages have no public address.
    _documentation_url = HttpUrl(
        "https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING-URIS"
    )
    _logo_url = HttpUrl(STORAGE)

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
            "File of the SQLite database, used when no database address is given. Left empty: the address or "
            "file that the environment variables CONNECTWISE_FLOWS_LEDGER_URL or CONNECTWISE_FLOWS_LEDGER "
            "name, else one in the user's data folder."
        ),
    )

    def open(self, pool_type: str | None = None) -> LedgerOpening:
        """``async with block.open() as ledger``; the tables are made or updated when needed.

        Raises:
            StopError: nothing names a place, and with a work pool of that type each run has its own disk.
        """
        return Ledger.open(self._named() or str(default_path(os.environ, pool_type=pool_type)))

    def has_named_place(self) -> bool:
        """Whether a setting or the environment names an address or a file."""
        return bool(self._named() or os.environ.get(PATH_VARIABLE, "").strip())

    def place(self) -> str:
        """Where the ledger lies, in words, without user and password."""
        return place_in_words(database_url(self._named() or str(default_path(os.environ))))

    def _named(self) -> str:
        address = self.url.get_secret_value().strip() if self.url else ""
        return address or (self.path or "").strip() or os.environ.get(URL_VARIABLE, "").strip()
