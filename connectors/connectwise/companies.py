"""Operations on companies, their sites and contacts."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Unpack

from connectors.connectwise.api import Collection, ConnectWiseApi
from connectors.connectwise.models import ListSearch, PagesSearch, Record, Search

_COMPANIES = Collection("/company/companies")
_CONTACTS = Collection("/company/contacts")


class CompanyOperations(ConnectWiseApi):
    """Read companies, sites and contacts; this project never writes them."""

    async def list_companies(
        self, conditions: str | None = None, **search: Unpack[ListSearch]
    ) -> list[Record]:
        """Companies, all or one page of them: ``GET /company/companies``."""
        return await self._list(_COMPANIES, conditions, search)

    def companies_pages(
        self, conditions: str | None = None, **search: Unpack[PagesSearch]
    ) -> AsyncIterator[list[Record]]:
        """Companies, page by page in the order of their ids."""
        return self._pages(_COMPANIES, conditions, search)

    async def count_companies(self, conditions: str | None = None, **search: Unpack[Search]) -> int:
        """The number of companies: ``GET /company/companies/count``."""
        return await self._count(_COMPANIES, conditions, search)

    async def get_company(self, company_id: int, fields: str | None = None) -> Record:
        """One company: ``GET /company/companies/{id}``.

        Raises:
            RejectedError: there is none of that id, with status 404.
        """
        return await self._get_record(Collection("/company/companies/{id}", id=company_id), fields)

    async def list_sites(
        self, company_id: int, conditions: str | None = None, **search: Unpack[ListSearch]
    ) -> list[Record]:
        """Sites of one company, all or one page of them: ``GET /company/companies/{parentId}/sites``."""
        return await self._list(_sites(company_id), conditions, search)

    def sites_pages(
        self, company_id: int, conditions: str | None = None, **search: Unpack[PagesSearch]
    ) -> AsyncIterator[list[Record]]:
        """Sites of one company, page by page in the order of their ids."""
        return self._pages(_sites(company_id), conditions, search)

    async def count_sites(
        self, company_id: int, conditions: str | None = None, **search: Unpack[Search]
    ) -> int:
        """The number of sites of one company: ``GET /company/companies/{parentId}/sites/count``."""
        return await self._count(_sites(company_id), conditions, search)

    async def get_site(self, company_id: int, site_id: int, fields: str | None = None) -> Record:
        """One site of a company: ``GET /company/companies/{parentId}/sites/{id}``.

        Raises:
            RejectedError: the company has none of that id, with status 404.
        """
        template = "/company/companies/{parentId}/sites/{id}"
        return await self._get_record(Collection(template, parentId=company_id, id=site_id), fields)

    async def list_contacts(
        self, conditions: str | None = None, **search: Unpack[ListSearch]
    ) -> list[Record]:
        """Contacts, all or one page of them: ``GET /company/contacts``."""
        return await self._list(_CONTACTS, conditions, search)

    def contacts_pages(
        self, conditions: str | None = None, **search: Unpack[PagesSearch]
    ) -> AsyncIterator[list[Record]]:
        """Contacts, page by page in the order of their ids."""
        return self._pages(_CONTACTS, conditions, search)

    async def count_contacts(self, conditions: str | None = None, **search: Unpack[Search]) -> int:
        """The number of contacts: ``GET /company/contacts/count``."""
        return await self._count(_CONTACTS, conditions, search)

    async def get_contact(self, contact_id: int, fields: str | None = None) -> Record:
        """One contact: ``GET /company/contacts/{id}``.

        Raises:
            RejectedError: there is none of that id, with status 404.
        """
        return await self._get_record(Collection("/company/contacts/{id}", id=contact_id), fields)


def _sites(company_id: int) -> Collection:
    return Collection("/company/companies/{parentId}/sites", parentId=company_id)
