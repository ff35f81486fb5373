"""Operations on members, the people and integrations that log in to ConnectWise."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Unpack

from connectors.connectwise.api import Collection, ConnectWiseApi
from connectors.connectwise.models import ListSearch, PagesSearch, Record, Search

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
