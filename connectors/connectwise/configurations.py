"""Operations on configurations, ConnectWise's word for the devices of a company."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Any, Unpack

from connectors.connectwise.api import Collection, ConnectWiseApi
from connectors.connectwise.models import ListSearch, PagesSearch, PatchOperation, Record, Search
from connectors.http import Kind

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
            not certain for this operation; ``tasks/rules/batching.py`` joins it to the records.

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
