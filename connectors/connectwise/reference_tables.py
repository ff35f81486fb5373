"""Operations on the tables that configurations point at: types, statuses, manufacturers."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Unpack

from connectors.connectwise.api import Collection, ConnectWiseApi
from connectors.connectwise.models import ListSearch, PagesSearch, Record, Search

_TYPES = Collection("/company/configurations/types")
_STATUSES = Collection("/company/configurations/statuses")
_MANUFACTURERS = Collection("/procurement/manufacturers")


class ReferenceTableOperations(ConnectWiseApi):
    """Read and create configuration types, configuration statuses and manufacturers."""

    async def list_configuration_types(
        self, conditions: str | None = None, **search: Unpack[ListSearch]
    ) -> list[Record]:
        """Configuration types, all or one page of them: ``GET /company/configurations/types``."""
        return await self._list(_TYPES, conditions, search)

    def configuration_types_pages(
        self, conditions: str | None = None, **search: Unpack[PagesSearch]
    ) -> AsyncIterator[list[Record]]:
        """Configuration types, page by page in the order of their ids."""
        return self._pages(_TYPES, conditions, search)

    async def count_configuration_types(self, conditions: str | None = None, **search: Unpack[Search]) -> int:
        """The number of configuration types: ``GET /company/configurations/types/count``."""
        return await self._count(_TYPES, conditions, search)

    async def create_configuration_type(self, name: str) -> Record:
        """Create a type; at most 50 characters: ``POST /company/configurations/types``."""
        return await self._create(_TYPES, {"name": name})

    async def list_configuration_statuses(
        self, conditions: str | None = None, **search: Unpack[ListSearch]
    ) -> list[Record]:
        """Configuration statuses, all or one page of them: ``GET /company/configurations/statuses``."""
        return await self._list(_STATUSES, conditions, search)

    def configuration_statuses_pages(
        self, conditions: str | None = None, **search: Unpack[PagesSearch]
    ) -> AsyncIterator[list[Record]]:
        """Configuration statuses, page by page in the order of their ids."""
        return self._pages(_STATUSES, conditions, search)

    async def count_configuration_statuses(
        self, conditions: str | None = None, **search: Unpack[Search]
    ) -> int:
        """The number of configuration statuses: ``GET /company/configurations/statuses/count``."""
        return await self._count(_STATUSES, conditions, search)

    async def create_configuration_status(
        self, description: str, closed_flag: bool = False, default_flag: bool = False
    ) -> Record:
        """Create a status; at most 50 characters: ``POST /company/configurations/statuses``.

        A status has a description and no name. A new default takes the place of the old one.
        """
        record = {"description": description, "closedFlag": closed_flag, "defaultFlag": default_flag}
        return await self._create(_STATUSES, record)

    async def list_manufacturers(
        self, conditions: str | None = None, **search: Unpack[ListSearch]
    ) -> list[Record]:
        """Manufacturers, all or one page of them: ``GET /procurement/manufacturers``."""
        return await self._list(_MANUFACTURERS, conditions, search)

    def manufacturers_pages(
        self, conditions: str | None = None, **search: Unpack[PagesSearch]
    ) -> AsyncIterator[list[Record]]:
        """Manufacturers, page by page in the order of their ids."""
        return self._pages(_MANUFACTURERS, conditions, search)

    async def count_manufacturers(self, conditions: str | None = None, **search: Unpack[Search]) -> int:
        """The number of manufacturers: ``GET /procurement/manufacturers/count``."""
        return await self._count(_MANUFACTURERS, conditions, search)

    async def create_manufacturer(self, name: str) -> Record:
        """Create a manufacturer; at most 50 characters: ``POST /procurement/manufacturers``."""
        return await self._create(_MANUFACTURERS, {"name": name})
