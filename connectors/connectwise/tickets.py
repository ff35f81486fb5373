"""Operations on service tickets and project tickets, which lie in two collections with the same verbs."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Literal, Unpack

from connectors.connectwise.api import Collection, ConnectWiseApi
from connectors.connectwise.models import ListSearch, PagesSearch, PatchOperation, Record, Search

TicketKind = Literal["service", "project"]
"""``service``: recordType ServiceTicket. ``project``: ProjectTicket and ProjectIssue."""
TICKETS: dict[TicketKind, str] = {"service": "/service/tickets", "project": "/project/tickets"}


class TicketOperations(ConnectWiseApi):
    """Read, create and patch tickets; read the configurations that are attached to them."""

    async def list_tickets(
        self, kind: TicketKind, conditions: str | None = None, **search: Unpack[ListSearch]
    ) -> list[Record]:
        """Tickets, all or one page of them: ``GET /service/tickets`` or ``/project/tickets``.

        ``configuration/id = 5`` as a condition is undocumented: some servers take it, others refuse it
        (reference, short list, 4). SLA minutes are stale in lists.
        """
        return await self._list(Collection(TICKETS[kind]), conditions, search)

    def tickets_pages(
        self, kind: TicketKind, conditions: str | None = None, **search: Unpack[PagesSearch]
    ) -> AsyncIterator[list[Record]]:
        """Tickets, page by page in the order of their ids."""
        return self._pages(Collection(TICKETS[kind]), conditions, search)

    async def count_tickets(
        self, kind: TicketKind, conditions: str | None = None, **search: Unpack[Search]
    ) -> int:
        """The number of tickets: ``GET /service/tickets/count`` or ``/project/tickets/count``."""
        return await self._count(Collection(TICKETS[kind]), conditions, search)

    async def get_ticket(self, kind: TicketKind, ticket_id: int, fields: str | None = None) -> Record:
        """One ticket, whole unless ``fields`` names some: ``GET /service/tickets/{id}``.

        Raises:
            RejectedError: there is none of that id in this collection, with status 404.
        """
        return await self._get_record(Collection(TICKETS[kind] + "/{id}", id=ticket_id), fields)

    async def create_ticket(self, kind: TicketKind, record: Record) -> Record:
        """Create a ticket: ``POST /service/tickets``, which needs summary and company, or
        ``POST /project/tickets``, which needs summary and phase.

        ``initialDescription`` becomes a note and never comes back on a read.

        Raises:
            UnclearOutcomeError: it may or may not exist now; look for it before sending it again.
        """
        return await self._create(Collection(TICKETS[kind]), record)

    async def patch_ticket(
        self, kind: TicketKind, ticket_id: int, operations: Sequence[PatchOperation]
    ) -> Record:
        """Change some members: ``PATCH /service/tickets/{id}``; returns the whole record.

        It may be sent twice, so only operations that set an absolute value belong here. A status must be one
        of the ticket's board, named by id: statuses of one name have another id on each board.
        """
        return await self._patch(Collection(TICKETS[kind] + "/{id}", id=ticket_id), operations)

    async def ticket_configurations(self, kind: TicketKind, ticket_id: int) -> list[Record]:
        """Every configuration of one ticket: ``GET /service/tickets/{parentId}/configurations``.

        Each has ``id`` and ``deviceIdentifier`` only. One request for each 1,000 of them.

        Raises:
            RejectedError: there is no ticket of that id, with status 404.
        """
        where = Collection(TICKETS[kind] + "/{parentId}/configurations", parentId=ticket_id)
        return await self._list(where, None, {})
