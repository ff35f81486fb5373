"""Operations on service tickets and project tickets, which lie in two collections with the same verbs.

Operations on the notes of tickets.

Operations on service boards and the statuses that each of them has.

Operations on sales opportunities, their notes, types and statuses.

Operations on time entries.

Operations on callbacks: where ConnectWise posts a message when a record changes.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Literal, Unpack

from connectors.connectwise.api import LARGEST_PAGE, Collection, ConnectWiseApi
from connectors.connectwise.models import ListSearch, PagesSearch, PatchOperation, Record, Search
from connectors.retry import Kind

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


_OPPORTUNITIES = Collection("/sales/opportunities")
_OPPORTUNITY_STATUSES = Collection("/sales/opportunities/statuses")
_OPPORTUNITY_TYPES = Collection("/sales/opportunities/types")
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
        return await self._list(_OPPORTUNITY_STATUSES, conditions, search)

    async def list_opportunity_types(
        self, conditions: str | None = None, **search: Unpack[ListSearch]
    ) -> list[Record]:
        """Types that an opportunity can have: ``GET /sales/opportunities/types``."""
        return await self._list(_OPPORTUNITY_TYPES, conditions, search)

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
