"""The client of ConnectWise PSA: a method per vendor operation, by area.

Operations on configurations, ConnectWise's word for the devices of a company.

Operations on the tables that configurations point at: types, statuses, manufacturers.

Operations on companies, their sites and contacts.

Operations on a tenant's own set-up: locations, departments, structure levels, custom fields.

Operations on members, the people and integrations that log in to ConnectWise.

Operations on agreements, their types, and the configurations that an agreement covers.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Any, Unpack, cast

from connectors.connectwise.api import Collection, ConnectWiseApi
from connectors.connectwise.bulk_reads import BundleOperations, ReportOperations, TicketSearchOperations
from connectors.connectwise.models import ListSearch, PagesSearch, PatchOperation, Record, Search
from connectors.connectwise.service import (
    CallbackOperations,
    NoteOperations,
    OpportunityOperations,
    ServiceBoardOperations,
    TicketOperations,
    TimeEntryOperations,
)
from connectors.retry import Kind

_CONFIGURATIONS = Collection("/company/configurations")
_BULK = Collection("/company/configurations/bulk")
_ONE = "/company/configurations/{id}"
_CHANGE_TYPE = "/company/configurations/{id}/changeType"


class ConfigurationOperations(ConnectWiseApi):
    """Read, create, replace, patch and delete configurations, one by one and in bulk."""

    async def list_configurations(
        self, conditions: str | None = None, **search: Unpack[ListSearch]
    ) -> list[Record]:
        """Configurations, all or one page of them: ``GET /company/configurations``."""
        return await self._list(_CONFIGURATIONS, conditions, search)

    def configurations_pages(
        self, conditions: str | None = None, **search: Unpack[PagesSearch]
    ) -> AsyncIterator[list[Record]]:
        """Configurations, page by page in the order of their ids."""
        return self._pages(_CONFIGURATIONS, conditions, search)

    async def count_configurations(self, conditions: str | None = None, **search: Unpack[Search]) -> int:
        """The number of configurations: ``GET /company/configurations/count``."""
        return await self._count(_CONFIGURATIONS, conditions, search)

    async def get_configuration(self, configuration_id: int, fields: str | None = None) -> Record:
        """One configuration, whole unless ``fields`` names some: ``GET /company/configurations/{id}``.

        Raises:
            RejectedError: there is none of that id, with status 404.
        """
        return await self._get_record(Collection(_ONE, id=configuration_id), fields)

    async def create_configuration(self, record: Record) -> Record:
        """Create one: ``POST /company/configurations``. Name, type and company are required.

        Raises:
            UnclearOutcomeError: it may or may not exist now; look for it before sending it again.
        """
        return await self._create(_CONFIGURATIONS, record)

    async def create_configurations(self, records: Sequence[Record]) -> Any:
        """Create several at once, of which some may be refused: ``POST /company/configurations/bulk``.

        Returns:
            The raw answer of status 207, meant to be a BulkResult with one item per record. Its shape is
            not certain for this operation; ``tasks/rules/asset_sync/payloads.py`` joins it to the records.

        Raises:
            UnclearOutcomeError: any of them may exist now, or come to exist in the next minute.
        """
        return await self._write(Kind.CREATE, "POST", _BULK, list(records))

    async def replace_configurations(self, records: Sequence[Record]) -> Any:
        """Replace several whole records, each with its id: ``PUT /company/configurations/bulk``.

        What a record does not name is reset by the server, so send records that were just read.

        Returns:
            The raw answer, as of ``create_configurations``.

        Raises:
            RetryableError: not done, or not known to be; read the records again before sending them again.
        """
        return await self._write(Kind.REPLACE, "PUT", _BULK, list(records))

    async def patch_configuration(
        self, configuration_id: int, operations: Sequence[PatchOperation]
    ) -> Record:
        """Change some members: ``PATCH /company/configurations/{id}``; returns the whole record.

        It may be sent twice, so only operations that set an absolute value belong here. The server checks
        the whole stored record and may refuse a member that was not sent.
        """
        return await self._patch(Collection(_ONE, id=configuration_id), operations)

    async def delete_configuration(self, configuration_id: int) -> None:
        """Delete one: ``DELETE /company/configurations/{id}``.

        Raises:
            RejectedError: there is none of that id (404; also if an earlier try did it), or it is in use.
        """
        await self._write(Kind.MODIFY, "DELETE", Collection(_ONE, id=configuration_id))

    async def change_configuration_type(self, configuration_id: int, type_id: int) -> Record:
        """Give one another type: ``PATCH /company/configurations/{id}/changeType``.

        The questions of the old type and their answers can be lost.
        """
        operation: PatchOperation = {"op": "replace", "path": "type", "value": {"id": type_id}}
        return await self._patch(Collection(_CHANGE_TYPE, id=configuration_id), [operation])


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


_MEMBERS = Collection("/system/members")


class MemberOperations(ConnectWiseApi):
    """Read members; this project never writes them."""

    async def list_members(self, conditions: str | None = None, **search: Unpack[ListSearch]) -> list[Record]:
        """Members, all or one page of them: ``GET /system/members``."""
        return await self._list(_MEMBERS, conditions, search)

    def members_pages(
        self, conditions: str | None = None, **search: Unpack[PagesSearch]
    ) -> AsyncIterator[list[Record]]:
        """Members, page by page in the order of their ids."""
        return self._pages(_MEMBERS, conditions, search)

    async def count_members(self, conditions: str | None = None, **search: Unpack[Search]) -> int:
        """The number of members: ``GET /system/members/count``."""
        return await self._count(_MEMBERS, conditions, search)

    async def get_member(self, member_id: int, fields: str | None = None) -> Record:
        """One member: ``GET /system/members/{id}``.

        Raises:
            RejectedError: there is none of that id, with status 404.
        """
        return await self._get_record(Collection("/system/members/{id}", id=member_id), fields)


_AGREEMENTS = Collection("/finance/agreements")
_AGREEMENT_TYPES = Collection("/finance/agreements/types")


class AgreementOperations(ConnectWiseApi):
    """Read agreements; this project never writes them."""

    async def list_agreements(
        self, conditions: str | None = None, **search: Unpack[ListSearch]
    ) -> list[Record]:
        """Agreements, all or one page of them: ``GET /finance/agreements``."""
        return await self._list(_AGREEMENTS, conditions, search)

    def agreements_pages(
        self, conditions: str | None = None, **search: Unpack[PagesSearch]
    ) -> AsyncIterator[list[Record]]:
        """Agreements, page by page in the order of their ids."""
        return self._pages(_AGREEMENTS, conditions, search)

    async def count_agreements(self, conditions: str | None = None, **search: Unpack[Search]) -> int:
        """The number of agreements: ``GET /finance/agreements/count``."""
        return await self._count(_AGREEMENTS, conditions, search)

    async def list_agreement_types(
        self, conditions: str | None = None, **search: Unpack[ListSearch]
    ) -> list[Record]:
        """Agreement types, all or one page of them: ``GET /finance/agreements/types``."""
        return await self._list(_AGREEMENT_TYPES, conditions, search)

    async def agreement_configurations(self, agreement_id: int) -> list[Record]:
        """Every configuration of one agreement: ``GET /finance/agreements/{parentId}/configurations``.

        Each has ``id`` and ``deviceIdentifier`` only. One request for each 1,000 of them.

        Raises:
            RejectedError: there is no agreement of that id, with status 404.
        """
        where = Collection("/finance/agreements/{parentId}/configurations", parentId=agreement_id)
        return await self._list(where, None, {})


class ConnectWiseClient(
    ConfigurationOperations,
    ReferenceTableOperations,
    CompanyOperations,
    SystemOperations,
    AgreementOperations,
    TicketOperations,
    TicketSearchOperations,
    NoteOperations,
    ServiceBoardOperations,
    OpportunityOperations,
    TimeEntryOperations,
    MemberOperations,
    CallbackOperations,
    ReportOperations,
    BundleOperations,
):
    """Every operation that this project uses.

    At most three methods a collection: ``list_x`` returns a list (every record, unless a page is asked for),
    ``x_pages`` yields pages forward-only by id, ``count_x`` counts. Arguments are in ``models.ListSearch``.

    Example:
        ```python
        async with ConnectWiseClient(settings, read_only=True) as client:
            async for page in client.configurations_pages("company/id = 2", fields="id,name"):
                print(len(page))
        ```
    """
