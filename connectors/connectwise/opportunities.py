"""Operations on sales opportunities, their notes, types and statuses."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Unpack

from connectors.connectwise.api import Collection, ConnectWiseApi
from connectors.connectwise.models import ListSearch, PagesSearch, PatchOperation, Record, Search

_OPPORTUNITIES = Collection("/sales/opportunities")
_STATUSES = Collection("/sales/opportunities/statuses")
_TYPES = Collection("/sales/opportunities/types")
_ONE = "/sales/opportunities/{id}"
_NOTES = "/sales/opportunities/{parentId}/notes"


class OpportunityOperations(ConnectWiseApi):
    """Read and patch opportunities; read and create their notes."""

    async def list_opportunities(
        self, conditions: str | None = None, **search: Unpack[ListSearch]
    ) -> list[Record]:
        """Opportunities, all or one page of them: ``GET /sales/opportunities``."""
        return await self._list(_OPPORTUNITIES, conditions, search)

    def opportunities_pages(
        self, conditions: str | None = None, **search: Unpack[PagesSearch]
    ) -> AsyncIterator[list[Record]]:
        """Opportunities, page by page in the order of their ids."""
        return self._pages(_OPPORTUNITIES, conditions, search)

    async def count_opportunities(self, conditions: str | None = None, **search: Unpack[Search]) -> int:
        """The number of opportunities: ``GET /sales/opportunities/count``."""
        return await self._count(_OPPORTUNITIES, conditions, search)

    async def get_opportunity(self, opportunity_id: int, fields: str | None = None) -> Record:
        """One opportunity: ``GET /sales/opportunities/{id}``.

        Raises:
            RejectedError: there is none of that id, with status 404.
        """
        return await self._get_record(Collection(_ONE, id=opportunity_id), fields)

    async def patch_opportunity(self, opportunity_id: int, operations: Sequence[PatchOperation]) -> Record:
        """Change some members: ``PATCH /sales/opportunities/{id}``; returns the whole record.

        It may be sent twice, so only operations that set an absolute value belong here.
        """
        return await self._patch(Collection(_ONE, id=opportunity_id), operations)

    async def list_opportunity_statuses(
        self, conditions: str | None = None, **search: Unpack[ListSearch]
    ) -> list[Record]:
        """Statuses that an opportunity can have: ``GET /sales/opportunities/statuses``."""
        return await self._list(_STATUSES, conditions, search)

    async def list_opportunity_types(
        self, conditions: str | None = None, **search: Unpack[ListSearch]
    ) -> list[Record]:
        """Types that an opportunity can have: ``GET /sales/opportunities/types``."""
        return await self._list(_TYPES, conditions, search)

    async def list_opportunity_notes(
        self, opportunity_id: int, conditions: str | None = None, **search: Unpack[ListSearch]
    ) -> list[Record]:
        """Notes of one opportunity: ``GET /sales/opportunities/{parentId}/notes``."""
        return await self._list(Collection(_NOTES, parentId=opportunity_id), conditions, search)

    async def create_opportunity_note(self, opportunity_id: int, record: Record) -> Record:
        """Add a note, which needs a text: ``POST /sales/opportunities/{parentId}/notes``.

        Raises:
            UnclearOutcomeError: it may or may not exist now; look for its text before sending it again.
        """
        return await self._create(Collection(_NOTES, parentId=opportunity_id), record)
