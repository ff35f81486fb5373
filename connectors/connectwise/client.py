"""The client of ConnectWise PSA: every collection and operation that this project uses, and no other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Unpack

from connectors.connectwise.api import ApiPath
from connectors.connectwise.bulk_reads import BulkReads
from connectors.connectwise.collection import Collection
from connectors.connectwise.models import TICKETS, PatchOperation, Record, TicketKind
from connectors.connectwise.settings import ConnectWiseSettings
from connectors.http import SessionOptions, whole_body
from connectors.retry import RequestKind
from connectors.shapes import as_object

_BULK = ApiPath.of("/company/configurations/bulk")


class ConnectWiseClient(BulkReads):
    """The collections by name, each with list, pages, count, get, create, patch and delete.

    What is not plain is a method: configurations in bulk, the change of a type, and ``BulkReads``.

    Example:
        ```python
        async with ConnectWiseClient(settings, read_only=True) as client:
            async for page in client.configurations.pages("company/id = 2", fields="id,name"):
                print(len(page))
            ticket = await client.tickets("service").get(5)
        ```
    """

    def __init__(self, settings: ConnectWiseSettings, **options: Unpack[SessionOptions]) -> None:
        super().__init__(settings, **options)
        self.configurations = Collection(self, "/company/configurations")
        """The devices of a company. Name, type and company are required."""
        self.configuration_types = Collection(self, "/company/configurations/types")
        """A name of at most 50 characters."""
        self.configuration_statuses = Collection(self, "/company/configurations/statuses")
        """A ``description`` of at most 50 characters and no name. A new default replaces the old one."""
        self.manufacturers = Collection(self, "/procurement/manufacturers")
        """A name of at most 50 characters."""
        self.companies = Collection(self, "/company/companies")
        self.contacts = Collection(self, "/company/contacts")
        self.locations = Collection(self, "/system/locations")
        """A name of at most 50 characters, and ``structureLevel`` as ``{"id": n}``."""
        self.structure_levels = Collection(self, "/system/myCompany/corporateStructureLevels")
        """The levels that locations are on."""
        self.departments = Collection(self, "/system/departments")
        self.user_defined_fields = Collection(self, "/system/userDefinedFields")
        """podId, caption (at most 25 characters), sequenceNumber (1 to 500), fieldTypeIdentifier."""
        self.members = Collection(self, "/system/members")
        self.agreements = Collection(self, "/finance/agreements")
        self.boards = Collection(self, "/service/boards")
        """Project boards have ``projectFlag``."""
        self.priorities = Collection(self, "/service/priorities")
        self.opportunities = Collection(self, "/sales/opportunities")
        self.opportunity_statuses = Collection(self, "/sales/opportunities/statuses")
        self.time_entries = Collection(self, "/time/entries")
        """``timeStart`` is required, without fractions of a second. ``actualHours`` is ignored when both
        ``timeStart`` and ``timeEnd`` are given. Without ``chargeToId`` the time is the company's."""
        self.callbacks = Collection(self, "/system/callbacks")
        """Where ConnectWise posts a message when a record changes. url, objectId, type, level are required.
        The record's id is appended to the url as it stands, so end it with ``?recordId=``. ``objectId`` is
        the id at that level, 1 for the level Owner. A second entry of the kind is refused (ObjectExists)."""

    def sites(self, company_id: int) -> Collection:
        """The sites of one company."""
        return Collection(self, "/company/companies/{parentId}/sites", parentId=company_id)

    def agreement_configurations(self, agreement_id: int) -> Collection:
        """The configurations of one agreement, each with ``id`` and ``deviceIdentifier`` only."""
        return Collection(self, "/finance/agreements/{parentId}/configurations", parentId=agreement_id)

    def security_role_settings(self, role_id: int) -> Collection:
        """What one security role allows: ``addLevel`` and the like by module function.

        The published description has no such path; clients of others read it. Where it is missing or may
        not be read, nothing is known of the role.
        """
        return Collection(self, "/system/securityRoles/{parentId}/settings", parentId=role_id)

    def board_statuses(self, board_id: int) -> Collection:
        """The statuses of one board. ``closedStatus`` says whether a ticket is closed; the name need not."""
        return Collection(self, "/service/boards/{parentId}/statuses", parentId=board_id)

    def board_types(self, board_id: int) -> Collection:
        """The ticket types of one board."""
        return Collection(self, "/service/boards/{parentId}/types", parentId=board_id)

    def tickets(self, kind: TicketKind) -> Collection:
        """Service or project tickets.

        A service ticket needs summary and company, a project ticket summary and phase; ``initialDescription``
        becomes a note and never comes back on a read. A status must be one of the ticket's board, named by
        id: statuses of one name have another id on each board. SLA minutes are stale in lists.
        ``configuration/id = 5`` as a condition is undocumented: some servers take it, others refuse it.
        """
        return Collection(self, TICKETS[kind])

    def ticket_configurations(self, kind: TicketKind, ticket_id: int) -> Collection:
        """The configurations of one ticket, each with ``id`` and ``deviceIdentifier`` only."""
        return Collection(self, TICKETS[kind] + "/{parentId}/configurations", parentId=ticket_id)

    def ticket_notes(self, kind: TicketKind, ticket_id: int) -> Collection:
        """A ticket's own notes.

        The description that was given on creation is the oldest with ``detailDescriptionFlag``, which puts a
        note into the ticket's discussion; ``internalAnalysisFlag`` puts it among the internal notes,
        ``resolutionFlag`` with the resolution. Which of them a server asks for is not known. ``noteType`` is
        no member of these, and not to be used as a condition.
        """
        return Collection(self, TICKETS[kind] + "/{parentId}/notes", parentId=ticket_id)

    def opportunity_notes(self, opportunity_id: int) -> Collection:
        """The notes of one opportunity; each needs a text."""
        return Collection(self, "/sales/opportunities/{parentId}/notes", parentId=opportunity_id)

    async def create_configurations(self, records: Sequence[Record]) -> Any:
        """Create several at once, of which some may be refused: ``POST /company/configurations/bulk``.

        Returns:
            The raw answer of status 207, meant to be a BulkResult with one item per record. Its shape is
            not certain for this operation; ``tasks/rules/asset_sync/payloads.py`` joins it to the records.

        Raises:
            UnclearOutcomeError: any of them may exist now, or come to exist in the next minute.
        """
        return await self.send(RequestKind.CREATE, "POST", _BULK, whole_body, json=list(records))

    async def replace_configurations(self, records: Sequence[Record]) -> Any:
        """Replace several whole records, each with its id: ``PUT /company/configurations/bulk``.

        What a record does not name is reset by the server, so send records that were just read. Answers as
        ``create_configurations``. RetryableError: not known to be done; read the records again first.
        """
        return await self.send(RequestKind.REPLACE, "PUT", _BULK, whole_body, json=list(records))

    async def change_configuration_type(self, configuration_id: int, type_id: int) -> Record:
        """``PATCH /company/configurations/{id}/changeType``; the old type's answers can be lost."""
        path = ApiPath.of("/company/configurations/{id}/changeType", id=configuration_id)
        operation: PatchOperation = {"op": "replace", "path": "type", "value": {"id": type_id}}
        return await self.send(
            RequestKind.MODIFY, "PATCH", path, lambda answer: as_object(answer.body), json=[operation]
        )
