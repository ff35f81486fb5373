"""Operations on a tenant's own set-up: locations, departments, structure levels, custom fields."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Unpack, cast

from connectors.connectwise.api import Collection, ConnectWiseApi
from connectors.connectwise.models import ListSearch, PagesSearch, Record, Search

_INFO = Collection("/system/info")
_LOCATIONS = Collection("/system/locations")
_DEPARTMENTS = Collection("/system/departments")
_LEVELS = Collection("/system/myCompany/corporateStructureLevels")
_USER_DEFINED_FIELDS = Collection("/system/userDefinedFields")


class SystemOperations(ConnectWiseApi):
    """Read the set-up; create locations and user-defined fields."""

    async def system_info(self) -> Record:
        """Version and time zone of the server: ``GET /system/info``. It may answer without valid keys."""
        return cast(Record, await self._get(_INFO))

    async def list_locations(
        self, conditions: str | None = None, **search: Unpack[ListSearch]
    ) -> list[Record]:
        """Locations, all or one page of them: ``GET /system/locations``."""
        return await self._list(_LOCATIONS, conditions, search)

    def locations_pages(
        self, conditions: str | None = None, **search: Unpack[PagesSearch]
    ) -> AsyncIterator[list[Record]]:
        """Locations, page by page in the order of their ids."""
        return self._pages(_LOCATIONS, conditions, search)

    async def count_locations(self, conditions: str | None = None, **search: Unpack[Search]) -> int:
        """The number of locations: ``GET /system/locations/count``."""
        return await self._count(_LOCATIONS, conditions, search)

    async def create_location(self, name: str, structure_level_id: int) -> Record:
        """Create a location: ``POST /system/locations``. Its name has at most 50 characters.

        ``structure_level_id`` is a corporate structure level, as ``list_corporate_structure_levels`` gives.
        """
        record = {"name": name, "structureLevel": {"id": structure_level_id}}
        return await self._create(_LOCATIONS, record)

    async def list_departments(
        self, conditions: str | None = None, **search: Unpack[ListSearch]
    ) -> list[Record]:
        """Departments, all or one page of them: ``GET /system/departments``."""
        return await self._list(_DEPARTMENTS, conditions, search)

    def departments_pages(
        self, conditions: str | None = None, **search: Unpack[PagesSearch]
    ) -> AsyncIterator[list[Record]]:
        """Departments, page by page in the order of their ids."""
        return self._pages(_DEPARTMENTS, conditions, search)

    async def count_departments(self, conditions: str | None = None, **search: Unpack[Search]) -> int:
        """The number of departments: ``GET /system/departments/count``."""
        return await self._count(_DEPARTMENTS, conditions, search)

    async def list_corporate_structure_levels(
        self, conditions: str | None = None, **search: Unpack[ListSearch]
    ) -> list[Record]:
        """Levels 1 to 5 of the company's structure: ``GET /system/myCompany/corporateStructureLevels``."""
        return await self._list(_LEVELS, conditions, search)

    def corporate_structure_levels_pages(
        self, conditions: str | None = None, **search: Unpack[PagesSearch]
    ) -> AsyncIterator[list[Record]]:
        """Corporate structure levels, page by page in the order of their ids."""
        return self._pages(_LEVELS, conditions, search)

    async def count_corporate_structure_levels(
        self, conditions: str | None = None, **search: Unpack[Search]
    ) -> int:
        """The number of levels: ``GET /system/myCompany/corporateStructureLevels/count``."""
        return await self._count(_LEVELS, conditions, search)

    async def list_user_defined_fields(
        self, conditions: str | None = None, **search: Unpack[ListSearch]
    ) -> list[Record]:
        """User-defined fields, all or one page of them: ``GET /system/userDefinedFields``."""
        return await self._list(_USER_DEFINED_FIELDS, conditions, search)

    def user_defined_fields_pages(
        self, conditions: str | None = None, **search: Unpack[PagesSearch]
    ) -> AsyncIterator[list[Record]]:
        """User-defined fields, page by page in the order of their ids."""
        return self._pages(_USER_DEFINED_FIELDS, conditions, search)

    async def count_user_defined_fields(self, conditions: str | None = None, **search: Unpack[Search]) -> int:
        """The number of user-defined fields: ``GET /system/userDefinedFields/count``."""
        return await self._count(_USER_DEFINED_FIELDS, conditions, search)

    async def create_user_defined_field(self, record: Record) -> Record:
        """Create a custom field: ``POST /system/userDefinedFields``.

        podId, caption (at most 25 characters), sequenceNumber (1 to 500), fieldTypeIdentifier are required.
        """
        return await self._create(_USER_DEFINED_FIELDS, record)
