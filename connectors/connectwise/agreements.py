"""Operations on agreements, their types, and the configurations that an agreement covers."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Unpack

from connectors.connectwise.api import Collection, ConnectWiseApi
from connectors.connectwise.models import ListSearch, PagesSearch, Record, Search

_AGREEMENTS = Collection("/finance/agreements")
_TYPES = Collection("/finance/agreements/types")


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
        return await self._list(_TYPES, conditions, search)

    async def agreement_configurations(self, agreement_id: int) -> list[Record]:
        """Every configuration of one agreement: ``GET /finance/agreements/{parentId}/configurations``.

        Each has ``id`` and ``deviceIdentifier`` only. One request for each 1,000 of them.

        Raises:
            RejectedError: there is no agreement of that id, with status 404.
        """
        where = Collection("/finance/agreements/{parentId}/configurations", parentId=agreement_id)
        return await self._list(where, None, {})
