"""What the company has set up: types of work, templates, custom fields, people."""

from __future__ import annotations

from connectors.field_nation.api import FieldNationApi
from connectors.field_nation.models import Record
from connectors.http import Kind


class CompanyOperations(FieldNationApi):
    """Look-ups; all ids differ between the two environments."""

    async def list_types_of_work(self) -> list[Record]:
        """``{id, name, industry_id, industry}``: ``GET /types-of-work``."""
        return await self._all("/types-of-work")

    async def list_templates(self) -> list[Record]:
        """Work order templates: ``GET /templates``."""
        return await self._all("/templates")

    async def list_clients(self) -> list[Record]:
        """The company's clients: ``GET /clients``."""
        return await self._all("/clients")

    async def list_projects(self) -> list[Record]:
        """The company's projects: ``GET /projects``."""
        return await self._all("/projects")

    async def list_custom_field_definitions(self) -> list[Record]:
        """Every custom field of the company, without values: ``GET /custom-fields``."""
        return await self._all("/custom-fields")

    async def list_managers(self) -> list[Record]:
        """``{id, first_name, last_name}`` of those who may manage work orders: ``GET /company/managers``."""
        return await self._all("/company/managers")

    async def list_incomplete_reasons(self) -> list[Record]:
        """Reasons for sending work back: ``GET /company/incomplete-reasons``."""
        return await self._all("/company/incomplete-reasons")

    async def _all(self, path: str) -> list[Record]:
        return self._results(await self._rest(Kind.READ, "GET", path), "GET", path)
