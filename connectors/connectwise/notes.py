"""Operations on the notes of tickets."""

from __future__ import annotations

from typing import Unpack

from connectors.connectwise.api import Collection, ConnectWiseApi
from connectors.connectwise.models import ListSearch, Record
from connectors.connectwise.paging import LARGEST_PAGE
from connectors.connectwise.tickets import TICKETS, TicketKind


class NoteOperations(ConnectWiseApi):
    """Read and create notes of tickets; this project never changes or deletes one."""

    async def list_ticket_notes(
        self,
        kind: TicketKind,
        ticket_id: int,
        conditions: str | None = None,
        **search: Unpack[ListSearch],
    ) -> list[Record]:
        """A ticket's own notes: ``GET /service/tickets/{parentId}/notes``.

        The description that was given on creation is the oldest with ``detailDescriptionFlag``. ``noteType``
        is no member of these, and not to be used as a condition.
        """
        return await self._list(_notes(kind, ticket_id), conditions, search)

    async def list_all_ticket_notes(self, kind: TicketKind, ticket_id: int) -> list[Record]:
        """Notes of a ticket, its time entries and meetings: ``GET /service/tickets/{parentId}/allNotes``.

        ``noteType`` tells them apart. Ids of different types may well be the same.
        """
        where = Collection(TICKETS[kind] + "/{parentId}/allNotes", parentId=ticket_id)
        # Three tables in one: pages by id would leave out a note whose id another type has too.
        return [note async for page in self._pages_by_number(where, {}, LARGEST_PAGE) for note in page]

    async def create_ticket_note(self, kind: TicketKind, ticket_id: int, record: Record) -> Record:
        """Add a note: ``POST /service/tickets/{parentId}/notes``.

        ``detailDescriptionFlag`` puts it into the ticket's discussion, ``internalAnalysisFlag`` among the
        internal notes, ``resolutionFlag`` with the resolution. Which of them a server asks for is not known.

        Raises:
            UnclearOutcomeError: it may or may not exist now; look for its text before sending it again.
        """
        return await self._create(_notes(kind, ticket_id), record)


def _notes(kind: TicketKind, ticket_id: int) -> Collection:
    return Collection(TICKETS[kind] + "/{parentId}/notes", parentId=ticket_id)
