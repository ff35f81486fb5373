"""Operations on service boards and the statuses that each of them has."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Unpack

from connectors.connectwise.api import Collection, ConnectWiseApi
from connectors.connectwise.models import ListSearch, PagesSearch, Record, Search

_BOARDS = Collection("/service/boards")
_STATUSES = "/service/boards/{parentId}/statuses"


class ServiceBoardOperations(ConnectWiseApi):
    """Read boards and their statuses; this project never writes them."""

    async def list_boards(self, conditions: str | None = None, **search: Unpack[ListSearch]) -> list[Record]:
        """Boards, all or one page of them: ``GET /service/boards``. Project boards have ``projectFlag``."""
        return await self._list(_BOARDS, conditions, search)

    def boards_pages(
        self, conditions: str | None = None, **search: Unpack[PagesSearch]
    ) -> AsyncIterator[list[Record]]:
        """Boards, page by page in the order of their ids."""
        return self._pages(_BOARDS, conditions, search)

    async def count_boards(self, conditions: str | None = None, **search: Unpack[Search]) -> int:
        """The number of boards: ``GET /service/boards/count``."""
        return await self._count(_BOARDS, conditions, search)

    async def get_board(self, board_id: int, fields: str | None = None) -> Record:
        """One board: ``GET /service/boards/{id}``.

        Raises:
            RejectedError: there is none of that id, with status 404.
        """
        return await self._get_record(Collection("/service/boards/{id}", id=board_id), fields)

    async def list_board_statuses(
        self, board_id: int, conditions: str | None = None, **search: Unpack[ListSearch]
    ) -> list[Record]:
        """Statuses of one board: ``GET /service/boards/{parentId}/statuses``.

        ``closedStatus`` says whether a ticket with that status is closed; its name need not.
        """
        return await self._list(Collection(_STATUSES, parentId=board_id), conditions, search)
