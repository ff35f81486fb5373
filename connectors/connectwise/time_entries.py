"""Operations on time entries."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Unpack

from connectors.connectwise.api import Collection, ConnectWiseApi
from connectors.connectwise.models import ListSearch, PagesSearch, Record, Search

_TIME_ENTRIES = Collection("/time/entries")


class TimeEntryOperations(ConnectWiseApi):
    """Read and create time entries; this project never changes or deletes one."""

    async def list_time_entries(
        self, conditions: str | None = None, **search: Unpack[ListSearch]
    ) -> list[Record]:
        """Time entries, all or one page of them: ``GET /time/entries``.

        Those of a ticket: ``chargeToType = "ServiceTicket" and chargeToId = 5``.
        """
        return await self._list(_TIME_ENTRIES, conditions, search)

    def time_entries_pages(
        self, conditions: str | None = None, **search: Unpack[PagesSearch]
    ) -> AsyncIterator[list[Record]]:
        """Time entries, page by page in the order of their ids."""
        return self._pages(_TIME_ENTRIES, conditions, search)

    async def count_time_entries(self, conditions: str | None = None, **search: Unpack[Search]) -> int:
        """The number of time entries: ``GET /time/entries/count``."""
        return await self._count(_TIME_ENTRIES, conditions, search)

    async def create_time_entry(self, record: Record) -> Record:
        """Enter time: ``POST /time/entries``. ``timeStart`` is required, without fractions of a second.

        ``actualHours`` (hours) is ignored when both ``timeStart`` and ``timeEnd`` are given (reference,
        section 5). Without ``chargeToId`` the time is entered against the company.

        Raises:
            UnclearOutcomeError: it may or may not exist now; look for it before sending it again.
        """
        return await self._create(_TIME_ENTRIES, record)
