"""Operations on callbacks: where ConnectWise posts a message when a record changes."""

from __future__ import annotations

from typing import Unpack

from connectors.connectwise.api import Collection, ConnectWiseApi
from connectors.connectwise.models import ListSearch, Record
from connectors.http import Kind

_CALLBACKS = Collection("/system/callbacks")


class CallbackOperations(ConnectWiseApi):
    """List, create and delete callback entries."""

    async def list_callbacks(
        self, conditions: str | None = None, **search: Unpack[ListSearch]
    ) -> list[Record]:
        """Callback entries, all or one page of them: ``GET /system/callbacks``."""
        return await self._list(_CALLBACKS, conditions, search)

    async def create_callback(self, record: Record) -> Record:
        """Register a callback: ``POST /system/callbacks``. url, objectId, type and level are required.

        The record's id is appended to the url as it stands, so end it with ``?recordId=``. ``objectId`` is
        the id at that level, 1 for the level Owner.

        Raises:
            RejectedError: a matching entry exists already (ObjectExists), or a member is not accepted.
            UnclearOutcomeError: it may or may not exist now; list the entries before sending it again.
        """
        return await self._create(_CALLBACKS, record)

    async def delete_callback(self, callback_id: int) -> None:
        """Remove a callback: ``DELETE /system/callbacks/{id}``.

        Raises:
            RejectedError: there is none of that id (404; also if an earlier try did it).
        """
        await self._write(Kind.MODIFY, "DELETE", Collection("/system/callbacks/{id}", id=callback_id))
